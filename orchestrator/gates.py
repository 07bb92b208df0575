"""Run the gates over a candidate: the validators, then the checker where its word is needed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from backends.backend import Completion
from orchestrator.events import Event
from orchestrator.job import Job
from orchestrator.judging import Checker, has_failed, needs_checker, was_run
from orchestrator.outcome import FRESH, Attempt
from orchestrator.prompting import write_check, write_tests
from orchestrator.rlm.errors import Spent
from orchestrator.route import Served, pick_checker
from validators.validator import judge_in_order
from validators.verdict import Candidate, Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gates said, who checked, and what that cost."""

    verdicts: tuple[Verdict, ...]
    checker: str = ""
    cost_usd: float = 0.0


async def judge(
    job: Job, attempt: Attempt, worker: Served, candidate: Candidate, attempts: Sequence[Attempt]
) -> Judged:
    """Run the validators, then tests that a model writes, then the checker, each where its word is needed.

    Args:
        job: The task and its world.
        attempt: Whose work it is.
        worker: The tier that was asked.
        candidate: What is judged.
        attempts: What was tried before.
    """
    verdicts: list[Verdict] = []
    async for verdict in judge_in_order(job.bench.pick(job.route.validators), candidate, job.given):
        await tell(job, verdict)
        verdicts.append(verdict)
    served = pick_checker(job.route, worker, job.survey)
    if not has_failed(verdicts) and _wants_written_tests(job, verdicts):
        author = served or worker
        verdicts.append(await judge_by_written_tests(job, attempt, author, candidate, attempts))
        await tell(job, verdicts[-1])
    listed = "semantic" in job.route.validators
    if has_failed(verdicts) or not (listed or needs_checker(verdicts, repaired=attempt.repaired)):
        return Judged(tuple(verdicts))
    if candidate.language == "text" and served is None:
        served = worker  # prose has no parser: the worker's own second look is the only gate
    if served is not None:
        verdict, cost = await _check(job, served, candidate, attempt.number, verdicts)
        await tell(job, verdict)
        return Judged((*verdicts, verdict), served.tier, cost)
    if listed or (job.route.checker != "none" and not was_run(verdicts)):
        reason = "No checker is served here; run `orchestrator doctor`."
        verdicts.append(Verdict("semantic", "unavailable", 0.0, reason=reason))
    return Judged(tuple(verdicts))


def _wants_written_tests(job: Job, verdicts: Sequence[Verdict]) -> bool:
    """Tell whether a model is to write tests: where it is listed and nothing ran the work, or demanded."""
    name = "generated_tests"
    return name in job.route.demanded or (name in job.route.validators and not was_run(verdicts))


async def judge_by_written_tests(
    job: Job, attempt: Attempt, author: Served, candidate: Candidate, attempts: Sequence[Attempt]
) -> Verdict:
    """Have a model write tests from the task alone, once a task, and hold all answers against them."""
    from validators.generated.asserting import TESTS_SCHEMA  # noqa: PLC0415 - a server must start without
    from validators.generated.gate import Author, GeneratedTests  # noqa: PLC0415 - the same

    async def ask() -> str:
        request = write_tests(job.brief, author, TESTS_SCHEMA)
        return (await job.asking.ask("tests", author, request)).text

    fresh = [one for one in attempts if one.files and one.how in FRESH and attempt.how in FRESH]
    writer = Author(ask, f"{author.tier} ({author.model})")
    gate = GeneratedTests(job.bench.sandbox, job.bench.limits, writer, [one.candidate for one in fresh])
    try:
        return await gate.judge(candidate, job.given)
    except Spent as spent:
        return Verdict(gate.name, "unavailable", 0.0, reason=f"Nobody was asked for tests: {spent}")


async def _check(
    job: Job, served: Served, candidate: Candidate, number: int, verdicts: Sequence[Verdict]
) -> tuple[Verdict, float]:
    costs = [0.0]

    async def ask(work: Candidate, vote: int = 0) -> Completion:
        request = write_check(job.brief, work, served, job.route.task_type, verdicts, vote)
        key = f"attempt/{number}/check/{served.tier}" + (f"/{vote}" if vote else "")
        completion = await job.asking.ask(key, served, request, vote)
        costs.append(job.asking.cost(served, completion.usage))
        return completion

    votes = job.asking.servers.policy.validators.votes
    more = [partial(ask, vote=vote) for vote in range(1, votes)]
    bench = replace(job.bench, checker=Checker(ask, f"{served.tier} ({served.model})", verdicts, more))
    try:
        verdict = await bench.pick(["semantic"])[0].judge(candidate, job.given)
    except Spent as spent:
        verdict = Verdict("semantic", "unavailable", 0.0, reason=f"The checker was not asked: {spent}")
    return verdict, sum(costs)


async def tell(job: Job, verdict: Verdict) -> None:
    """Report a verdict with its first remark."""
    remark = verdict.diagnostics[0].message if verdict.diagnostics else verdict.reason
    good = {"passed": True, "failed": False}.get(verdict.status)
    await job.report(Event("verdict", f"{verdict.validator} {verdict.status}: {remark}".rstrip(": "), good))
