"""What a row of tiers comes to: money, waiting, right and wrong answers, by expectation. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

WRONG = 10.0
"""What a wrong answer that was accepted costs, in asks of the strongest tier.

Somebody finds it later, and the task is done again with what was built on it. An assumption; the user's
`wanted_confidence` is a floor besides.
"""

UNSOLVED = 2.0
"""What a task costs that no tier solved, likewise: its caller does it, and has waited."""

ALIKE = 0.95
"""How often two right answers are found to behave alike; two of which one is wrong, hardly ever."""

CONFIRMED = 0.98
"""Probability that work is right that behaves as another author's, if both passed their tests: 211 of 215."""

SLACK = 0.01
"""How far below the wanted confidence a row may be expected to end: estimates are no better than that."""

LEAST = 2e-3
"""What asking the strongest tier counts for at least, in USD, where all tiers are free and quick."""

MANY = 8
"""Tiers from which only the start is chosen, not which of those between are left out."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One tier as it is believed to do at one kind of task."""

    tier: str
    paid: bool
    first: float
    """Probability that its first answer passes when it is asked first."""
    later: float
    """The same after other tiers failed."""
    sound: float
    """Probability that what passed is right."""
    mended: float
    """The same for what passed only after a retry."""
    retries: tuple[float, ...]
    """Probability that each retry passes."""
    usd: float
    seconds: float
    """Of one answer with its checks, as `usd`."""
    told: float = 0.0
    """Confidence that the gates alone give to what passed; what a second author is waited for by."""
    seen: float = 0.0
    """Observations that this rests on."""


@dataclass(frozen=True, slots=True)
class Stakes:
    """What waiting, a wrong answer and none at all cost, and how sure the user wants to be."""

    usd_per_second: float
    usd_wrong: float
    usd_unsolved: float
    wanted: float = 0.0
    compares: bool = False
    """Whether work that passed with less confidence waits for another author's."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What to expect of a row of tiers, for one task."""

    usd: float
    seconds: float
    right: float
    wrong: float
    unsolved: float

    @property
    def confidence(self) -> float:
        """How likely an accepted answer is right."""
        accepted = self.right + self.wrong
        return self.right / accepted if accepted else 0.0


def set_stakes(
    rungs: Sequence[Rung], usd_per_hour: float, wanted: float = 0.0, *, compares: bool = False
) -> Stakes:
    """Measure what goes wrong in asks of the strongest tier, the last one."""
    per_second = usd_per_hour / 3600
    strongest = max([LEAST, *(rung.usd + rung.seconds * per_second for rung in rungs[-1:])])
    return Stakes(per_second, WRONG * strongest, UNSOLVED * strongest, wanted, compares)


def walk(rungs: Sequence[Rung], stakes: Stakes | None = None) -> Prospect:
    """Add up what happens from the first tier to the last.

    What passes is accepted. Where authors are compared and it is less sure than wanted, it waits until a
    later tier's work behaves alike; the last tier's work is taken, else what waits.
    """
    usd = seconds = 0.0
    reach, done, waiting = 1.0, _NONE, _NONE
    for place, rung in enumerate(rungs):
        last = place == len(rungs) - 1
        fresh, beside = _stay(rung, rung.later if place else rung.first), _stay(rung, rung.first)
        asks = reach * fresh.asks + waiting.all * beside.asks
        usd, seconds = usd + asks * rung.usd, seconds + asks * rung.seconds
        compared, waiting = _compare(waiting, beside.passed, last=last)
        done = done.plus(compared)
        passed = fresh.passed.times(reach)
        waits = stakes is not None and stakes.compares and rung.told < stakes.wanted and not last
        done, waiting = (done, waiting.plus(passed)) if waits else (done.plus(passed), waiting)
        reach *= 1 - fresh.passed.all
    done = done.plus(waiting)
    return Prospect(usd, seconds, done.right, done.all - done.right, reach)


@dataclass(frozen=True, slots=True)
class _Share:
    """A share of the tasks with work that passed, and the part of it that is right."""

    all: float
    right: float

    def plus(self, other: "_Share") -> "_Share":
        return _Share(self.all + other.all, self.right + other.right)

    def times(self, factor: float) -> "_Share":
        return _Share(self.all * factor, self.right * factor)


_NONE = _Share(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Stay:
    """What comes of asking one tier until it passes or its attempts are used up."""

    asks: float
    passed: _Share


def _compare(waiting: _Share, passed: _Share, *, last: bool) -> tuple[_Share, _Share]:
    """Say what of the waiting work is settled by a tier that passes so often, and what still waits."""
    alike = ALIKE * waiting.right * passed.right
    agreed = _Share(alike, alike * CONFIRMED)
    if last:
        against = waiting.all * passed.all - alike
        right = min(against, max(0.0, waiting.all * passed.right - alike))
        return agreed.plus(_Share(against, right)), waiting.times(1 - passed.all)
    left = waiting.all - alike
    return agreed, _Share(left, min(left, max(0.0, waiting.right - agreed.right)))


def _stay(rung: Rung, chance: float) -> _Stay:
    asks, failing, passed, right = 1.0, 1 - chance, chance, chance * rung.sound
    for retry in rung.retries:
        mended = failing * retry
        passed, right = passed + mended, right + mended * rung.mended
        asks, failing = asks + failing, failing * (1 - retry)
    return _Stay(asks, _Share(passed, right))


def loss(prospect: Prospect, stakes: Stakes) -> float:
    """Put money, waiting, wrong answers and unsolved tasks in USD."""
    bad = prospect.wrong * stakes.usd_wrong + prospect.unsolved * stakes.usd_unsolved
    return prospect.usd + prospect.seconds * stakes.usd_per_second + bad


def standing(rungs: Sequence[Rung], stakes: Stakes) -> tuple[float, float]:
    """Rank a row of tiers, the least first: what it lacks of the wanted confidence, then its loss.

    Where authors are compared nothing is lacking: each answer that is less sure than wanted waits by itself.
    """
    prospect = walk(rungs, stakes)
    wanted = 0.0 if stakes.compares else stakes.wanted - SLACK
    return max(0.0, wanted - prospect.confidence), loss(prospect, stakes)


def rows(count: int) -> Iterator[tuple[int, ...]]:
    """Name the rows that tiers can be asked in: any of them in order, the last one always."""
    if count > MANY:
        yield from (tuple(range(start, count)) for start in range(count))
        return
    for size in range(count):
        for chosen in combinations(range(count - 1), size):
            yield (*chosen, count - 1)
