"""Make one attempt: ask the worker, take its candidate out of the reply, have it judged."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from anyio import to_thread

from backends.backend import Completion
from backends.errors import BackendError, ContextTooLong, MalformedReply, RequestRefused
from orchestrator.asking import Asking, price
from orchestrator.assemble import assemble_files
from orchestrator.bench import Bench
from orchestrator.decide import Try
from orchestrator.deliver import digest_of
from orchestrator.events import Event, Report
from orchestrator.extract import Extraction
from orchestrator.judging import Checker, find_unproven, is_approved, needs_checker
from orchestrator.outcome import Attempt, Trouble
from orchestrator.prompting import Brief, describe_verdicts, pick_base, write_check, write_request
from orchestrator.rlm.errors import Spent
from orchestrator.roots import Roots
from orchestrator.route import Route, Served, Survey, pick_checker
from orchestrator.scope import find_overreach
from orchestrator.taking import take_work
from orchestrator.task import Task
from validators.validator import Given, judge_in_order
from validators.verdict import Candidate, Diagnostic, Verdict


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that stays the same over the attempts of a task."""

    brief: Brief
    given: Given
    route: Route
    survey: Survey
    files: Mapping[str, str]
    """What the workspace holds at `write_to` now; the first edits apply to it."""
    roots: Roots
    asking: Asking
    bench: Bench
    report: Report


@dataclass(frozen=True, slots=True)
class Seen:
    """What the worker saw of the workspace; remembered beside its answer, which a resumed task takes up."""

    digests: Mapping[str, str]


async def make_attempt(job: Job, step: Try, attempts: Sequence[Attempt], number: int) -> Attempt:
    """Ask once and judge the answer.

    Args:
        job: The task and its world.
        step: Whom to ask, and how.
        attempts: What was tried before.
        number: Of this attempt, the same when the task is resumed before it was recorded.

    Returns:
        An attempt, also when the model could not be asked or gave no candidate (`trouble` says why).

    Raises:
        Spent: There is no money left for this call.
    """
    started = time.perf_counter()
    blank = Attempt(number, step.tier.tier, step.tier.model, step.tier.backend)
    tier = job.asking.servers.policy.tiers[step.tier.tier]
    request = write_request(job.brief, step, attempts, tier)
    try:
        completion = await job.asking.ask(f"attempt/{number}/{step.tier.tier}", step.tier, request)
    except BackendError as error:
        return replace(
            blank, trouble=_name_trouble(error), message=str(error), seconds=time.perf_counter() - started
        )
    await job.report(Event("answer", f"{step.tier.model} answered, {completion.usage.tokens_out} tokens"))
    seen = await job.asking.steps.take(f"seen/{number}", Seen, partial(_see, job))
    answered = replace(
        blank,
        read=seen.digests,
        model=completion.model,
        tokens_in=completion.usage.tokens_in,
        tokens_out=completion.usage.tokens_out,
        cost_usd=price(completion.usage, tier),
        warnings=completion.warnings,
    )
    made = await _judge_reply(job, step, answered, completion, attempts)
    return replace(made, seconds=time.perf_counter() - started)


async def _see(job: Job) -> Seen:
    return Seen({shown.path: digest_of(shown.text) for shown in job.brief.context})


async def _judge_reply(
    job: Job, step: Try, attempt: Attempt, completion: Completion, attempts: Sequence[Attempt]
) -> Attempt:
    if completion.finish == "length":
        message = f"the answer was cut off after {completion.usage.tokens_out} tokens"
        return replace(attempt, trouble="truncated", message=message)
    base = pick_base(attempts, step)
    work = await to_thread.run_sync(_take, job, base, attempt.read, completion.text)
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
    verdicts, checker, cost = await _judge(job, step.tier, candidate, attempt.number)
    needed = ("semantic",) if any(verdict.validator == "semantic" for verdict in verdicts) else ()
    demanded = tuple(dict.fromkeys((*job.route.demanded, *needed)))
    return replace(
        kept,
        digest=candidate.digest,
        verdicts=verdicts,
        approved=is_approved(verdicts, demanded),
        unproven=find_unproven(verdicts, demanded),
        checker=checker,
        cost_usd=attempt.cost_usd + cost,
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """What a reply came to."""

    candidate: Candidate
    """What is to be judged; of a rejected reply the work that stands in its place, if any does."""
    read: Mapping[str, str]
    message: str
    rejection: Verdict | None = None


def _take(job: Job, base: Attempt | None, seen: Mapping[str, str], text: str) -> _Work:
    """Take the candidate out of a reply; reads files and waits for parsers, so it runs in a thread."""
    task = job.brief.task
    shown = {task.write_to, *job.files, *(one.path for one in job.brief.context)}
    extraction = take_work(job.roots, task, text, base.files if base else job.files, shown)
    removed = _still_removed(base, extraction)
    overreach = find_overreach(job.roots, task, extraction.files, shown, removed)
    if extraction.problems or overreach or not (extraction.files or removed):
        verdict = _reject_reply((*extraction.problems, *overreach), extraction.flags)
        return _rejected(base, verdict, describe_verdicts([verdict]))
    if dict(extraction.files) == dict(job.files) and not removed:
        said = Diagnostic("the answer leaves the file exactly as it was", code="unchanged")
        return _rejected(None, _reject_reply((said,), ()), said.message)
    read = _digest_read(base, seen, extraction, (*extraction.files, *removed))
    candidate, added = _complete(Candidate(extraction.files, extraction.language, removed), task, extraction)
    return _Work(candidate, read, ", ".join([*extraction.flags, *(f"added {name}" for name in added)]))


def _rejected(base: Attempt | None, verdict: Verdict, message: str) -> _Work:
    """Keep the work that was to be revised, whole, so that the next reply can still revise it."""
    if base is None:
        return _Work(Candidate({}, ""), {}, message, verdict)
    return _Work(Candidate(base.files, base.language, base.removed), base.read, message, verdict)


def _digest_read(
    base: Attempt | None, seen: Mapping[str, str], extraction: Extraction, paths: Sequence[str]
) -> dict[str, str]:
    """Tell what each file was when the work was made from it: what was shown, else what was found.

    Revised work was made from what its first version was made from, however long ago that was.
    """
    found = {path: digest_of(text) for path, text in extraction.found.items()}
    held = {**found, **seen, **(base.read if base else {})}
    return {path: held.get(path, "") for path in paths}


def _still_removed(base: Attempt | None, extraction: Extraction) -> tuple[str, ...]:
    """Name what goes: by this answer, or by the one that it revises and does not contradict."""
    before = base.removed if base and extraction.files.keys() & base.files.keys() else ()
    gone = dict.fromkeys((*before, *extraction.removed))
    return tuple(path for path in gone if path not in extraction.files)


def _complete(candidate: Candidate, task: Task, extraction: Extraction) -> tuple[Candidate, tuple[str, ...]]:
    """Add to a single whole answer what its task already held; says what was added."""
    if "edits" in extraction.flags:
        return candidate, ()
    files, added = assemble_files(candidate.files, candidate.language, task.task, task.tests)
    return replace(candidate, files=files), added


async def _judge(
    job: Job, worker: Served, candidate: Candidate, number: int
) -> tuple[tuple[Verdict, ...], str, float]:
    """Run the validators, then the checker where its word is needed."""
    wanted = [name for name in job.route.validators if name != "semantic"]
    verdicts: list[Verdict] = []
    async for verdict in judge_in_order(job.bench.pick(wanted), candidate, job.given):
        await _tell(job, verdict)
        verdicts.append(verdict)
    served = pick_checker(job.route, worker, job.survey)
    if candidate.language == "text" and served is None:
        served = worker  # prose has no parser: the worker's own second look is the only gate
    failed = any(verdict.status == "failed" for verdict in verdicts)
    listed = "semantic" in job.route.validators
    if failed or not (listed or needs_checker(verdicts)):
        return tuple(verdicts), "", 0.0
    if served is None:
        reason = "No checker is served here; run `orchestrator doctor`."
        missing = Verdict("semantic", "unavailable", 0.0, reason=reason)
        wanted_one = listed or job.route.checker != "none"
        return (*verdicts, missing) if wanted_one else tuple(verdicts), "", 0.0
    verdict, cost = await _check(job, served, candidate, number, verdicts)
    await _tell(job, verdict)
    return (*verdicts, verdict), served.tier, cost


async def _check(
    job: Job, served: Served, candidate: Candidate, number: int, verdicts: Sequence[Verdict]
) -> tuple[Verdict, float]:
    costs = [0.0]

    async def ask(work: Candidate) -> Completion:
        request = write_check(job.brief, work, served, job.route.task_type, verdicts)
        key = f"attempt/{number}/check/{served.tier}"
        completion = await job.asking.ask(key, served, request)
        costs.append(price(completion.usage, job.asking.servers.policy.tiers[served.tier]))
        return completion

    bench = replace(job.bench, checker=Checker(ask, f"{served.tier} ({served.model})", verdicts))
    try:
        verdict = await bench.pick(["semantic"])[0].judge(candidate, job.given)
    except Spent as spent:
        verdict = Verdict("semantic", "unavailable", 0.0, reason=f"The checker was not asked: {spent}")
    return verdict, sum(costs)


async def _tell(job: Job, verdict: Verdict) -> None:
    remark = verdict.diagnostics[0].message if verdict.diagnostics else verdict.reason
    good = {"passed": True, "failed": False}.get(verdict.status)
    await job.report(Event("verdict", f"{verdict.validator} {verdict.status}: {remark}".rstrip(": "), good))


def _reject_reply(problems: Sequence[Diagnostic], flags: Sequence[str]) -> Verdict:
    said = f"the reply holds no usable work ({', '.join(flags) or 'empty'}); answer with the complete file"
    return Verdict("extraction", "failed", 1.0, tuple(problems) or (Diagnostic(said),))


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
