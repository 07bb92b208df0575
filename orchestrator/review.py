"""What waits for a person, and what the person said: ground truth for everything learned later."""

from typing import Literal

from orchestrator.cache import Cache
from orchestrator.decide import is_contested
from orchestrator.learning.store import learn_word
from orchestrator.orchestrator import Orchestrator
from orchestrator.outcome import WAITING
from orchestrator.records import TaskRecord
from orchestrator.retention import check_whole

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

    A host's model may pass work on that waits because nobody could prove it. What costs money, what the
    policy always has reviewed and what failed its checks takes a person.

    Args:
        orchestrator: Where the task is recorded.
        task_id: A task that waits, or one that ended and is judged later.
        action: `approve`, `reject`, `retry` or `skip`.
        comment: Why; a retry shows it to the worker.
        is_person: Whether a person said so (command line, elicitation), not a model.

    Raises:
        ReviewError: The action does not fit how the task stands; the message says what does.
        TaskError: It would be worked on or accepted anew, but its texts were pruned.
        UnknownTask: There is no such task.
    """
    record = await orchestrator.find(task_id)
    if record.status == "running":
        raise ReviewError(f"Task {task_id!r} is still running. Wait for it with resume={task_id!r}.")
    records, learning = orchestrator.world.records, orchestrator.config.policy.learning
    if action == "retry" or (action == "approve" and record.status != "accepted"):
        check_whole(record)
    if action == "approve":
        await _approve(orchestrator, record, is_person=is_person)
    elif action == "retry":
        await records.open_round(task_id, comment)
    elif record.status != "skipped":
        await orchestrator.settle(record, "skipped")
    by = "person" if is_person else "host"
    is_about_money = record.status == "needs_approval"
    if is_about_money and action != "approve":
        await records.audit.append(task_id, "declined", {"action": action, "by": by})
    if action != "approve":
        await Cache(records, orchestrator.config.policy.cache).forget_task(task_id)
    if learning.enabled and is_person and not is_about_money:
        await learn_word(records, record, action, learning.half_life_days)
    said = {"action": action, "comment": comment, "by": by, "was": record.status}
    await records.note(task_id, "review", said)
    return await orchestrator.find(task_id)


async def _approve(orchestrator: Orchestrator, record: TaskRecord, *, is_person: bool) -> None:
    if record.status == "accepted":
        return  # the word is kept for learning; what was written stays as its owner has it by now
    why = _needs_person(orchestrator, record)
    if why and not is_person:
        raise ReviewError(
            f"Task {record.task_id!r} {why}, which only a person can approve. "
            f"Ask the user to run: orchestrator review approve {record.task_id}"
        )
    if record.status == "needs_approval":
        await orchestrator.world.records.approve_paid(record.task_id)
        return
    if not (record.told and record.told.best):
        raise ReviewError(f"Task {record.task_id!r} has no work that could be approved. Say retry or skip.")
    await orchestrator.settle(record, "accepted")


def _needs_person(orchestrator: Orchestrator, record: TaskRecord) -> str:
    """Say why a model's word is not enough; empty when it is."""
    rules = {**orchestrator.config.policy.task_types}.get(record.task_type)  # type: ignore[call-overload]
    best = record.told.best if record.told else None
    if record.status == "needs_approval":
        return "waits for money"
    if rules is not None and rules.review == "always":
        return f"is {record.task_type}"
    if record.told and is_contested(record.told.attempts):
        return "is contradicted by another model's work"
    if record.status != "needs_review" or (best and not best.approved and not best.unproven):
        return "did not pass its checks"
    return ""
