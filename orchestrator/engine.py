"""The loop: ask what happens next, do it, write it down; the only place where a task waits."""

import time
from collections.abc import Sequence
from dataclasses import replace

from orchestrator.asking import price_at_worst
from orchestrator.budgets import expect_next_usd, find_runaway
from orchestrator.classify import Classification
from orchestrator.conclude import Account, conclude
from orchestrator.decide import Ask, Finish, Standing, Try, end_unpaid, next_step
from orchestrator.deliver import deliver
from orchestrator.events import Event, Report
from orchestrator.job import Job
from orchestrator.laying import Laid, describe_route, draw_for, lay_route
from orchestrator.learning.observing import Case, observe
from orchestrator.outcome import UNREACHED, Attempt, Outcome
from orchestrator.policy import Policy
from orchestrator.preparing import prepare_job
from orchestrator.prompting import write_request
from orchestrator.records import Records, TaskRecord
from orchestrator.rlm.errors import Spent
from orchestrator.sampling import draw
from orchestrator.world import World


async def delegate(
    world: World, record: TaskRecord, classification: Classification, report: Report
) -> Outcome:
    """Work on a task until it is accepted, a person is needed, or nothing is left to try.

    Everything is in the ledger before the next step, so calling this again after the process died goes on
    where it stopped: finished attempts are read back, and a paid answer that was not judged yet is not asked
    for again.
    """
    started = time.monotonic()
    task = record.task
    draws = draw_for(record.task_id)
    laid = await lay_route(world, task, classification, draws=draws, approved=record.approved_paid)
    await report(Event("route", describe_route(laid)))
    job = await prepare_job(world, record, classification, laid, report)
    attempts = await _recall(world.records, record)
    known = len(attempts)
    number = 0 if record.is_new else await world.records.last_number(record.task_id)
    while True:
        standing = _stand(world.policy, record, attempts, time.monotonic() - started)
        step = next_step(laid.route, attempts, standing)
        if isinstance(step, Ask):
            step = _refuse_hopeless(job, step, attempts)
        if isinstance(step, Ask | Finish):
            break
        try:
            made = await _try(job, step, attempts, number, standing.remaining_seconds)
        except Spent as spent:
            step = end_unpaid(laid.route, attempts, str(spent))
            break
        if made:
            await world.records.add_attempts(record.task_id, record.round, *made)
        number = max((attempt.number for attempt in made), default=number)
        attempts += made
    account = Account(job.asking.purse.task_usd, await world.records.spent(record.task_id))
    outcome = conclude(world.policy, record.task_id, laid.route, attempts, step, account)
    outcome = deliver(world.roots, task, replace(outcome, seconds=time.monotonic() - started))
    world.records.note_later(record.task_id, outcome.status, {"reason": outcome.message})
    _learn(world, record, laid, attempts, known)
    await report(
        Event("finish", f"{outcome.status}: {outcome.message}".rstrip(": "), outcome.status == "accepted")
    )
    return outcome


async def _recall(records: Records, record: TaskRecord) -> list[Attempt]:
    """Read back this round's attempts, less those that reached nobody: that may have changed."""
    known = [] if record.is_new else await records.list_attempts(record.task_id, record.round)
    return [attempt for attempt in known if attempt.trouble not in UNREACHED]


async def _try(
    job: Job, step: Try, attempts: Sequence[Attempt], number: int, seconds: float
) -> list[Attempt]:
    """Make the attempts of one step; none when the time ends before that.

    Raises:
        Spent: The money ends before that.
    """
    words = {
        "first": "asking",
        "retry": "asking again, with what was wrong:",
        "escalate": "escalating to",
        "confirm": "a second author:",
    }
    await job.report(Event("try", f"{words[step.how]} {step.tier.tier} ({step.tier.model})"))
    if step.tier.paid:
        await _warn(job, step, attempts)
    made = await draw(job, step, attempts, number, seconds)
    for attempt in made:
        if attempt.trouble:
            await job.report(Event("attempt", f"{step.tier.tier}: {attempt.message}", good=False))
    return made


def _refuse_hopeless(job: Job, step: Ask, attempts: Sequence[Attempt]) -> Ask | Finish:
    """End where no yes would help: the task's money does not reach for one call at its worst price."""
    tier = job.asking.servers.policy.tiers[step.tier.tier]
    request = write_request(job.brief, Try(step.tier, "confirm"), attempts, tier)
    worst, limit = price_at_worst(request, tier), job.asking.purse.task_usd
    if worst <= limit:
        return step
    said = f"a call to {step.tier.tier} may cost ${worst:.4f}, this task may cost ${limit:.2f}"
    return end_unpaid(job.route, attempts, said)


async def _warn(job: Job, step: Try, attempts: Sequence[Attempt]) -> None:
    """Say what a paid tier is expected to cost before it is asked, and keep that beside what it did cost."""
    tier = job.asking.servers.policy.tiers[step.tier.tier]
    usd = expect_next_usd(tier, attempts)
    await job.report(Event("money", f"{step.tier.tier} costs money: about ${usd:.4f} for this call"))
    told = {"tier": step.tier.tier, "usd": usd}
    await job.asking.records.audit.append(job.asking.task_id, "warned", told)


def _learn(world: World, record: TaskRecord, laid: Laid, attempts: Sequence[Attempt], known: int) -> None:
    """Let routing learn from the attempts that were made now; those before were learned from then."""
    route = laid.route
    models = {tier.tier: tier.model for tier in route.tiers}
    case = Case(route.task_type, route.domain, route.demanded, models)
    world.memory.learn(observe(laid.beliefs, case, attempts, since=known), record.created)


def _stand(policy: Policy, record: TaskRecord, attempts: Sequence[Attempt], elapsed: float) -> Standing:
    guards, task = policy.guards, record.task
    seconds = task.timeout_seconds or guards.seconds_per_task
    return Standing(
        elapsed_seconds=elapsed,
        limit_seconds=min(seconds, guards.seconds_per_task),
        paid_needs_approval=guards.ask_before_paid,
        approved_paid=record.approved_paid,
        runaway=find_runaway(attempts, guards),
    )
