"""Lay the route of a task: its type, its voice, who is served here, and where its record says to begin."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from backends.backend import Message
from backends.tokens import estimate_tokens
from orchestrator.classify import Classification
from orchestrator.learning.beliefs import NOTHING, Beliefs, Worker
from orchestrator.learning.starting import DRAWS_PER_TIER, Start, Terms, choose_start, options_of, retries
from orchestrator.policy import Policy, TaskTypeName, VoicePolicy
from orchestrator.route import (
    Route,
    Survey,
    choose_task_type,
    plan_route,
    select_tiers,
    tiers_of_interest,
)
from orchestrator.task import Task
from orchestrator.voices import choose_voice
from orchestrator.world import World

Draws = Callable[[int], Sequence[float]] | None
"""Makes the numbers that a route of so many tiers is explored by."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A route, and what was found when it was laid."""

    route: Route
    survey: Survey
    beliefs: Beliefs = NOTHING
    why: str = ""
    """Why the route is not as the policy has it; empty where it is."""


async def lay_route(
    world: World, task: Task, classification: Classification, *, draws: Draws = None, approved: bool = False
) -> Laid:
    """Ask the backends who serves what, and lay the route over them.

    Args:
        world: Policy, servers, ledger.
        task: What is to be done.
        classification: What it looks like.
        draws: Gives numbers in [0, 1) to explore by; without them what is known to be best is taken.
        approved: Whether money may be spent on this task without asking.

    Raises:
        RouteError: The task names a tier or a type that is not in the policy.
    """
    policy = world.policy
    complexity = task.complexity if task.complexity is not None else classification.complexity
    task_type = choose_task_type(task, policy, complexity)
    name = choose_voice(policy.voices, task_type, task.task)
    voice = policy.voices.get(name)
    pinned = bool(task.start_tier)
    task = _begin_with(task, voice, policy, task_type)
    domain = task.domain or (voice and voice.domain) or classification.domain
    share = zlib.crc32(task.digest.encode())
    survey = await world.servers.survey(tiers_of_interest(task, policy, task_type), domain, share)
    planned = plan_route(task, policy, task_type, complexity, survey)
    route = replace(planned, voice=name, domain=domain)
    if not policy.learning.enabled or not route.tiers:
        return Laid(route, survey)
    beliefs = await world.memory.recall()
    approved = approved or not policy.guards.ask_before_paid
    terms = _set_terms(policy, route, approved=approved, pinned=pinned)
    options = options_of(route, policy, estimate_tokens([Message("user", task.task)]))
    start = choose_start(beliefs, options, terms, draws(len(options)) if draws else ())
    return Laid(
        _shorten(route, policy, start, beliefs), survey, beliefs, start.reason if start.skipped else ""
    )


def draw_for(task_id: str) -> Callable[[int], Sequence[float]]:
    """Draw by the task's id, so that a resumed task explores as it did before."""

    def draws(tiers: int) -> Sequence[float]:
        chance = Random(task_id)  # noqa: S311 - nobody gains by guessing it
        return [chance.random() for _ in range(1 + DRAWS_PER_TIER * tiers)]

    return draws


def _set_terms(policy: Policy, route: Route, *, approved: bool, pinned: bool) -> Terms:
    return Terms(
        task_type=route.task_type,
        domain=route.domain,
        attempts_per_tier=route.attempts_per_tier,
        wanted_confidence=route.wanted_confidence,
        usd_per_hour=policy.learning.usd_per_hour,
        explore=policy.learning.explore,
        money_approved=approved,
        pinned=pinned,
        compares="agreement" in route.validators and route.wanted_confidence > 0,
    )


def _shorten(route: Route, policy: Policy, start: Start, beliefs: Beliefs) -> Route:
    """Leave out the tiers that are not worth asking, and the retries that never helped."""
    tiers = tuple(tier for tier in route.tiers if tier.tier in start.tiers)
    allowed = {
        tier.tier: 1
        + retries(
            beliefs,
            Worker(tier.model, route.task_type, route.domain, policy.tiers[tier.tier].rank),
            route.attempts_per_tier - 1,
        )
        for tier in tiers
    }
    return replace(route, tiers=tiers, retries=allowed)


def _begin_with(task: Task, voice: VoicePolicy | None, policy: Policy, task_type: TaskTypeName) -> Task:
    """Start where the voice prefers, unless the caller says where or the route does not go there."""
    start = voice.start_tier if voice else None
    if not start or task.start_tier or start not in select_tiers(task, policy, task_type):
        return task
    return replace(task, start_tier=start)


def describe_route(laid: Laid) -> str:
    """Say in one line what will be tried."""
    route = laid.route
    tiers = " -> ".join(tier.tier for tier in route.tiers) or "no tier is served here"
    voice = f", voice {route.voice}" if route.voice else ""
    left_out = f" (not here: {', '.join(one.tier for one in route.left_out)})" if route.left_out else ""
    why = f"; {laid.why}" if laid.why else ""
    return f"{route.task_type}, complexity {route.complexity:g}{voice}: {tiers}{left_out}{why}"
