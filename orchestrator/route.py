"""What is tried for a task: policy and what is served here become a route. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.policy import Policy, TaskTypeName
from orchestrator.task import VALIDATORS, Task


@dataclass(frozen=True, slots=True)
class Served:
    """A tier that somebody serves here."""

    tier: str
    backend: str
    model: str
    context_tokens: int
    max_output_tokens: int
    paid: bool
    note: str = ""
    """What a person should know: the loaded context is smaller than the policy's."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A tier that nobody serves here, and why."""

    tier: str
    reason: str


Survey = Mapping[str, Served | Missing]
"""Tier name to what was found; holds every tier of the policy that was asked for."""


@dataclass(frozen=True, slots=True)
class Route:
    """Tiers in order, attempts per tier, who checks, by what, and what when exhausted."""

    task_type: TaskTypeName
    complexity: float
    tiers: tuple[Served, ...]
    left_out: tuple[Missing, ...]
    attempts_per_tier: int
    checker: str
    """`none`, `same`, `next` or a tier's name, as the policy says."""
    validators: tuple[str, ...]
    demanded: tuple[str, ...]
    """Validators that must pass because the caller gave something for them or named them."""
    when_exhausted: str
    review: str
    samples: int = 1
    """Candidates asked for at once of a free tier."""
    plan: bool = False
    """Whether a strategy is asked for before the work."""
    wanted_confidence: float = 0.0
    """Below it work that passed waits for a second author, where one can be asked."""
    voice: str = ""
    domain: str = ""
    ladder: tuple[Served, ...] = ()
    """All tiers of the policy's route that are served; `tiers` may lack those that are not worth asking."""
    retries: Mapping[str, int] = field(default_factory=dict)
    """Tier to the attempts that its record is worth, where they are fewer than the policy's."""

    def attempts_at(self, tier: str) -> int:
        """Say how often a tier is asked, the first time included."""
        return min(self.attempts_per_tier, self.retries.get(tier, self.attempts_per_tier))


class RouteError(ValueError):
    """The caller named a tier or a task type that is not in the policy."""


def plan_route(
    task: Task, policy: Policy, task_type: TaskTypeName, complexity: float, survey: Survey
) -> Route:
    """Lay the route for `task` over the tiers that `survey` found.

    Raises:
        RouteError: `start_tier` or `max_tier` names nothing; the message lists what there is.
    """
    rules = policy.task_types[task_type]
    wanted = select_tiers(task, policy, task_type)
    found = [_allow(survey[name], task) for name in wanted]
    served = tuple(tier for tier in found if isinstance(tier, Served))
    return Route(
        task_type=task_type,
        complexity=complexity,
        tiers=served,
        ladder=served,
        left_out=tuple(tier for tier in found if isinstance(tier, Missing)),
        attempts_per_tier=rules.attempts_per_tier,
        checker=rules.checker_at(complexity),
        validators=_order([*_usual(rules.validators, task), *task.validators, *_given(task)]),
        demanded=_order([*task.validators, *_given(task)]),
        when_exhausted=rules.when_exhausted,
        review=rules.review,
        samples=rules.samples,
        plan=rules.plan,
        wanted_confidence=rules.wanted_confidence,
    )


def select_tiers(task: Task, policy: Policy, task_type: TaskTypeName) -> tuple[str, ...]:
    """Name the tiers of the route, cut to `start_tier` and `max_tier`, which may lie outside it.

    Raises:
        RouteError: One of the two is not a tier.
    """
    start, end = _rank(task.start_tier, "start_tier", policy), _rank(task.max_tier, "max_tier", policy)
    route = list(policy.task_types[task_type].route)
    if task.start_tier and task.start_tier not in route:
        route = [task.start_tier, *(name for name in route if policy.tiers[name].rank > start)]
    kept = [name for name in route if not task.start_tier or policy.tiers[name].rank >= start]
    return tuple(name for name in kept if not task.max_tier or policy.tiers[name].rank <= end)


def tiers_of_interest(task: Task, policy: Policy, task_type: TaskTypeName) -> tuple[str, ...]:
    """Name the tiers to survey: the route's, and the checker's where the policy names one."""
    checker = policy.task_types[task_type].checker
    named = (checker,) if checker and checker in policy.tiers else ()
    return tuple(dict.fromkeys([*select_tiers(task, policy, task_type), *named]))


def pick_checker(route: Route, worker: Served, survey: Survey) -> Served | None:
    """Choose who judges `worker`; `None` when nobody does or the checker is not served here."""
    if route.checker == "none":
        return None
    if route.checker == "same":
        return worker
    if route.checker == "next":
        later = route.ladder[route.ladder.index(worker) + 1 :]
        return later[0] if later else worker
    found = survey.get(route.checker)
    return found if isinstance(found, Served) else None


def _allow(tier: Served | Missing, task: Task) -> Served | Missing:
    if isinstance(tier, Served) and tier.paid and task.max_cost_usd == 0:
        return Missing(tier.tier, "It costs money, and max_cost_usd is 0.")
    return tier


def choose_task_type(task: Task, policy: Policy, complexity: float) -> TaskTypeName:
    """Take the task type that the caller named, else the one that the complexity belongs to.

    Raises:
        RouteError: `task_type` names nothing; the message lists what there is.
    """
    if not task.task_type:
        return policy.task_type_of(complexity)
    for name in policy.task_types:
        if name == task.task_type:
            return name
    raise RouteError(f"There is no task type {task.task_type!r}. There are: {', '.join(policy.task_types)}.")


def _rank(tier: str, argument: str, policy: Policy) -> int:
    if not tier:
        return 0
    if tier not in policy.tiers:
        raise RouteError(f"{argument} {tier!r} is no tier. There are: {', '.join(policy.tiers_by_rank())}.")
    return policy.tiers[tier].rank


def _usual(listed: Sequence[str], task: Task) -> list[str]:
    """Return what the policy lists, without `examples` where tests are given, which say more."""
    return [name for name in listed if name != "examples" or "tests" not in _given(task)]


def _given(task: Task) -> list[str]:
    given = ["tests"] if task.tests or task.test_command else []
    return [*given, "benchmark"] if task.benchmark_command else given


def _order(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in VALIDATORS if name in names)
