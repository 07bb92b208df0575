"""What a policy from a working folder may say before its user has trusted it. Pure."""

from collections.abc import Iterator, Mapping

from orchestrator.policy import Policy

SAFE_SECTIONS = ("task_types", "guards")
LIMITS = ("usd_per_task", "usd_per_day", "seconds_per_task")


def find_loosening(data: Mapping[str, object], trusted: Policy) -> Iterator[str]:
    """Yield every key of an untrusted file that does more than tighten the `trusted` policy.

    Task types may be rearranged among the trusted policy's own tiers; `[guards]` may be lowered.
    Backends, tiers (their keys and prices), roots and the sandbox come from files the user wrote.
    """
    for section in data:
        if section not in SAFE_SECTIONS:
            yield f"[{section}]"
    guards = data.get("guards", {})
    if isinstance(guards, Mapping):
        yield from _find_loosened_guards(guards, trusted)
    types = data.get("task_types", {})
    if isinstance(types, Mapping):
        yield from _find_loosened_types(types, trusted)


def _find_loosened_guards(guards: Mapping[str, object], trusted: Policy) -> Iterator[str]:
    for key, value in guards.items():
        allowed = trusted.guards.model_dump()[key] if key in LIMITS else None
        lowered = isinstance(value, int | float) and isinstance(allowed, float) and value <= allowed
        asks = key == "ask_before_paid" and value is True
        if not (lowered or asks):
            yield f"guards.{key} = {value!r}"


def _find_loosened_types(types: Mapping[str, object], trusted: Policy) -> Iterator[str]:
    for name, entry in types.items():
        own = trusted.task_types.get(name)  # type: ignore[call-overload]  # an unknown name is a mistake told later
        if own is None or not isinstance(entry, Mapping):
            continue
        if own.review == "always" and entry.get("review") != "always":
            yield f"task_types.{name}.review must stay 'always'"
        if own.checker != "none" and entry.get("checker", "none") == "none":
            yield f"task_types.{name}.checker drops the checker"
        validators = entry.get("validators", [])
        dropped = set(own.validators) - set(validators if isinstance(validators, list) else [])
        if dropped:
            yield f"task_types.{name}.validators drops {', '.join(sorted(dropped))}"
