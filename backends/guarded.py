"""Ask a server that may be down or busy: leave the dead alone, wait for the busy."""

import random
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

import anyio

from backends.backend import Completion, Delta, Health, ModelInfo, Request
from backends.circuit import (
    PATIENCE_SECONDS,
    PATIENCE_WHILE_OPEN_SECONDS,
    Circuit,
    Waited,
    after_answer,
    begin_probe,
    pause_before_retry,
    pause_while_open,
    state_of,
)
from backends.errors import (
    BackendBusy,
    BackendError,
    BackendTimeout,
    ConnectionLost,
    ModelLoading,
    NoConnection,
    ServerFailed,
)
from backends.telling import Tell, tell_nobody
from backends.wrappers import Patient

_TOLD_FROM_SECONDS = 1.0


class CircuitOpen(NoConnection):
    """The server failed lately and is not asked yet; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one call waits in all for a server that has no room, and for one that loads its model."""

    busy_seconds: float = PATIENCE_SECONDS
    loading_seconds: float = 300.0


class Guarded:
    """Breaks the circuit to a server that fails, closes it by a probe, and retries what was not worked on."""

    def __init__(self, backend: Patient, patience: Patience) -> None:
        self.name = backend.name
        self._backend = backend
        self._patience = patience
        self._circuit = Circuit()
        self._trouble = ""
        self._looking = anyio.Lock()

    async def complete(
        self, request: Request, tell: Tell = tell_nobody, busy_seconds: float | None = None
    ) -> Completion:
        """Ask once and wait for the whole answer; a server without room is asked again.

        Args:
            request: What to ask.
            tell: Hears what is waited for.
            busy_seconds: How long to wait for a server without room where another one can be asked; a server
                that failed lately is not waited for at all then.

        Raises:
            CircuitOpen: The server failed lately.
            BackendError: It could not be asked.
        """
        patience = self._patience.busy_seconds if busy_seconds is None else busy_seconds
        if busy_seconds is None:  # nobody else can be asked
            await self._wait_while_open()
        if busy_seconds is None or not self._looking.locked():
            await self._look()
        waited = Waited()
        while True:
            try:
                with self._watching():
                    return await self._backend.complete(request, tell)
            except BackendBusy as error:
                pause = pause_before_retry(
                    error,
                    waited,
                    self._patience_with(error, patience),
                    random.random(),  # noqa: S311 - jitter
                )
                if pause is None:
                    raise
                await self._sleep(pause, error, tell)
                waited = Waited(waited.tries + 1, waited.seconds + pause)

    async def stream(self, request: Request, tell: Tell = tell_nobody) -> AsyncGenerator[Delta | Completion]:
        """Ask once; yield pieces as they come, and the whole `Completion` last; never asks again."""
        await self._look()
        with self._watching():
            async with aclosing(self._backend.stream(request, tell)) as pieces:
                async for piece in pieces:
                    yield piece

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List the models that can be asked for.

        Raises:
            CircuitOpen: The server failed lately.
        """
        if state_of(self._circuit, time.monotonic()) == "closed":
            return await self._list()
        async with self._looking:
            return await self._list()

    async def health(self) -> Health:
        """Ask the server itself, whatever it did lately; one that answers is asked again from now on."""
        health = await self._backend.health()
        if health.reachable:
            self._circuit = Circuit()
        return health

    async def aclose(self) -> None:
        """Give back connections and child processes."""
        await self._backend.aclose()

    async def _list(self) -> tuple[ModelInfo, ...]:
        with self._watching():
            return await self._backend.list_models()

    async def _look(self) -> None:
        """Ask a server that failed for its models, to see whether it is back; an answer would take too long.

        Whoever comes meanwhile waits for the same look. A server that lives and cannot list its models is
        tried with the request itself.
        """
        async with self._looking:
            before = self._circuit
            if state_of(before, time.monotonic()) != "half_open":
                return
            try:
                await self._list()
            except (BackendTimeout, ConnectionLost, ServerFailed):
                self._circuit = before
            except BackendError:
                return  # noted: it does not run, asks for a rest, or is alive enough to say no

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Refuse what need not be tried; note how the rest ends."""
        now = time.monotonic()
        match state_of(self._circuit, now):
            case "open":
                raise self._open(self._circuit.closed_from - now)
            case "half_open":
                self._circuit = begin_probe(self._circuit, now)
            case "closed":
                pass
        try:
            yield
        except BackendError as error:
            self._note(error)
            raise
        self._note(None)

    def _note(self, error: BackendError | None) -> None:
        draw = random.random()  # noqa: S311 - jitter
        self._circuit = after_answer(self._circuit, error, time.monotonic(), draw)
        self._trouble = str(error or "")

    def _open(self, seconds: float) -> CircuitOpen:
        return CircuitOpen(
            f"{self._trouble} It is asked again in {seconds:.0f} s.",
            backend=self.name,
            retry_after_seconds=seconds,
        )

    async def _wait_while_open(self) -> None:
        deadline = time.monotonic() + PATIENCE_WHILE_OPEN_SECONDS
        while state_of(self._circuit, time.monotonic()) == "open":
            now = time.monotonic()
            pause = pause_while_open(self._circuit, now, deadline - now)
            if pause is None:
                return  # the request itself says so
            await anyio.sleep(pause)

    def _patience_with(self, error: BackendError, busy_seconds: float) -> float:
        return self._patience.loading_seconds if isinstance(error, ModelLoading) else busy_seconds

    async def _sleep(self, pause: float, error: BackendError, tell: Tell) -> None:
        if pause >= _TOLD_FROM_SECONDS:
            what = "is loading the model" if isinstance(error, ModelLoading) else "has no room"
            await tell(f"{self.name} {what}; asking again in {pause:.0f} s")
        await anyio.sleep(pause)
