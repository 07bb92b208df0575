"""Measure the gate `agreement` on recorded answers: what it tells right from wrong, what routes with it cost.

Answers that pass their visible tests are run side by side on made-up arguments; which are right is known from
the recorded verdicts of hidden tests. Then routes are walked by these: the plain cascade accepts what passes
the visible tests; with the gate an answer waits until one of another model does the same.

Usage: python benchmarks/agreement.py [DATA] [--sets humaneval lcb-leetcode] [--ladder MODEL ...]
"""

import argparse
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import anyio
from figures import table
from recorded import SETS, Answer, Recorded, load

from sandbox.choose import choose
from sandbox.program import Limits
from sandbox.warm import Warm
from validators.agreement.comparing import Comparison
from validators.agreement.running import compare_candidates
from validators.agreement.seeds import find_seeds
from validators.runners.python_start import preload
from validators.verdict import Candidate

DATA = Path(__file__).parents[2] / "shared" / "data"
LOCAL_USD_PER_MTOK = 2.0
"""What is cheaper counts as a model of one's own."""


@dataclass(frozen=True, slots=True)
class Case:
    """One task, and which of its answers that pass the visible tests do the same."""

    task: Recorded
    compared: bool
    agreeing: frozenset[tuple[str, str]]
    """Pairs of models, the weaker first."""
    seconds: float


Accept = Callable[[Case, Sequence[Answer], Sequence[Answer]], Answer | None]
"""Takes the case, the answers so far and those still to be asked for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a route comes to."""

    right: int
    wrong: int
    skipped: int
    by_tokens: float
    """Cost as a share of the top model's for all tasks."""
    by_calls: float
    """The same where each call costs the model's price, however long the answer."""
    calls: tuple[int, ...]


async def compare_answers(tasks: Sequence[Recorded], ladder: Sequence[str]) -> list[Case]:
    sandbox = Warm(choose(), preload)
    cases = [await _compare(sandbox, task, ladder) for task in tasks]
    await sandbox.aclose()
    return cases


async def _compare(sandbox: Warm, task: Recorded, ladder: Sequence[str]) -> Case:
    seeds = find_seeds(task.prompt, "\n".join(task.visible_tests))
    models = [model for model in ladder if model in task.answers and task.answers[model].visible]
    if seeds is None or len(models) < 2:
        return Case(task, seeds is not None, frozenset(), 0.0)
    candidates = [
        Candidate({"solution.py": f"{task.context}\n{task.answers[model].code}"}, "python")
        for model in models
    ]
    began = time.perf_counter()
    found: Comparison = await compare_candidates(sandbox, Limits(), candidates, seeds, task.prompt)
    seconds = time.perf_counter() - began
    agreeing = frozenset((models[one.first], models[one.second]) for one in found.pairs if one.agrees)
    return Case(task, not found.obstacle, agreeing, seconds)


def plain(_: Case, asked: Sequence[Answer], __: Sequence[Answer]) -> Answer | None:
    return asked[-1] if asked[-1].visible else None


def friends(case: Case, passing: Sequence[Answer]) -> list[Answer]:
    """Return the largest group of answers that agree with one of them."""
    groups = [
        [
            other
            for other in passing
            if other is one or {(one.model, other.model), (other.model, one.model)} & case.agreeing
        ]
        for one in passing
    ]
    return max(groups, key=len, default=[])


def confirmed(wanted: int, *, trust_best_local: bool = False) -> Accept:
    """Accept what `wanted` models do alike; the last model's answer stands alone.

    Args:
        wanted: Models that must do the same.
        trust_best_local: What the last model of one's own says is accepted alone too, before others are paid.
    """

    def accept(case: Case, asked: Sequence[Answer], rest: Sequence[Answer]) -> Answer | None:
        passing = [answer for answer in asked if answer.visible]
        group = friends(case, passing)
        if not passing:
            return None
        if len(group) >= wanted or not case.compared:
            return group[-1]
        best = asked[-1]
        paid_next = trust_best_local and best.visible and _is_local(best) and not any(map(_is_local, rest))
        return passing[-1] if not rest or paid_next else None

    return accept


def _is_local(answer: Answer) -> bool:
    return answer.usd_per_mtok < LOCAL_USD_PER_MTOK


def walk(cases: Sequence[Case], ladder: Sequence[str], accept: Accept) -> Outcome:
    right = wrong = 0
    usd = price = 0.0
    calls: Counter[str] = Counter()
    for case in cases:
        answers = [case.task.answers[model] for model in ladder if model in case.task.answers]
        for place, answer in enumerate(answers):
            calls[answer.model] += 1
            usd, price = usd + answer.usd, price + answer.usd_per_mtok
            if got := accept(case, answers[: place + 1], answers[place + 1 :]):
                right, wrong = right + got.hidden, wrong + (not got.hidden)
                break
    tops = [case.task.answers[ladder[-1]] for case in cases if ladder[-1] in case.task.answers]
    return Outcome(
        right,
        wrong,
        len(cases) - right - wrong,
        usd / sum(one.usd for one in tops),
        price / sum(one.usd_per_mtok for one in tops),
        tuple(calls[model] for model in ladder),
    )


def undominated(tasks: Sequence[Recorded], ladder: Sequence[str]) -> tuple[str, ...]:
    """Leave out each model that a later one beats at a lower price, both by what was measured."""
    found = []
    for place, model in enumerate(ladder):
        own = [task.answers[model] for task in tasks if model in task.answers]
        later = [[task.answers[one] for task in tasks if one in task.answers] for one in ladder[place + 1 :]]
        dearer = any(
            other[0].usd_per_mtok < own[0].usd_per_mtok and _rate(other) > _rate(own) for other in later
        )
        found += [] if dearer else [model]
    return tuple(found)


def _rate(answers: Sequence[Answer]) -> float:
    return sum(one.hidden for one in answers) / len(answers)


def routes(tasks: Sequence[Recorded], ladder: Sequence[str]) -> Mapping[str, tuple[tuple[str, ...], Accept]]:
    short = undominated(tasks, ladder)
    found = {
        "top model, visible tests": ((ladder[-1],), plain),
        "plain cascade": (tuple(ladder), plain),
        "two alike": (tuple(ladder), confirmed(2)),
        "three alike": (tuple(ladder), confirmed(3)),
        "two alike, else the best local": (tuple(ladder), confirmed(2, trust_best_local=True)),
    }
    if short != tuple(ladder):
        found |= {
            f"{name}; no dominated model": (short, accept)
            for name, (one, accept) in found.items()
            if len(one) > 1
        }
    return found


def likelihoods(cases: Sequence[Case], ladder: Sequence[str]) -> list[tuple[object, ...]]:
    """Count how often a right and a wrong answer that pass the visible tests agree with n others that do."""
    counts: Counter[tuple[bool, int, int]] = Counter()
    for case in cases:
        passing = [
            case.task.answers[model]
            for model in ladder
            if model in case.task.answers and case.task.answers[model].visible
        ]
        for size in range(2, len(passing) + 1):
            for some in combinations(passing, size):
                for one in some:
                    alike = sum(
                        bool({(one.model, other.model), (other.model, one.model)} & case.agreeing)
                        for other in some
                    )
                    counts[one.hidden, size - 1, alike] += 1
    rows = []
    for others in range(1, len(ladder)):
        totals = [sum(counts[hidden, others, n] for n in range(others + 1)) for hidden in (True, False)]
        for alike in range(others + 1):
            right, wrong = counts[True, others, alike], counts[False, others, alike]
            if right + wrong and all(totals):
                ratio = (right / totals[0]) / (wrong / totals[1]) if wrong else float("inf")
                rows.append(
                    (others, alike, right, wrong, f"{100 * right / (right + wrong):.1f} %", f"{ratio:.2f}")
                )
    return rows


def show(dataset: str, cases: Sequence[Case], ladder: Sequence[str]) -> str:
    halves = {
        "all": cases,
        "half A": [one for one in cases if _half(one)],
        "half B": [one for one in cases if not _half(one)],
        "answered by all": [one for one in cases if all(model in one.task.answers for model in ladder)],
    }
    parts = [f"### {dataset}: {', '.join(ladder)}"]
    tasks = [one.task for one in cases]
    for name, some in halves.items():
        if name == "answered by all" and len(some) == len(cases):
            continue
        rows = [
            (
                route,
                f"{one.right} ({100 * one.right / len(some):.1f} %)",
                one.wrong,
                one.skipped,
                f"{100 * one.by_tokens:.1f} %",
                f"{100 * one.by_calls:.1f} %",
                one.calls,
            )
            for route, (models, accept) in routes(tasks, ladder).items()
            for one in (walk(some, models, accept),)
        ]
        head = ("route", "right", "wrong", "skipped", "cost by tokens", "cost by calls", "calls")
        parts += [f"{name}, {len(some)} tasks, cost in shares of the top model's", table(head, rows)]
    head = ("other authors", "of them alike", "right", "wrong", "right of these", "likelihood ratio")
    times = sorted(one.seconds for one in cases if one.seconds)
    parts += [
        table(head, likelihoods(cases, ladder)),
        f"A comparison takes {1e3 * times[len(times) // 2]:.0f} ms (median).",
    ]
    return "\n\n".join(parts)


def _half(case: Case) -> bool:
    return hashlib.sha256(case.task.task_id.encode()).digest()[0] % 2 == 1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=tuple(SETS))
    parser.add_argument("--ladder", nargs="+", default=(), help="models, weakest first")
    given = parser.parse_args()
    if not (given.data / "open").is_dir():
        sys.exit(f"There is no replay data at {str(given.data)!r}. Name its folder as the first argument.")
    for dataset in given.sets:
        ladder = tuple(given.ladder) or SETS[dataset]
        cases = anyio.run(compare_answers, load(given.data, dataset, ladder), ladder)
        print(show(dataset, cases, ladder))


if __name__ == "__main__":
    main()
