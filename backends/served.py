"""What all backends behind HTTP do alike; a kind adds how to ask and how to read."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from backends.answer import Piece
from backends.asking import ask, whole
from backends.backend import Completion, Delta, Health, ModelInfo, Request
from backends.errors import BackendError, ModelNotFound
from backends.http import HttpServer
from backends.replies import Asked

_LISTED_MODELS = 20


class ServedBackend(ABC):
    """A backend on a server."""

    def __init__(self, name: str, server: HttpServer) -> None:
        self.name = name
        self._server = server

    @abstractmethod
    def _pieces(self, request: Request, asked: Asked) -> AsyncGenerator[Piece]:
        """Ask, and read each chunk of the reply."""

    @abstractmethod
    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List the models that can be asked for."""

    @abstractmethod
    async def _greet(self) -> Health:
        """Say who answers; raises when nobody does."""

    async def complete(self, request: Request) -> Completion:
        """Ask once and wait for the whole answer."""
        return await whole(self.stream(request))

    async def stream(self, request: Request) -> AsyncGenerator[Delta | Completion]:
        """Ask once; yield pieces as they come, and the whole `Completion` last."""
        asked = replace(self._server.asked, model=request.model)
        answer = ask(self._pieces(request, asked), request, asked, self._server.timeouts)
        try:
            async with aclosing(answer):
                async for piece in answer:
                    yield piece
        except ModelNotFound as error:
            raise await self._with_models(error) from error

    async def health(self) -> Health:
        """Say whether the server answers; never raises."""
        try:
            return await self._greet()
        except BackendError as error:
            return Health(reachable=False, detail=str(error))

    async def aclose(self) -> None:
        """Give back the connections."""
        await self._server.aclose()

    async def _with_models(self, error: ModelNotFound) -> ModelNotFound:
        """Add the models that the server does have, if it can still say so."""
        try:
            names = [model.name for model in await self.list_models()]
        except BackendError:
            return error
        shown = ", ".join(repr(name) for name in names[:_LISTED_MODELS]) or "none"
        told = ModelNotFound(f"{error} It serves: {shown}.", backend=error.backend, model=error.model)
        told.worked_on = error.worked_on
        return told
