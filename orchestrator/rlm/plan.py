"""Choosing between one prompt and many, and cutting the documents for it. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from backends.tokens import BYTES_PER_TOKEN
from orchestrator.rlm.analysis import AnalysisLimits, Mode, Question
from orchestrator.rlm.chunks import Chunk, cut, pack
from orchestrator.rlm.errors import QuestionError, SourceError
from orchestrator.rlm.replies import check_schema
from orchestrator.rlm.sources import Source

_INSTRUCTION_TOKENS = 800
"""Of the longest template, and of what is said when a reply has to be repeated."""
_BLOCK = 65_536
_FENCE_TOKENS = 60
"""Of the lines around each document in a prompt."""
_LEAST_DOCUMENT_TOKENS = 256
_RESERVED_SHARE = 8
"""One call in so many is kept for making the answer of the notes, but two at least."""

Leaf = tuple[Chunk, ...]
"""What one prompt reads: neighbouring pieces, of several documents if they are small."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the documents are read."""

    mode: Mode
    window_tokens: int
    """For documents, or for notes, in one prompt."""
    leaves: tuple[Leaf, ...]
    reading_calls: int
    """How many calls may go into reading; the rest makes the answer."""


def make_plan(question: Question, limits: AnalysisLimits) -> Plan:
    """Check what was given, then read all at once if it fits, else part by part.

    The ladder of Zhang, Kraska, Khattab, "Recursive Language Models" (arXiv 2512.24601), whose plain call
    beats recursion while all fits; the fixed plan of λ-RLM (arXiv 2603.20105) where it does not, for it
    beats free code by 22 points on 8B models.

    Raises:
        QuestionError: The question, its mode, its schema or the limits make no sense.
        SourceError: There is nothing to read.
    """
    _check(question, limits)
    window = _window(question, limits)
    whole = tuple(Chunk(source, 0, len(source.text)) for source in question.sources if source.text)
    tokens = _tokens_of(whole)
    if question.mode == "direct" and tokens > window:
        raise QuestionError(
            f"The documents have about {tokens} tokens, but {window} fit the model at once. "
            "Take mode 'map' or 'auto', or a tier with a larger context."
        )
    if question.mode != "map" and tokens <= window:
        return Plan("direct", window, (whole,), limits.max_calls)
    reading = max(1, limits.max_calls - max(2, limits.max_calls // _RESERVED_SHARE))
    wanted = max(limits.leaf_tokens, int(1.2 * tokens / reading))
    return Plan("map", window, _leaves(question.sources, min(window, wanted)), reading)


def estimate_tokens(text: str) -> int:
    """Guess how many tokens a text has, rather too many than too few."""
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


def characters(chunks: Iterable[Chunk]) -> int:
    """Count the characters of pieces."""
    return sum(chunk.characters for chunk in chunks)


def _tokens_of(chunks: Iterable[Chunk]) -> int:
    return sum(estimate_tokens(chunk.text) + _FENCE_TOKENS for chunk in chunks)


def _leaves(sources: Sequence[Source], leaf_tokens: int) -> tuple[Leaf, ...]:
    chunks = chain.from_iterable(_cut_by_tokens(source, leaf_tokens - _FENCE_TOKENS) for source in sources)
    return pack(chunks, leaf_tokens, lambda chunk: _tokens_of([chunk]))


def _cut_by_tokens(source: Source, tokens: int) -> tuple[Chunk, ...]:
    """Cut so that also where the text is densest (another script) no chunk has too many tokens."""
    blocks = (source.text[start : start + _BLOCK] for start in range(0, len(source.text), _BLOCK))
    densest = max((estimate_tokens(block) / len(block) for block in blocks), default=1.0)
    return cut(source, max(1, int(tokens / densest)))


def _window(question: Question, limits: AnalysisLimits) -> int:
    asked = estimate_tokens(question.text) + estimate_tokens(str(question.output_schema or ""))
    window = limits.context_tokens - limits.answer_tokens - asked - _INSTRUCTION_TOKENS
    if window < _LEAST_DOCUMENT_TOKENS:
        raise QuestionError(
            f"A context of {limits.context_tokens} tokens has no room for documents beside a question of "
            f"about {asked}. Ask more briefly, or take a tier with a larger context."
        )
    return window


def _check(question: Question, limits: AnalysisLimits) -> None:
    if not question.text.strip():
        raise QuestionError("The question is empty. Say what you want to know about the documents.")
    if question.mode in {"search", "repl"}:
        raise QuestionError(f"Mode {question.mode!r} is not built yet. Take 'auto', 'direct' or 'map'.")
    if question.mode not in {"auto", "direct", "map"}:
        raise QuestionError(f"There is no mode {question.mode!r}. Take 'auto', 'direct' or 'map'.")
    if min(limits.max_calls, limits.parallel, limits.leaf_tokens) < 1:
        raise QuestionError(f"{limits!r} allows nothing. Give at least 1 for each limit.")
    if not any(source.text.strip() for source in question.sources):
        names = ", ".join(repr(source.path) for source in question.sources[:5]) or "no source"
        raise SourceError(f"There is nothing to read in {names}. Give a file with text in it, or `text`.")
    if question.output_schema is not None:
        check_schema(question.output_schema)
