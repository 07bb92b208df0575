"""Making the answer, of the documents themselves or of the notes that were taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import anyio
from pydantic import JsonValue

from backends.backend import JsonSchema
from backends.errors import BackendError
from backends.tokens import BYTES_PER_TOKEN
from orchestrator.prompts import render
from orchestrator.rlm.analysis import Question, Status
from orchestrator.rlm.asking import Asking
from orchestrator.rlm.chunks import Chunk, pack
from orchestrator.rlm.errors import Spent
from orchestrator.rlm.findings import (
    NO_QUOTES,
    Finding,
    Passage,
    Sorted,
    join_findings,
    show_documents,
    show_finding,
    sort_quotes,
)
from orchestrator.rlm.plan import Leaf, estimate_tokens
from orchestrator.rlm.replies import (
    Answer,
    Notes,
    ReplyError,
    answer_schema,
    describe_shape,
    parse_answer,
    parse_reply,
)

_FINDING_SHARE = 3
"""One finding takes at most about one part in so many of the window, so that merging makes fewer."""
_NOTHING_FOUND = "(No part of the documents says anything about the question.)"
_CITED_UNASKED = 20


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The answer, or what there is in its place."""

    status: Status
    answer: JsonValue
    quotes: Sorted = NO_QUOTES
    warnings: tuple[str, ...] = ()


async def conclude_directly(question: Question, documents: Leaf, asking: Asking) -> Conclusion:
    """Answer with all documents in one prompt.

    Raises:
        BackendError: The model could not be asked; nothing is lost by it.
    """
    shape = describe_shape(question.output_schema)
    prompt = render("answer", question=question.text, documents=show_documents(documents), shape=shape)
    try:
        return await _conclude("direct", prompt, question.output_schema, documents, asking)
    except Spent as spent:
        return Conclusion("stopped", "", warnings=(str(spent),))


class Synthesis:
    """Makes the answer of findings, merging them first as often as they do not fit one prompt."""

    def __init__(self, question: Question, window_tokens: int, asking: Asking, parallel: int) -> None:
        self._question = question
        self._window = window_tokens
        self._cap = int(window_tokens * BYTES_PER_TOKEN / _FINDING_SHARE)
        self._asking = asking
        self._limiter = anyio.CapacityLimiter(parallel)
        self._warnings: list[str] = []

    async def conclude(self, findings: Sequence[Finding], read: Sequence[Chunk]) -> Conclusion:
        """Answer; where no model can be asked any more, the notes themselves are the answer."""
        passages = tuple(dict.fromkeys(chain.from_iterable(finding.passages for finding in findings)))
        merged = await self._merge_until_they_fit(findings)
        status: Status
        try:
            conclusion = await self._ask(merged, (*passages, *read))
        except Spent as spent:
            status, reason = "stopped", str(spent)
        except BackendError as error:
            status, reason = "failed", str(error)
        else:
            return self._with_warnings(_cite_something(conclusion, passages))
        notes = "\n".join(finding.notes for finding in merged)
        reason = f"The notes were not made into an answer: {reason}"
        return self._with_warnings(Conclusion(status, notes, Sorted(passages, ()), (reason,)))

    async def _ask(self, findings: Sequence[Finding], places: Sequence[Chunk | Passage]) -> Conclusion:
        schema = self._question.output_schema
        too_long = sum(len(finding.notes) > self._cap for finding in findings)
        if too_long:
            self._warnings.append(f"{too_long} notes were too long for the prompt of the answer and cut off.")
        notes = self._show(findings) or _NOTHING_FOUND
        prompt = render("synthesise", question=self._question.text, notes=notes, shape=describe_shape(schema))
        return await _conclude("answer", prompt, schema, places, self._asking)

    async def _merge_until_they_fit(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        level = 0
        while sum(map(self._size, findings)) > self._window:
            batches = pack(findings, self._window, self._size)
            if len(batches) == len(findings):  # a script that takes more tokens a character
                self._cap //= 2
                continue
            level += 1
            findings = await self._merge_level(batches, level)
        return findings

    async def _merge_level(self, batches: Sequence[tuple[Finding, ...]], level: int) -> Sequence[Finding]:
        merged: dict[int, Finding] = {}

        async def merge(number: int, batch: tuple[Finding, ...]) -> None:
            async with self._limiter:
                merged[number] = await self._merge(f"merge/{level}/{number}", batch)

        async with anyio.create_task_group() as group:
            for number, batch in enumerate(batches):
                group.start_soon(merge, number, batch)
        return [merged[number] for number in range(len(batches))]

    async def _merge(self, step: str, batch: tuple[Finding, ...]) -> Finding:
        if len(batch) == 1:
            return batch[0]
        joined = join_findings(batch, self._cap)
        prompt = render("synthesise_notes", question=self._question.text, notes=self._show(batch))
        try:
            notes = await self._asking.ask(
                step, prompt, Notes.model_json_schema(), partial(parse_reply, Notes)
            )
        except (BackendError, ReplyError, Spent) as error:
            self._warnings.append(f"{len(batch)} notes were shortened instead of merged: {error}")
            return joined
        return Finding(notes.notes, sort_quotes(notes.quotes, joined.passages).found or joined.passages)

    def _show(self, findings: Sequence[Finding]) -> str:
        return "\n\n".join(show_finding(finding, self._cap) for finding in findings)

    def _size(self, finding: Finding) -> int:
        return estimate_tokens(show_finding(finding, self._cap)) + 1

    def _with_warnings(self, conclusion: Conclusion) -> Conclusion:
        warnings = (*self._warnings, *conclusion.warnings)
        return Conclusion(conclusion.status, conclusion.answer, conclusion.quotes, warnings)


async def _conclude(
    step: str,
    prompt: str,
    output_schema: JsonSchema | None,
    places: Sequence[Chunk | Passage],
    asking: Asking,
) -> Conclusion:
    parse = partial(parse_answer, output_schema)
    try:
        answer: Answer = await asking.ask(step, prompt, answer_schema(output_schema), parse)
    except ReplyError as error:
        prose = output_schema is None and "{" not in error.text
        warning = f"The answer is given as the model wrote it, without quotes: {error}"
        return Conclusion("answered" if prose else "failed", error.text.strip(), warnings=(warning,))
    quotes = await anyio.to_thread.run_sync(sort_quotes, answer.quotes, places)  # seconds in a large library
    return Conclusion("answered", answer.answer, quotes)


def _cite_something(conclusion: Conclusion, passages: tuple[Passage, ...]) -> Conclusion:
    """Where an answer names no quotes, cite the passages that its notes were taken from."""
    if conclusion.quotes.found or conclusion.quotes.missing or not passages:
        return conclusion
    warning = "The answer names no quotes; cited are passages that its notes were taken from."
    found = Sorted(passages[:_CITED_UNASKED], ())
    return Conclusion(conclusion.status, conclusion.answer, found, (*conclusion.warnings, warning))
