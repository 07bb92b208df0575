"""Find every verdict of the engine that differs from the recorded one, and why it does."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from recorded import Recorded
from truth import Judge, has_passed

from orchestrator.outcome import Attempt

NOT_REPRODUCED = "recorded verdict is not reproduced here"
EXTRACTION = "extraction or assembly changed the answer"
NO_CANDIDATE = "no candidate was taken out of the answer"
NO_CONTEXT = "context missing"
LIMIT = "over our limit of time or memory for one run"
SLOW = "over the recorded 4 s for one test, within our 30 s for one run"
SYNTAX = "syntax validator"
UNEXPLAINED = "unexplained"
_LIMITS = ("did not end within", "took more than", "was killed", "wrote more than")


@dataclass(frozen=True, slots=True)
class Ending:
    """How one task ended, and what its accepted candidate is worth."""

    task: Recorded
    status: str
    attempts: tuple[Attempt, ...]
    usd: float
    paid_usd: float
    preamble: str
    """What stood before each candidate when it was judged."""
    hidden: bool | None = None
    """Whether the accepted candidate passes the hidden tests; `None` when nothing was accepted."""
    extra: bool | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One verdict, as it was recorded and as it came out here."""

    name: str
    tests: Sequence[str]
    recorded: bool | None
    engine: bool | None

    @property
    def differs(self) -> bool:
        return None not in {self.recorded, self.engine} and self.recorded != self.engine


@dataclass(frozen=True, slots=True)
class Difference:
    """One verdict that is not the recorded one."""

    task_id: str
    model: str
    tests: str
    recorded: bool | None
    engine: bool | None
    category: str
    said: str


def program(preamble: str, attempt: Attempt) -> str:
    """Write what is judged: the candidate behind what stands before it."""
    return "\n".join((preamble, *attempt.files.values()))


async def find_differences(endings: Sequence[Ending], judge: Judge) -> list[Difference]:
    return [difference for ending in endings async for difference in _of_task(ending, judge)]


async def _of_task(ending: Ending, judge: Judge) -> AsyncIterator[Difference]:
    answered = [attempt for attempt in ending.attempts if attempt.model in ending.task.answers]
    for attempt in answered:
        for claim in _claims(ending, attempt):
            if claim.differs:
                yield Difference(
                    task_id=ending.task.task_id,
                    model=attempt.model,
                    tests=claim.name,
                    recorded=claim.recorded,
                    engine=claim.engine,
                    category=await _explain(ending, attempt, claim, judge),
                    said=_complaint(attempt),
                )


def _claims(ending: Ending, attempt: Attempt) -> Iterator[Claim]:
    task, answer = ending.task, ending.task.answers[attempt.model]
    yield Claim("visible", task.visible_tests, answer.visible, attempt.approved)
    if attempt is ending.attempts[-1] and attempt.approved:
        yield Claim("hidden", task.hidden_tests, answer.hidden, ending.hidden)
        yield Claim("extra", task.extra_tests, answer.extra, ending.extra)


async def _explain(ending: Ending, attempt: Attempt, claim: Claim, judge: Judge) -> str:
    """Judge again in the recorded way, changing one thing at a time."""
    if not attempt.files or attempt.trouble == "no_candidate":
        return NO_CANDIDATE
    context, complaint = ending.task.context, _complaint(attempt)
    recorded_code = ending.task.answers[attempt.model].code
    again = await judge.letters(f"{context}\n{recorded_code}", claim.tests)
    taken = await judge.letters(program(context, attempt), claim.tests)
    judged = await judge.letters(program(ending.preamble, attempt), claim.tests)
    reasons = {
        NOT_REPRODUCED: has_passed(again) != claim.recorded,
        EXTRACTION: has_passed(taken) != has_passed(again),
        NO_CONTEXT: has_passed(judged) != has_passed(taken),
        SLOW: attempt.approved and "t" in judged.lower(),
        LIMIT: any(limit in complaint for limit in _LIMITS),
        SYNTAX: complaint.startswith("syntax"),
    }
    return next((reason for reason, holds in reasons.items() if holds), UNEXPLAINED)


def _complaint(attempt: Attempt) -> str:
    """Quote the first remark of the validator that failed."""
    for verdict in attempt.verdicts:
        if verdict.status == "failed":
            remark = verdict.diagnostics[0].message if verdict.diagnostics else ""
            return f"{verdict.validator}: {' '.join(remark.split())}"[:200]
    return attempt.message
