"""The meaning of escalation.toml: backends, tiers, task types, guards. Pure; reading the file is `config`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from orchestrator.task import ValidatorName

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
BackendKind = Literal["lmstudio", "ollama", "openai", "anthropic", "embedded", "scripted"]
Domain = Literal["code", "general", "reasoning", "extraction"]
Image = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._/:@-]{0,254})?$")]
"""How a container's image is named; nothing that a command line could take for an option."""
TASK_TYPES = ("quick_edit", "standard_dev", "complex_architecture", "critical")
TaskTypeName = Literal["quick_edit", "standard_dev", "complex_architecture", "critical"]

CHECKED_FROM = 5.0
"""Complexity from which work is checked where the policy does not say by whom."""

Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PolicyError(ValueError):
    """escalation.toml is refused; `mistakes` lists every one with its key path and what is allowed."""

    def __init__(self, source: str, mistakes: tuple[str, ...]) -> None:
        listed = "\n".join(f"  - {mistake}" for mistake in mistakes)
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__(f"{source} is refused, it has {count}:\n{listed}")
        self.mistakes = mistakes


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BackendPolicy(_Section):
    """One `[backends.NAME]`: a server that serves models."""

    kind: BackendKind
    url: str = ""
    path: str = ""
    api_key_env: str = ""
    max_concurrent: Annotated[int, Field(ge=0)] = 0
    context_tokens: Annotated[int, Field(ge=0)] = 0
    connect_seconds: Seconds = 3.0
    first_token_seconds: Seconds = 300.0
    stall_seconds: Seconds = 60.0
    one_model: bool | None = None


class SamplingPolicy(_Section):
    """How a tier's tokens are drawn."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=1)] | None = None
    seed: int | None = None


class TierPolicy(_Section):
    """One `[tiers.NAME]`: backend, model and price."""

    rank: int
    backend: Name | list[Name]
    model: str = ""
    models: list[str] | dict[Domain, str] = Field(default_factory=list)
    usd_per_mtok_in: Dollars = 0.0
    usd_per_mtok_out: Dollars = 0.0
    usd_per_mtok_cached: Dollars | None = None
    price: Literal["policy", "list"] = "policy"
    context_tokens: Annotated[int, Field(ge=512)] = 8192
    max_output_tokens: Annotated[int, Field(ge=16)] = 4096
    sampling: SamplingPolicy = SamplingPolicy()

    @property
    def paid(self) -> bool:
        """Whether asking this tier costs money."""
        return self.usd_per_mtok_in > 0 or self.usd_per_mtok_out > 0

    @property
    def priced(self) -> bool:
        """Whether its price was said, be it zero."""
        return {"usd_per_mtok_in", "usd_per_mtok_out"} <= self.model_fields_set

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends that may serve this tier, the first preferred."""
        return (self.backend,) if isinstance(self.backend, str) else tuple(self.backend)

    def patterns(self, domain: str) -> tuple[str, ...]:
        """The names or globs of models that serve this tier for `domain`."""
        if isinstance(self.models, dict):
            named = {str(key): model for key, model in self.models.items()}
            return (named.get(domain) or self.model or next(iter(named.values()), ""),)
        return tuple(self.models) or (self.model,)


class TaskTypePolicy(_Section):
    """One `[task_types.NAME]`: what is tried for tasks of this complexity."""

    complexity: Annotated[list[Annotated[float, Field(ge=0, le=10)]], Field(min_length=2, max_length=2)]
    route: Annotated[list[Name], Field(min_length=1)]
    attempts_per_tier: Annotated[int, Field(ge=1, le=20)] = 2
    samples: Annotated[int, Field(ge=1, le=16)] = 1
    plan: bool = False
    checker: Name | None = None
    validators: Annotated[list[ValidatorName], Field(min_length=1)]
    wanted_confidence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    usd_per_task: Dollars | None = None
    usd_per_day: Dollars | None = None
    when_exhausted: Literal["skip", "review"] = "skip"
    review: Literal["never", "always"] = "never"

    def checker_at(self, complexity: float) -> str:
        """Say who checks; unless the policy does, nobody below complexity 5 and the next tier from there."""
        return self.checker or ("none" if complexity < CHECKED_FROM else "next")


class VoicePolicy(_Section):
    """One `[voices.NAME]`: how a worker is addressed for tasks of one kind."""

    system: Annotated[str, Field(min_length=1, max_length=4000)]
    task_types: list[TaskTypeName] = Field(default_factory=list)
    words: list[str] = Field(default_factory=list)
    domain: Domain | None = None
    start_tier: Name | None = None


class Guards(_Section):
    """`[guards]`: money, time and places."""

    ask_before_paid: bool = True
    usd_per_task: Dollars = 0.50
    usd_per_day: Dollars = 5.00
    seconds_per_task: Seconds = 900.0
    attempts_per_task: Annotated[int, Field(ge=1)] = 30
    tokens_per_task: Annotated[int, Field(ge=1000)] = 1_000_000
    roots: list[str] = Field(default_factory=list)


class Learning(_Section):
    """`[learning]`: what routing takes from the ledger."""

    enabled: bool = True
    explore: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    half_life_days: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 30.0
    usd_per_hour: Dollars = 0.5


class ClassifierPolicy(_Section):
    """`[classifier]`: how a task's complexity is judged."""

    ask_when_unsure: Name | Literal[""] = ""


class CachePolicy(_Section):
    """`[cache]`: answers that are not asked for twice."""

    enabled: bool = True
    days: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 30.0
    mb: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 200.0


class ValidatorsPolicy(_Section):
    """`[validators]`: how strictly a validator takes what it finds."""

    lint: Literal["advise", "block"] = "advise"
    votes: Annotated[int, Field(ge=1, le=9)] = 1


class SandboxPolicy(_Section):
    """`[sandbox]`: where model-written code runs."""

    backend: Literal["auto", "bubblewrap", "landlock", "seatbelt", "container", "job", "none"] = "auto"
    image: Image = ""
    allow_unsandboxed: bool = False
    seconds: Seconds = 30.0
    memory_mb: Annotated[int, Field(ge=64)] = 2048


class Policy(_Section):
    """A whole, valid escalation.toml."""

    backends: dict[Name, BackendPolicy]
    tiers: dict[Name, TierPolicy]
    task_types: dict[TaskTypeName, TaskTypePolicy]
    guards: Guards = Guards()
    voices: dict[Name, VoicePolicy] = Field(default_factory=dict)
    learning: Learning = Learning()
    cache: CachePolicy = CachePolicy()
    classifier: ClassifierPolicy = ClassifierPolicy()
    sandbox: SandboxPolicy = SandboxPolicy()
    validators: ValidatorsPolicy = ValidatorsPolicy()

    def task_type_of(self, complexity: float) -> TaskTypeName:
        """Say which task type a complexity belongs to; ranges are half open, the last includes its end."""
        ordered = sorted(self.task_types.items(), key=lambda item: item[1].complexity[0])
        for name, task_type in ordered:
            if complexity < task_type.complexity[1]:
                return name
        return ordered[-1][0]

    def tiers_by_rank(self) -> tuple[str, ...]:
        """Name all tiers, weakest first."""
        return tuple(sorted(self.tiers, key=lambda name: self.tiers[name].rank))
