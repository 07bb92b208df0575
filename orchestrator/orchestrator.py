"""Delegate tasks in this process: begin, resume, hold, settle."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import anyio

from orchestrator.adapters import write_json
from orchestrator.classify import Classification, ContextFile, classify
from orchestrator.config import Config
from orchestrator.deliver import digest_of, read_present, take_back_interrupted, write
from orchestrator.engine import delegate
from orchestrator.events import Event, Report, tell_nobody
from orchestrator.learning.store import Memory
from orchestrator.ledger import Ledger
from orchestrator.outcome import Outcome, Status
from orchestrator.owners import is_dead, name_owner
from orchestrator.policy import SandboxPolicy
from orchestrator.records import Kind, Opening, Records, TaskRecord
from orchestrator.retention import check_whole
from orchestrator.roots import PathRefused, Roots
from orchestrator.route import RouteError, choose_task_type, select_tiers
from orchestrator.safe_paths import path_problem
from orchestrator.servers import Servers
from orchestrator.sizing import ask_for_opinion, refine_by_record
from orchestrator.task import Task, TaskError
from orchestrator.world import World
from sandbox.late import Late, OwnedSandbox

LEASE_SECONDS = 30.0
"""How long a silent process keeps its task; renewed three times as often."""
POLL_SECONDS = 0.5


class UnknownTask(ValueError):
    """No task of this id is in the ledger."""


class LeaseLost(Exception):
    """Another process works on the task now; this one stopped, so that no model is asked twice."""


@dataclass(slots=True)
class Orchestrator:
    """A policy at work in one process; cheap to make, everything else is opened at first use."""

    config: Config
    environment: Mapping[str, str]
    folder: Path
    """The working folder: the first allowed root, and the workspace when none is named."""
    world: World = field(init=False)
    owner: str = field(init=False)

    def __post_init__(self) -> None:
        """Wire the parts together; nothing is contacted."""
        policy = self.config.policy
        named = [Path(root).expanduser() for root in policy.guards.roots]
        whole = {Path("/"), Path.home()}  # where hosts start servers that have no project
        roots = [folder for folder in (self.folder.resolve(),) if folder not in whole] + named
        self.owner = name_owner()
        records = Records(Ledger(self.config.home / "ledger.db"))
        self.world = World(
            policy=policy,
            servers=Servers(policy, self.environment, self.config.home),
            records=records,
            sandbox=Late(partial(_make_sandbox, policy.sandbox)),
            roots=Roots(tuple(roots), self.config.home / "backups"),
            memory=Memory(records, policy.learning),
        )

    async def execute(
        self, task: Task, report: Report = tell_nobody, task_id: str = "", *, approved_paid: bool = False
    ) -> Outcome:
        """Delegate a task and wait for its outcome; `approved_paid` is a person's yes to money.

        Raises:
            ValueError: It cannot be worked on as asked (`PathRefused`, `RouteError`): nothing was begun.
            LedgerError: It could not be recorded: nothing was begun.
        """
        task = self.complete(task)
        classification = await refine_by_record(self.world, self.classify(task))
        classification = await ask_for_opinion(self.world, task, classification)
        opening = Opening(
            task_id=task_id or new_id(),
            kind="task",
            description=task.task,
            request=write_json(task),
            task_type=self.task_type(task, classification),
            complexity=classification.complexity if task.complexity is None else task.complexity,
            domain=task.domain or classification.domain,
        )
        record = await self.world.records.open_task(opening, self.owner, LEASE_SECONDS)
        if approved_paid:
            await self.world.records.approve_paid(opening.task_id)
            record = replace(record, approved_paid=True)
        return await self._work(record, report, classification)

    async def resume(self, task_id: str, report: Report = tell_nobody) -> Outcome:
        """Wait for a task that runs, or go on with one that can go on; nothing paid for is asked again.

        Raises:
            UnknownTask: There is no such task.
            TaskError: Its texts were pruned.
        """
        record = await self.find(task_id)
        told = record.told
        if told and (record.status in {"accepted", "skipped"} or _waits_for_person(record)):
            return told
        check_whole(record)
        record = await self.take_over(record)
        if record.status != "running" and record.told:
            return record.told
        classification = replace(self.classify(record.task), complexity=record.complexity)
        return await self._work(record, report, classification)

    async def take_over(self, record: TaskRecord) -> TaskRecord:
        """Wait until a task is this process's own, or ended in the one that works on it.

        Returns:
            The task as it stands now: `running` and ours, or ended.
        """
        if is_dead(record.owner):
            await self.world.records.let_go(record.task_id, record.owner)
        while not await self.world.records.claim(record.task_id, self.owner, LEASE_SECONDS):
            await anyio.sleep(POLL_SECONDS)
            now = await self.find(record.task_id, record.kind)
            if not now.owner and now.outcome:
                return now
        return await self.find(record.task_id, record.kind)

    def classify(self, task: Task) -> Classification:
        """Say how hard a task is and what it is about; asks no model.

        Raises:
            PathRefused: A context file lies outside the allowed roots.
        """
        return classify(task.task, [self._size(path) for path in task.context_files])

    def task_type(self, task: Task, classification: Classification) -> str:
        """Name the task's type, refusing tiers and types that the policy does not have.

        Raises:
            RouteError: One of them names nothing.
        """
        complexity = classification.complexity if task.complexity is None else task.complexity
        task_type = choose_task_type(task, self.config.policy, complexity)
        if not select_tiers(task, self.config.policy, task_type):
            raise RouteError(
                f"No tier is left between start_tier {task.start_tier!r} and max_tier {task.max_tier!r}. "
                f"{task_type} goes {' -> '.join(self.config.policy.task_types[task_type].route)}."
            )
        return task_type

    def complete(self, task: Task) -> Task:
        """Fill in the workspace and make every path absolute and allowed.

        Raises:
            PathRefused: A path lies outside the allowed roots.
        """
        in_project = task.workspace or task.write_to or task.apply or task.test_command
        workspace = self.world.roots.resolve(task.workspace or ".", base=self.folder) if in_project else None
        context = tuple(
            str(self.world.roots.resolve(path, base=workspace or self.folder)) for path in task.context_files
        )
        if workspace is None:
            return replace(task, context_files=context)
        write_to = self._check_target(task.write_to, workspace) if task.write_to else ""
        return replace(task, workspace=str(workspace), context_files=context, write_to=write_to)

    def _check_target(self, write_to: str, workspace: Path) -> str:
        """Give the path of the answer's file relative to the workspace, before anybody is asked for it."""
        target = self.world.roots.resolve(write_to, base=workspace)
        if not target.is_relative_to(workspace) or target.is_dir():
            raise PathRefused(
                f"write_to {write_to!r} must name a file inside the workspace {str(workspace)!r}."
            )
        relative = target.relative_to(workspace).as_posix()
        problem = path_problem(relative, allowed={relative})
        if problem or ".git" in relative.split("/"):
            raise PathRefused(f"write_to: {problem or f'{relative!r} belongs to git; name another file'}.")
        return relative

    async def settle(self, record: TaskRecord, status: Status) -> Outcome:
        """End a task as a person decided; what is accepted now is written now, if that was asked for.

        Raises:
            TaskError: A file changed since the person saw the difference; the task stands as before.
            OSError: The workspace cannot be written; the task stands as before.
        """
        outcome = replace(record.told or Outcome(record.task_id, status), status=status, next_steps=())
        outcome = replace(outcome, message=f"{status} by review")
        if status == "accepted" and record.task.apply and record.task.workspace:
            workspace = self.world.roots.resolve(record.task.workspace)
            take_back_interrupted(self.world.roots, workspace)
            for change in outcome.files:
                if digest_of(read_present(self.world.roots, workspace, change.path)) != change.before:
                    raise TaskError(
                        f"{change.path!r} changed since it was compared. Say retry, or write it yourself."
                    )
            outcome = write(self.world.roots, workspace, outcome)
        await self.world.records.close_task(outcome)
        return outcome

    async def aclose(self) -> None:
        """Close connections, child processes and the ledger."""
        await self.world.sandbox.aclose()
        await self.world.servers.aclose()
        await self.world.records.ledger.aclose()

    async def _work(self, record: TaskRecord, report: Report, classification: Classification) -> Outcome:
        """Run the engine and write down how the task stands."""
        self.complete(record.task)  # resumed from another folder it may be outside the roots
        async with self.lease(record.task_id):
            outcome = await delegate(self.world, record, classification, self._logged(record, report))
        await self.world.records.close_task(outcome)
        return outcome

    @contextlib.asynccontextmanager
    async def lease(self, task_id: str) -> AsyncIterator[None]:
        """Keep a task as this process's own while the block runs; a cancelled one can be resumed."""

        async def renew() -> None:
            while True:
                await anyio.sleep(LEASE_SECONDS / 3)
                if not await self.world.records.renew(task_id, self.owner, LEASE_SECONDS):
                    raise LeaseLost(f"Task {task_id!r} was taken over: this process was silent for too long.")

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(renew)
                yield
                group.cancel_scope.cancel()
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await self.world.records.let_go(task_id, self.owner)
            raise _innermost(error) from error

    def _logged(self, record: TaskRecord, report: Report) -> Report:
        async def tell(event: Event) -> None:
            if event.kind in {"route", "try"}:
                self.world.records.note_later(record.task_id, event.kind, {"message": event.message})
            await report(event)

        return tell

    async def find(self, task_id: str, kind: Kind = "task") -> TaskRecord:
        """Read the row of a task or an analysis.

        Raises:
            UnknownTask: There is none of this kind.
        """
        record = await self.world.records.find_task(task_id)
        if record is None or record.kind != kind:
            raise UnknownTask(f"There is no {kind} {task_id!r} in the ledger {str(self.config.home)!r}.")
        return record

    def _size(self, path: str) -> ContextFile:
        place = self.world.roots.resolve(path, base=self.folder)
        content = self.world.roots.read_text(str(place)).text
        return ContextFile(path, len(content.encode("utf-8", "surrogatepass")), content.count("\n") + 1)


def _make_sandbox(rules: SandboxPolicy) -> OwnedSandbox:
    """Load what runs programs: a tenth of a server's start, and many are asked nothing that needs it."""
    from sandbox.choose import choose  # noqa: PLC0415
    from sandbox.warm import Warm  # noqa: PLC0415
    from validators.runners.python_start import preload  # noqa: PLC0415

    chosen = choose(rules.backend, allow_unsandboxed=rules.allow_unsandboxed, image=rules.image)
    return Warm(chosen, preload)


def new_id() -> str:
    """Make an id that sorts by nothing and is short enough to say."""
    return f"t{secrets.token_hex(5)}"


def _innermost(error: BaseException) -> BaseException:
    """Take what went wrong out of the groups that task groups wrap around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _waits_for_person(record: TaskRecord) -> bool:
    if record.status == "needs_review":
        return True
    return record.status == "needs_approval" and not record.approved_paid
