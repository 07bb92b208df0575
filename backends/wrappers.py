"""Add a concern to any backend by wrapping it."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import Protocol

import anyio

from backends.backend import Backend, Completion, Delta, Health, ModelInfo, Request
from backends.errors import BackendUnavailable
from backends.slots import SharedSlots
from backends.telling import Tell, tell_nobody


class Patient(Backend, Protocol):
    """A backend whose requests may have to wait, and say for what."""

    async def complete(self, request: Request, tell: Tell = tell_nobody) -> Completion:
        """Ask once and wait for the whole answer."""
        ...

    def stream(self, request: Request, tell: Tell = tell_nobody) -> AsyncGenerator[Delta | Completion]:
        """Ask once; yield pieces as they come, and the whole `Completion` last."""
        ...


class Limited:
    """Lets only so many requests through at once; the others wait their turn.

    The limit holds for this process, and with `shared` for all processes of this machine.
    """

    def __init__(self, backend: Backend, slots: int, shared: SharedSlots | None = None) -> None:
        self.name = backend.name
        self._backend = backend
        self._slots = anyio.Semaphore(slots)
        self._shared = shared

    async def complete(self, request: Request, tell: Tell = tell_nobody) -> Completion:
        """Ask once and wait for the whole answer."""
        async with AsyncExitStack() as stack:
            await self._enter(stack, tell)
            return await self._backend.complete(request)

    async def stream(self, request: Request, tell: Tell = tell_nobody) -> AsyncGenerator[Delta | Completion]:
        """Ask once; yield pieces as they come, and the whole `Completion` last."""
        async with AsyncExitStack() as stack:
            await self._enter(stack, tell)
            async with aclosing(self._backend.stream(request)) as pieces:
                async for piece in pieces:
                    yield piece

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List the models that can be asked for; takes no slot."""
        return await self._backend.list_models()

    async def health(self) -> Health:
        """Say whether the server answers; takes no slot."""
        return await self._backend.health()

    async def aclose(self) -> None:
        """Give back connections and child processes."""
        await self._backend.aclose()

    async def _enter(self, stack: AsyncExitStack, tell: Tell) -> None:
        await stack.enter_async_context(self._slots)
        if self._shared is None:
            return
        try:
            await stack.enter_async_context(self._shared.taken(tell))
        except OSError as error:
            raise no_lock_files(self.name, error) from error


def no_lock_files(backend: str, error: OSError) -> BackendUnavailable:
    """Say that the processes of this machine cannot agree who asks."""
    return BackendUnavailable(
        f"Backend {backend!r}: its lock files cannot be written ({error}). "
        "Make the state folder (ORCHESTRATOR_HOME) writable.",
        backend=backend,
    )
