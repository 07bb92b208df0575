"""What are tests worth that a model wrote: picking by them, and gating by them, on recorded ones.

100 answers and 100 requests for tests of CodeGen-16B on each of 164 HumanEval tasks, with what each answer
makes of each test, as published with CodeT. Which tests are right is measured here, by running them beside
the reference; so tests of a better author can be put together from what is there. Half of the tasks is held
against the table that the other half gives.

Usage: python benchmarks/generated.py [DATA] [--known FILE]
"""

import argparse
import gzip
import hashlib
import json
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from figures import table

from sandbox.choose import choose
from sandbox.program import Limits
from validators.generated.asserting import fit_tests, read_tests
from validators.generated.consensus import Consensus, dual_execution_agreement
from validators.generated.measured import EDGES, ENOUGH, bucket_of, confidence_of
from validators.generated.running import Bench, read_subject
from validators.validator import Given
from validators.verdict import Candidate

DATA = Path(__file__).parents[2] / "shared" / "data"
SAMPLES = Path("open") / "codet_codegen16b.jsonl.gz"
TASKS = Path("open") / "tasks.jsonl.gz"
AUTHORS = (0.35, 0.6, 0.8, 0.9, 1.0)
"""Shares of right tests; 35 % is about what the recorded author has where answers are right."""
WRITTEN = 10
"""Right tests of a perfect author; others have as many of both kinds together."""
COUNTS = (1, 2, 3, 5, 10, 100)
"""Candidates at once, as many as an engine would have."""
DRAWS = 15
BASE_RATE = 0.22
"""Right answers among the recorded ones."""
PRIOR_TASKS = 4
"""A cell of the table counts as if so many tasks with the base rate were in it too."""
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Task:
    """One task: its answers, and the recorded tests."""

    task_id: str
    reference: str
    answers: tuple[str, ...]
    """A letter for the hidden test, then one for each written test; one alone where it does not load."""
    tests: tuple[str, ...]

    @property
    def half(self) -> int:
        return hashlib.sha256(self.task_id.encode()).digest()[0] % 2


@dataclass(frozen=True, slots=True)
class Draw:
    """One situation: what some answers and some tests agree on."""

    task: Task
    consensus: Consensus
    right: tuple[bool, ...]
    """Of each answer."""

    @property
    def pick(self) -> float:
        """How much of the best group is right."""
        best = self.consensus.groups[0]
        return sum(self.right[one] for one in best) / len(best)


def load(data: Path) -> list[Task]:
    references = {
        row["task_id"]: f"{row['context']}\n{row['reference']}"
        for row in _rows(data / TASKS)
        if row["dataset"] == "humaneval"
    }
    return [
        Task(
            task_id=row["task_id"],
            reference=references[row["task_id"]],
            answers=tuple(
                one for one, count in zip(row["passes"], row["counts"], strict=True) for _ in range(count)
            ),
            tests=tuple(row["generated_tests"]),
        )
        for row in _rows(data / SAMPLES)
    ]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def passes(answer: str, test: int) -> bool:
    return len(answer) > test + 1 and answer[test + 1] == "p"


def draw(task: Task, tests: Sequence[int], answers: Sequence[str]) -> Draw:
    matrix = [[passes(answer, test) for test in tests] for answer in answers]
    return Draw(task, dual_execution_agreement(matrix), tuple(answer[0] == "p" for answer in answers))


def show_picks(tasks: Sequence[Task]) -> str:
    """Show pass@k of all 100 answers: drawn at random, and in the order of their agreement."""
    ks = (1, 2, 10)
    at_random, agreed = Counter[int](), Counter[int]()
    for task in tasks:
        whole = draw(task, range(len(task.tests)), task.answers)
        group_of = {one: group for group in whole.consensus.groups for one in group}
        for k in ks:
            at_random[k] += 1 - _all_wrong(whole.right, {range(len(whole.right)): k})
            taken = Counter(group_of[one] for one in whole.consensus.ranking[:k])
            agreed[k] += 1 - _all_wrong(whole.right, taken)
    rows = [
        (name, *(f"{100 * found[k] / len(tasks):.1f}" for k in ks))
        for name, found in (("at random", at_random), ("by agreement", agreed))
    ]
    return table(("% right of 100 answers", *(f"@{k}" for k in ks)), rows)


def _all_wrong(right: Sequence[bool], taken: Mapping[Sequence[int], int]) -> float:
    """Return the chance that all are wrong when so many of each group are drawn."""
    chance = 1.0
    for group, count in taken.items():
        wrong = sum(not right[one] for one in group)
        for number in range(count):
            chance *= max(0, wrong - number) / (len(group) - number)
    return chance


def show_shares(tasks: Sequence[Task]) -> str:
    """Show how often the best of 100 is right by how many of the 100 are in its group."""
    draws = [draw(task, range(len(task.tests)), task.answers) for task in tasks]
    rows = []
    for share in (10, 30, 50, 60):
        found = [one for one in draws if one.consensus.scores[0] and len(one.consensus.groups[0]) >= share]
        rows.append(
            (f">= {share} %", len(found), f"{100 * sum(one.pick for one in found) / len(found):.1f} %")
        )
    return table(("share of answers in the best group", "tasks", "right"), rows)


async def find_right(tasks: Sequence[Task]) -> dict[str, list[int]]:
    """Run the recorded tests beside the references; return the numbers of right and of wrong ones.

    Returns:
        By task: the number of a right test as it is, that of a wrong one as -1 less itself.
    """
    found = {}
    bench = Bench(choose(), Limits(seconds=120), Given())
    for task in tasks:
        subject = read_subject(Candidate({"solution.py": task.reference}, "python"))
        numbers = {test.source: number for number, text in enumerate(task.tests) for test in read_tests(text)}
        written = {test.source: test for text in task.tests for test in read_tests(text)}
        tests = fit_tests([*written.values()], subject.definitions, ())
        found[task.task_id] = []
        for at in range(0, len(tests), AT_ONCE):
            part = tests[at : at + AT_ONCE]
            for test, ran in zip(part, await bench.run(subject, part), strict=True):
                number = numbers[test.source]
                found[task.task_id] += {"silent": [], "passed": [number]}.get(ran.outcome, [-1 - number])
    return found


def find_known(tasks: Sequence[Task], known: Path) -> dict[str, list[int]]:
    """Take from a file what `find_right` found, or put it there."""
    if not known.exists():
        known.write_text(json.dumps(anyio.run(find_right, tasks)), encoding="utf-8")
    found: dict[str, list[int]] = json.loads(known.read_text(encoding="utf-8"))
    return found


def draw_all(tasks: Iterable[Task], right: Mapping[str, Sequence[int]], count: int) -> Iterator[Draw]:
    """Draw so many answers of each task with tests of each author, always the same ones."""
    chance = random.Random(count)  # noqa: S311 - it is repeatable that is wanted
    for author in AUTHORS:
        wanted = round(author * WRITTEN)
        for task in tasks:
            good = [one for one in right[task.task_id] if one >= 0]
            bad = [-1 - one for one in right[task.task_id] if one < 0]
            if len(good) < min(wanted, WRITTEN // 2):
                continue
            for _ in range(DRAWS):
                tests = chance.sample(good, min(wanted, len(good)))
                tests += chance.sample(bad, min(len(bad), round(len(tests) * (1 - author) / author)))
                yield draw(task, tests, chance.sample(task.answers, count))


def derive(draws: Iterable[Draw], *, complete: bool) -> tuple[float, ...]:
    """Return one row of the table: shrunk towards the base rate, and never falling."""
    cells: dict[int, list[Draw]] = defaultdict(list)
    for one in draws:
        if one.consensus.complete is complete:
            cells[bucket_of(one.consensus.share)].append(one)
    row: list[float] = []
    for bucket in range(len(EDGES)):
        found = cells[bucket]
        tasks = len({one.task.task_id for one in found})
        right = tasks * sum(one.pick for one in found) / len(found) if found else 0.0
        row.append(round(max([*row[-1:], (right + PRIOR_TASKS * BASE_RATE) / (tasks + PRIOR_TASKS)]), 2))
    return tuple(row)


def show_table(draws: Mapping[int, Sequence[Draw]]) -> str:
    rows = [
        (count, "all" if complete else "a part", *derive(found, complete=complete))
        for complete in (True, False)
        for count, found in draws.items()
    ]
    head = ("candidates", "the best group passes", *(f"share from {edge}" for edge in EDGES))
    return table(head, rows)


def show_halves(draws: Mapping[int, Sequence[Draw]]) -> str:
    """Hold the table of each half of the tasks against the other half."""
    rows = []
    for count, found in draws.items():
        expected: list[tuple[float, float]] = []
        for half in (0, 1):
            tables = {
                complete: derive([one for one in found if one.task.half == half], complete=complete)
                for complete in (True, False)
            }
            expected += [
                (tables[one.consensus.complete][bucket_of(one.consensus.share)], one.pick)
                for one in found
                if one.task.half != half
            ]
        sure = [(said, was) for said, was in expected if said >= ENOUGH]
        error = sum(abs(error) for error in _errors(expected)) / len(expected)
        rows.append(
            (
                count,
                f"{error:.3f}",
                f"{100 * len(sure) / len(expected):.1f} %",
                f"{sum(said for said, _ in sure) / max(1, len(sure)):.2f}",
                f"{sum(was for _, was in sure) / max(1, len(sure)):.2f}",
            )
        )
    return table(("candidates", "calibration error", f">= {ENOUGH}", "said there", "right there"), rows)


def _errors(expected: Sequence[tuple[float, float]]) -> Iterator[float]:
    by_said: dict[float, list[float]] = defaultdict(list)
    for said, was in expected:
        by_said[said].append(was)
    for said, found in by_said.items():
        yield sum(was - said for was in found)


def show_gate(draws: Mapping[int, Sequence[Draw]]) -> str:
    """Show what is accepted with and without the gate."""
    rows = []
    for count, found in draws.items():
        right = sum(one.right[0] for one in found)
        rows.append((count, "none: the first answer", *_shares(right, len(found), len(found))))
        for floor in (0.5, 0.65, ENOUGH, 0.8):
            taken = [one.pick for one in found if confidence_of(one.consensus) >= floor]
            rows.append((count, f"confidence >= {floor}", *_shares(sum(taken), len(taken), len(found))))
    return table(
        ("candidates", "gate", "accepted and right", "accepted and wrong", "wrong of accepted"), rows
    )


def _shares(right: float, taken: int, total: int) -> tuple[str, str, str]:
    wrong = taken - right
    return (
        f"{100 * right / total:.1f} %",
        f"{100 * wrong / total:.1f} %",
        f"{100 * wrong / max(1, taken):.1f} %",
    )


def show_outvoted(draws: Mapping[int, Sequence[Draw]]) -> str:
    rows = []
    for count, found in draws.items():
        sure = [one for one in found if confidence_of(one.consensus) >= ENOUGH]
        outside = [
            one.right[number]
            for one in sure
            for number in one.consensus.ranking
            if number not in one.consensus.groups[0]
        ]
        if outside:
            rows.append((count, len(outside), f"{100 * sum(outside) / len(outside):.1f} %"))
    return table(("candidates", "stand against a sure group", "right"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument(
        "--known", type=Path, help="keep in this file which tests are right: finding out takes a minute"
    )
    given = parser.parse_args()
    if not (given.data / SAMPLES).is_file():
        sys.exit(f"There are no recorded tests at {str(given.data)!r}. Name their folder first.")
    tasks = load(given.data)
    with tempfile.TemporaryDirectory() as folder:
        right = find_known(tasks, given.known or Path(folder) / "right.json")
    draws = {count: list(draw_all(tasks, right, count)) for count in COUNTS}
    parts = (
        show_picks(tasks),
        show_shares(tasks),
        show_table(draws),
        show_halves(draws),
        show_gate(draws),
        show_outvoted(draws),
    )
    print("\n\n".join(parts))


if __name__ == "__main__":
    main()
