"""Work on one ledger from several processes killed at random moments; `test_crash` reads what is left.

Usage: python -m tests.orchestrator.crashing FOLDER PROCESSES KILLS SEED

FOLDER holds escalation.toml. One process imports everything and forks the workers, so that a killed one is
replaced at once. A worker dies a moment after a random number of further events, so that the slowest machine
gets as much done as the fastest. At the end a last one goes on with every task that was begun, undisturbed.
"""

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import httpx

from backends import openai as _openai
from orchestrator.config import load_config
from orchestrator.events import Event
from orchestrator.orchestrator import Orchestrator
from orchestrator.task import Task

WARM = (httpx, _openai)
"""Loaded before forking; a worker that has to would die young too often."""
EVENTS = (1, 9)
"""Of a worker that is about to die; a task has about ten."""
MOMENT_SECONDS = 0.01
"""After the last of them, at most."""
ENDED = ("accepted", "skipped", "needs_review", "needs_approval")


def open_orchestrator(folder: Path) -> Orchestrator:
    environment = {"ORCHESTRATOR_HOME": str(folder / "home")}
    return Orchestrator(
        load_config(str(folder / "escalation.toml"), environment, folder), environment, folder
    )


async def work(folder: Path, worker: int, told: int) -> None:
    """Do tasks for ever, first those that a predecessor began; tell a pipe of each event."""
    orchestrator = open_orchestrator(folder)

    async def report(_: Event) -> None:
        os.write(told, b".")

    number = 0
    while True:
        number += 1
        task_id = f"w{worker}-{number}"
        task = Task(f"Write add(a, b) for {task_id}.", language="python")
        record = await orchestrator.world.records.find_task(task_id)
        if record is None:
            await orchestrator.execute(task, report, task_id)
        elif record.status not in ENDED:
            await orchestrator.resume(task_id, report)


async def finish(folder: Path) -> None:
    """Go on with every task that is not over."""
    orchestrator = open_orchestrator(folder)
    for record in await orchestrator.world.records.list_tasks(("running", "stopped"), limit=10_000):
        await orchestrator.resume(record.task_id)
    await orchestrator.aclose()


def fork(job: Callable[[], Awaitable[None]]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        anyio.run(job)
        code = 0
    except BaseException:  # noqa: BLE001 - a child of fork must not return into its parent's code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that works, and the pipe that hears of it."""

    number: int
    pid: int
    heard: int


def start(folder: Path, number: int) -> Worker:
    heard, told = os.pipe()
    pid = fork(partial(work, folder, number, told))
    os.close(told)
    return Worker(number, pid, heard)


def end(worker: Worker, events: int, seconds: float) -> None:
    """Kill a worker after so many further events; one that ended by itself had a reason worth failing for."""
    os.set_blocking(worker.heard, False)
    with suppress(BlockingIOError):
        while os.read(worker.heard, 4096):
            pass
    os.set_blocking(worker.heard, True)
    for _ in range(events):
        os.read(worker.heard, 1)
    time.sleep(seconds)
    os.kill(worker.pid, signal.SIGKILL)
    os.close(worker.heard)
    status = os.waitpid(worker.pid, 0)[1]
    if not os.WIFSIGNALED(status):
        raise SystemExit(f"A worker ended by itself with {os.waitstatus_to_exitcode(status)}.")


def main() -> None:
    folder, processes, kills = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(sys.argv[4])  # noqa: S311 - moments, not secrets
    open_orchestrator(folder).classify(Task("Write add(a, b)."))  # loads what is loaded at first use
    workers = [start(folder, number) for number in range(processes)]
    for turn in range(kills):
        worker = workers.pop(chance.randrange(len(workers)))
        end(worker, chance.randint(*EVENTS), chance.uniform(0, MOMENT_SECONDS))
        if kills - turn > processes:
            workers.append(start(folder, worker.number))
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(fork(partial(finish, folder)), 0)[1]))


if __name__ == "__main__":
    main()
