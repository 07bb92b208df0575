"""The loop: ask what happens next, do it, write it down; the only place where a task waits."""

import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from orchestrator.asking import Asking, Purse
from orchestrator.attempt import Job, make_attempt
from orchestrator.bench import Bench
from orchestrator.classify import Classification
from orchestrator.conclude import Account, conclude
from orchestrator.decide import Ask, Finish, Standing, Try, next_step
from orchestrator.deliver import deliver
from orchestrator.events import Event, Report
from orchestrator.outcome import Attempt, Outcome
from orchestrator.policy import Policy
from orchestrator.prompting import Brief, Shown
from orchestrator.records import Records, TaskRecord
from orchestrator.rlm.errors import Spent
from orchestrator.roots import Roots
from orchestrator.route import Route, Survey, choose_task_type, plan_route, tiers_of_interest
from orchestrator.servers import Servers
from orchestrator.steps import Steps
from orchestrator.task import Task
from sandbox.late import Late
from sandbox.program import Limits
from validators.languages import by_path, find_language
from validators.validator import Given


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside that a task may touch."""

    policy: Policy
    servers: Servers
    records: Records
    sandbox: Late
    roots: Roots

    @property
    def limits(self) -> Limits:
        """What one sandboxed run may use."""
        rules = self.policy.sandbox
        return Limits(
            seconds=rules.seconds, cpu_seconds=int(rules.seconds) * 2, memory_bytes=rules.memory_mb * 1024**2
        )


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
    route, survey = await _lay_route(world, task, classification)
    await report(Event("route", _describe_route(route)))
    job = _prepare_job(world, record, classification, (route, survey), report)
    attempts = await _recall(world.records, record)
    number = await world.records.count_attempts(record.task_id)
    while True:
        standing = _stand(world.policy, record, time.monotonic() - started)
        step = next_step(route, attempts, standing)
        if isinstance(step, Ask | Finish):
            break
        number += 1
        made = await _try(job, step, attempts, number, standing.remaining_seconds)
        if isinstance(made, Finish):
            step = made
            break
        attempts.append(made)
        await world.records.add_attempt(record.task_id, record.round, made)
    account = Account(job.asking.purse.task_usd, await world.records.spent(record.task_id))
    outcome = conclude(world.policy, record.task_id, route, attempts, step, account)
    outcome = deliver(world.roots, task, replace(outcome, seconds=time.monotonic() - started))
    await world.records.note(record.task_id, outcome.status, {"reason": outcome.message})
    await report(
        Event("finish", f"{outcome.status}: {outcome.message}".rstrip(": "), outcome.status == "accepted")
    )
    return outcome


async def _lay_route(world: World, task: Task, classification: Classification) -> tuple[Route, Survey]:
    policy = world.policy
    complexity = task.complexity if task.complexity is not None else classification.complexity
    task_type = choose_task_type(task, policy, complexity)
    domain = task.domain or classification.domain
    share = zlib.crc32(task.digest.encode())
    survey = await world.servers.survey(tiers_of_interest(task, policy, task_type), domain, share)
    return plan_route(task, policy, task_type, complexity, survey), survey


async def _recall(records: Records, record: TaskRecord) -> list[Attempt]:
    """Read back this round's attempts, less those that reached nobody: that may have changed."""
    known = await records.list_attempts(record.task_id, record.round)
    return [attempt for attempt in known if attempt.trouble not in {"unavailable", "refused"}]


async def _try(
    job: Job, step: Try, attempts: Sequence[Attempt], number: int, seconds: float
) -> Attempt | Finish:
    """Make an attempt, unless money or time end before it does."""
    words = {"first": "asking", "retry": "asking again, with what was wrong:", "escalate": "escalating to"}
    await job.report(Event("try", f"{words[step.how]} {step.tier.tier} ({step.tier.model})"))
    try:
        with anyio.fail_after(seconds):
            attempt = await make_attempt(job, step, attempts, number)
    except Spent as spent:
        return Finish("stopped", str(spent))
    except TimeoutError:
        return Finish("stopped", f"the time limit ended while {step.tier.tier} was at work")
    if attempt.trouble:
        await job.report(Event("attempt", f"{step.tier.tier}: {attempt.message}", good=False))
    return attempt


def _prepare_asking(world: World, record: TaskRecord) -> Asking:
    guards, cap = world.policy.guards, record.task.max_cost_usd
    task_usd = guards.usd_per_task if cap is None else min(cap, guards.usd_per_task)
    purse = Purse(task_usd, guards.usd_per_day, record.approved_paid or not guards.ask_before_paid)
    return Asking(record.task_id, purse, world.servers, world.records, Steps(world.records, record.task_id))


def _prepare_job(
    world: World,
    record: TaskRecord,
    classification: Classification,
    laid: tuple[Route, Survey],
    report: Report,
) -> Job:
    task = replace(record.task, language=_find_language(record.task, classification))
    context, files = _read_context(world.roots, task)
    given = Given(
        task=task.task,
        requirements=task.requirements,
        tests=task.tests,
        test_command=task.test_command,
        benchmark_command=task.benchmark_command,
        workspace=task.workspace,
    )
    brief = Brief(task, context, record.guidance)
    bench = Bench(world.sandbox, world.limits, lint_blocks=world.policy.validators.lint == "block")
    asking = _prepare_asking(world, record)
    return Job(brief, given, *laid, files, world.roots, asking, bench, report)


def _find_language(task: Task, classification: Classification) -> str:
    """Take the language that was named, else that of the file to write, else what the words suggest."""
    if task.language:
        return find_language(task.language) or task.language
    return by_path(task.write_to) or classification.language


def _read_context(roots: Roots, task: Task) -> tuple[tuple[Shown, ...], dict[str, str]]:
    """Read what the worker is shown, the present text of the answer's file included."""
    target = Path(task.workspace) / task.write_to if task.workspace and task.write_to else None
    paths = [path for path in task.context_files if target is None or Path(path) != target]
    shown = tuple(Shown(_label(path, task.workspace), roots.read_text(path).text) for path in paths)
    if target is None or not target.is_file():
        return shown, {}
    present = Shown(task.write_to, roots.read_text(str(target)).text)
    return (present, *shown), {present.path: present.text}


def _label(path: str, workspace: str) -> str:
    inside = workspace and Path(path).is_relative_to(workspace)
    return str(Path(path).relative_to(workspace)) if inside else path


def _stand(policy: Policy, record: TaskRecord, elapsed: float) -> Standing:
    guards, task = policy.guards, record.task
    seconds = task.timeout_seconds or guards.seconds_per_task
    return Standing(
        elapsed_seconds=elapsed,
        limit_seconds=min(seconds, guards.seconds_per_task),
        paid_needs_approval=guards.ask_before_paid,
        approved_paid=record.approved_paid,
    )


def _describe_route(route: Route) -> str:
    tiers = " -> ".join(tier.tier for tier in route.tiers) or "no tier is served here"
    left_out = f" (not here: {', '.join(one.tier for one in route.left_out)})" if route.left_out else ""
    return f"{route.task_type}, complexity {route.complexity:g}: {tiers}{left_out}"
