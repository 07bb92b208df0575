"""Draw one or several candidates of a tier at once."""

from collections.abc import Sequence
from dataclasses import replace

import anyio

from orchestrator.attempt import Turn, ask_plan, make_attempt
from orchestrator.confirming import hold_against, leave_alone
from orchestrator.decide import Try
from orchestrator.job import Job
from orchestrator.outcome import Attempt


async def draw(
    job: Job, step: Try, attempts: Sequence[Attempt], number: int, seconds: float
) -> list[Attempt]:
    """Make the attempts of one step: as many as the route's `samples` from a free tier, one from a paid one.

    The first that passes wins and the others are cancelled, unless their agreement is wanted as well.

    Args:
        job: The task and its world.
        step: Whom to ask, and how.
        attempts: What was tried before.
        number: The last one given to an attempt.
        seconds: After which nothing is waited for any more.

    Returns:
        The attempts that ended in time, the one that stands best last.

    Raises:
        Spent: There is no money left for the call.
    """
    before = max((attempt.turn or attempt.number for attempt in attempts), default=number)
    made: list[Attempt] = []
    with anyio.move_on_after(seconds) as limit:
        plan = await ask_plan(job, step, attempts)
        first = Turn(step, attempts, number + 1, before + 1, plan=plan)
        count = 1 if step.tier.paid else min(job.route.samples, _left(job, attempts))
        if count == 1:
            made.append(await make_attempt(job, first))
        else:
            await _draw_several(job, first, count, made)
    held: list[Attempt] = []
    for attempt in sorted(made, key=lambda attempt: attempt.approved):
        others = [*attempts, *held]
        held.append(
            leave_alone(job, attempt) if limit.cancelled_caught else await hold_against(job, attempt, others)
        )
    return sorted(held, key=lambda attempt: (attempt.approved, attempt.support == "agreed"))


async def _draw_several(job: Job, first: Turn, count: int, made: list[Attempt]) -> None:
    """Make attempts at once and add each to `made` when it ends."""

    async def sample(which: int) -> None:
        attempt = await make_attempt(job, replace(first, number=first.number + which, sample=which))
        made.append(attempt)
        if attempt.approved and job.seeds is None:
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for which in range(count):
            group.start_soon(sample, which)


def _left(job: Job, attempts: Sequence[Attempt]) -> int:
    """Say how many attempts the task has left; the one that is made now is among them."""
    return max(1, job.asking.servers.policy.guards.attempts_per_task - len(attempts))
