"""Turn the data of an escalation.toml into a `Policy`, or refuse it with every mistake at once. Pure."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from orchestrator.policy import (
    BackendPolicy,
    CachePolicy,
    ClassifierPolicy,
    Guards,
    Learning,
    Policy,
    PolicyError,
    SandboxPolicy,
    TaskTypeName,
    TaskTypePolicy,
    TierPolicy,
    ValidatorsPolicy,
    VoicePolicy,
)
from orchestrator.prices import why_priced

Section = TypeVar("Section", bound=BaseModel)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def parse_policy(data: Mapping[str, object], source: str = "escalation.toml") -> Policy:
    """Check `data` whole and return its meaning.

    Raises:
        PolicyError: With every mistake: unknown keys, wrong values, names that name nothing.
    """
    mistakes: list[str] = []
    known = Policy.model_fields
    mistakes += [
        f"{key}: unknown section; allowed are {', '.join(known)}" for key in data if key not in known
    ]
    policy = Policy.model_construct(
        backends=_parse_named("backends", data, BackendPolicy, mistakes),
        tiers=_parse_named("tiers", data, TierPolicy, mistakes),
        task_types=_parse_task_types(data, mistakes),
        guards=_parse_one("guards", data.get("guards", {}), Guards, mistakes) or Guards(),
        learning=_parse_one("learning", data.get("learning", {}), Learning, mistakes) or Learning(),
        voices=_parse_entries("voices", data.get("voices", {}), VoicePolicy, mistakes),
        cache=_parse_one("cache", data.get("cache", {}), CachePolicy, mistakes) or CachePolicy(),
        classifier=_parse_one("classifier", data.get("classifier", {}), ClassifierPolicy, mistakes)
        or ClassifierPolicy(),
        sandbox=_parse_one("sandbox", data.get("sandbox", {}), SandboxPolicy, mistakes) or SandboxPolicy(),
        validators=_parse_one("validators", data.get("validators", {}), ValidatorsPolicy, mistakes)
        or ValidatorsPolicy(),
    )
    mistakes += _cross_check(policy, data)
    if mistakes:
        raise PolicyError(source, tuple(mistakes))
    return policy


def _parse_named(
    section: str, data: Mapping[str, object], model: type[Section], mistakes: list[str]
) -> dict[str, Section]:
    entries = data.get(section, {})
    if not isinstance(entries, Mapping) or not entries:
        mistakes.append(f"{section}: at least one [{section}.NAME] is needed")
        return {}
    return _parse_entries(section, entries, model, mistakes)


def _parse_entries(
    section: str, entries: object, model: type[Section], mistakes: list[str]
) -> dict[str, Section]:
    if not isinstance(entries, Mapping):
        mistakes.append(f"{section}: must hold tables, [{section}.NAME]")
        return {}
    parsed: dict[str, Section] = {}
    for name, entry in entries.items():
        made = _parse_one(f"{section}.{name}", entry, model, mistakes)
        if made is not None:
            parsed[name] = made
    return parsed


def _parse_task_types(data: Mapping[str, object], mistakes: list[str]) -> dict[str, TaskTypePolicy]:
    parsed = _parse_named("task_types", data, TaskTypePolicy, mistakes)
    allowed = get_args(TaskTypeName)
    mistakes += [
        f"task_types.{name}: unknown task type; allowed are {', '.join(allowed)}"
        for name in parsed
        if name not in allowed
    ]
    return {name: task_type for name, task_type in parsed.items() if name in allowed}


def _parse_one(path: str, entry: object, model: type[Section], mistakes: list[str]) -> Section | None:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            key = ".".join([path, *(str(part) for part in problem["loc"])])
            mistakes.append(_describe(key, problem["type"], problem["msg"], problem["input"], model))
        return None


def _describe(key: str, kind: str, message: str, value: object, model: type[BaseModel]) -> str:
    if kind == "extra_forbidden":
        return f"{key}: unknown key; allowed are {', '.join(model.model_fields)}"
    if kind == "missing":
        return f"{key}: is missing"
    return f"{key} = {value!r}: {message[0].lower()}{message[1:]}"


def _cross_check(policy: Policy, data: Mapping[str, object]) -> Iterator[str]:
    """Yield what only the whole file can tell; names of broken sections still count as names."""
    backends, tiers = _names(data, "backends"), _names(data, "tiers")
    for name, backend in policy.backends.items():
        yield from _check_backend(name, backend)
    for name, tier in policy.tiers.items():
        yield from _check_tier(name, tier, backends, policy)
    for name, task_type in policy.task_types.items():
        yield from _check_task_type(name, task_type, tiers)
    for name, voice in policy.voices.items():
        if voice.start_tier and voice.start_tier not in tiers:
            there = ", ".join(tiers) or "none"
            yield f"voices.{name}.start_tier = {voice.start_tier!r}: no such tier; there are {there}"
    asked = policy.classifier.ask_when_unsure
    if asked and asked not in tiers:
        yield f"classifier.ask_when_unsure = {asked!r}: no such tier; there are {', '.join(tiers) or 'none'}"
    elif asked and asked in policy.tiers and policy.tiers[asked].paid:
        yield f"classifier.ask_when_unsure = {asked!r}: costs money; name a free tier"
    yield from _check_ranges(policy)


def _names(data: Mapping[str, object], section: str) -> tuple[str, ...]:
    entries = data.get(section, {})
    return tuple(entries) if isinstance(entries, Mapping) else ()


def _check_backend(name: str, backend: BackendPolicy) -> Iterator[str]:
    wanted = "path" if backend.kind in {"embedded", "scripted"} else "url"
    if wanted == "path" and not backend.path:
        yield f"backends.{name}.path: is missing; kind {backend.kind!r} needs the path of its file"
    if wanted == "url" and not backend.url.startswith(("http://", "https://")):
        yield f"backends.{name}.url = {backend.url!r}: must begin with http:// or https://"
    keyed_in_clear = backend.api_key_env and backend.url.startswith("http://")
    if keyed_in_clear and urlsplit(backend.url).hostname not in LOOPBACK:
        yield f"backends.{name}.url = {backend.url!r}: a key would be sent in clear text; use https://"


def _check_tier(name: str, tier: TierPolicy, backends: tuple[str, ...], policy: Policy) -> Iterator[str]:
    there = ", ".join(backends) or "none"
    for backend in tier.backends:
        if backend not in backends:
            yield f"tiers.{name}.backend = {backend!r}: no such backend; there are {there}"
        elif backend in policy.backends and not tier.priced:
            yield from _check_price(name, tier, backend, why_priced(policy.backends[backend]))
    if not tier.backends:
        yield f"tiers.{name}.backend: is empty; name at least one backend"
    if not tier.model and not tier.models:
        yield f"tiers.{name}.model: is missing; give a name or a glob, or models"
    if isinstance(tier.models, list) and tier.model and tier.models:
        yield f"tiers.{name}: has both model and models; keep one"
    if tier.max_output_tokens >= tier.context_tokens:
        yield (
            f"tiers.{name}.max_output_tokens = {tier.max_output_tokens}: "
            f"must be below context_tokens ({tier.context_tokens})"
        )


def _check_price(name: str, tier: TierPolicy, backend: str, why: str) -> Iterator[str]:
    """Refuse a tier that may cost money and does not say both prices; zero must be written."""
    if not (why or tier.paid):
        return
    missing = "out" if "usd_per_mtok_in" in tier.model_fields_set else "in"
    reason = f"backend {backend!r} {why}" if why else "the other price is above 0"
    yield (
        f"tiers.{name}.usd_per_mtok_{missing}: is missing; {reason}, so its price must be known before money "
        "is spent. Write both prices (0.0 where it costs you nothing), or install "
        "'escalation-orchestrator[prices]' for list prices"
    )


def _check_task_type(name: str, task_type: TaskTypePolicy, tiers: tuple[str, ...]) -> Iterator[str]:
    there = ", ".join(tiers) or "none"
    for position, tier in enumerate(task_type.route):
        if tier not in tiers:
            yield f"task_types.{name}.route.{position} = {tier!r}: no such tier; there are {there}"
    if task_type.checker and task_type.checker not in {"none", "same", "next", *tiers}:
        yield f"task_types.{name}.checker = {task_type.checker!r}: allowed are none, same, next, {there}"
    if len(set(task_type.route)) < len(task_type.route):
        yield f"task_types.{name}.route: names a tier twice; use attempts_per_tier"
    begin, end = task_type.complexity
    if begin >= end:
        yield f"task_types.{name}.complexity = [{begin:g}, {end:g}]: must rise"


def _check_ranges(policy: Policy) -> Iterator[str]:
    ordered = sorted(policy.task_types.items(), key=lambda item: item[1].complexity)
    for (first, lower), (second, upper) in pairwise(ordered):
        if lower.complexity[1] != upper.complexity[0]:
            word = "overlaps" if lower.complexity[1] > upper.complexity[0] else "leaves a gap to"
            yield f"task_types.{first}.complexity ends at {lower.complexity[1]:g} and {word} {second}"
    if ordered and (ordered[0][1].complexity[0] != 0 or ordered[-1][1].complexity[1] != 10):
        yield "task_types: the ranges of complexity must cover 0 to 10"
