"""Delegate many tasks from a file: each line a task, each result a line, and every interruption resumable.

A line's task_id follows from its text and the result file's place, so a killed batch finds its tasks in the
ledger again. The same line for the same result file is the same task for ever: for new work, name a new file.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

import anyio
import apsw
from pydantic import ValidationError

from orchestrator.adapters import read_json
from orchestrator.answers import Answer, tell_outcome
from orchestrator.errors import EXPECTED
from orchestrator.events import Event
from orchestrator.ledger import LedgerError
from orchestrator.orchestrator import Orchestrator
from orchestrator.outcome import Outcome
from orchestrator.policy import Policy
from orchestrator.results import BatchError, Results
from orchestrator.task import Task

LOGGER = logging.getLogger(__name__)
KEYS = tuple(field.name for field in fields(Task))
JOBS = 4
"""Tasks at once where no local server says how many it takes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file of tasks."""

    number: int
    """As an editor counts, from 1."""
    task_id: str
    task: Task | None
    """Nothing when the line only goes on with a task."""
    detail: bool = False


class Watcher(Protocol):
    """Whoever shows how the batch goes."""

    async def hear(self, line: Line, event: Event) -> None:
        """Something happened in a task under way."""
        ...

    def note(self, result: Answer) -> None:
        """A task ended and its result is on disk."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """How a batch is worked on."""

    jobs: int
    approved_paid: bool = False
    """A person said yes to money for every task, inside the budgets."""


def choose_jobs(policy: Policy) -> int:
    """Say how many tasks to work on at once: as many as the local servers take."""
    local = (one.max_concurrent for one in policy.backends.values() if not one.api_key_env)
    return sum(local) or JOBS


def read_lines(text: str, place: str, out: Path) -> tuple[Line, ...]:
    """Read the file of tasks; blank lines are passed over.

    Args:
        text: One JSON object a line: the arguments of `orchestrator_execute_with_escalation`.
        place: What the file is called, for the refusal.
        out: The absolute path of the result file, part of each task_id.

    Raises:
        BatchError: Some lines are no tasks; each is named with its number.
    """
    lines, mistakes = list[Line](), list[str]()
    seen = Counter[str]()
    for number, source in enumerate(text.split("\n"), start=1):
        if not source.strip():
            continue
        seen[source] += 1
        digest = hashlib.sha256(f"{out}\n{seen[source]}\n{source}".encode("utf-8", "surrogatepass"))
        try:
            lines.append(_read_line(number, f"b{digest.hexdigest()[:16]}", source))
        except ValueError as error:
            mistakes.append(f"line {number}: {error}")
        except RecursionError:
            mistakes.append(f"line {number}: it is nested too deep to be a task")
    if not (lines or mistakes):
        mistakes.append("it holds no task; write one JSON object a line")
    if mistakes:
        raise BatchError(place, mistakes)
    return tuple(lines)


def _read_line(number: int, task_id: str, source: str) -> Line:
    try:
        given = json.loads(source)
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise ValueError('it must be an object like {"task": "..."}')  # noqa: TRY004 - the user's mistake
    known = (*KEYS, "resume", "detail")
    unknown = [repr(key) for key in given if key not in known]
    if unknown:
        raise ValueError(f"unknown {', '.join(unknown)}; there are {', '.join(known)}")
    detail, resume = given.pop("detail", False), given.pop("resume", "")
    if not isinstance(detail, bool) or not isinstance(resume, str):
        raise ValueError("detail must be true or false, resume a task_id")  # noqa: TRY004 - the user's mistake
    if resume and given:
        raise ValueError(f"resume goes on with a task as it was asked; take out {', '.join(given)}")
    return Line(number, resume or task_id, None if resume else _read_task(given), detail)


def _read_task(given: Mapping[str, object]) -> Task:
    try:
        return read_json(Task, json.dumps({"task": "", **given}))
    except ValidationError as error:
        raise ValueError("; ".join(_explain(error))) from error


def _explain(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        yield f"{key}: {message}" if key else message


async def find_refusals(orchestrator: Orchestrator, lines: Sequence[Line]) -> list[str]:
    """Say which lines would be refused at once: paths outside the roots, unknown tiers, unknown tasks."""
    mistakes: list[str] = []
    for line in lines:
        try:
            if line.task is None:
                await orchestrator.find(line.task_id)
            else:
                task = orchestrator.complete(line.task)
                orchestrator.task_type(task, orchestrator.classify(task))
        except LedgerError:
            raise
        except EXPECTED as error:
            mistakes.append(f"line {line.number}: {error}")
    return mistakes


async def work_off(
    orchestrator: Orchestrator, lines: Sequence[Line], results: Results, watcher: Watcher, terms: Terms
) -> None:
    """Delegate the tasks of these lines, so many at once, each on its own: one that fails ends no other.

    Raises:
        LedgerError: Nothing can be recorded any more.
        OSError: The result file cannot be written.
    """
    known = results.read()
    waiting = iter(lines)

    async def work() -> None:
        for line in waiting:
            result = await _do(orchestrator, line, watcher, terms)
            before = known.get(line.task_id)
            if before is None or before["status"] != result["status"] or result["status"] == "stopped":
                await results.append(result)
            watcher.note(result)

    try:
        async with anyio.create_task_group() as group:
            for _ in range(min(terms.jobs, len(lines))):
                group.start_soon(work)
    except BaseExceptionGroup as error:
        raise _first(error) from error


async def _do(orchestrator: Orchestrator, line: Line, watcher: Watcher, terms: Terms) -> Answer:
    """Work on one line; whatever goes wrong with it is its result."""
    try:
        outcome = await _delegate(orchestrator, line, watcher, terms)
    except LedgerError:
        raise
    except EXPECTED as error:
        return await _tell_failure(orchestrator, line, str(error))
    except Exception as error:  # our own bug must not cost the other tasks their work; it is told, in full
        LOGGER.exception("Line %d failed: a bug of the orchestrator, please report it", line.number)
        return await _tell_failure(orchestrator, line, f"a bug of the orchestrator: {error!r}")
    return {"line": line.number, **tell_outcome(outcome, detail=line.detail)}


async def _delegate(orchestrator: Orchestrator, line: Line, watcher: Watcher, terms: Terms) -> Outcome:
    async def report(event: Event) -> None:
        await watcher.hear(line, event)

    records = orchestrator.world.records
    if line.task is not None and await records.find_task(line.task_id) is None:
        try:
            return await orchestrator.execute(
                line.task, report, line.task_id, approved_paid=terms.approved_paid
            )
        except apsw.ConstraintError as error:
            if "tasks.task_id" not in str(error):
                raise
            # another batch of the same files was faster to open it: its work is waited for
    if terms.approved_paid:
        await records.approve_paid(line.task_id)
    return await orchestrator.resume(line.task_id, report)


async def _tell_failure(orchestrator: Orchestrator, line: Line, message: str) -> Answer:
    spent = await orchestrator.world.records.spent(line.task_id)
    return {
        "line": line.number,
        "task_id": line.task_id,
        "status": "stopped",
        "cost_usd": round(spent, 6),
        "saved_usd": 0.0,
        "message": message,
    }


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
