"""What waits for a person, and what the person said: ground truth for everything learned later."""

from typing import Literal

from orchestrator.orchestrator import Orchestrator
from orchestrator.outcome import WAITING, Outcome, Status
from orchestrator.records import TaskRecord

Action = Literal["list", "approve", "reject", "retry", "skip"]


class ReviewError(ValueError):
    """The action makes no sense for this task as it stands."""


async def list_waiting(orchestrator: Orchestrator) -> list[TaskRecord]:
    """Read what waits for a person, newest first."""
    return await orchestrator.world.records.list_tasks(WAITING)


async def decide(
    orchestrator: Orchestrator, task_id: str, action: Action, comment: str, *, is_person: bool
) -> TaskRecord:
    """Write down what was decided about a task and change how it stands.

    Approving money takes a person: a host's model may approve work, never spending.

    Args:
        orchestrator: Where the task is recorded.
        task_id: A task that waits, or was accepted or skipped (judged later).
        action: `approve`, `reject`, `retry` or `skip`.
        comment: Why; a retry shows it to the worker.
        is_person: Whether a person said so (command line, elicitation), not a model.

    Raises:
        ReviewError: The action does not fit how the task stands; the message says what does.
        UnknownTask: There is no such task.
    """
    record = await orchestrator.find(task_id)
    if record.status == "running":
        raise ReviewError(f"Task {task_id!r} is still running. Wait for it with resume={task_id!r}.")
    if record.status == "needs_approval" and action == "approve":
        await _approve_money(orchestrator, record, is_person=is_person)
    elif action == "retry":
        await orchestrator.world.records.open_round(task_id, comment)
        await orchestrator.world.records.mark(task_id, "stopped")
    else:
        await orchestrator.settle(record, _status_after(record, action))
    said = {"action": action, "comment": comment, "by": "person" if is_person else "host"}
    await orchestrator.world.records.note(task_id, "review", said)
    return await orchestrator.find(task_id)


async def _approve_money(orchestrator: Orchestrator, record: TaskRecord, *, is_person: bool) -> None:
    if not is_person:
        raise ReviewError(
            f"Task {record.task_id!r} waits for money, which only a person can approve. "
            f"Ask the user to run: orchestrator review approve {record.task_id}"
        )
    await orchestrator.world.records.approve_paid(record.task_id)


def _status_after(record: TaskRecord, action: Action) -> Status:
    told: Outcome | None = record.told
    if action == "approve" and not (told and told.best):
        raise ReviewError(f"Task {record.task_id!r} has no work that could be approved. Say retry or skip.")
    return "accepted" if action == "approve" else "skipped"
