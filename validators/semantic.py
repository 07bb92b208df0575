"""Judge whether a candidate does what the task asks, by asking a checker model for a verdict and its proof.

Checkers reject up to 90 % of right code when they are let (arXiv 2603.00539), so a rejection counts only with
a counter-example that was run and holds, or a line that stands in the work or the task (docs/decisions/013).
"""

import time
from collections.abc import Callable, Sequence
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
from validators.voting import Vote, probability_of_approval, tally

APPROVAL = 0.75
"""Trust in a checker's approval; the owner's plan says 70-85 %."""
REPRODUCED = 0.9
"""Trust in a rejection whose counter-example was run: what it expects is still the checker's own word."""
QUOTED = 0.6
"""Trust in a rejection that points at a line."""
PROVEN = "counter_example"
"""The code of a remark that was run."""
_HANGS = "did not end within"


@dataclass(frozen=True, slots=True)
class Means:
    """What a checker's word is held against."""

    reproduce: Validator
    """Runs tests beside the candidate, in the sandbox."""
    was_run: Callable[[], bool]
    """Tells whether something that runs the work has passed already."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one vote comes to."""

    vote: Vote
    verdict: Verdict
    approval: float = 0.0
    """How likely the checker was to approve: 1 or 0 where the server does not say more."""

    @property
    def is_proven(self) -> bool:
        """Whether a counter-example was run and holds: no majority outweighs that."""
        return any(remark.code == PROVEN for remark in self.verdict.diagnostics)


class Semantic:
    """Approve, or reject with proof; a rejection without proof is advice, and the verdict `unavailable`."""

    name = "semantic"

    def __init__(self, ask: AskChecker, checker: str, means: Means, more: Sequence[AskChecker] = ()) -> None:
        """Take who judges.

        Args:
            ask: Asks for the first vote.
            checker: What the receipt names.
            means: What a vote is held against.
            more: Ask for further votes, each a sample of its own; asked in turn until the majority stands.
        """
        self._asks = (ask, *more)
        self._checker = checker
        self._means = means

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Ask until the votes are decided; a checker that cannot be asked, or answers nonsense, has none."""
        started = time.perf_counter()
        verdict = await self._judge(candidate, given)
        receipt = Receipt(digest=candidate.digest, tool=self._checker)
        return replace(verdict, seconds=time.perf_counter() - started, receipt=receipt)

    async def _judge(self, candidate: Candidate, given: Given) -> Verdict:
        opinions: list[Opinion] = []
        for ask in self._asks:
            opinions.append(await self._ask_once(ask, candidate, given))
            decision = tally([one.vote for one in opinions], len(self._asks))
            if decision or opinions[-1].is_proven:
                break
        return decide_votes(opinions, len(self._asks))

    async def _ask_once(self, ask: AskChecker, candidate: Candidate, given: Given) -> Opinion:
        try:
            completion = await ask(candidate)
            review = read_review(completion.text)
        except BackendError as error:
            return Opinion(None, Verdict(self.name, "unavailable", 0.0, reason=str(error)))
        except ValueError as error:
            reason = f"Checker {self._checker} did not answer as asked: {error}"
            return Opinion(None, Verdict(self.name, "unavailable", 0.0, reason=reason))
        said = probability_of_approval(completion.logprobs)
        if review.verdict == "approve":
            trust = 1.0 if said is None else said
            return Opinion("approve", Verdict(self.name, "passed", APPROVAL * trust), trust)
        disagreement = await self._reproduce(review, candidate, given)
        quote = find_quote(review.quote, candidate, f"{given.task}\n{given.requirements}")
        verdict = decide_rejection(review, disagreement, quote, was_run=self._means.was_run())
        return Opinion("reject", verdict, said or 0.0)

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


def decide_votes(opinions: Sequence[Opinion], k: int) -> Verdict:
    """Decide what the votes come to that were given, of `k` that were wanted.

    A proven rejection decides alone. An approval is worth the more the surer the votes were, and never more
    than one sure vote: a checker that is asked again is no second checker.
    """
    proven = [one.verdict for one in opinions if one.is_proven]
    if proven:
        return proven[0]
    decision = tally([one.vote for one in opinions], k)
    counted = [one for one in opinions if one.vote]
    told = _count_votes(counted, k)
    if decision == "approve":
        trust = sum(one.approval for one in counted) / len(counted)
        return Verdict("semantic", "passed", round(APPROVAL * trust, 3), reason=told)
    against = [one.verdict for one in counted if one.vote == "reject"]
    if decision == "reject":
        return next((one for one in against if one.status == "failed"), against[0])
    if not counted:
        return opinions[0].verdict
    notes = tuple(remark for one in against for remark in one.diagnostics)
    return Verdict("semantic", "unavailable", 0.0, notes, f"The votes came to no majority: {told}.")


def _count_votes(counted: Sequence[Opinion], k: int) -> str:
    approvals = sum(one.vote == "approve" for one in counted)
    return f"{approvals} of {len(counted)} votes approve, {k} were wanted" if k > 1 else ""


def is_doubt(verdict: Verdict) -> bool:
    """Tell whether a checker rejected without proof.

    Where a stronger gate has passed (tests, agreement of other authors), this is no more than advice if the
    checker is the model that did the work: it judges its own style.
    """
    notes = [remark for remark in verdict.diagnostics if remark.severity == "note"]
    return verdict.validator == "semantic" and verdict.status == "unavailable" and bool(notes)


def decide_rejection(review: Review, disagreement: str, quote: Quote | None, *, was_run: bool) -> Verdict:
    """Decide what a rejection is worth.

    Args:
        review: What the checker said.
        disagreement: What its counter-example showed when it was run; empty when nothing.
        quote: Where its quote stands; None when nowhere.
        was_run: A gate that runs the work has passed: a line alone does not outweigh it.
    """
    if disagreement:
        said = f"{disagreement}. {review.reason}".strip()
        return Verdict("semantic", "failed", REPRODUCED, (Diagnostic(said, code=PROVEN),))
    if quote and review.reason and not was_run:
        said = f"{review.reason}: {quote.text!r}"
        remark = Diagnostic(said, file=quote.file, line=quote.line, code="checker")
        return Verdict("semantic", "failed", QUOTED, (remark,))
    reason = "The checker rejected without proof: no counter-example that holds"
    reason += ", and a stronger gate has passed." if was_run else ", no line of the work or the task."
    return Verdict("semantic", "unavailable", 0.0, describe_review(review), reason)
