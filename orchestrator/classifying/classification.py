"""What a request looks like, and the four types it can be of."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.signals import Domain

TYPES = ("quick_edit", "standard_dev", "complex_architecture", "critical")
"""From easy to hard; the order of `Classification.probabilities`."""
BANDS = (0.0, 3.0, 6.0, 9.0, 10.0)
"""Where each type's complexity begins, and where the last one ends."""


@dataclass(frozen=True, slots=True)
class ContextFile:
    """A file that the worker will be shown."""

    path: str
    size_bytes: int
    lines: int


@dataclass(frozen=True, slots=True)
class Classification:
    """What a request looks like. Which task type a complexity means is the policy's to say."""

    complexity: float
    """0-10."""
    domain: Domain
    language: str
    """A key of `LANGUAGES`; empty when nothing tells."""
    reasons: tuple[str, ...]
    """Fragments a user reads, the weightiest first."""
    confidence: float
    """0-1, that the complexity lies in the right type's band."""
    probabilities: tuple[float, ...] = ()
    """Of each of `TYPES`, from the words alone; empty where nothing was weighed."""
    floor: float = 0.0
    """The complexity that safety demands; nothing that comes later may go below it."""


def type_index(complexity: float) -> int:
    """Find the place in `TYPES` that a complexity falls into."""
    return sum(complexity >= start for start in BANDS[1:-1])


def place(probabilities: Sequence[float], kind: int) -> float:
    """Place a request inside its type's band: towards the harder types as far as they are likely."""
    start, end = BANDS[kind], BANDS[kind + 1]
    harder, easier = sum(probabilities[kind + 1 :]), sum(probabilities[:kind])
    inside = 0.5 + 0.5 * (harder - easier)
    return round(start + (end - start) * min(0.95, max(0.05, inside)), 2)
