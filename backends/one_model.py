"""Ask a server that holds one model at a time without letting its models evict each other."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from functools import partial
from typing import Protocol, runtime_checkable

from backends.asking import whole
from backends.backend import Backend, Completion, Delta, Health, ModelInfo, Request
from backends.errors import BackendError, NoConnection
from backends.residence import Hold, OneModelLock, Resident
from backends.telling import Tell, tell_nobody
from backends.wrappers import Patient, no_lock_files

_BELIEVED_SECONDS = 5.0
"""How old a list of models may be and still say what is loaded."""


@runtime_checkable
class Loader(Protocol):
    """A backend that can be told to load a model."""

    async def load(self, model: str, context_tokens: int | None) -> str:
        """Load a model; return the instance."""
        ...

    async def unload(self, instance: str) -> None:
        """Free the memory of an instance."""
        ...


class OneModel:
    """Keeps requests for different models apart, and has a model loaded once before it is asked.

    Where the server can be told, the model is loaded with the context that the request needs, and what we had
    loaded before is unloaded; what a person loaded stays. Elsewhere the first request alone loads it.
    """

    def __init__(self, backend: Patient, loader: Backend, lock: OneModelLock) -> None:
        self.name = backend.name
        self._backend = backend
        self._loader = loader if isinstance(loader, Loader) else None
        self._lock = lock
        self._models: tuple[ModelInfo, ...] = ()
        self._listed_at = 0.0

    async def complete(self, request: Request, tell: Tell = tell_nobody) -> Completion:
        """Ask once and wait for the whole answer."""
        return await whole(self.stream(request, tell))

    async def stream(self, request: Request, tell: Tell = tell_nobody) -> AsyncGenerator[Delta | Completion]:
        """Ask once; yield pieces as they come, and the whole `Completion` last."""
        try:
            async with self._lock.held(request.model, partial(self._is_listed, request.model), tell) as hold:
                if hold.alone:
                    await self._put_in_place(hold, request, tell)
                async with aclosing(self._backend.stream(request, tell)) as pieces:
                    async for piece in pieces:
                        await hold.share()  # it speaks, so it is loaded
                        yield piece
        except OSError as error:
            raise no_lock_files(self.name, error) from error

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List the models that can be asked for; waits for nothing."""
        asked_at = time.time()
        self._models = await self._backend.list_models()
        self._listed_at = asked_at
        return self._models

    async def health(self) -> Health:
        """Say whether the server answers; waits for nothing."""
        return await self._backend.health()

    async def aclose(self) -> None:
        """Give back connections and child processes."""
        await self._backend.aclose()

    async def _is_listed(self, model: str, known: Resident) -> bool | None:
        if time.time() - self._listed_at > _BELIEVED_SECONDS or self._listed_at < known.since:
            try:
                await self.list_models()
            except BackendError:  # nothing is known, and those who wait do not ask again all the time
                self._models, self._listed_at = (), time.time()
        return next((listed.loaded for listed in self._models if listed.name == model), None)

    async def _put_in_place(self, hold: Hold, request: Request, tell: Tell) -> None:
        await tell(f"loading {request.model}, this can take tens of seconds")
        if self._loader is None:
            return
        for instance in hold.previous():
            with suppress(BackendError):  # somebody else unloaded it
                await self._loader.unload(instance)
        try:
            instance = await self._loader.load(request.model, request.context_tokens)
        except NoConnection:
            raise
        except BackendError:
            return  # an old version, or too little memory: the request itself loads it, evicting what it must
        await hold.share(instance)
