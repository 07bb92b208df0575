"""Find every verdict of the engine that differs from the recorded one, and why it does."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from recorded import Answer, Recorded
from truth import Judge

from orchestrator.outcome import Attempt

NOT_REPRODUCED = "recorded verdict is not reproduced here"
EXTRACTION = "extraction changed the answer"
NO_CANDIDATE = "no candidate was taken out of the answer"
NO_CONTEXT = "context missing"
LIMIT = "limit of time or memory"
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
    preamble: str
    """What stood before each candidate when it was judged."""
    hidden: bool | None = None
    """Whether the accepted candidate passes the hidden tests; `None` when nothing was accepted."""
    extra: bool | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One verdict that is not the recorded one."""

    task_id: str
    model: str
    tests: str
    recorded: bool
    engine: bool
    category: str
    said: str


def program(preamble: str, attempt: Attempt) -> str:
    """Write what is judged: the candidate behind what stands before it."""
    return "\n".join((preamble, *attempt.files.values()))


async def find_differences(endings: Sequence[Ending], judge: Judge) -> list[Difference]:
    return [difference for ending in endings async for difference in _of_task(ending, judge)]


async def _of_task(ending: Ending, judge: Judge) -> AsyncIterator[Difference]:
    task = ending.task
    for attempt in ending.attempts:
        answer = task.answers.get(attempt.model)
        if answer is None:
            continue
        verdicts = [("visible", task.visible_tests, answer.visible, attempt.approved)]
        if attempt.approved:
            verdicts.append(("hidden", task.hidden_tests, answer.hidden, ending.hidden))
            verdicts.append(("extra", task.extra_tests, answer.extra, ending.extra))
        for name, tests, recorded, engine in verdicts:
            if recorded is not None and engine is not None and recorded != engine:
                category = await _explain(ending, (answer, attempt), tests, judge)
                yield Difference(
                    task.task_id, attempt.model, name, recorded, engine, category, _complaint(attempt)
                )


async def _explain(ending: Ending, pair: tuple[Answer, Attempt], tests: Sequence[str], judge: Judge) -> str:
    """Judge the same again in the recorded way, changing one thing at a time."""
    answer, attempt = pair
    if not attempt.files or attempt.trouble == "no_candidate":
        return NO_CANDIDATE
    context = ending.task.context
    as_recorded = await judge.passes(f"{context}\n{answer.code}", tests)
    with_context = await judge.passes(program(context, attempt), tests)
    as_judged = await judge.passes(program(ending.preamble, attempt), tests)
    complaint = _complaint(attempt)
    reasons = {
        NOT_REPRODUCED: tests is not ending.task.extra_tests
        and as_recorded == attempt.approved != answer.visible,
        EXTRACTION: as_recorded != with_context,
        NO_CONTEXT: with_context != as_judged,
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
