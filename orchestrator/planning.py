"""Say what would be tried for a task without trying it: the work behind `classify_task`."""

from backends.backend import Message
from backends.tokens import estimate_tokens
from orchestrator.answers import Answer, tell_classification
from orchestrator.confidence import PRIOR
from orchestrator.ledger import LedgerError
from orchestrator.orchestrator import Orchestrator
from orchestrator.policy import TaskTypeName
from orchestrator.route import choose_task_type, plan_route, tiers_of_interest
from orchestrator.task import Task


async def plan(orchestrator: Orchestrator, task: Task) -> Answer:
    """Classify, lay the route over what is served here, and estimate; asks no model.

    Raises:
        PathRefused: A context file lies outside the allowed roots.
    """
    task = orchestrator.complete(task)
    policy = orchestrator.config.policy
    classification = orchestrator.classify(task)
    task_type = choose_task_type(task, policy, classification.complexity)
    wanted = tiers_of_interest(task, policy, task_type)
    survey = await orchestrator.world.servers.survey(wanted, classification.domain)
    route = plan_route(task, policy, task_type, classification.complexity, survey)
    tokens_in = estimate_tokens([Message("user", task.task)])
    answer = tell_classification(classification, route, survey, policy, tokens_in)
    chance = await _seen_chance(orchestrator, task_type, route.tiers[0].tier) if route.tiers else 0.0
    return {**answer, "pass_probability": chance}


async def _seen_chance(orchestrator: Orchestrator, task_type: TaskTypeName, tier: str) -> float:
    """Estimate how likely the worker passes: its record, with two imagined tries at even odds before it."""
    query = (
        "SELECT (coalesce(sum(approved), 0) + 1.0) / (count(*) + 2) FROM attempts"
        " WHERE task_type = ? AND tier = ?"
    )
    try:
        seen = await orchestrator.world.records.ledger.read(
            lambda db: float(db.execute(query, (task_type, tier)).get)
        )
    except LedgerError:
        return PRIOR
    return round(seen, 3)
