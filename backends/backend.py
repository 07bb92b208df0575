"""What every backend is: the protocol, and the data that crosses it."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
JsonSchema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation that is sent."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn; `None` leaves it to the server."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a backend needs to ask once."""

    model: str
    """The exact name as the server lists it; globs are resolved before (`backends.matching`)."""
    messages: tuple[Message, ...]
    max_tokens: int = 4096
    sampling: Sampling = field(default_factory=Sampling)
    schema: JsonSchema | None = None
    """The reply must be JSON that fits this JSON Schema."""
    context_tokens: int | None = None
    """Context to ask the server for where it can be set (Ollama `num_ctx`)."""
    logprobs: bool = False
    """Ask how probable each token was, and which others were; servers that cannot say it say nothing."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them; cached input tokens are part of `tokens_in`."""

    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One token of the answer and how sure the model was of it."""

    token: str
    logprob: float
    """Natural logarithm of its probability."""
    top: tuple[tuple[str, float], ...] = ()
    """The most probable tokens at this place with theirs, the chosen one usually among them."""


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer that is provably whole: a finish reason arrived, and the stream was closed properly."""

    text: str
    """Without reasoning: `<think>` blocks and reasoning fields are in `reasoning`."""
    model: str
    """The model that the server says has answered."""
    finish: FinishReason
    usage: Usage
    reasoning: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    """What a reader of the ledger should know: another model answered, the prompt may have been cut."""
    logprobs: tuple[TokenLogprob, ...] = ()
    """Of the tokens as they were written, reasoning included where it is part of the text; empty when the
    server does not tell."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer that is still being written."""

    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model as a server lists it; `None` where the server does not tell."""

    name: str
    loaded: bool | None = None
    context_tokens: int | None = None
    """What fits now: the loaded context (per slot), else the model's maximum."""
    quantization: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a backend answers, and as what."""

    reachable: bool
    detail: str
    """One sentence for a person: what answered, or what to do."""
    slots: int | None = None
    """How many requests the server works on at once, where it says so."""
    version: str = ""
    """Of the server, where it says so."""


class Backend(Protocol):
    """A server, or a stand-in, that serves models.

    Every method raises `BackendError` and no other exception for what goes wrong outside. Cancelling a
    call closes the request, so that the server stops generating.
    """

    name: str
    """The key in escalation.toml."""

    async def complete(self, request: Request) -> Completion:
        """Ask once and wait for the whole answer."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[Delta | Completion]:
        """Ask once; yield pieces as they come, and the whole `Completion` last.

        Whoever may stop early wraps it in `contextlib.aclosing`, which closes the request at once. The
        `Completion` is what counts: reasoning that showed itself only at its end was streamed as text.
        """
        ...

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List the models that can be asked for."""
        ...

    async def health(self) -> Health:
        """Say whether the server answers; never raises."""
        ...

    async def aclose(self) -> None:
        """Give back connections and child processes."""
        ...
