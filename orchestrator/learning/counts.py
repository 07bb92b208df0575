"""Counts that forget: with time, and at once when a model's recent work breaks with its past. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["worker", "recent", "run", "retry", "told", "sound", "gate", "gate_told"]
Key = tuple[str, ...]
Row = tuple[Kind, Key]

WINDOW = 30
"""Observations that recent work reaches back, as a mean of weights that fade."""

BREAK = 12.0
"""Likelihood ratio statistic above which recent work is that of another model.

One degree of freedom, but looked at after each task: a model that stays as it is crosses it about once in
several thousand tasks, and then merely learns from its last ones.
"""

ENOUGH = 12.0
"""Observations on each side of a break before it is believed."""

SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Count:
    """How often something came out well and badly, in weights that fade."""

    yes: float = 0.0
    no: float = 0.0
    seconds: float = 0.0
    usd: float = 0.0
    """Both are sums over `yes` and `no`."""
    at: float = 0.0
    """When it was last faded, in seconds since 1970."""

    @property
    def total(self) -> float:
        """Weight of all that was seen."""
        return self.yes + self.no

    @property
    def share(self) -> float:
        """How much of it came out well; a half when nothing was seen."""
        return self.yes / self.total if self.total else 0.5

    def scaled(self, factor: float) -> "Count":
        """Weigh all of it by `factor`."""
        yes, no = self.yes * factor, self.no * factor
        return Count(yes, no, self.seconds * factor, self.usd * factor, self.at)

    def faded(self, now: float, half_life_days: float) -> "Count":
        """Forget what time takes; a clock that was set back takes nothing."""
        if now <= self.at:
            return self
        factor = 0.5 ** ((now - self.at) / SECONDS_PER_DAY / half_life_days)
        return Count(self.yes * factor, self.no * factor, self.seconds * factor, self.usd * factor, now)

    def plus(self, other: "Count | Observation") -> "Count":
        """Add what was seen elsewhere or now; a correction never takes more than there is."""
        return Count(
            max(0.0, self.yes + other.yes),
            max(0.0, self.no + other.no),
            max(0.0, self.seconds + other.seconds),
            max(0.0, self.usd + other.usd),
            self.at,
        )

    def minus(self, other: "Count") -> "Count":
        """Take away a part of it."""
        return self.plus(other.scaled(-1.0))


@dataclass(frozen=True, slots=True)
class Observation:
    """What is added to one count."""

    kind: Kind
    key: Key
    yes: float = 0.0
    no: float = 0.0
    seconds: float = 0.0
    usd: float = 0.0


def touched(observations: Iterable[Observation]) -> tuple[Row, ...]:
    """Name the rows that `fold` wants to know for these observations."""
    rows: dict[Row, None] = {}
    for one in observations:
        rows[one.kind, one.key] = None
        if one.kind == "worker":
            rows |= dict.fromkeys([("recent", one.key), *_beside(one.key)])
    return tuple(rows)


def fold(
    known: Mapping[Row, Count], observations: Sequence[Observation], now: float, half_life_days: float
) -> dict[Row, Count]:
    """Add observations to what is known, faded to `now`.

    Returns:
        The rows that changed. Where recent work broke with its past, the count begins with the recent work,
        and what else is believed of that model at that kind of task weighs as much less.
    """
    changed: dict[Row, Count] = {}

    def find(row: Row) -> Count:
        if row not in changed:
            changed[row] = known.get(row, Count(at=now)).faded(now, half_life_days)
        return changed[row]

    for one in observations:
        row = (one.kind, one.key)
        changed[row] = find(row).plus(one)
        if one.kind != "worker":
            continue
        newest: Row = ("recent", one.key)
        changed[newest] = find(newest).scaled(1 - 1 / WINDOW).plus(one)
        whole = changed[row]
        if is_broken(changed[newest], whole.minus(changed[newest])):
            changed[row] = changed[newest]
            kept = changed[newest].total / whole.total
            changed |= {other: find(other).scaled(kept) for other in _beside(one.key)}
    return changed


def is_broken(recent: Count, past: Count) -> bool:
    """Tell whether recent work can hardly come from whoever did the past work (likelihood ratio, 2 x 2)."""
    if min(recent.total, past.total) < ENOUGH:
        return False
    both = recent.plus(past).share
    statistic = 2 * sum(_surprise(count, both) for count in (recent, past))
    return statistic > BREAK


def _surprise(count: Count, share: float) -> float:
    return sum(
        seen * math.log(seen / (count.total * expected))
        for seen, expected in ((count.yes, share), (count.no, 1 - share))
        if seen > 0
    )


def _beside(key: Key) -> tuple[Row, ...]:
    """Name what else is believed of the model that `key` of a `worker` row means."""
    model, task_type, domain, place = key
    other = "later" if place == "first" else "first"
    work = (model, task_type, domain)
    return ("worker", (*work, other)), ("run", work), ("told", work), ("sound", work)
