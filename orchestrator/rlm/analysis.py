"""What goes into an analysis and what comes out of it. Pure data."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import JsonValue

from backends.backend import Completion, JsonSchema
from orchestrator.rlm.quotes import How
from orchestrator.rlm.sources import Source

Status = Literal["answered", "stopped", "failed"]
"""Answered in the shape asked for; ended by the budget with what there is; no usable answer came."""
Mode = Literal["direct", "map"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which documents."""

    text: str
    sources: tuple[Source, ...]
    mode: str = "auto"
    """`auto`, `direct` (everything in one prompt) or `map` (part by part)."""
    output_schema: JsonSchema | None = None
    """The answer must be JSON that fits this JSON Schema; None asks for prose."""
    warnings: tuple[str, ...] = ()
    """What was noticed while the sources were read (`Reading.warnings`); repeated in the analysis."""


@dataclass(frozen=True, slots=True)
class AnalysisLimits:
    """What one analysis may use."""

    context_tokens: int
    """The window of the model, prompt and answer together."""
    max_calls: int = 200
    parallel: int = 4
    leaf_tokens: int = 6000
    """Of the documents in one prompt of `map`, as small models miss things in longer ones; more only
    where `max_calls` would not suffice otherwise."""
    answer_tokens: int = 2048
    """Kept free in the window for the reply; what `Ask` allows a reply to have."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading is, in characters."""

    read: int
    total: int
    message: str


class Ask(Protocol):
    """The engine's way to a model: it chooses, pays, and remembers the answer by step and prompt."""

    async def __call__(self, step_key: str, prompt: str, schema: JsonSchema | None, /) -> Completion:
        """Ask once. A step key names step and prompt, so the same key may be answered from memory.

        Raises:
            BackendError: The model could not be asked.
            Spent: The budget does not allow this call.
        """
        ...


OnProgress = Callable[[Progress], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage of a document that proves a claim."""

    path: str
    start: int
    end: int
    lines: tuple[int, int]
    """The first and the last, from 1."""
    quote: str
    """As the document has it, whatever the model made of it."""
    how: How
    """How far the model's wording was from that."""
    verified: bool = True
    """Always: what cannot be located is no citation."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """The answer with its proof. Run, price and time are the engine's to add."""

    status: Status
    answer: JsonValue
    """In the shape asked for if `answered`, else the notes taken so far."""
    citations: tuple[Citation, ...]
    coverage: float
    """Share of the documents' characters that a model has read, 0-1."""
    confidence: float
    mode_path: tuple[Mode, ...]
    calls: int
    tokens_in: int
    tokens_out: int
    warnings: tuple[str, ...] = ()


def estimate_confidence(
    coverage: float, quotes_claimed: int, quotes_found: int, parts: int, parts_failed: int
) -> float:
    """Say how far to trust an answer, from facts and never from the model's own word.

    0.95 x coverage x (0.4 + 0.6 x share of quotes found) x (1 - half the share of parts that failed). The
    numbers are a judgement, not fitted: quotes prove that the words stand there, not that the conclusion
    follows, so it stays below 1; an answer without any quote is worth less than a coin.
    """
    found = quotes_found / quotes_claimed if quotes_claimed else 0.0
    failed = parts_failed / parts if parts else 0.0
    return round(0.95 * coverage * (0.4 + 0.6 * found) * (1 - 0.5 * failed), 2)
