"""The backends of a policy: connected at first use, asked what they serve, matched to tiers."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from backends.backend import Backend, Health, ModelInfo
from backends.config import BackendConfig, Timeouts
from backends.connect import connect
from backends.errors import BackendError
from backends.matching import resolve
from orchestrator.policy import BackendPolicy, Policy, TierPolicy
from orchestrator.route import Missing, Served, Survey

LISTING_SECONDS = 5.0
"""How long a server's list of models is believed before it is asked again."""
NAMES_TOLD = 6


@dataclass(frozen=True, slots=True)
class Listing:
    """What a backend said when it was asked for its models."""

    models: tuple[ModelInfo, ...] = ()
    trouble: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What `doctor` found at one backend."""

    backend: str
    policy: BackendPolicy
    health: Health
    models: tuple[ModelInfo, ...] = ()


@dataclass(slots=True)
class Servers:
    """All backends of one policy in one process."""

    policy: Policy
    environment: Mapping[str, str]
    _connected: dict[str, Backend] = field(default_factory=dict)
    _listings: dict[str, Listing] = field(default_factory=dict)

    def backend(self, name: str) -> Backend:
        """Connect to a backend; nothing is sent yet.

        Raises:
            BackendError: Its key is not set, or what it needs is not installed.
        """
        if name not in self._connected:
            self._connected[name] = connect(_configure(name, self.policy.backends[name]), self.environment)
        return self._connected[name]

    async def survey(self, tiers: Sequence[str], domain: str, share: int = 0) -> Survey:
        """Find who serves each tier here, asking all needed backends at once.

        Args:
            tiers: Names of tiers of the policy.
            domain: Chooses among a tier's models by domain.
            share: Any number; chooses among models that share a tier (A/B).
        """
        needed = {name for tier in tiers for name in self.policy.tiers[tier].backends}
        async with anyio.create_task_group() as group:
            for name in needed:
                if not self._trusts_names(name):
                    group.start_soon(self._refresh, name)
        return {tier: self._find(tier, self.policy.tiers[tier], domain, share) for tier in tiers}

    async def inspect(self) -> tuple[Finding, ...]:
        """Ask every backend for its health and models, all at once."""
        findings: dict[str, Finding] = {}

        async def ask(name: str) -> None:
            findings[name] = await self._inspect_one(name)

        async with anyio.create_task_group() as group:
            for name in self.policy.backends:
                group.start_soon(ask, name)
        return tuple(findings[name] for name in self.policy.backends)

    async def aclose(self) -> None:
        """Close all connections and child processes."""
        for backend in self._connected.values():
            await backend.aclose()
        self._connected.clear()

    def _trusts_names(self, backend: str) -> bool:
        """Tell whether a name is believed unlisted: hosted services refuse a wrong one themselves."""
        return bool(self.policy.backends[backend].api_key_env)

    async def _refresh(self, name: str) -> None:
        known = self._listings.get(name)
        if known and time.monotonic() - known.at < LISTING_SECONDS:
            return
        try:
            models = await self.backend(name).list_models()
            self._listings[name] = Listing(models, at=time.monotonic())
        except BackendError as error:
            self._listings[name] = Listing(trouble=str(error), at=time.monotonic())

    def _find(self, name: str, tier: TierPolicy, domain: str, share: int) -> Served | Missing:
        reasons: list[str] = []
        for backend in tier.backends:
            found = self._find_at(backend, tier, domain, share)
            if isinstance(found, ModelInfo):
                return _serve(name, backend, found, tier)
            reasons.append(found)
        return Missing(name, " ".join(dict.fromkeys(reasons)))

    def _find_at(self, backend: str, tier: TierPolicy, domain: str, share: int) -> ModelInfo | str:
        patterns = tier.patterns(domain)
        patterns = patterns[share % len(patterns) :] + patterns[: share % len(patterns)]
        if self._trusts_names(backend):
            variable = self.policy.backends[backend].api_key_env
            known = self.environment.get(variable)
            return ModelInfo(patterns[0]) if known else f"Environment variable {variable} is not set."
        listing = self._listings[backend]
        if listing.trouble:
            return listing.trouble
        for pattern in patterns:
            model = resolve(pattern, listing.models)
            if model is not None:
                return model
        names = ", ".join(model.name for model in listing.models[:NAMES_TOLD]) or "none"
        return f"Backend {backend!r} serves no model {' or '.join(map(repr, patterns))}; it serves {names}."

    async def _inspect_one(self, name: str) -> Finding:
        policy = self.policy.backends[name]
        try:
            backend = self.backend(name)
            health = await backend.health()
            models = await backend.list_models() if health.reachable else ()
        except BackendError as error:
            return Finding(name, policy, Health(reachable=False, detail=str(error)))
        return Finding(name, policy, health, models)


def _serve(name: str, backend: str, model: ModelInfo, tier: TierPolicy) -> Served:
    context = min(tier.context_tokens, model.context_tokens or tier.context_tokens)
    note = ""
    if context < tier.context_tokens:
        hoped = f"the policy hopes for {tier.context_tokens}"
        note = f"{model.name} is loaded with {context} tokens of context, {hoped}"
    return Served(
        tier=name,
        backend=backend,
        model=model.name,
        context_tokens=context,
        max_output_tokens=min(tier.max_output_tokens, context // 2),
        paid=tier.paid,
        note=note,
    )


def _configure(name: str, policy: BackendPolicy) -> BackendConfig:
    return BackendConfig(
        name=name,
        kind=policy.kind,
        url=policy.url,
        path=policy.path,
        api_key_env=policy.api_key_env,
        max_concurrent=policy.max_concurrent,
        context_tokens=policy.context_tokens,
        timeouts=Timeouts(
            connect_seconds=policy.connect_seconds,
            first_token_seconds=policy.first_token_seconds,
            stall_seconds=policy.stall_seconds,
        ),
    )
