"""What a task may use up, and what a further call is expected to cost. Pure."""

from collections.abc import Sequence

from backends.backend import Usage
from orchestrator.outcome import Attempt
from orchestrator.policy import Guards, Policy, TaskTypeName, TierPolicy
from orchestrator.prices import price

UNSEEN_SHARE = 0.25
"""Of the room for an answer that is expected to be used where none was seen yet."""


def find_runaway(attempts: Sequence[Attempt], guards: Guards) -> str:
    """Say why a task must not go on although money and time are left; empty when it may.

    Free calls have no price that would stop them: this is what does.
    """
    if len(attempts) >= guards.attempts_per_task:
        return f"all {guards.attempts_per_task} attempts of attempts_per_task are used up"
    tokens = count_tokens(attempts)
    if tokens >= guards.tokens_per_task:
        return f"{tokens:,} tokens were used, tokens_per_task is {guards.tokens_per_task:,}"
    return ""


def count_tokens(attempts: Sequence[Attempt]) -> int:
    """Add up what workers read and wrote; checkers and plans are not attempts and not in it."""
    return sum(attempt.tokens_in + attempt.tokens_out for attempt in attempts)


def limit_of_task(policy: Policy, task_type: TaskTypeName | None, cap_usd: float | None) -> float:
    """Take the smallest of what the guards, the task type and the caller allow for one task, in USD."""
    rules = policy.task_types.get(task_type) if task_type else None
    limits = (policy.guards.usd_per_task, rules.usd_per_task if rules else None, cap_usd)
    return min(limit for limit in limits if limit is not None)


def limit_of_type(policy: Policy, task_type: TaskTypeName | None) -> float | None:
    """Take what all tasks of a type may cost in one day, in USD; `None` when they share the day's budget."""
    rules = policy.task_types.get(task_type) if task_type else None
    return rules.usd_per_day if rules else None


def expect_next_usd(tier: TierPolicy, attempts: Sequence[Attempt]) -> float:
    """Estimate the next call's price, in USD, from what the task's longest prompt came to so far."""
    return expect_usd(tier, max((attempt.tokens_in for attempt in attempts), default=0), attempts)


def expect_usd(tier: TierPolicy, prompt_tokens: int, attempts: Sequence[Attempt] = ()) -> float:
    """Estimate the next call's price, in USD, from the prompt and the length of answers so far."""
    seen = [attempt.tokens_out for attempt in attempts if attempt.tokens_out]
    room = tier.max_output_tokens
    expected = sum(seen) / len(seen) if seen else room * UNSEEN_SHARE
    return price(Usage(prompt_tokens, round(min(expected, room))), tier)
