"""Ask a local model how hard a request is when words alone leave it open, and join its opinion with ours."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from backends.backend import JsonSchema, Message
from orchestrator.classifying.classification import BANDS, TYPES, Classification, place, type_index
from orchestrator.prompts import render

UNSURE = 0.5
"""Below this confidence a second opinion is worth the call of a local model."""
ANSWER_TOKENS = 200
OPINION_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "task_type": {"type": "string", "enum": list(TYPES)},
        "complexity": {"type": "number", "minimum": 0, "maximum": 10},
        "reason": {"type": "string", "maxLength": 200},
    },
    "required": ["task_type", "complexity", "reason"],
    "additionalProperties": False,
}
_HEAD = 3_000
_TAIL = 1_000
_MARK = "=== TASK ==="
_REASON = 200
_AGREED = 0.75
_OPEN = 0.5


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model says of a request."""

    kind: int
    """A place in `TYPES`."""
    complexity: float
    """Inside the type's band."""
    reason: str


def needs_second_opinion(classification: Classification, threshold: float = UNSURE) -> bool:
    """Tell whether to ask a model: the words left it open, and a model could still change it."""
    is_settled = classification.floor >= BANDS[-2]
    return bool(classification.probabilities) and not is_settled and classification.confidence < threshold


def ask_opinion(text: str) -> tuple[Message, ...]:
    """Write the question; of a long request its first 3 000 and last 1 000 characters."""
    shown = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n[...]\n{text[-_TAIL:]}"
    shown = shown.replace(_MARK, "")
    return (
        Message("system", render("opinion_system").strip()),
        Message("user", f"{_MARK}\n{shown}\n{_MARK}\n\nHow hard is it?"),
    )


def parse_opinion(reply: str) -> Opinion | None:
    """Read a reply that fits `OPINION_SCHEMA`, also from inside prose or a fence; `None` for anything else.

    Type and number may contradict each other, as small models do: the type counts, and the number only as far
    as it lies inside the type's band.
    """
    told = _find_object(reply)
    if told.get("task_type") not in TYPES:
        return None
    kind = TYPES.index(str(told["task_type"]))
    reason = " ".join(str(told.get("reason", "")).split())[:_REASON]
    return Opinion(kind, round(_within(told.get("complexity"), kind), 2), reason)


def _within(told: object, kind: int) -> float:
    """Take the number where it lies inside the type's band, else the band's middle."""
    low, high = BANDS[kind], BANDS[kind + 1] - (0 if kind == len(TYPES) - 1 else 0.01)
    if isinstance(told, int | float) and low <= told <= high:
        return float(told)
    return (low + high) / 2


def _find_object(reply: str) -> Mapping[str, object]:
    start, end = reply.find("{"), reply.rfind("}")
    try:
        told = json.loads(reply[start : end + 1]) if 0 <= start < end else None
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def merge_opinion(classification: Classification, opinion: Opinion) -> Classification:
    """Join both judgements: a model may raise always, and lower only what no rule of safety raised.

    A lower opinion moves at most one type down: one small model's word against that of all others is not
    enough to take a critical task for a quick edit.
    """
    ours = type_index(classification.complexity)
    if opinion.kind < ours and classification.floor:
        return classification
    if opinion.kind == ours:
        complexity = (classification.complexity + opinion.complexity) / 2
        confidence = max(classification.confidence, _AGREED)
    else:
        kind = max(opinion.kind, ours - 1)
        complexity = opinion.complexity if kind == opinion.kind else place(classification.probabilities, kind)
        confidence = _OPEN
    reason = f"a model says {TYPES[opinion.kind]}" + (f": {opinion.reason}" if opinion.reason else "")
    complexity = round(max(complexity, classification.floor), 2)
    return replace(
        classification,
        complexity=complexity,
        confidence=confidence,
        reasons=(reason, *classification.reasons),
    )
