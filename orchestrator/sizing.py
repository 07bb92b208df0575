"""Say how hard a task is by what became of others, and by a model's opinion where its words leave it open."""

from contextlib import suppress

import anyio

from backends.backend import Request, Sampling
from backends.errors import BackendError
from orchestrator.classify import Classification
from orchestrator.classifying.asking import (
    ANSWER_TOKENS,
    OPINION_SCHEMA,
    ask_opinion,
    merge_opinion,
    needs_second_opinion,
    parse_opinion,
)
from orchestrator.classifying.refining import Seen, refine
from orchestrator.learning.beliefs import Beliefs
from orchestrator.route import Served
from orchestrator.task import Task
from orchestrator.world import World

OPINION_SECONDS = 20.0
"""How long an opinion is waited for: nothing was begun yet, and the words decide without it."""


async def refine_by_record(world: World, classification: Classification) -> Classification:
    """Move the complexity by what became of earlier tasks; asks no model."""
    return refine(classification, count_first_tries(await world.memory.recall()))


async def ask_for_opinion(world: World, task: Task, classification: Classification) -> Classification:
    """Ask the policy's model about a task whose words leave it open; without an answer they decide."""
    tier = world.policy.classifier.ask_when_unsure
    asked_for = task.task_type or task.complexity is not None
    if not tier or asked_for or not needs_second_opinion(classification):
        return classification
    served = (await world.servers.survey([tier], classification.domain))[tier]
    if not isinstance(served, Served):
        return classification
    request = Request(
        model=served.model,
        messages=ask_opinion(task.task),
        max_tokens=ANSWER_TOKENS,
        sampling=Sampling(temperature=0.0),
        schema=OPINION_SCHEMA,
        context_tokens=served.context_tokens,
    )
    seconds = min(task.timeout_seconds or OPINION_SECONDS, OPINION_SECONDS)
    with suppress(BackendError), anyio.move_on_after(seconds):
        opinion = parse_opinion((await world.servers.complete(served, request)).text)
        return merge_opinion(classification, opinion) if opinion else classification
    return classification


def count_first_tries(beliefs: Beliefs) -> dict[str, Seen]:
    """Add up by task type how the workers did that were asked first."""
    seen: dict[str, Seen] = {}
    for (kind, key), count in beliefs.counts.items():
        if kind == "worker" and key[-1] == "first":
            before = seen.get(key[1], Seen())
            seen[key[1]] = Seen(before.passed + count.yes, before.escalated + count.no)
    return seen
