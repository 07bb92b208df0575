"""Whether confidence keeps its word: what was told beside what turned out. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.learning.beliefs import Beliefs, Worker, trust
from orchestrator.learning.observing import count_tries, gates_alone, label_by_authors
from orchestrator.outcome import Attempt

BINS = 10
WORDS = {"approve": 1.0, "reject": 0.0, "retry": 0.0}
"""What a review of work that had passed says about it; `skip` says nothing."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A confidence and what it was about."""

    confidence: float
    right: float
    """1 right, 0 wrong; between them where only another gate said so."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs of like confidence."""

    low: float
    high: float
    count: int
    confidence: float
    """Mean of what was told."""
    right: float
    """Share that was right."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The calibration curve with its errors."""

    bins: tuple[Bin, ...]
    """Those that hold something, the least confident first."""
    count: int
    ece: float
    """Expected calibration error: mean distance of told and true over all pairs."""
    brier: float
    """Mean squared distance of each pair."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An attempt whose gates passed, and what was said of it afterwards; a row of the ledger."""

    task_type: str
    domain: str
    attempt: Attempt
    told: float | None = None
    """The confidence that the outcome had, where it was about this attempt."""
    review: str = ""
    """The last word of a review: `approve`, `reject`, `retry`, or empty."""


def calibrate(pairs: Sequence[Pair], bins: int = BINS) -> Curve:
    """Sort pairs into bins of equal width and measure how far told and true lie apart."""
    held: dict[int, list[Pair]] = {}
    for pair in pairs:
        held.setdefault(min(bins - 1, int(pair.confidence * bins)), []).append(pair)
    made = tuple(_bin(place / bins, (place + 1) / bins, held[place]) for place in sorted(held))
    count = len(pairs)
    if not count:
        return Curve((), 0, 0.0, 0.0)
    ece = sum(one.count * abs(one.confidence - one.right) for one in made) / count
    brier = sum((pair.confidence - pair.right) ** 2 for pair in pairs) / count
    return Curve(made, count, ece, brier)


def label_pairs(rows: Sequence[Judged], beliefs: Beliefs) -> tuple[Pair, ...]:
    """Make pairs of what a review said, else of what a gate said that was stronger than those before it."""
    return tuple(pair for row in rows for pair in _pair(row, beliefs))


def _pair(row: Judged, beliefs: Beliefs) -> Iterator[Pair]:
    attempt, worker = row.attempt, Worker(row.attempt.model, row.task_type, row.domain)
    tries, right = count_tries(attempt), label_by_authors(attempt)
    if row.review in WORDS and attempt.approved:
        told = trust(beliefs, worker, attempt.verdicts, tries) if row.told is None else row.told
        yield Pair(told, WORDS[row.review])
    elif right is not None:
        yield Pair(trust(beliefs, worker, gates_alone(attempt), tries), right)


def _bin(low: float, high: float, pairs: Sequence[Pair]) -> Bin:
    count = len(pairs)
    told = sum(pair.confidence for pair in pairs) / count
    return Bin(low, high, count, told, sum(pair.right for pair in pairs) / count)
