"""Make one attempt: ask the worker, take its candidate out of the reply, have it judged."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from anyio import to_thread

from backends.backend import Completion
from backends.errors import BackendError, ContextTooLong, MalformedReply, RequestRefused
from orchestrator.cache import CACHED
from orchestrator.decide import Try
from orchestrator.deliver import digest_of
from orchestrator.events import Event
from orchestrator.gates import Judged, judge
from orchestrator.job import Job
from orchestrator.judging import BETWEEN, find_unproven, is_approved, was_run
from orchestrator.outcome import Attempt, Trouble
from orchestrator.prompting import pick_base, write_plan, write_request
from orchestrator.rlm.errors import Spent
from orchestrator.work import take_candidate
from validators.semantic import is_doubt


@dataclass(frozen=True, slots=True)
class Turn:
    """One asking of one tier, of which there are several at once where samples are drawn."""

    step: Try
    attempts: Sequence[Attempt]
    """What was tried before."""
    number: int
    """Of the attempt, the same when the task is resumed before it was recorded."""
    turn: int
    sample: int = 0
    """0 is asked as the policy says; the others with more chance, so that they differ."""
    plan: str = ""
    """A strategy that was made before the work."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the worker saw of the workspace; remembered beside its answer, which a resumed task takes up."""

    digests: Mapping[str, str]


async def make_attempt(job: Job, turn: Turn) -> Attempt:
    """Ask once and judge the answer.

    Returns:
        An attempt, also when the model could not be asked or gave no candidate (`trouble` says why).

    Raises:
        Spent: There is no money left for this call.
    """
    started, served = time.perf_counter(), turn.step.tier
    blank = Attempt(turn.number, served.tier, served.model, served.backend, turn.step.how, turn.turn)
    tier = job.asking.servers.policy.tiers[served.tier]
    brief = replace(job.brief, plan=turn.plan)
    request = write_request(brief, turn.step, turn.attempts, tier, turn.sample)
    try:
        key = f"attempt/{turn.number}/{served.tier}"
        completion = await job.asking.ask(key, served, request, turn.sample)
    except BackendError as error:
        return replace(
            blank, trouble=_name_trouble(error), message=str(error), seconds=time.perf_counter() - started
        )
    how = "from the cache" if CACHED in completion.warnings else f"{completion.usage.tokens_out} tokens"
    await job.report(Event("answer", f"{served.model} answered, {how}"))
    seen = Seen({})
    if job.brief.context:
        seen = await job.asking.steps.take(f"seen/{turn.number}", Seen, partial(_see, job))
    answered = replace(
        blank,
        read=seen.digests,
        model=completion.model,
        tokens_in=completion.usage.tokens_in,
        tokens_out=completion.usage.tokens_out,
        cost_usd=job.asking.cost(served, completion.usage),
        warnings=completion.warnings,
    )
    made = await _judge_reply(job, turn, answered, completion)
    if made.approved:
        await job.asking.praise(served, request, turn.sample, completion)
    return replace(made, seconds=time.perf_counter() - started)


async def ask_plan(job: Job, step: Try, attempts: Sequence[Attempt]) -> str:
    """Have the first worker say how it would go about it; asked once a task, and done without on trouble.

    A second author is not shown it, who would make the same mistakes by the same plan.
    """
    if not job.route.plan or step.how == "confirm" or any(attempt.approved for attempt in attempts):
        return ""
    try:
        plan = await job.asking.ask("plan", step.tier, write_plan(job.brief, step.tier))
    except (BackendError, Spent):
        return ""
    await job.report(Event("answer", f"{step.tier.model} made a plan"))
    return plan.text


async def _see(job: Job) -> Seen:
    return Seen({shown.path: digest_of(shown.text) for shown in job.brief.context})


async def _judge_reply(job: Job, turn: Turn, attempt: Attempt, completion: Completion) -> Attempt:
    if completion.finish == "length":
        message = f"the answer was cut off after {completion.usage.tokens_out} tokens"
        return replace(attempt, trouble="truncated", message=message)
    base = pick_base(turn.attempts, turn.step)
    work = await to_thread.run_sync(take_candidate, job, base, attempt.read, completion.text)
    candidate = work.candidate
    kept = replace(
        attempt,
        files=dict(candidate.files),
        removed=candidate.removed,
        read=work.read,
        language=candidate.language,
        message=work.message,
    )
    if work.rejection:
        return replace(kept, trouble="no_candidate", verdicts=(work.rejection,))
    judged = await judge(job, kept, turn.step.tier, candidate, turn.attempts)
    demanded = _demand(job, turn, judged)
    approved = is_approved(judged.verdicts, demanded)
    return replace(
        kept,
        digest=candidate.digest,
        verdicts=judged.verdicts,
        approved=approved,
        unproven=find_unproven(judged.verdicts, demanded),
        confidence=job.trust(kept, judged.verdicts) if approved else 0.0,
        checker=judged.checker,
        cost_usd=attempt.cost_usd + judged.cost_usd,
    )


def _demand(job: Job, turn: Turn, judged: Judged) -> tuple[str, ...]:
    """Name the validators that must pass: those of the route, an asked checker, written tests that doubt.

    The doubt of a checker that is the worker itself is no more than advice where something ran the work.
    """
    given = [name for name in job.route.demanded if name not in BETWEEN]
    own = judged.checker == turn.step.tier.tier
    asked = [
        one.validator
        for one in judged.verdicts
        if one.validator == "semantic" and not (own and is_doubt(one) and was_run(judged.verdicts))
    ]
    written = [one for one in judged.verdicts if one.validator == "generated_tests" and one.diagnostics]
    doubting = ["generated_tests"] if written and not was_run(judged.verdicts) else []
    return tuple(dict.fromkeys((*given, *asked, *doubting)))


def _name_trouble(error: BackendError) -> Trouble:
    for kind, name in _TROUBLES:
        if isinstance(error, kind):
            return name
    return "unavailable"


_TROUBLES: tuple[tuple[type[BackendError], Trouble], ...] = (
    (ContextTooLong, "context"),
    (MalformedReply, "malformed"),
    (RequestRefused, "refused"),
)
"""What is not here means that the model could not be reached."""
