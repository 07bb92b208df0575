"""The backends of a policy: connected at first use, asked what they serve, matched to tiers."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio

from backends.backend import Completion, Health, Message, ModelInfo, Request
from backends.capabilities import Capabilities, CapabilityFile, find_out
from backends.circuit import PATIENCE_WITH_ANOTHER_SECONDS
from backends.config import BackendConfig, Timeouts
from backends.connect import connect
from backends.errors import BackendBusy, BackendError, ConnectionLost
from backends.guarded import Guarded
from backends.matching import resolve
from backends.telling import Tell, tell_nobody
from backends.tokens import BYTES_PER_TOKEN, estimate_tokens, learn_bytes_per_token
from backends.wrappers import Limited
from orchestrator.fallback import STOOD_IN, falls_back, passes_on, patterns_of
from orchestrator.policy import BackendPolicy, Policy, TierPolicy
from orchestrator.route import Missing, Served, Survey

LISTING_SECONDS = 5.0
"""How long a server's list of models is believed before it is asked again."""
NAMES_TOLD = 6
TELLS_OF_LOADING = {"lmstudio"}
"""Kinds that say themselves when they load a model."""


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
    home: Path | None = None
    """The state folder, by which the processes of this machine share limits; none without it."""
    _connected: dict[str, Guarded | Limited] = field(default_factory=dict)
    _listings: dict[str, Listing] = field(default_factory=dict)
    _bytes_per_token: dict[str, float] = field(default_factory=dict)
    _capabilities: dict[tuple[str, str], Capabilities] = field(default_factory=dict)

    async def complete(self, served: Served, request: Request, tell: Tell = tell_nobody) -> Completion:
        """Ask who serves the tier, and the tier's next backend that serves the model where that one is down.

        Where money is paid, nobody else is asked after a request that may have been worked on.

        Args:
            served: The tier as the survey found it.
            request: What to ask; another backend gets it under its own name of the model.
            tell: Hears what is waited for: a slot, a model that is loaded, a server that has no room.

        Raises:
            BackendError: Nobody could be asked; the message is about the first backend.
        """
        others = [name for name in self.policy.tiers[served.tier].backends if name != served.backend]
        try:
            return await self._ask(served.backend, request, tell, alone=not others, paid=served.paid)
        except BackendError as error:
            if not falls_back(error, paid=served.paid):
                raise
            completion = await self._ask_others(others, served, request, tell)
            if completion is None:
                raise
            note = f"{STOOD_IN}, because {served.backend!r} could not be asked: {error}"
            return replace(completion, warnings=(*completion.warnings, note))

    async def capabilities(self, served: Served) -> Capabilities:
        """Find out once what a server does with a model; asks it, unless that is known or costs money.

        Raises:
            BackendError: The server could not be asked.
        """
        if served.paid or self._trusts_names(served.backend):
            return Capabilities()
        place = served.backend, served.model
        if place not in self._capabilities:
            policy = self.policy.backends[served.backend]
            known = CapabilityFile(self.home / "capabilities.json") if self.home else None
            where = policy.url or policy.path
            found = await find_out(self.backend(served.backend), served.model, where, known)
            self._capabilities[place] = found
        return self._capabilities[place]

    def estimate(self, served: Served, messages: Sequence[Message]) -> int:
        """Estimate the tokens of a prompt from above, corrected by what the model's server counted before."""
        return estimate_tokens(messages, self._bytes_per_token.get(served.model, BYTES_PER_TOKEN))

    def backend(self, name: str) -> Guarded | Limited:
        """Connect to a backend; nothing is sent yet.

        Raises:
            BackendError: Its key is not set, or what it needs is not installed.
        """
        if name not in self._connected:
            self._connected[name] = connect(
                _configure(name, self.policy.backends[name]), self.environment, self.home
            )
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

    async def _ask_others(
        self, others: Sequence[str], served: Served, request: Request, tell: Tell
    ) -> Completion | None:
        """Ask the first that serves the model; nothing when none can be asked."""
        for name in others:
            model = await self._same_model(name, served, request)
            if model is None:
                continue
            await tell(f"{served.backend} cannot be asked, asking {name} for {model.name}")
            wish = replace(request, model=model.name)
            try:
                return await self._ask(name, wish, tell, alone=name == others[-1], paid=served.paid)
            except BackendError as error:
                if not passes_on(error, paid=served.paid):
                    raise
        return None

    async def _ask(self, name: str, request: Request, tell: Tell, *, alone: bool, paid: bool) -> Completion:
        """Ask one backend, once more where the answer broke off and that costs nothing."""
        if self._is_cold(name, request.model):
            self._listings[name] = _warmed(self._listings[name], request.model)
            await tell(f"{name} has to load {request.model} first, this can take tens of seconds")
        try:
            completion = await self._send(name, request, tell, alone=alone)
        except (ConnectionLost, BackendBusy) as error:
            if paid or not error.worked_on:
                raise
            await tell(f"the answer of {name} broke off, asking once more")
            completion = await self._send(name, request, tell, alone=alone)
        known = self._bytes_per_token.get(request.model, BYTES_PER_TOKEN)
        learned = learn_bytes_per_token(known, request.messages, completion.usage)
        self._bytes_per_token[request.model] = learned
        return completion

    async def _send(self, name: str, request: Request, tell: Tell, *, alone: bool) -> Completion:
        backend = self.backend(name)
        if isinstance(backend, Limited):
            return await backend.complete(request, tell)
        return await backend.complete(request, tell, None if alone else PATIENCE_WITH_ANOTHER_SECONDS)

    def _is_cold(self, backend: str, model: str) -> bool:
        """Tell whether the server lately listed the model as not loaded."""
        if backend not in self._listings or self.policy.backends[backend].kind in TELLS_OF_LOADING:
            return False
        return any(one.name == model and one.loaded is False for one in self._listings[backend].models)

    async def _same_model(self, backend: str, served: Served, request: Request) -> ModelInfo | None:
        """Find at another backend what the tier means by `served.model`, with room for the request."""
        tier = self.policy.tiers[served.tier]
        patterns = patterns_of(tier, served.model)
        if self._trusts_names(backend):
            return ModelInfo(patterns[0])
        await self._refresh(backend)
        found = (resolve(pattern, self._listings[backend].models) for pattern in patterns)
        needed = estimate_tokens(request.messages) + request.max_tokens
        return next((model for model in found if model and needed <= (model.context_tokens or needed)), None)

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


def _warmed(listing: Listing, model: str) -> Listing:
    """Take note that a model is being loaded, so that this is said once."""
    models = tuple(replace(one, loaded=None) if one.name == model else one for one in listing.models)
    return replace(listing, models=models)


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
        one_model=policy.one_model,
        timeouts=Timeouts(
            connect_seconds=policy.connect_seconds,
            first_token_seconds=policy.first_token_seconds,
            stall_seconds=policy.stall_seconds,
        ),
    )
