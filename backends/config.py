"""How one backend is reached: its part of escalation.toml."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a server may be silent; how long a whole answer may take is the caller's scope."""

    connect_seconds: float = 3.0
    first_token_seconds: float = 300.0
    """From sending to the first written word: loading the model and reading the prompt count."""
    stall_seconds: float = 60.0
    """Between two pieces of an answer."""
    listing_seconds: float = 10.0
    """For a whole question that no model works on: which models there are, which version."""


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """One table `[backends.<name>]`."""

    name: str
    kind: str
    """A key of `backends.connect.BACKENDS`."""
    url: str = ""
    path: str = ""
    """Of the GGUF file (embedded) or of the script (scripted)."""
    api_key_env: str = ""
    """The environment variable that holds the key; the key itself is never configured."""
    max_concurrent: int = 0
    """Requests at once; 0 takes what the kind of server does by default."""
    context_tokens: int = 0
    """Context of each request where the server is started by us (embedded); 0 takes the default."""
    one_model: bool | None = None
    """The server holds one model at a time and evicts it for another; `None` takes what its kind does."""
    timeouts: Timeouts = field(default_factory=Timeouts)
