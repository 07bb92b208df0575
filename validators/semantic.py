"""Judge whether a candidate does what the task asks, by asking a checker model for a verdict and its proof.

Checkers reject up to 90 % of right code when they are let (arXiv 2603.00539), so a rejection counts only with
a counter-example that was run and holds, or a line that stands in the work or the task (docs/decisions/013).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from backends.errors import BackendError
from validators.reviewing import (
    DISAGREES,
    Quote,
    Review,
    describe_review,
    find_quote,
    read_review,
    write_counter_example,
)
from validators.validator import AskChecker, Given, Validator
from validators.verdict import Candidate, Diagnostic, Receipt, Verdict

APPROVAL = 0.75
"""Trust in a checker's approval; the owner's plan says 70-85 %."""
REPRODUCED = 0.9
"""Trust in a rejection whose counter-example was run: what it expects is still the checker's own word."""
QUOTED = 0.6
"""Trust in a rejection that points at a line."""
_HANGS = "did not end within"


@dataclass(frozen=True, slots=True)
class Means:
    """What a checker's word is held against."""

    reproduce: Validator
    """Runs tests beside the candidate, in the sandbox."""
    was_run: Callable[[], bool]
    """Tells whether something that runs the work has passed already."""


class Semantic:
    """Approve, or reject with proof; a rejection without proof is advice, and the verdict `unavailable`."""

    name = "semantic"

    def __init__(self, ask: AskChecker, checker: str, means: Means) -> None:
        self._ask = ask
        self._checker = checker
        self._means = means

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Ask the checker once; one that cannot be asked, or answers nonsense, is `unavailable`."""
        started = time.perf_counter()
        verdict = await self._judge(candidate, given)
        receipt = Receipt(digest=candidate.digest, tool=self._checker)
        return replace(verdict, seconds=time.perf_counter() - started, receipt=receipt)

    async def _judge(self, candidate: Candidate, given: Given) -> Verdict:
        try:
            review = read_review((await self._ask(candidate)).text)
        except BackendError as error:
            return Verdict(self.name, "unavailable", 0.0, reason=str(error))
        except ValueError as error:
            reason = f"Checker {self._checker} did not answer as asked: {error}"
            return Verdict(self.name, "unavailable", 0.0, reason=reason)
        if review.verdict == "approve":
            return Verdict(self.name, "passed", APPROVAL)
        disagreement = await self._reproduce(review, candidate, given)
        quote = find_quote(review.quote, candidate, f"{given.task}\n{given.requirements}")
        return decide_rejection(review, disagreement, quote, was_run=self._means.was_run())

    async def _reproduce(self, review: Review, candidate: Candidate, given: Given) -> str:
        """Run the counter-example; what it showed, or nothing where it showed nothing."""
        tests = write_counter_example(review, candidate)
        if not tests:
            return ""
        given = Given(task=given.task, tests=tests, workspace=given.workspace)
        verdict = await self._means.reproduce.judge(candidate, given)
        said = [remark.message for remark in verdict.diagnostics] if verdict.status == "failed" else []
        return next((_shown(one, review) for one in said if DISAGREES in one or _HANGS in one), "")


def _shown(message: str, review: Review) -> str:
    _, marker, shown = message.partition(f"{DISAGREES}: ")
    return shown.partition("\n")[0].strip() if marker else f"{review.call} does not come to an end"


def decide_rejection(review: Review, disagreement: str, quote: Quote | None, *, was_run: bool) -> Verdict:
    """Decide what a rejection is worth.

    Args:
        review: What the checker said.
        disagreement: What its counter-example showed when it was run; empty when nothing.
        quote: Where its quote stands; None when nowhere.
        was_run: Tests have passed: a line alone does not outweigh them.
    """
    if disagreement:
        said = f"{disagreement}. {review.reason}".strip()
        return Verdict("semantic", "failed", REPRODUCED, (Diagnostic(said, code="counter_example"),))
    if quote and review.reason and not was_run:
        said = f"{review.reason}: {quote.text!r}"
        remark = Diagnostic(said, file=quote.file, line=quote.line, code="checker")
        return Verdict("semantic", "failed", QUOTED, (remark,))
    reason = "The checker rejected without proof: no counter-example that holds"
    reason += ", and tests have passed." if was_run else ", no line of the work or the task."
    return Verdict("semantic", "unavailable", 0.0, describe_review(review), reason)
