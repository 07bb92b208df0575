"""Draw one or several candidates of a tier at once."""

from collections.abc import Sequence

import anyio

from orchestrator.attempt import Turn, make_attempt
from orchestrator.confirming import hold_against
from orchestrator.decide import Try
from orchestrator.job import Job
from orchestrator.outcome import Attempt


async def draw(job: Job, step: Try, attempts: Sequence[Attempt], number: int) -> list[Attempt]:
    """Make the attempts of one step: as many as the route's `samples` from a free tier, one from a paid one.

    The first that passes wins and the others are cancelled, unless their agreement is wanted as well.

    Args:
        job: The task and its world.
        step: Whom to ask, and how.
        attempts: What was tried before.
        number: The last one given to an attempt.

    Returns:
        The attempts that ended, in order of their end, so that the winner is the last.

    Raises:
        Spent: There is no money left for the call.
    """
    turn = 1 + max((attempt.turn or attempt.number for attempt in attempts), default=number)
    if job.route.samples == 1 or step.tier.paid:
        attempt = await make_attempt(job, Turn(step, attempts, number + 1, turn))
        return [await hold_against(job, attempt, attempts)]
    made: list[Attempt] = []

    async def sample(which: int) -> None:
        attempt = await make_attempt(job, Turn(step, attempts, number + 1 + which, turn, which))
        made.append(attempt)
        if attempt.approved and job.seeds is None:
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for which in range(job.route.samples):
            group.start_soon(sample, which)
    held: list[Attempt] = []
    for attempt in sorted(made, key=lambda attempt: attempt.approved):
        held.append(await hold_against(job, attempt, [*attempts, *held]))
    return sorted(held, key=lambda attempt: (attempt.approved, attempt.support == "agreed"))
