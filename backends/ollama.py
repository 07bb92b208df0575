"""Ask Ollama by its own API, the only one that sets the context and refuses to cut a prompt silently."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict

from pydantic import BaseModel

from backends.answer import Piece
from backends.backend import FinishReason, Health, ModelInfo, Request, Usage
from backends.config import BackendConfig
from backends.http import HttpServer, bearer
from backends.logprobs import TOP_LOGPROBS, Chosen, read_logprobs
from backends.replies import Asked, Reply, read
from backends.served import ServedBackend

DEFAULT_CONTEXT_TOKENS = 8192
"""Sent when the caller names none: Ollama's own default follows the graphics memory, from 4096 on."""

_FINISH: dict[str, FinishReason] = {"stop": "stop", "length": "length"}


class _Said(BaseModel):
    content: str = ""
    thinking: str | None = None


class _Chunk(Reply):
    model: str = ""
    message: _Said = _Said()
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    logprobs: tuple[Chosen, ...] | None = None


class _Details(BaseModel):
    quantization_level: str | None = None


class _Model(BaseModel):
    name: str
    size: int | None = None
    details: _Details | None = None


class _Models(Reply):
    models: tuple[_Model, ...]


class _Running(BaseModel):
    name: str
    context_length: int | None = None


class _RunningModels(Reply):
    models: tuple[_Running, ...]


class _Version(Reply):
    version: str


class OllamaBackend(ServedBackend):
    """A local or remote Ollama."""

    def __init__(self, config: BackendConfig, api_key: str) -> None:
        root = config.url.rstrip("/").removesuffix("/v1").removesuffix("/api")
        super().__init__(config.name, HttpServer(config, root, bearer(api_key), api_key))

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List downloaded models; the context is known for those that are loaded."""
        tags = await self._server.get("/api/tags", _Models)
        running = await self._server.get("/api/ps", _RunningModels)
        contexts = {model.name: model.context_length for model in running.models}
        return tuple(
            ModelInfo(
                name=model.name,
                loaded=model.name in contexts,
                context_tokens=contexts.get(model.name),
                quantization=model.details.quantization_level if model.details else None,
                size_bytes=model.size,
            )
            for model in tags.models
        )

    async def _greet(self) -> Health:
        reply = await self._server.get("/api/version", _Version)
        return Health(reachable=True, detail=f"Ollama {reply.version} answers.", version=reply.version)

    async def _pieces(self, request: Request, asked: Asked) -> AsyncGenerator[Piece]:
        async with aclosing(self._server.lines("/api/chat", chat_body(request), asked)) as lines:
            async for line in lines:
                if line.strip():
                    yield _piece(read(line, _Chunk, asked))


def chat_body(request: Request) -> dict[str, object]:
    """Write the body of a chat; `think` is left to the model's own default.

    `num_ctx`, `truncate` and `shift` are in every request: leaving one out would reload the model.
    """
    sampling = {key: value for key, value in asdict(request.sampling).items() if value is not None}
    body: dict[str, object] = {
        "model": request.model,
        "messages": [asdict(message) for message in request.messages],
        "stream": True,
        "truncate": False,
        "shift": False,
        "options": {
            "num_ctx": request.context_tokens or DEFAULT_CONTEXT_TOKENS,
            "num_predict": request.max_tokens,
            **sampling,
        },
    }
    if request.schema is not None:
        body["format"] = dict(request.schema)
    if request.logprobs:
        body |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
    return body


def _piece(chunk: _Chunk) -> Piece:
    return Piece(
        text=chunk.message.content,
        reasoning=chunk.message.thinking or "",
        finish=_FINISH.get(chunk.done_reason or "stop") if chunk.done else None,
        usage=Usage(chunk.prompt_eval_count or 0, chunk.eval_count or 0) if chunk.done else None,
        model=chunk.model,
        last=chunk.done,
        logprobs=read_logprobs(chunk.logprobs),
    )
