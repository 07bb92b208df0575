"""Add a concern to any backend by wrapping it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio

from backends.backend import Backend, Completion, Delta, Health, ModelInfo, Request


class Limited:
    """Lets only so many requests through at once; the others wait their turn."""

    def __init__(self, backend: Backend, slots: int) -> None:
        self.name = backend.name
        self._backend = backend
        self._slots = anyio.Semaphore(slots)

    async def complete(self, request: Request) -> Completion:
        """Ask once and wait for the whole answer."""
        async with self._slots:
            return await self._backend.complete(request)

    async def stream(self, request: Request) -> AsyncGenerator[Delta | Completion]:
        """Ask once; yield pieces as they come, and the whole `Completion` last."""
        async with self._slots, aclosing(self._backend.stream(request)) as pieces:
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
