"""Say what happens next: try, ask a person, or finish. Pure; the engine does the waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.outcome import UNREACHED, Attempt, How, Status
from orchestrator.route import Route, Served

SURE = 0.985
"""Confidence from which not even a free second author is worth waiting for."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rule needs to know besides route and attempts."""

    elapsed_seconds: float = 0.0
    limit_seconds: float = 0.0
    paid_needs_approval: bool = True
    approved_paid: bool = False
    """A person, or the policy, said yes to money for this task."""
    runaway: str = ""
    """Which limit on attempts or tokens is used up; empty while none is."""

    @property
    def remaining_seconds(self) -> float:
        """What is left of the time limit."""
        return max(0.0, self.limit_seconds - self.elapsed_seconds)

    @property
    def ended(self) -> bool:
        """Whether time, attempts or tokens are used up."""
        return bool(self.runaway) or self.elapsed_seconds >= self.limit_seconds

    @property
    def may_pay(self) -> bool:
        """Whether a paid tier may be asked."""
        return self.approved_paid or not self.paid_needs_approval


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
    limit: bool = False
    """Whether a limit of time, attempts, tokens or money ended it, so that going on needs a higher one."""


def next_step(route: Route, attempts: Sequence[Attempt], standing: Standing) -> Try | Ask | Finish:
    """Decide from what was tried so far.

    A tier gets its attempts, the first and its retries with the diagnostics, before the task escalates.
    It is left at once when it repeats itself or cannot answer at all; once left it is not tried again.
    An approved attempt ends the task unless another author's word is wanted on it. One that nobody can prove
    ends it too: a demanded validator is missing, which no other tier would change. A checker's unproven
    doubt is worth another try, in the end a person.
    """
    last = attempts[-1] if attempts else None
    if last and last.approved:
        return _confirm(route, attempts, standing)
    if last and last.unproven and not (last.trouble or last.doubted or _has_passed(attempts)):
        missing = ", ".join(last.unproven)
        return Finish("needs_review", f"nothing failed, but {missing} did not pass, so nothing is proven")
    step = None if standing.ended else _next_try(route, attempts)
    return _clear(step, route, attempts, standing)


def _confirm(route: Route, attempts: Sequence[Attempt], standing: Standing) -> Try | Ask | Finish:
    """Decide whether work that passed is taken as it is, or another author is asked.

    A free author costs only time, so he is asked unless the work is as good as certain; a paid one only where
    it is less sure than wanted. A person is asked for money only where two authors contradict each other.
    """
    last = attempts[-1]
    author = None if standing.ended else _next_author(route, attempts)
    enough = route.wanted_confidence if author is None or author.paid else max(SURE, route.wanted_confidence)
    sure = not route.wanted_confidence or (last.support == "alone" and last.confidence >= enough)
    if last.support in {"", "agreed"} or (sure and "agreement" not in route.demanded):
        return _accept(route, attempts)
    return _clear(Try(author, "confirm") if author else None, route, attempts, standing)


def _clear(
    step: Try | None, route: Route, attempts: Sequence[Attempt], standing: Standing
) -> Try | Ask | Finish:
    """Let a step pass, or have a person asked for its money, or end where there is none to take."""
    if step is None:
        return _settle(route, attempts, standing)
    if not step.tier.paid or standing.may_pay:
        return step
    if step.how == "confirm" and not is_contested(attempts):
        return _settle(route, attempts, standing)
    return Ask(step.tier)


def end_unpaid(route: Route, attempts: Sequence[Attempt], reason: str) -> Finish:
    """End where the money does not reach for the next step."""
    return _settle(route, attempts, Standing(runaway=reason))


def is_contested(attempts: Sequence[Attempt]) -> bool:
    """Tell whether work that passed contradicts other work that passed, and none agrees."""
    return any(one.support == "contested" for one in attempts if one.approved)


def is_repeated(attempts: Sequence[Attempt]) -> bool:
    """Tell whether the last attempt gave the same candidate as one of the turn before it."""
    if not attempts or not attempts[-1].digest:
        return False
    now = _turn(attempts[-1])
    before = max((_turn(attempt) for attempt in attempts if _turn(attempt) < now), default=None)
    return attempts[-1].digest in {one.digest for one in attempts if _turn(one) == before}


def _turn(attempt: Attempt) -> int:
    return attempt.turn or attempt.number


def count_escalations(attempts: Sequence[Attempt]) -> int:
    """Count the changes of tier that verdicts caused, not those for availability or a second author."""
    pairs = pairwise(attempts)
    return sum(
        one.tier != two.tier and two.how != "confirm" and one.trouble not in UNREACHED for one, two in pairs
    )


def _accept(route: Route, attempts: Sequence[Attempt]) -> Finish:
    if "agreement" in route.demanded and not any(one.support == "agreed" for one in attempts):
        contested = "other models' work that passed contradicts it"
        alone = "no second author's work could be held against it"
        return Finish("needs_review", f"it passed, but {contested if is_contested(attempts) else alone}")
    if route.review == "always":
        return Finish("needs_review", f"passed, and {route.task_type} always needs a person's approval")
    doubt = "though another model's work that passed does it differently"
    return Finish("accepted", f"passed, {doubt}" if attempts[-1].support == "contested" else "")


def _next_try(route: Route, attempts: Sequence[Attempt]) -> Try | None:
    """Choose the tier after an attempt that was not approved."""
    if not attempts:
        return Try(route.tiers[0], "first") if route.tiers else None
    last = attempts[-1]
    here = next((tier for tier in route.tiers if tier.tier == last.tier), None)
    turns = {_turn(attempt) for attempt in attempts if attempt.tier == last.tier}
    gone = last.trouble in {*UNREACHED, "context"} or is_repeated(attempts)
    if here and len(turns) < route.attempts_at(here.tier) and not gone:
        return Try(here, "retry")
    author = _next_author(route, attempts)
    if author is None:
        return None
    return Try(author, "confirm" if _has_passed(attempts) else "escalate")


def _next_author(route: Route, attempts: Sequence[Attempt]) -> Served | None:
    """Find the next tier above the last one that was not tried; learning may have left that one out since."""
    ladder = [tier.tier for tier in route.ladder or route.tiers]
    place = ladder.index(attempts[-1].tier) if attempts[-1].tier in ladder else -1
    passed_over = {*ladder[: place + 1], *(attempt.tier for attempt in attempts)}
    return next((tier for tier in route.tiers if tier.tier not in passed_over), None)


def _settle(route: Route, attempts: Sequence[Attempt], standing: Standing) -> Finish:
    """End without a further try: with what passed though nobody confirmed it, else with nothing.

    Of contradicting works the strongest author's is taken, with low confidence, unless the task type wants a
    person where a route ends. Where the strongest failed its gates after weaker ones had passed and
    contradicted each other, a person has to look in any case.
    """
    if not _has_passed(attempts):
        return _stopped(standing) if standing.ended else _exhausted(route, attempts)
    settled = attempts[-1].approved and not standing.ended and route.when_exhausted != "review"
    if is_contested(attempts) and not settled:
        return Finish("needs_review", "it passed, but models that passed as well do it differently")
    return _accept(route, attempts)


def _has_passed(attempts: Sequence[Attempt]) -> bool:
    return any(attempt.approved for attempt in attempts)


def _stopped(standing: Standing) -> Finish:
    used_up = f"the time limit of {standing.limit_seconds:g} s is used up"
    return Finish("stopped", standing.runaway or used_up, limit=True)


def _exhausted(route: Route, attempts: Sequence[Attempt]) -> Finish:
    if not route.tiers:
        reasons = "; ".join(f"{missing.tier}: {missing.reason}" for missing in route.left_out)
        return Finish("stopped", f"no tier of the route is served here ({reasons})")
    if all(attempt.trouble in UNREACHED for attempt in attempts):
        return Finish("stopped", f"no tier could be asked; last: {attempts[-1].message}")
    if any(attempt.doubted for attempt in attempts):
        return Finish("needs_review", "nothing failed, but a checker has doubts that it could not prove")
    reason = "every tier was tried and none passed"
    if all(attempt.trouble == "context" for attempt in attempts):
        reason = f"no tier has room for it; last: {attempts[-1].message}"
    return Finish("needs_review" if route.when_exhausted == "review" else "skipped", reason)
