"""Hold labelled answers to HumanEval tasks against the gate, without tests and with the task's own.

Every answer goes through `validate_submission`, the work behind the tool validate_outcome, under the packaged
policy: 164 correct answers and 1 464 bad ones of nine kinds.

Usage: python benchmarks/gate.py [DATA] [--limit N] [--wrong FILE]
"""

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from figures import table

from orchestrator.config import load_config, packaged_policy
from orchestrator.orchestrator import Orchestrator
from orchestrator.validation import Judgement, Submission, validate_submission
from orchestrator.world import World
from validators.validator import Given

DATA = Path(__file__).parents[2] / "shared" / "data"
CASES = Path("open") / "gate_cases.jsonl.gz"
AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Case:
    """An answer of which it is known whether it is right."""

    task_id: str
    kind: str
    is_good: bool
    task: str
    answer: str
    tests: str


@dataclass(frozen=True, slots=True)
class Run:
    """All cases judged in one way, in their order."""

    name: str
    seconds: float
    cases: Sequence[Case]
    judgements: Sequence[Judgement]

    def share(self, wanted: Callable[[Case], bool]) -> str:
        """Write how many of the wanted cases were accepted."""
        passed = [one.passed for case, one in zip(self.cases, self.judgements, strict=True) if wanted(case)]
        return f"{sum(passed)} ({100 * sum(passed) / len(passed):.1f} %)" if passed else "0"

    def wrong(self) -> Iterator[tuple[Case, Judgement]]:
        """Yield the cases that were misjudged."""
        for case, one in zip(self.cases, self.judgements, strict=True):
            if one.passed is not case.is_good:
                yield case, one


def load(data: Path, limit: int) -> list[Case]:
    with gzip.open(data / CASES, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return [
        Case(
            task_id=one["task_id"],
            kind=one["kind"],
            is_good=one["label"] == "good",
            task=one["query"],
            answer=one["answer"],
            tests=f"{one['test']}\ncheck({one['entry_point']})\n",
        )
        for one in found[:limit]
    ]


async def judge_all(world: World, cases: Sequence[Case], name: str, *, with_tests: bool) -> Run:
    judgements: dict[int, Judgement] = {}
    room = anyio.Semaphore(AT_ONCE)

    async def work(number: int, case: Case) -> None:
        given = Given(task=case.task, tests=case.tests if with_tests else "")
        async with room:
            judgements[number] = await validate_submission(
                world, Submission(case.answer, language="python", given=given)
            )

    began = time.perf_counter()
    async with anyio.create_task_group() as group:
        for number, case in enumerate(cases):
            group.start_soon(work, number, case)
    seconds = time.perf_counter() - began
    return Run(name, seconds, cases, [judgements[number] for number in range(len(cases))])


def show(runs: Sequence[Run]) -> str:
    kinds = sorted({case.kind for case in runs[0].cases})
    rows = [(kind, *(run.share(lambda case, kind=kind: case.kind == kind) for run in runs)) for kind in kinds]
    rows.append(("all bad", *(run.share(lambda case: not case.is_good) for run in runs)))
    rows.append(("seconds", *(f"{run.seconds:.1f}" for run in runs)))
    return table(("accepted", *(run.name for run in runs)), rows)


def list_wrong(runs: Sequence[Run]) -> str:
    """Write the misjudged cases with what was said of them, one JSON object a line."""
    return "".join(
        json.dumps(
            {
                "run": run.name,
                "task_id": case.task_id,
                "kind": case.kind,
                "said": [
                    f"{verdict.validator} {verdict.status} {remark.code}: {remark.message}"
                    for verdict in judgement.verdicts
                    for remark in verdict.diagnostics
                ],
                "answer": case.answer,
            }
        )
        + "\n"
        for run in runs
        for case, judgement in run.wrong()
    )


async def measure(cases: Sequence[Case], folder: Path) -> list[Run]:
    config = load_config(str(packaged_policy()), {"ORCHESTRATOR_HOME": str(folder)}, folder)
    orchestrator = Orchestrator(config, {}, folder)
    runs = [
        await judge_all(orchestrator.world, cases, "without tests", with_tests=False),
        await judge_all(orchestrator.world, cases, "with the task's tests", with_tests=True),
    ]
    await orchestrator.aclose()
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--limit", type=int, default=10**9)
    parser.add_argument("--wrong", type=Path, help="write what was misjudged to this file")
    given = parser.parse_args()
    if not (given.data / CASES).is_file():
        sys.exit(f"There are no labelled answers at {str(given.data)!r}. Name their folder first.")
    with tempfile.TemporaryDirectory() as folder:
        runs = anyio.run(measure, load(given.data, given.limit), Path(folder))
    print(show(runs))
    if given.wrong:
        given.wrong.write_text(list_wrong(runs), encoding="utf-8")


if __name__ == "__main__":
    main()
