"""Ask Claude by Anthropic's Messages API, or a server that speaks it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import asdict

from pydantic import BaseModel

from backends.answer import Piece
from backends.backend import FinishReason, Health, ModelInfo, Request, Sampling, Usage
from backends.config import BackendConfig
from backends.http import HttpServer
from backends.replies import Asked, Reply, read
from backends.served import ServedBackend

DEFAULT_URL = "https://api.anthropic.com"
_VERSION = "2023-06-01"
_WINDOW_FULL = "model_context_window_exceeded"

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    _WINDOW_FULL: "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""`pause_turn` is missing on purpose: the answer is not whole."""

_NOT_IN_GRAMMARS = {
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
}


class _Usage(BaseModel):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Message(BaseModel):
    model: str = ""
    usage: _Usage = _Usage()


class _Delta(BaseModel):
    text: str = ""
    thinking: str = ""
    stop_reason: str | None = None


class _Event(Reply):
    type: str
    message: _Message = _Message()
    delta: _Delta = _Delta()
    usage: _Usage | None = None


class _Model(BaseModel):
    id: str
    max_input_tokens: int | None = None


class _Models(Reply):
    data: tuple[_Model, ...]


class AnthropicBackend(ServedBackend):
    """Anthropic's cloud, or whatever stands under `url`."""

    def __init__(self, config: BackendConfig, api_key: str) -> None:
        headers = {"anthropic-version": _VERSION} | ({"x-api-key": api_key} if api_key else {})
        root = (config.url or DEFAULT_URL).rstrip("/").removesuffix("/v1")
        super().__init__(config.name, HttpServer(config, root, headers, api_key))

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List the models that the key may use."""
        reply = await self._server.get("/v1/models?limit=1000", _Models)
        return tuple(ModelInfo(model.id, context_tokens=model.max_input_tokens) for model in reply.data)

    async def _greet(self) -> Health:
        models = await self.list_models()
        return Health(reachable=True, detail=f"Anthropic's API answers with {len(models)} models.")

    async def _pieces(self, request: Request, asked: Asked) -> AsyncGenerator[Piece]:
        body = message_body(request)
        async with aclosing(self._server.events("/v1/messages", body, asked)) as events:
            async for data in events:
                yield _piece(read(data, _Event, asked))


def message_body(request: Request) -> dict[str, object]:
    """Write the body of a message; the system prompt stands apart from the turns."""
    body: dict[str, object] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": [asdict(message) for message in request.messages if message.role != "system"],
        "stream": True,
        **_sampling(request.sampling),
    }
    if system := "\n\n".join(message.content for message in request.messages if message.role == "system"):
        body["system"] = system
    if request.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": grammar_schema(request.schema)}}
    return body


def grammar_schema(schema: Mapping[str, object]) -> dict[str, object]:
    """Rewrite a schema as the API takes it: closed objects, no limits. Replies must fit the original."""
    rewritten = {key: _rewritten(value) for key, value in schema.items() if key not in _NOT_IN_GRAMMARS}
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        rewritten["properties"] = {name: _rewritten(value) for name, value in properties.items()}
    if schema.get("type") == "object":
        rewritten["additionalProperties"] = False
    return rewritten


def _rewritten(value: object) -> object:
    if isinstance(value, Mapping):
        return grammar_schema(value)
    if isinstance(value, list):
        return [_rewritten(one) for one in value]
    return value


def _sampling(sampling: Sampling) -> dict[str, float]:
    """Choose what is sent: current models refuse temperature and top_p together, and there is no seed."""
    if sampling.temperature is not None:
        return {"temperature": sampling.temperature}
    return {"top_p": sampling.top_p} if sampling.top_p is not None else {}


def _piece(event: _Event) -> Piece:
    stop = event.delta.stop_reason or ""
    usage = event.usage or (event.message.usage if event.type == "message_start" else None)
    return Piece(
        text=event.delta.text,
        reasoning=event.delta.thinking,
        finish=_FINISH.get(stop),
        usage=_usage(usage) if usage else None,
        model=event.message.model,
        last=event.type == "message_stop",
        warning="the context window ended before the answer did" if stop == _WINDOW_FULL else "",
    )


def _usage(usage: _Usage) -> Usage:
    """Add up: `input_tokens` leaves out what was read from and written to the cache."""
    read_from_cache = usage.cache_read_input_tokens or 0
    tokens_in = (usage.input_tokens or 0) + read_from_cache + (usage.cache_creation_input_tokens or 0)
    return Usage(tokens_in, usage.output_tokens or 0, read_from_cache)
