"""What a policy from a working folder may say before its user has trusted it. Pure."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence

from orchestrator.policy import Policy

SAFE_SECTIONS = ("task_types", "guards", "validators")
LIMITS = ("usd_per_task", "usd_per_day", "seconds_per_task", "attempts_per_task", "tokens_per_task")


def find_loosening(data: Mapping[str, object], trusted: Policy) -> Iterator[str]:
    """Yield every key of an untrusted file that does more than tighten the `trusted` policy.

    A task type may get a shorter route that keeps the free tiers before paid ones, fewer attempts, more
    validators and a review; `[guards]` may be lowered, and lint may block. What a file leaves out, and
    everything else, is as the user wrote it.
    """
    for section in data:
        if section not in SAFE_SECTIONS:
            yield f"[{section}]"
    validators = data.get("validators", {})
    if isinstance(validators, Mapping):
        own = trusted.validators
        if validators.get("lint", own.lint) not in {own.lint, "block"}:
            yield f"validators.lint = {validators['lint']!r}"
        if validators.get("votes", own.votes) != own.votes:
            yield f"validators.votes = {validators['votes']!r}"
    guards = data.get("guards", {})
    if isinstance(guards, Mapping):
        yield from _find_loosened_guards(guards, trusted)
    types = data.get("task_types", {})
    if isinstance(types, Mapping):
        yield from _find_loosened_types(types, trusted)


def _find_loosened_guards(guards: Mapping[str, object], trusted: Policy) -> Iterator[str]:
    for key, value in guards.items():
        allowed = trusted.guards.model_dump()[key] if key in LIMITS else None
        lowered = isinstance(value, int | float) and isinstance(allowed, int | float) and value <= allowed
        asks = key == "ask_before_paid" and value is True
        if not (lowered or asks):
            yield f"guards.{key} = {value!r}"


def _find_loosened_types(types: Mapping[str, object], trusted: Policy) -> Iterator[str]:
    for name, entry in types.items():
        own = trusted.task_types.get(name)  # type: ignore[call-overload]  # an unknown name is a mistake told later
        if own is None or not isinstance(entry, Mapping):
            continue
        if _skips_free_tiers(entry.get("route"), own.route, trusted):
            yield f"task_types.{name}.route = {entry['route']!r} goes past free tiers to paid ones"
        for key in sorted(entry.keys() & _TIGHTER.keys()):
            if not _TIGHTER[key](entry[key], getattr(own, key)):
                yield f"task_types.{name}.{key} = {entry[key]!r}"


def _skips_free_tiers(said: object, own: Sequence[str], trusted: Policy) -> bool:
    """Tell whether a route keeps a paid tier and leaves out a free one before it."""
    if not isinstance(said, list):
        return False
    paid = [place for place, tier in enumerate(own) if trusted.tiers[tier].paid and tier in said]
    return any(tier not in said and not trusted.tiers[tier].paid for tier in own[: max(paid, default=0)])


def _is_part(some: object, all_: object) -> bool:
    return isinstance(some, list) and isinstance(all_, list) and [one for one in all_ if one in some] == some


def _is_at_most(number: object, limit: object) -> bool:
    return isinstance(number, int | float) and isinstance(limit, int | float) and number <= limit


def _is_no_dearer(usd: object, limit: object) -> bool:
    """Compare budgets, of which `None` is none."""
    return limit is None or _is_at_most(usd, limit)


_TIGHTER: Mapping[str, Callable[[object, object], bool]] = {
    "complexity": operator.eq,
    "route": _is_part,
    "attempts_per_tier": _is_at_most,
    "samples": _is_at_most,
    "plan": operator.eq,
    "checker": lambda said, own: said == own or (said is None and own == "none"),
    "wanted_confidence": operator.eq,
    "usd_per_task": _is_no_dearer,
    "usd_per_day": _is_no_dearer,
    "validators": lambda some, own: _is_part(own, some) or some == own,
    "when_exhausted": lambda said, own: said in {own, "review"},
    "review": lambda said, own: said in {own, "always"},
}
"""For each key of a task type: whether a strange value, beside the user's own, only tightens."""
