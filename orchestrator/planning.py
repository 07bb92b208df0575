"""Say what would be tried for a task without trying it: the work behind `classify_task`."""

from backends.backend import Message
from backends.tokens import estimate_tokens
from orchestrator.answers import Answer, tell_classification
from orchestrator.laying import Laid, lay_route
from orchestrator.learning.beliefs import Worker, pass_chance
from orchestrator.orchestrator import Orchestrator
from orchestrator.policy import Policy
from orchestrator.sizing import refine_by_record
from orchestrator.task import Task


async def plan(orchestrator: Orchestrator, task: Task) -> Answer:
    """Classify, lay the route over what is served here, and estimate; asks no model.

    Raises:
        PathRefused: A context file lies outside the allowed roots.
    """
    task = orchestrator.complete(task)
    policy = orchestrator.config.policy
    classification = await refine_by_record(orchestrator.world, orchestrator.classify(task))
    laid = await lay_route(orchestrator.world, task, classification)
    route = laid.route
    tokens_in = estimate_tokens([Message("user", task.task)])
    answer = tell_classification(classification, route, laid.survey, policy, tokens_in)
    return {**answer, "pass_probability": _pass_probability(laid, policy)}


def _pass_probability(laid: Laid, policy: Policy) -> float:
    """Say how likely the first tier's first answer passes, by its record and what its rank lets expect."""
    if not laid.route.tiers:
        return 0.0
    first = laid.route.tiers[0]
    rank = policy.tiers[first.tier].rank
    worker = Worker(first.model, laid.route.task_type, laid.route.domain, rank)
    return round(pass_chance(laid.beliefs, worker).mean, 3)
