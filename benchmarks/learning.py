"""Simulate routes that learn on recorded answers: what they cost and how often they are wrong.

Tasks are drawn with replacement. The static route asks the ladder's models in order and accepts what passes
the visible tests; the learned one chooses its tiers by `orchestrator.learning` as the engine does, from
nothing. Hidden tests say who was right; a share of the accepted answers is reviewed by somebody who knows.
Regret is what a route loses more than another one, in asks of the last tier: its money, ten for an accepted
wrong answer, two for a task that nobody solved.

With `--wanted CONFIDENCE` work that is less sure waits until a later tier's work behaves alike, as the engine
does it; whether two answers do is drawn by measured rates.

Usage: python benchmarks/learning.py [DATA] [--sets humaneval lcb-leetcode] [--seeds N] [--reviews SHARE]
       [--explore SHARE] [--ladder MODEL ...] [--wanted CONFIDENCE]
"""

import argparse
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from figures import table
from recorded import SETS, Answer, Recorded, load

from orchestrator.confidence import estimate_confidence
from orchestrator.learning.beliefs import NOTHING, Beliefs, trust
from orchestrator.learning.calibration import Pair, calibrate
from orchestrator.learning.counts import Observation, fold
from orchestrator.learning.ladder import UNSOLVED, WRONG, rows
from orchestrator.learning.observing import Case, observe, observe_review
from orchestrator.learning.starting import DRAWS_PER_TIER, Option, Terms, choose_start
from orchestrator.outcome import Attempt, Support
from validators.verdict import Verdict

DATA = Path(__file__).parents[2] / "shared" / "data"
AFTER = (100, 500, 2000)
CASE = Case("standard_dev", "code", ("tests",))
TASKS_PER_DAY = 50
HALF_LIFE_DAYS = 30.0
ALIKE = {2: 0.95, 1: 0.3, 0: 0.2}
"""How often two answers that pass their tests do the same, by how many of the two are right (as measured)."""
SWAPS: Mapping[str, Sequence[tuple[str, str]]] = {
    "humaneval": (
        ("base/qwen2.5-coder-7b", "base/qwen2.5-coder-1.5b"),
        ("cq/qwen2.5-coder_32b", "cq/deepseek-coder_33b"),
    ),
    "lcb-leetcode": (
        ("Llama-3_1-Nemotron-Nano-8B-v1", "Codestral-Latest"),
        ("DeepCoder-14B-Preview", "Codestral-Latest"),
    ),
}
"""Models of the ladder, the first and the one that learned routes rest on, and who answers in their name."""


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated."""

    dataset: str
    tasks: Sequence[Recorded]
    ladder: Sequence[str]
    swapped: Mapping[str, str]
    """Model of the ladder to who answers in its name, in the second half."""
    swapped_first: bool
    """Whether it is the first half instead."""
    reviews: float
    wanted: float
    """Confidence that accepts work without a second author; 0 compares nothing."""

    def answer(self, task: Recorded, model: str, *, late: bool) -> Answer | None:
        named = self.swapped.get(model, model) if late != self.swapped_first else model
        return task.answers.get(named)


@dataclass(frozen=True, slots=True)
class End:
    """How one task ended."""

    right: int
    wrong: int
    usd: float

    def loss(self, ask_usd: float) -> float:
        """In asks of the last tier."""
        return self.usd / ask_usd + WRONG * self.wrong + UNSOLVED * (not self.right and not self.wrong)


@dataclass(frozen=True, slots=True)
class Draw:
    """One task of the sequence, with all that chance decides about it."""

    task: Recorded
    late: bool
    numbers: tuple[float, ...]
    chances: Mapping[frozenset[str], float]
    """Of each pair of models, for whether their answers do the same."""
    review: float


def draw_tasks(world: World, count: int, seed: int) -> list[Draw]:
    chance = random.Random(seed)  # noqa: S311 - a simulation that can be repeated
    size = 1 + DRAWS_PER_TIER * len(world.ladder)
    return [
        Draw(
            chance.choice(world.tasks),
            place >= count / 2,
            tuple(chance.random() for _ in range(size)),
            {frozenset(pair): chance.random() for pair in combinations(world.ladder, 2)},
            chance.random(),
        )
        for place in range(count)
    ]


def ask(
    world: World, draw: Draw, models: Sequence[str], beliefs: Beliefs = NOTHING
) -> tuple[list[Attempt], Answer | None]:
    """Ask models in order until one is accepted; returns the attempts and the accepted answer, the last."""
    attempts: list[Attempt] = []
    waiting: list[Answer] = []
    answers = [(model, world.answer(draw.task, model, late=draw.late)) for model in models]
    for model, answer in answers:
        if answer is None:
            continue
        verdict = Verdict("tests", "passed" if answer.visible else "failed", 0.95)
        attempt = Attempt(
            len(attempts) + 1, model, model, "recorded", verdicts=(verdict,), cost_usd=answer.usd
        )
        attempt = replace(attempt, approved=answer.visible)
        if answer.visible and world.wanted:
            attempt = compare(draw, attempt, answer, waiting)
        attempts.append(attempt)
        if answer.visible and is_taken(world, beliefs, attempt):
            return attempts, answer
        if answer.visible:
            waiting.append(replace(answer, model=model))
    if attempts and not attempts[-1].approved and waiting:
        last = next(one for one in reversed(attempts) if one.approved)
        return [*(one for one in attempts if one is not last), last], waiting[-1]
    return attempts, waiting[-1] if waiting else None


def compare(draw: Draw, attempt: Attempt, answer: Answer, waiting: Sequence[Answer]) -> Attempt:
    """Hold an answer against those that wait, as the engine does."""
    if not waiting:
        return replace(attempt, support="alone")
    agrees = any(
        draw.chances[frozenset({attempt.tier, other.model})] < ALIKE[answer.hidden + other.hidden]
        for other in waiting
    )
    verdict = Verdict("agreement", "passed", 0.96) if agrees else Verdict("agreement", "unavailable", 0.0)
    support: Support = "agreed" if agrees else "contested"
    return replace(attempt, verdicts=(*attempt.verdicts, verdict), support=support)


def is_taken(world: World, beliefs: Beliefs, attempt: Attempt) -> bool:
    sure = trust(beliefs, CASE.worker(attempt), attempt.verdicts) >= world.wanted
    return attempt.support in {"", "agreed"} or (attempt.support == "alone" and sure)


def end(attempts: Sequence[Attempt], accepted: Answer | None) -> End:
    usd = sum(attempt.cost_usd for attempt in attempts)
    return End(int(bool(accepted and accepted.hidden)), int(bool(accepted and not accepted.hidden)), usd)


@dataclass(frozen=True, slots=True)
class Learned:
    """How one task ended whose route was chosen."""

    end: End
    tiers: tuple[str, ...]
    told: tuple[Pair, Pair] | None
    """Of an accepted answer: confidence by the table alone, and by all that was learned, with the truth."""


def learn(world: World, draws: Sequence[Draw], explore: float) -> Iterator[Learned]:
    """Do as the engine does: recall, choose, ask, learn."""
    beliefs = NOTHING
    terms = Terms(
        "standard_dev",
        "code",
        explore=explore,
        usd_per_hour=0.0,
        money_approved=True,
        wanted_confidence=world.wanted,
        compares=world.wanted > 0,
    )
    usd = mean_usd(world)
    options = [
        Option(model, model, place - len(world.ladder) + 2, False, usd[model])
        for place, model in enumerate(world.ladder)
    ]
    for number, draw in enumerate(draws):
        start = choose_start(beliefs, options, terms, draw.numbers)
        attempts, accepted = ask(world, draw, start.tiers, beliefs)
        told = tell(beliefs, attempts[-1], accepted) if accepted else None
        seen = observe(beliefs, CASE, attempts)
        if accepted and draw.review < world.reviews:
            seen += observe_review(beliefs, CASE, attempts[-1], right=accepted.hidden)
        beliefs = believe(beliefs, seen, number)
        yield Learned(end(attempts, accepted), start.tiers, told)


def tell(beliefs: Beliefs, attempt: Attempt, accepted: Answer) -> tuple[Pair, Pair]:
    right = float(accepted.hidden)
    learned = trust(beliefs, CASE.worker(attempt), attempt.verdicts)
    return Pair(estimate_confidence(attempt.verdicts), right), Pair(learned, right)


def believe(beliefs: Beliefs, seen: Sequence[Observation], number: int) -> Beliefs:
    now = number * 86_400 / TASKS_PER_DAY
    return Beliefs({**beliefs.counts, **fold(beliefs.counts, seen, now, HALF_LIFE_DAYS)})


def mean_usd(world: World) -> dict[str, float]:
    """What an answer of each model costs in the mean; stands in for the policy's price."""
    found = {}
    for model in world.ladder:
        costs = [task.answers[model].usd for task in world.tasks if model in task.answers]
        found[model] = sum(costs) / len(costs)
    return found


def oracle(world: World, draw: Draw) -> End:
    """Ask only who is cheapest of those that are right; nobody when none is."""
    answers = [world.answer(draw.task, model, late=draw.late) for model in world.ladder]
    right = [answer.usd for answer in answers if answer and answer.hidden]
    return End(1, 0, min(right)) if right else End(0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class Line:
    """A route's sums after some tasks."""

    name: str
    tasks: int
    right: float
    wrong: float
    usd: float
    loss: float


def simulate(world: World, seeds: int, explore: float) -> list[Line]:
    ask_usd = mean_usd(world)[world.ladder[-1]]
    sums: dict[tuple[str, int], list[float]] = {}
    chosen: dict[tuple[str, ...], int] = {}
    told: list[tuple[Pair, Pair]] = []

    def add(name: str, ends: Sequence[End]) -> None:
        for after in AFTER:
            part = ends[:after]
            figures = (
                sum(one.right for one in part),
                sum(one.wrong for one in part),
                sum(one.usd for one in part),
                sum(one.loss(ask_usd) for one in part),
            )
            held = sums.setdefault((name, after), [0.0] * 4)
            sums[name, after] = [old + new / seeds for old, new in zip(held, figures, strict=True)]

    for seed in range(seeds):
        draws = draw_tasks(world, max(AFTER), seed)
        learned = list(learn(world, draws, explore))
        add("learned", [one.end for one in learned])
        for one in learned[-200:]:
            chosen[one.tiers] = chosen.get(one.tiers, 0) + 1
        told += [one.told for one in learned[500:] if one.told]
        for row in rows(len(world.ladder)):
            models = tuple(world.ladder[place] for place in row)
            add(" -> ".join(models), [end(*ask(world, draw, models)) for draw in draws])
        add("oracle", [oracle(world, draw) for draw in draws])
    most = sorted(chosen.items(), key=lambda item: -item[1])[:3]
    for tiers, count in most:
        print(f"learned, last 200 tasks: {100 * count / 200 / seeds:.0f} % {' -> '.join(tiers)}")
    table_alone, learned_too = (calibrate(pairs) for pairs in zip(*told, strict=True))
    print(
        f"confidence after the first 500 tasks: calibration error {table_alone.ece:.3f} by the table alone, "
        f"{learned_too.ece:.3f} learned (Brier {table_alone.brier:.3f}, {learned_too.brier:.3f})\n"
    )
    return [Line(name, after, *figures) for (name, after), figures in sums.items()]


def show(world: World, lines: Sequence[Line]) -> str:
    static, top = " -> ".join(world.ladder), world.ladder[-1]
    find = {(line.name, line.tasks): line for line in lines}
    fixed = {line.name for line in lines} - {"learned", "oracle"}
    body = []
    for after in AFTER:
        best = min(fixed, key=lambda name: find[name, after].loss)
        named = {
            "static": static,
            "learned": "learned",
            f"best fixed: {best}": best,
            "top only": top,
            "oracle": "oracle",
        }
        for name, key in named.items():
            line = find[key, after]
            body.append(
                (
                    after,
                    name,
                    f"{100 * line.right / after:.1f} %",
                    f"{100 * line.wrong / after:.1f} %",
                    f"{100 * line.usd / find[top, after].usd:.0f} %",
                    f"{(line.loss - find[best, after].loss) / after:.3f}",
                    f"{(line.loss - find['oracle', after].loss) / after:.3f}",
                )
            )
    head = ("tasks", "route", "right", "wrong", "of top's cost", "regret a task", "regret to oracle")
    return table(head, body)


def run(given: argparse.Namespace) -> None:
    for dataset in given.sets:
        ladder = tuple(given.ladder) or SETS[dataset]
        swaps = () if given.ladder else SWAPS[dataset]
        tasks = load(given.data, dataset, [*ladder, *(comes for _, comes in swaps)])
        plain = World(dataset, tasks, ladder, {}, False, given.reviews, given.wanted)
        worlds = {"models stay as they are": plain}
        for stays, comes in swaps:
            swapped = replace(plain, swapped={stays: comes})
            worlds[f"half-way {stays} becomes {comes}"] = swapped
            worlds[f"half-way {comes} becomes {stays}"] = replace(swapped, swapped_first=True)
        for name, world in worlds.items():
            print(f"\n### {dataset}, {len(tasks)} tasks: {name}\n")
            print(show(world, simulate(world, given.seeds, given.explore)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=tuple(SETS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--explore", type=float, default=0.05)
    parser.add_argument("--reviews", type=float, default=0.05)
    parser.add_argument("--ladder", nargs="+", default=(), help="models, weakest first; nobody is swapped")
    parser.add_argument("--wanted", type=float, default=0.0)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
