"""Ask servers that speak OpenAI's chat completions: llama.cpp, vLLM, Gemini, OpenAI and many more."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from pydantic import BaseModel

from backends.answer import Piece
from backends.backend import FinishReason, Health, ModelInfo, Request, Usage
from backends.config import BackendConfig
from backends.errors import RequestRefused
from backends.http import HttpServer, bearer
from backends.logprobs import TOP_LOGPROBS, Chosen, read_logprobs
from backends.replies import Asked, Reply, read
from backends.served import ServedBackend

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where servers that speak the same API differ; strict ones refuse what they do not know."""

    max_tokens: str = "max_tokens"
    refused: frozenset[str] = frozenset()
    """Sampling that must not be sent."""


_LOGPROBS = frozenset({"logprobs", "top_logprobs"})
_OPTIONAL = ("logprobs", "top_logprobs", "temperature", "top_p", "top_k", "seed", "stream_options")
"""What some servers and models refuse, and an answer can do without."""

_LOCAL = Dialect()
_BY_HOST = {
    "api.openai.com": Dialect("max_completion_tokens", frozenset({"top_k"})),
    "generativelanguage.googleapis.com": Dialect(refused=frozenset({"top_k", "seed"})),
}


class _Details(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Delta(BaseModel):
    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None


class _Logprobs(BaseModel):
    content: tuple[Chosen, ...] | None = None


class _Choice(BaseModel):
    delta: _Delta = _Delta()
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Chunk(Reply):
    choices: tuple[_Choice, ...] = ()
    model: str | None = None
    usage: _Usage | None = None


class _Meta(BaseModel):
    n_ctx: int | None = None
    n_ctx_train: int | None = None
    size: int | None = None


class _Model(BaseModel):
    id: str
    meta: _Meta | None = None
    max_model_len: int | None = None
    context_length: int | None = None
    context_window: int | None = None


class _Models(Reply):
    data: tuple[_Model, ...]


class OpenAIBackend(ServedBackend):
    """A server under an OpenAI-compatible address; an address without a path gets `/v1`."""

    def __init__(self, config: BackendConfig, api_key: str) -> None:
        path = urlsplit(config.url).path.rstrip("/")
        root = config.url.rstrip("/").removesuffix(path)
        super().__init__(config.name, HttpServer(config, root, bearer(api_key), api_key))
        self._prefix = path or "/v1"
        self._dialect = dialect_of(config.url)
        self._refused: dict[str, frozenset[str]] = {}
        """Model to the optional fields that the server refused for it."""

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List what `/models` names; the context is per slot where the server is llama.cpp."""
        reply = await self._server.get(f"{self._prefix}/models", _Models)
        return tuple(_info(model) for model in reply.data)

    async def _greet(self) -> Health:
        models = await self.list_models()
        return Health(
            reachable=True, detail=f"An OpenAI-compatible server with {len(models)} models answers."
        )

    async def _pieces(self, request: Request, asked: Asked) -> AsyncGenerator[Piece]:
        """Ask, and ask again without what the server says it does not take; it is remembered."""
        silent = True
        while True:
            refused = self._refused.get(request.model, frozenset())
            body = {
                key: value for key, value in chat_body(request, self._dialect).items() if key not in refused
            }
            try:
                async with aclosing(self._chunks(body, asked)) as pieces:
                    async for piece in pieces:
                        silent = False
                        yield piece
            except RequestRefused as error:
                named = named_fields(str(error), body)
                if not (named and silent):
                    raise
                self._refused[request.model] = refused | named
            else:
                return

    async def _chunks(self, body: dict[str, object], asked: Asked) -> AsyncGenerator[Piece]:
        async with aclosing(self._server.events(f"{self._prefix}/chat/completions", body, asked)) as events:
            async for data in events:
                if data.strip() == "[DONE]":
                    yield Piece(last=True)
                else:
                    yield _piece(read(data, _Chunk, asked))


def dialect_of(url: str) -> Dialect:
    """Choose the dialect by the host; servers nobody knows are taken for local ones."""
    return _BY_HOST.get(urlsplit(url).hostname or "", _LOCAL)


def named_fields(refusal: str, body: Mapping[str, object]) -> frozenset[str]:
    """Find the optional fields of a body that a refusal names; the answer is worth having without them."""
    named = frozenset(field for field in _OPTIONAL if field in body and re.search(rf"\b{field}\b", refusal))
    return named | (_LOGPROBS & body.keys() if named & _LOGPROBS else frozenset())


def chat_body(request: Request, dialect: Dialect) -> dict[str, object]:
    """Write the body of a chat completion."""
    body: dict[str, object] = {
        "model": request.model,
        "messages": [asdict(message) for message in request.messages],
        dialect.max_tokens: request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    sampling = asdict(request.sampling).items()
    body |= {key: value for key, value in sampling if value is not None and key not in dialect.refused}
    if request.schema is not None:
        schema = {"name": "reply", "schema": dict(request.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.logprobs:
        body |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
    return body


def _piece(chunk: _Chunk) -> Piece:
    usage = _usage(chunk.usage) if chunk.usage else None
    if not chunk.choices:
        return Piece(usage=usage, model=chunk.model or "")
    choice = chunk.choices[0]
    finish = _FINISH.get(choice.finish_reason or "")
    return Piece(
        text=choice.delta.content or "",
        reasoning=choice.delta.reasoning_content or choice.delta.reasoning or "",
        finish="content_filter" if choice.delta.refusal else finish,
        usage=usage,
        model=chunk.model or "",
        logprobs=read_logprobs(choice.logprobs.content) if choice.logprobs else (),
    )


def _usage(usage: _Usage) -> Usage:
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None
    return Usage(usage.prompt_tokens or 0, usage.completion_tokens or 0, cached or 0)


def _info(model: _Model) -> ModelInfo:
    meta = model.meta or _Meta()
    context = (
        meta.n_ctx or model.max_model_len or model.context_length or model.context_window or meta.n_ctx_train
    )
    return ModelInfo(model.id, context_tokens=context, size_bytes=meta.size)
