"""Turn attempts and the last decision into an outcome. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from backends.backend import Usage
from orchestrator.budgets import expect_next_usd
from orchestrator.decide import Ask, Finish, count_escalations, is_contested
from orchestrator.outcome import Attempt, Outcome, Status
from orchestrator.policy import Policy
from orchestrator.prices import price
from orchestrator.prompting import pick_best
from orchestrator.route import Route


@dataclass(frozen=True, slots=True)
class Account:
    """What a task may cost and has cost, as the ledger has it."""

    limit_usd: float
    spent_usd: float


def conclude(
    policy: Policy,
    task_id: str,
    route: Route,
    attempts: Sequence[Attempt],
    step: Ask | Finish,
    account: Account,
) -> Outcome:
    """Say how the task stands, what it cost and what can be done next."""
    best = pick_best(attempts)
    status: Status = "needs_approval" if isinstance(step, Ask) else step.status
    return Outcome(
        task_id=task_id,
        status=status,
        attempts=tuple(attempts),
        best=best,
        task_type=route.task_type,
        complexity=route.complexity,
        escalations=count_escalations(attempts),
        confidence=best.confidence if best else 0.0,
        cost_usd=account.spent_usd,
        saved_usd=_estimate_saving(policy, best, account.spent_usd) if best and status == "accepted" else 0.0,
        message=_explain(policy, step, attempts, account),
        next_steps=_suggest(task_id, status, step, best),
    )


def _estimate_saving(policy: Policy, accepted: Attempt, cost: float) -> float:
    """Compare with the dearest tier asked once, with as many tokens as the accepted attempt took."""
    usage = Usage(accepted.tokens_in, accepted.tokens_out)
    return max(price(usage, tier) for tier in policy.tiers.values()) - cost


def _explain(policy: Policy, step: Ask | Finish, attempts: Sequence[Attempt], account: Account) -> str:
    if isinstance(step, Finish):
        return step.reason
    tier = policy.tiers[step.tier.tier]
    tried = "the free tiers did not do it" if attempts else "no free tier is on its route"
    why = "free models contradict each other" if is_contested(attempts) else tried
    return (
        f"{why}; {step.tier.tier} ({step.tier.model}) costs "
        f"${tier.usd_per_mtok_in:g} / ${tier.usd_per_mtok_out:g} per million tokens in / out, about "
        f"${expect_next_usd(tier, attempts):.4f} for this call, at most "
        f"${account.limit_usd:.2f} for this task, and a person must say yes first"
    )


def _suggest(task_id: str, status: Status, step: Ask | Finish, best: Attempt | None) -> tuple[str, ...]:
    """Name the calls and commands that make sense now."""
    if isinstance(step, Ask):
        return (
            f"A person runs: orchestrator review approve {task_id}",
            f"Then call orchestrator_execute_with_escalation with resume={task_id!r}",
            f"Or take the best free answer: orchestrator_review action='skip' task_id={task_id!r}",
        )
    if status == "needs_review":
        return (f"Look at the output, then orchestrator_review approve, reject, retry or skip {task_id}",)
    if status == "stopped" and isinstance(step, Finish) and step.limit:
        return (
            "Raise that limit, in [guards] or of the task type or of the call",
            f"Then resume={task_id!r}",
        )
    if status == "stopped":
        return ("Run `orchestrator doctor` to see what is served", f"Then resume={task_id!r}")
    if status == "skipped":
        half_done = "Its best attempt is in output, with what is wrong with it. " if best else ""
        return (f"{half_done}Do it yourself, or delegate again with start_tier naming a stronger tier",)
    return ()
