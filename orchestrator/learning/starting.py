"""Where a route starts and which of its tiers are not worth asking. Pure: draws come in as numbers.

It picks from the tiers of the route, in their order; validators, checkers and guards are not its business.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from orchestrator.learning.beliefs import (
    Beliefs,
    Chance,
    Worker,
    mean_seconds,
    mean_usd,
    pass_chance,
    repaired,
    retry_chance,
    sound_chance,
    told_mean,
)
from orchestrator.learning.ladder import Prospect, Rung, Stakes, rows, set_stakes, standing, walk
from orchestrator.policy import Policy
from orchestrator.route import Route

SEEN = 10.0
"""Observations of a tier at a task type before it is passed over."""

KNOWN = 3.0
"""Observations of a tier at a task type before the route starts there on its account."""

GAIN = 0.05
"""Share of the loss that a change has to save; less is noise."""

ANSWER_TOKENS = 800
SECONDS_PER_ANSWER = 10.0
"""Both of an answer of a tier of which none was seen yet."""

WORTH = 0.15
"""How often a retry has to pass to be worth its wait: a quarter of what passes so is wrong."""

TRIED = 6.0
"""Observations of a retry before it is left out."""

DRAWS_PER_TIER = 3


@dataclass(frozen=True, slots=True)
class Option:
    """A tier of the route, and what an answer of it costs where none was seen yet."""

    tier: str
    model: str
    rank: int
    paid: bool
    usd: float = 0.0
    seconds: float = SECONDS_PER_ANSWER


@dataclass(frozen=True, slots=True)
class Terms:
    """Within which bounds a start is chosen."""

    task_type: str
    domain: str = ""
    attempts_per_tier: int = 1
    wanted_confidence: float = 0.0
    usd_per_hour: float = 0.5
    explore: float = 0.0
    """Share of tasks that try what is not known to be best; none of them critical."""
    money_approved: bool = False
    """Whether paid tiers may be asked before a free one was."""
    compares: bool = False
    """Whether work that passed with less than is wanted waits for a second author's."""
    pinned: bool = False
    """Whether the caller named the tier to start at."""


@dataclass(frozen=True, slots=True)
class Start:
    """The tiers that are tried, in order, and why."""

    tiers: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    reason: str = ""
    explored: bool = False
    expected: Prospect | None = None
    """`None` when nothing can be chosen: no tier is served."""


def options_of(route: Route, policy: Policy, tokens_in: int) -> tuple[Option, ...]:
    """Put a price on the tiers of a route, for a prompt of this length."""
    return tuple(
        Option(
            served.tier, served.model, tier.rank, served.paid, price_answer(policy, served.tier, tokens_in)
        )
        for served in route.tiers
        for tier in (policy.tiers[served.tier],)
    )


def price_answer(policy: Policy, tier: str, tokens_in: int) -> float:
    """Estimate what an answer of a tier costs by the policy, in USD."""
    rules = policy.tiers[tier]
    tokens_out = min(ANSWER_TOKENS, rules.max_output_tokens)
    return (tokens_in * (rules.usd_per_mtok_in or 0) + tokens_out * (rules.usd_per_mtok_out or 0)) / 1e6


def choose_start(
    beliefs: Beliefs, options: Sequence[Option], terms: Terms, draws: Sequence[float] = ()
) -> Start:
    """Choose the tiers with the least expected cost, waiting and wrong answers.

    Where a confidence is wanted, of the rows of tiers that reach it. Before enough was seen, and where little
    is gained, the route stays as the policy has it; nor is there anything to explore against before that.

    Args:
        beliefs: What was learned.
        options: The tiers of the route, in order.
        terms: The policy's and the caller's bounds.
        draws: Numbers in [0, 1): one that decides whether to explore, then `DRAWS_PER_TIER` for each option
            (Thompson sampling); none to do what is known to be best.
    """
    if not options:
        return Start(())
    rungs = [believe_rung(beliefs, option, terms) for option in options]
    is_new = all(rung.seen < SEEN for rung in rungs)
    explores = bool(draws) and draws[0] < terms.explore and terms.task_type != "critical"
    explored = explores and not is_new
    seen = rungs
    if explored:
        seen = [
            _draw_rung(beliefs, option, terms, draws[1 + DRAWS_PER_TIER * place :])
            for place, option in enumerate(options)
        ]
    stakes = set_stakes(rungs, terms.usd_per_hour, terms.wanted_confidence, compares=terms.compares)
    allowed = [row for row in rows(len(rungs)) if _is_allowed(row, rungs, terms)]
    known = allowed if explored else [row for row in allowed if _is_known(row, rungs)]
    best = min(known, key=lambda row: standing([seen[place] for place in row], stakes))
    chosen = [rungs[place] for place in best]
    if not explored and not _is_better(chosen, rungs, stakes):
        chosen = rungs
    return _tell(chosen, rungs, stakes, explored=explored and len(chosen) < len(rungs))


def retries(beliefs: Beliefs, worker: Worker, allowed: int) -> int:
    """Say how many retries a worker gets, at most `allowed`: up to the first that was seen to do little."""
    chances = (retry_chance(beliefs, worker, number) for number in range(1, allowed + 1))
    worthless = (number for number, chance in enumerate(chances) if _is_worthless(chance))
    return next(worthless, allowed)


def believe_rung(beliefs: Beliefs, option: Option, terms: Terms) -> Rung:
    """Put together what is believed of one tier."""
    worker = Worker(option.model, terms.task_type, terms.domain, option.rank)
    first, later = pass_chance(beliefs, worker, "first"), pass_chance(beliefs, worker, "later")
    sound = sound_chance(beliefs, worker)
    again = retries(beliefs, worker, terms.attempts_per_tier - 1)
    return Rung(
        tier=option.tier,
        paid=option.paid,
        first=first.mean,
        later=later.mean,
        sound=sound.mean,
        mended=repaired(sound),
        retries=tuple(retry_chance(beliefs, worker, number).mean for number in range(1, again + 1)),
        usd=mean_usd(beliefs, worker, option.usd),
        seconds=mean_seconds(beliefs, worker, option.seconds),
        told=told_mean(beliefs, worker),
        seen=first.seen + later.seen,
    )


def _draw_rung(beliefs: Beliefs, option: Option, terms: Terms, draws: Sequence[float]) -> Rung:
    worker = Worker(option.model, terms.task_type, terms.domain, option.rank)
    sound = sound_chance(beliefs, worker)
    drawn = sound.draw(draws[2])
    return replace(
        believe_rung(beliefs, option, terms),
        first=pass_chance(beliefs, worker, "first").draw(draws[0]),
        later=pass_chance(beliefs, worker, "later").draw(draws[1]),
        sound=drawn,
        mended=repaired(Chance(drawn, 1 - drawn)),
    )


def _is_allowed(row: Sequence[int], rungs: Sequence[Rung], terms: Terms) -> bool:
    """Keep what must stay, whatever was learned.

    That is two authors where they are compared, the tier that the caller named, and the last free tier before
    money until somebody said yes to money.
    """
    alone = terms.compares and len(row) == 1 and len(rungs) > 1
    if alone or (terms.pinned and row[0] != 0):
        return False
    paid = [place for place, rung in enumerate(rungs) if rung.paid]
    before = paid[0] - 1 if paid else -1
    return terms.money_approved or before < 0 or before in row


def _is_known(row: Sequence[int], rungs: Sequence[Rung]) -> bool:
    skipped = set(range(len(rungs))).difference(row)
    starts = row[0] == 0 or rungs[row[0]].seen >= KNOWN
    return starts and all(rungs[place].seen >= SEEN for place in skipped)


def _is_better(chosen: Sequence[Rung], rungs: Sequence[Rung], stakes: Stakes) -> bool:
    lacks, lost = standing(chosen, stakes)
    planned_lacks, planned_lost = standing(rungs, stakes)
    if lacks != planned_lacks:
        return lacks < planned_lacks
    return lost < (1 - GAIN) * planned_lost


def _is_worthless(chance: Chance) -> bool:
    return chance.seen >= TRIED and chance.mean < WORTH


def _tell(chosen: Sequence[Rung], rungs: Sequence[Rung], stakes: Stakes, *, explored: bool) -> Start:
    tiers = tuple(rung.tier for rung in chosen)
    skipped = [rung for rung in rungs if rung.tier not in tiers]
    expected, planned = walk(chosen, stakes), walk(rungs, stakes)
    if not skipped:
        return Start(tiers, expected=expected, reason="the route as the policy has it")
    why = "to learn more about the others" if explored else "; ".join(_records(skipped))
    reason = f"without {', '.join(rung.tier for rung in skipped)}: {why}. {_compare(expected, planned)}"
    return Start(tiers, tuple(rung.tier for rung in skipped), reason, explored, expected)


def _records(skipped: Sequence[Rung]) -> Iterator[str]:
    for rung in skipped:
        yield (
            f"{rung.tier} passes {100 * rung.first:.0f} % when first, {100 * rung.later:.0f} % when later, "
            f"{100 * (1 - rung.sound):.0f} % of it wrong, at ${rung.usd:.4f} and {rung.seconds:.0f} s "
            f"({rung.seen:.0f} seen)"
        )


def _compare(expected: Prospect, planned: Prospect) -> str:
    return (
        f"Expected {100 * expected.confidence:.0f} % right of what is accepted at ${expected.usd:.4f} and "
        f"{expected.seconds:.0f} s a task, instead of {100 * planned.confidence:.0f} % at ${planned.usd:.4f} "
        f"and {planned.seconds:.0f} s"
    )
