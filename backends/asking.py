"""Wait for an answer piece by piece, as long as the server shows life."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio

from backends.answer import Draft, Piece
from backends.backend import Completion, Delta, Request
from backends.config import Timeouts
from backends.errors import BackendError, BackendTimeout
from backends.replies import Asked


async def ask(
    pieces: AsyncGenerator[Piece], request: Request, asked: Asked, timeouts: Timeouts
) -> AsyncGenerator[Delta | Completion]:
    """Yield what is readable of each piece, and the whole answer last.

    Life is text or reasoning: a server that only sends keep-alives or empty chunks is silent. Whatever goes
    wrong after the first piece, an error that the server tells included, was worked on.
    """
    started = time.perf_counter()
    draft = Draft(request, asked)
    try:
        async with aclosing(_readable(pieces, draft, asked, timeouts)) as deltas:
            async for delta in deltas:
                yield delta
        completion = draft.completion(time.perf_counter() - started)
    except BackendError as error:
        error.worked_on = error.worked_on or draft.begun
        raise
    yield completion


async def whole(stream: AsyncGenerator[Delta | Completion]) -> Completion:
    """Wait for the end of a stream."""
    async with aclosing(stream):
        async for piece in stream:
            if isinstance(piece, Completion):
                return piece
    raise AssertionError("a stream ends with its Completion")


async def _readable(
    pieces: AsyncGenerator[Piece], draft: Draft, asked: Asked, timeouts: Timeouts
) -> AsyncGenerator[Delta]:
    patience = timeouts.first_token_seconds
    async with aclosing(pieces):
        while True:
            waiting_since = time.perf_counter()
            piece = await _next(pieces, patience, asked)
            if piece is None:
                break
            shows_life = bool(piece.text or piece.reasoning)
            waited = time.perf_counter() - waiting_since
            patience = timeouts.stall_seconds if shows_life else patience - waited
            delta = draft.add(piece)
            if delta != Delta():
                yield delta
            if piece.last:
                break
    held_back = draft.close()
    if held_back != Delta():
        yield held_back


async def _next(pieces: AsyncGenerator[Piece], patience: float, asked: Asked) -> Piece | None:
    try:
        with anyio.fail_after(max(0.0, patience)):
            return await anext(pieces, None)
    except TimeoutError as error:
        what = "it accepted the request and then stayed silent"
        advice = "Load the model beforehand, ask for less, or raise its timeouts in escalation.toml."
        raise asked.error(BackendTimeout, what, advice) from error
