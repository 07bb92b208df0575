"""One analysis from the question to the proven answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from backends.errors import BackendError, ContextTooLong
from orchestrator.rlm.analysis import (
    Analysis,
    AnalysisLimits,
    Ask,
    Mode,
    OnProgress,
    Progress,
    Question,
    estimate_confidence,
)
from orchestrator.rlm.asking import Asking
from orchestrator.rlm.conclusion import Conclusion, Synthesis, conclude_directly
from orchestrator.rlm.findings import cite, shorten
from orchestrator.rlm.plan import Plan, characters, make_plan
from orchestrator.rlm.reading import PartReader

_QUOTES_SHOWN = 5
_QUOTE_CHARACTERS = 120


async def analyse(
    question: Question, ask: Ask, limits: AnalysisLimits, *, on_progress: OnProgress
) -> Analysis:
    """Answer a question from documents of any length, with every claim's quote located in them.

    What fits the model's window is read at once (`direct`), the rest part by part (`map`): each part is
    read by the question, the notes are merged as often as they do not fit, and the answer is made of them.
    The idea is that of Zhang, Kraska, Khattab, "Recursive Language Models" (arXiv 2512.24601); the fixed
    plan instead of free code is that of λ-RLM (arXiv 2603.20105). No code runs, so nothing that a document
    says can do more than mislead a reader. What was paid for is never lost: a part that fails costs
    coverage, a spent budget ends in the best answer so far.

    Raises:
        AnalysisError: The question, the sources or the limits make no sense; nothing was asked.
        BackendError: No part could be read at all.
    """
    run = _Run(question, limits, Asking(ask, limits.max_calls), on_progress)
    plan = make_plan(question, limits)
    if plan.mode == "map":
        return await run.read_in_parts(plan, ("map",))
    try:
        return await run.read_at_once(plan)
    except ContextTooLong:
        if question.mode == "direct":
            raise
    plan = make_plan(replace(question, mode="map"), limits)
    return await run.read_in_parts(plan, ("direct", "map"))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known about how an answer came about."""

    coverage: float = 1.0
    quotes_claimed: int = 0
    missing_quotes: tuple[str, ...] = ()
    parts: int = 1
    parts_failed: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Run:
    """What all steps of one analysis share."""

    question: Question
    limits: AnalysisLimits
    asking: Asking
    on_progress: OnProgress

    async def read_at_once(self, plan: Plan) -> Analysis:
        [documents] = plan.leaves
        total = characters(documents)
        await self.on_progress(Progress(0, total, "reading everything at once"))
        conclusion = await conclude_directly(self.question, documents, self.asking)
        coverage = 0.0 if conclusion.status == "stopped" else 1.0
        return self._analysis(conclusion, _Facts(coverage), ("direct",))

    async def read_in_parts(self, plan: Plan, mode_path: tuple[Mode, ...]) -> Analysis:
        reader = PartReader(self.question.text, plan, self.asking, self.on_progress)
        await reader.read_all(self.limits.parallel)
        if not reader.read:
            return self._analysis(_nothing_read(reader), _facts(reader, plan), mode_path)
        total = sum(map(characters, plan.leaves))
        read = list(chain.from_iterable(reader.read_leaves))
        await self.on_progress(Progress(characters(read), total, "making the answer"))
        synthesis = Synthesis(self.question, plan.window_tokens, self.asking, self.limits.parallel)
        conclusion = await synthesis.conclude(reader.findings, read)
        if reader.spent:
            conclusion = replace(conclusion, status="stopped")
        return self._analysis(conclusion, _facts(reader, plan), mode_path)

    def _analysis(self, conclusion: Conclusion, facts: _Facts, mode_path: tuple[Mode, ...]) -> Analysis:
        quotes = conclusion.quotes
        claimed = facts.quotes_claimed + len(quotes.found) + len(quotes.missing)
        missing = (*facts.missing_quotes, *quotes.missing)
        confidence = estimate_confidence(
            facts.coverage, claimed, claimed - len(missing), facts.parts, facts.parts_failed
        )
        return Analysis(
            status=conclusion.status,
            answer=conclusion.answer,
            citations=tuple(map(cite, quotes.found)),
            coverage=round(facts.coverage, 4),
            confidence=confidence if conclusion.status != "failed" else 0.0,
            mode_path=mode_path,
            calls=self.asking.calls,
            tokens_in=self.asking.tokens_in,
            tokens_out=self.asking.tokens_out,
            warnings=(*self.question.warnings, *facts.warnings, *conclusion.warnings, *_unverified(missing)),
        )


def _nothing_read(reader: PartReader) -> Conclusion:
    """Conclude without a single part.

    Raises:
        BackendError: No model could be asked.
    """
    for error in reader.errors:
        if isinstance(error, BackendError):
            raise error
    return Conclusion("stopped" if reader.spent else "failed", "")


def _facts(reader: PartReader, plan: Plan) -> _Facts:
    parts, failed = len(plan.leaves), len(reader.errors)
    return _Facts(
        coverage=reader.coverage,
        quotes_claimed=reader.quotes_claimed,
        missing_quotes=tuple(reader.missing_quotes),
        parts=parts,
        parts_failed=failed,
        warnings=tuple(_gaps(reader, parts)),
    )


def _gaps(reader: PartReader, parts: int) -> Iterator[str]:
    if reader.errors:
        yield f"{len(reader.errors)} of {parts} parts failed and were left out; first: {reader.errors[0]}"
    unread = parts - len(reader.read) - len(reader.errors)
    if unread:
        reason = reader.spent or "too many parts failed one after the other."
        yield f"{unread} of {parts} parts were not read: {reason}"


def _unverified(quotes: Sequence[str]) -> Iterator[str]:
    for quote in quotes[:_QUOTES_SHOWN]:
        shown = shorten(quote, _QUOTE_CHARACTERS)
        yield f"Not in the documents, so dropped and its claim is unverified: {shown!r}"
    if len(quotes) > _QUOTES_SHOWN:
        yield f"{len(quotes) - _QUOTES_SHOWN} further quotes do not stand in the documents either."
