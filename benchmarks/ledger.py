"""Measure one ledger under many processes: is every row there, is the budget exact, how fast is it?

Each process delegates tasks to a scripted model that answers at once and has a price, so every task reserves,
pays and is audited. The second run has a budget that is too small: it must be used up and not exceeded.

Usage: python benchmarks/ledger.py [--processes 4] [--tasks 250] [--parallel 32]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import anyio
import apsw
from figures import spread_ms, table

from orchestrator.audit import verify
from orchestrator.config import load_config
from orchestrator.export import export
from orchestrator.ledger import Ledger
from orchestrator.money import Money, Reservation
from orchestrator.orchestrator import Orchestrator
from orchestrator.task import Task

ANSWER = "```python\ndef add(a, b):\n    return a + b\n```"
ENOUGH_USD = 1000.0
POLICY = """
[backends.script]
kind = "scripted"
path = "{script}"
[tiers.dear]
rank = 1
backend = "script"
model = "dear"
max_output_tokens = 1000
usd_per_mtok_in = 1.0
usd_per_mtok_out = 10.0
[task_types.quick_edit]
complexity = [0, 10]
route = ["dear"]
attempts_per_tier = 1
validators = ["syntax"]
[guards]
ask_before_paid = false
usd_per_day = {usd_per_day}
"""
CALLS = 1000


@dataclass(frozen=True, slots=True)
class Left:
    """What the ledger holds afterwards."""

    tasks: int
    accepted: int
    attempts: int
    calls: int
    spent_usd: float
    told_usd: float
    """What the outcomes say that they cost, added up."""


def open_orchestrator(folder: Path) -> Orchestrator:
    environment = {"ORCHESTRATOR_HOME": str(folder / "home")}
    return Orchestrator(
        load_config(str(folder / "escalation.toml"), environment, folder), environment, folder
    )


def prepare(folder: Path, usd_per_day: float) -> None:
    script = folder / "script.json"
    script.write_text(json.dumps({"models": {"dear": {"default": ANSWER}}}), encoding="utf-8")
    policy = POLICY.format(script=script, usd_per_day=usd_per_day)
    (folder / "escalation.toml").write_text(policy, encoding="utf-8")


async def delegate(folder: Path, worker: str, tasks: int, parallel: int) -> None:
    """Delegate tasks, `parallel` at once."""
    orchestrator = open_orchestrator(folder)
    numbers = iter(range(tasks))

    async def some() -> None:
        for number in numbers:
            task = Task(f"Write add(a, b), variant {number} of {worker}", language="python")
            await orchestrator.execute(task, task_id=f"{worker}-{number}")

    async with anyio.create_task_group() as group:
        for _ in range(parallel):
            group.start_soon(some)
    await orchestrator.aclose()


def run_processes(folder: Path, processes: int, tasks: int) -> float:
    """Start the processes and return how long the last one took, starting Python included."""
    began = time.perf_counter()
    command = [sys.executable, __file__, "--tasks", str(tasks), "--work-in", str(folder)]
    workers = [subprocess.Popen([*command, "--worker", f"p{number}"]) for number in range(processes)]
    codes = [worker.wait() for worker in workers]
    if any(codes):
        raise SystemExit(f"The processes ended with {codes}.")
    return time.perf_counter() - began


def read_left(folder: Path) -> Left:
    db = apsw.Connection(str(folder / "home" / "ledger.db"))
    one = (
        "SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM tasks WHERE status = 'accepted'),"
        " (SELECT count(*) FROM attempts), (SELECT count(settled_usd) FROM money),"
        " (SELECT sum(coalesce(settled_usd, reserved_usd)) FROM money),"
        " (SELECT sum(json_extract(outcome, '$.cost_usd')) FROM tasks)"
    )
    left = Left(*db.execute(one).fetchone())
    db.close()
    return left


async def verified(folder: Path) -> str:
    ledger = Ledger(folder / "home" / "ledger.db")
    began = time.perf_counter()
    broken = await verify(ledger)
    seconds = time.perf_counter() - began
    await ledger.aclose()
    return broken.reason if broken else f"holds ({seconds * 1e3:.0f} ms)"


def show(name: str, folder: Path, wanted: int, seconds: float, usd: float) -> tuple[str, ...]:
    left = read_left(folder)
    exact = abs(left.spent_usd - left.told_usd) < 1e-9
    return (
        name,
        f"{left.tasks} of {wanted}",
        str(left.accepted),
        f"{left.attempts} / {left.calls}",
        f"${left.spent_usd:.6f} of ${usd:g}",
        "yes" if exact and left.spent_usd <= usd + 1e-9 else f"NO: outcomes say ${left.told_usd:.6f}",
        anyio.run(verified, folder),
        f"{wanted / seconds:.0f}",
    )


async def measure_calls(folder: Path) -> list[tuple[str, ...]]:
    """Measure what money and its trail take of one paid call, with a trail that is long already."""
    ledger = Ledger(folder / "home" / "ledger.db")
    money = Money(ledger)
    reserving, settling = [], []
    for number in range(CALLS):
        began = time.perf_counter()
        reserved = await money.reserve(Reservation(f"t{number}", "step", "dear", 0.01, 1.0, ENOUGH_USD))
        middle = time.perf_counter()
        if not isinstance(reserved, int):
            raise SystemExit(f"There is no room for the call: {reserved}")
        await money.settle(reserved, 0.001)
        reserving.append(middle - began)
        settling.append(time.perf_counter() - middle)
    began = time.perf_counter()
    with (folder / "tasks.jsonl").open("w", encoding="utf-8") as out:
        rows = await export(ledger, "jsonl", out)
    exported = time.perf_counter() - began
    await ledger.aclose()
    return [
        ("reserve", *spread_ms(reserving)),
        ("settle", *spread_ms(settling)),
        (f"export of {rows} tasks, per task", f"{exported / rows * 1e3:.3f}", ""),
    ]


def measure(processes: int, tasks: int, parallel: int) -> None:
    wanted, rows = processes * tasks, []
    with tempfile.TemporaryDirectory() as ample, tempfile.TemporaryDirectory() as tight:
        prepare(Path(ample), ENOUGH_USD)
        seconds = run_processes(Path(ample), processes, tasks)
        rows.append(show(f"{processes} x {tasks}, ample budget", Path(ample), wanted, seconds, ENOUGH_USD))
        half = read_left(Path(ample)).spent_usd / 2
        prepare(Path(tight), half)
        seconds = run_processes(Path(tight), processes, tasks)
        rows.append(show(f"{processes} x {tasks}, half the budget", Path(tight), wanted, seconds, half))
        calls = anyio.run(measure_calls, Path(ample))
    with tempfile.TemporaryDirectory() as one:
        prepare(Path(one), ENOUGH_USD)
        began = time.perf_counter()
        anyio.run(delegate, Path(one), "p0", parallel, parallel)
        seconds = time.perf_counter() - began
        rows.append(show(f"{parallel} at once in one process", Path(one), parallel, seconds, ENOUGH_USD))
    head = ("run", "tasks", "accepted", "attempts / calls", "spent", "exact", "audit trail", "tasks/s")
    print(table(head, rows), end="\n\n")
    print(table((f"{CALLS} calls", "p50 ms", "p95 ms"), calls))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--tasks", type=int, default=250)
    parser.add_argument("--parallel", type=int, default=32)
    parser.add_argument("--worker", default="", help=argparse.SUPPRESS)
    parser.add_argument("--work-in", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        anyio.run(delegate, Path(given.work_in), given.worker, given.tasks, 1)
    else:
        measure(given.processes, given.tasks, given.parallel)


if __name__ == "__main__":
    main()
