"""Say what happens next: try, ask a person, or finish. Pure; the engine does the waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from orchestrator.outcome import Attempt, Status
from orchestrator.route import Route, Served

How = Literal["first", "retry", "escalate"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rule needs to know besides route and attempts."""

    elapsed_seconds: float = 0.0
    limit_seconds: float = 0.0
    paid_needs_approval: bool = True
    approved_paid: bool = False
    """A person, or the policy, said yes to money for this task."""

    @property
    def remaining_seconds(self) -> float:
        """What is left of the time limit."""
        return max(0.0, self.limit_seconds - self.elapsed_seconds)


@dataclass(frozen=True, slots=True)
class Try:
    """Ask this tier now."""

    tier: Served
    how: How


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must say yes before this paid tier is asked."""

    tier: Served


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing more is tried."""

    status: Status
    reason: str


def next_step(route: Route, attempts: Sequence[Attempt], standing: Standing) -> Try | Ask | Finish:
    """Decide from what was tried so far.

    A tier gets its attempts, the first and its retries with the diagnostics, before the task escalates.
    It is left at once when it repeats itself or cannot answer at all; once left it is not tried again.
    An approved attempt ends the task, as does one that nobody can prove: a demanded validator is missing,
    which no other tier would change. A checker's unproven doubt is worth another try, in the end a person.
    """
    last = attempts[-1] if attempts else None
    if last and last.approved:
        return _accept(route)
    if last and last.unproven and not last.trouble and not last.doubted:
        missing = ", ".join(last.unproven)
        return Finish("needs_review", f"nothing failed, but {missing} did not pass, so nothing is proven")
    if standing.elapsed_seconds >= standing.limit_seconds:
        return Finish("stopped", f"the time limit of {standing.limit_seconds:g} s is used up")
    step = _next_try(route, attempts)
    if step is None:
        return _exhausted(route, attempts)
    if step.tier.paid and standing.paid_needs_approval and not standing.approved_paid:
        return Ask(step.tier)
    return step


def is_repeated(attempts: Sequence[Attempt]) -> bool:
    """Tell whether the last attempt gave the same candidate as the one before it."""
    if len(attempts) < 2:
        return False
    before, last = attempts[-2:]
    return bool(last.digest) and before.digest == last.digest


def count_escalations(attempts: Sequence[Attempt]) -> int:
    """Count the changes of tier that verdicts caused; a change for availability is a fallback."""
    pairs = pairwise(attempts)
    return sum(one.tier != two.tier and one.trouble not in {"unavailable", "refused"} for one, two in pairs)


def _accept(route: Route) -> Finish:
    if route.review == "always":
        return Finish("needs_review", f"passed, and {route.task_type} always needs a person's approval")
    return Finish("accepted", "")


def _next_try(route: Route, attempts: Sequence[Attempt]) -> Try | None:
    if not attempts:
        return Try(route.tiers[0], "first") if route.tiers else None
    last = attempts[-1]
    names = [tier.tier for tier in route.tiers]
    place = names.index(last.tier) if last.tier in names else -1
    at_tier = sum(attempt.tier == last.tier for attempt in attempts)
    gone = last.trouble in {"unavailable", "refused", "context"} or is_repeated(attempts)
    if place >= 0 and at_tier < route.attempts_per_tier and not gone:
        return Try(route.tiers[place], "retry")
    tried = {attempt.tier for attempt in attempts}
    later = [tier for tier in route.tiers[place + 1 :] if tier.tier not in tried]
    return Try(later[0], "escalate") if later else None


def _exhausted(route: Route, attempts: Sequence[Attempt]) -> Finish:
    if not route.tiers:
        reasons = "; ".join(f"{missing.tier}: {missing.reason}" for missing in route.left_out)
        return Finish("stopped", f"no tier of the route is served here ({reasons})")
    if all(attempt.trouble in {"unavailable", "refused"} for attempt in attempts):
        return Finish("stopped", f"no tier could be asked; last: {attempts[-1].message}")
    if any(attempt.doubted for attempt in attempts):
        return Finish("needs_review", "nothing failed, but a checker has doubts that it could not prove")
    if route.when_exhausted == "review":
        return Finish("needs_review", "every tier was tried and none passed")
    return Finish("skipped", "every tier was tried and none passed")
