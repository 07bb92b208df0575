"""Serve a GGUF file from a child process: llama.cpp without installing a server."""

import json
import os
import secrets
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from subprocess import DEVNULL
from typing import cast

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

from backends.asking import whole
from backends.backend import Backend, Completion, Delta, Health, ModelInfo, Request
from backends.config import BackendConfig
from backends.errors import BackendTimeout, BackendUnavailable, ModelNotFound
from backends.openai import OpenAIBackend
from backends.replies import Asked

DEFAULT_CONTEXT_TOKENS = 8192
_CHILD = Path(__file__).with_name("_llama_child.py")
_INSTALL = "Run `pip install 'escalation-orchestrator[embedded]'`."
_KEPT_ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "SYSTEMROOT",
    "TMPDIR",
)
_EXIT_SECONDS = 5.0


class EmbeddedBackend:
    """One GGUF file, served under the name of the file without its ending; starts at the first request."""

    def __init__(self, config: BackendConfig) -> None:
        self.name = config.name
        self._config = config
        self._path = Path(config.path).expanduser()
        self._asked = Asked(config.name, config.path)
        self._starting = anyio.Lock()
        self._child: Process | None = None
        self._server: Backend | None = None

    async def complete(self, request: Request) -> Completion:
        """Ask once and wait for the whole answer."""
        return await whole(self.stream(request))

    async def stream(self, request: Request) -> AsyncGenerator[Delta | Completion]:
        """Ask once; yield pieces as they come, and the whole `Completion` last."""
        if request.model != self._path.stem:
            asked = replace(self._asked, model=request.model)
            raise asked.error(ModelNotFound, f"it serves only {self._path.stem!r}")
        server = await self._started()
        async with aclosing(server.stream(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Name the one model, without starting it."""
        self._check()
        return (
            ModelInfo(
                name=self._path.stem,
                loaded=self._runs(),
                context_tokens=self._config.context_tokens or DEFAULT_CONTEXT_TOKENS,
                size_bytes=self._path.stat().st_size,
            ),
        )

    async def health(self) -> Health:
        """Say whether the model can be served, without starting it."""
        slots = max(1, self._config.max_concurrent)
        try:
            self._check()
        except BackendUnavailable as error:
            return Health(reachable=False, detail=str(error))
        state = "runs" if self._runs() else "starts at the first request"
        return Health(reachable=True, detail=f"llama.cpp with {self._path.name!r} {state}.", slots=slots)

    async def aclose(self) -> None:
        """End the child."""
        child, server, self._child, self._server = self._child, self._server, None, None
        with anyio.CancelScope(shield=True):
            if server is not None:
                await server.aclose()
            if child is not None:
                with anyio.move_on_after(_EXIT_SECONDS):
                    # Closes stdin, which ends the child; one that hangs is killed when the time is over.
                    await child.aclose()

    def _runs(self) -> bool:
        return self._child is not None and self._child.returncode is None

    def _check(self) -> None:
        if find_spec("xllamacpp") is None:
            raise self._asked.error(BackendUnavailable, "llama.cpp is not installed", _INSTALL)
        if not self._path.is_file():
            advice = f"Correct `path` in [backends.{self.name}]."
            raise self._asked.error(BackendUnavailable, "there is no such file", advice)

    async def _started(self) -> Backend:
        async with self._starting:
            if self._server is None or not self._runs():
                await self.aclose()
                self._check()
                self._server = await self._start()
            return self._server

    async def _start(self) -> Backend:
        api_key = secrets.token_hex(16)
        environment = {key: os.environ[key] for key in _KEPT_ENVIRONMENT if key in os.environ}
        # -I: the folder of the child is this package, whose http.py would hide the standard library's.
        argv = [sys.executable, "-I", str(_CHILD)]
        self._child = await anyio.open_process(argv, stderr=DEVNULL, env=environment, start_new_session=True)
        try:
            address = await self._address(self._child, api_key)
        except BaseException:
            await self.aclose()
            raise
        return OpenAIBackend(replace(self._config, url=address), api_key)

    async def _address(self, child: Process, api_key: str) -> str:
        """Hand the child its settings; wait until the model is loaded."""
        settings = {
            "path": str(self._path),
            "name": self._path.stem,
            "slots": max(1, self._config.max_concurrent),
            "context_tokens": self._config.context_tokens or DEFAULT_CONTEXT_TOKENS,
            "api_key": api_key,
        }
        limit = self._config.timeouts.first_token_seconds
        try:
            with anyio.fail_after(limit):
                answer = await _exchange(child, json.dumps(settings))
        except TimeoutError as error:
            raise self._asked.error(BackendTimeout, f"the model was not loaded in {limit:g} s") from error
        state, _, detail = answer.partition(" ")
        if state != "READY":
            what = f"llama.cpp cannot load it ({detail or 'the child process died'})"
            raise self._asked.error(
                BackendUnavailable, what, "Take a GGUF file that fits this version and memory."
            )
        return detail


async def _exchange(child: Process, line: str) -> str:
    """Send one line, receive one; empty when the child died instead."""
    stdin, stdout = cast("ByteSendStream", child.stdin), cast("ByteReceiveStream", child.stdout)
    received = b""
    with suppress(anyio.BrokenResourceError, anyio.EndOfStream):
        await stdin.send(line.encode() + b"\n")
        while not received.endswith(b"\n"):
            received += await stdout.receive()
    return received.decode().strip()
