"""Let what happened to earlier tasks move how hard the next one looks: a little, never below safety."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from orchestrator.classifying.classification import BANDS, TYPES, Classification, type_index

MOST = 0.5
"""The furthest that a complexity moves, up or down."""
_EXPECTED = 0.3
"""The share of tasks of a type that its first tier is expected not to pass."""
_WEIGHT = 20.0
"""As many tasks as it takes until what was seen counts half."""
_MOVES = 0.05
"""Less than this is not worth a reason."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How a type's first tier did lately; decayed counts, so fractions are usual."""

    passed: float = 0.0
    """Accepted from the first tier, and not rejected later."""
    escalated: float = 0.0
    """Had to be handed up, was skipped, or was rejected later."""


def refine(classification: Classification, seen: Mapping[str, Seen]) -> Classification:
    """Move the complexity by at most 0.5, by what was seen of the types (keys are those of `TYPES`).

    Up, when the first tier of the type fails more often than expected. Down, when it passes more often and
    the first tier of the easier type does not fail more often than expected either, so that a task that may
    end there is in good hands. Critical tasks stay critical, and what was never seen moves nothing.
    """
    kind = type_index(classification.complexity)
    if TYPES[kind] == "critical":
        return classification
    push = _push(seen.get(TYPES[kind], Seen()))
    if push < 0 and kind and _push(seen.get(TYPES[kind - 1], Seen())) > 0:
        push = 0.0
    lowest, highest = classification.floor, BANDS[-2] - 0.01
    moved = round(min(highest, max(lowest, 0.0, classification.complexity + MOST * push)), 2)
    if abs(moved - classification.complexity) < _MOVES:
        return classification
    way = "harder" if moved > classification.complexity else "easier"
    reason = f"tasks of type {TYPES[kind]} turned out {way} than they look"
    return replace(classification, complexity=moved, reasons=(*classification.reasons, reason))


def _push(seen: Seen) -> float:
    """Compute from -1 (far easier than expected) to 1, drawn to 0 while little was seen."""
    count = seen.passed + seen.escalated
    if count <= 0:
        return 0.0
    surprise = seen.escalated / count - _EXPECTED
    room = 1 - _EXPECTED if surprise > 0 else _EXPECTED
    return surprise / room * count / (count + _WEIGHT)
