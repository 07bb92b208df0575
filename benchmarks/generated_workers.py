"""What is the gate of written tests worth with workers better than the one that it was measured on.

Recorded answers of several models to HumanEval tasks are run beside ten of the tests that CodeGen-16B wrote,
right ones only: what still passes wrongly is what tests of a faultless author do not see. Tasks with fewer
than five right tests are left out.

Usage: python benchmarks/generated_workers.py [DATA] [--known FILE] [--workers MODEL ...]
"""

import argparse
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from figures import table
from generated import DATA, SAMPLES, WRITTEN, Task, find_known
from generated import load as load_tests
from recorded import Answer, Recorded, load

from sandbox.choose import choose
from sandbox.program import Limits
from validators.generated.asserting import fit_tests, read_tests
from validators.generated.running import Bench, read_subject
from validators.validator import Given
from validators.verdict import Candidate

WORKERS = (
    "base/qwen2.5-coder-1.5b",
    "base/qwen2.5-coder-7b",
    "cq/codestral_22b",
    "cq/qwen2.5-coder_32b",
    "cq/claude-sonnet-4-20250514",
)
FEWEST = WRITTEN // 2


@dataclass(frozen=True, slots=True)
class Judged:
    """One recorded answer, and whether it passes all tests that were written."""

    answer: Answer
    passes: bool


async def judge_all(
    tasks: Sequence[Task], right: Mapping[str, Sequence[int]], recorded: Mapping[str, Recorded]
) -> dict[str, list[Judged]]:
    judged: dict[str, list[Judged]] = defaultdict(list)
    bench = Bench(choose(), Limits(seconds=60), Given())
    for task in tasks:
        good = [one for one in right[task.task_id] if one >= 0]
        if len(good) < FEWEST:
            continue
        chance = random.Random(task.task_id)  # noqa: S311 - it is repeatable that is wanted
        chosen = chance.sample(good, min(WRITTEN, len(good)))
        tests = [test for number in chosen for test in read_tests(task.tests[number])]
        for model, answer in recorded[task.task_id].answers.items():
            code = f"{recorded[task.task_id].context}\n{answer.code}"
            subject = read_subject(Candidate({"solution.py": code}, "python"))
            fitted = fit_tests(tests, subject.definitions, ())
            results = await bench.run(subject, fitted) if fitted else ()
            passes = len(fitted) == len(tests) and all(one.outcome == "passed" for one in results)
            judged[model].append(Judged(answer, passes))
    return judged


def show(judged: Mapping[str, Sequence[Judged]]) -> str:
    rows = [
        (model, gate, *_row([one for one in judged[model] if one.answer.visible or not visible]))
        for visible, gate in ((False, "none"), (True, "visible tests"))
        for model in sorted(judged)
    ]
    head = ("worker", "gate before", "right", "wrong", "right and passes", "wrong and passes")
    return table(head, rows)


def _row(found: Sequence[Judged]) -> tuple[int, int, int, int]:
    right = sum(one.answer.hidden for one in found)
    passed = sum(one.passes and one.answer.hidden for one in found)
    missed = sum(one.passes and not one.answer.hidden for one in found)
    return right, len(found) - right, passed, missed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--known", type=Path, help="which tests are right, as generated.py kept it")
    parser.add_argument("--workers", nargs="+", default=WORKERS)
    given = parser.parse_args()
    if not (given.data / SAMPLES).is_file():
        sys.exit(f"There are no recorded tests at {str(given.data)!r}. Name their folder first.")
    tasks = load_tests(given.data)
    recorded = {one.task_id: one for one in load(given.data, "humaneval", given.workers)}
    with tempfile.TemporaryDirectory() as folder:
        right = find_known(tasks, given.known or Path(folder) / "right.json")
    print(show(anyio.run(judge_all, tasks, right, recorded)))


if __name__ == "__main__":
    main()
