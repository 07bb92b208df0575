"""The command `batch`: many tasks from a file, a bar on stderr, a summary on stdout."""

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from cli import show
from cli.reading import DONE, NOT_DONE, UsageError, read_file
from orchestrator.answers import Answer
from orchestrator.batch import Line, Terms, choose_jobs, find_refusals, read_lines, work_off
from orchestrator.events import Event
from orchestrator.orchestrator import Orchestrator
from orchestrator.results import ENDED, BatchError, Results, sum_up

GO_ON = "Interrupted. The same command goes on where this one stopped; nothing paid for is asked again."


async def batch(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Delegate the tasks of a file, those that ended before excepted."""
    if given.jobs < 0:
        raise UsageError(f"--jobs {given.jobs} must be at least 1.")
    began = time.monotonic()
    out = Path(given.out).absolute()
    lines = read_lines(read_file(given.tasks).removeprefix("\ufeff"), given.tasks, out)
    results = Results(out)
    known = results.read()
    left = [line for line in lines if known.get(line.task_id, {}).get("status") not in ENDED]
    refusals = await find_refusals(orchestrator, left)
    if refusals:
        raise BatchError(given.tasks, refusals)
    with Bar(len(lines), len(lines) - len(left), quiet=given.json) as bar:
        terms = Terms(given.jobs or choose_jobs(orchestrator.config.policy), approved_paid=given.yes)
        try:
            await work_off(orchestrator, left, results, bar, terms)
        except anyio.get_cancelled_exc_class():
            bar.say(Text(GO_ON, "yellow"))
            raise
    summary = _sum_up(lines, results, done_before=len(lines) - len(left))
    show.tell(given, {**summary, "seconds": round(time.monotonic() - began, 3)}, show_summary)
    return DONE if summary["accepted"] == len(lines) else NOT_DONE


def _sum_up(lines: Sequence[Line], results: Results, done_before: int) -> Answer:
    totals = sum_up([line.task_id for line in lines], results.read())
    return {
        "tasks": len(lines),
        "done_before": done_before,
        "accepted": totals.statuses.get("accepted", 0),
        "statuses": dict(totals.statuses),
        "cost_usd": round(totals.cost_usd, 6),
        "saved_usd": round(totals.saved_usd, 6),
        "out": str(results.path),
    }


def show_summary(answer: show.Answer) -> RenderableType:
    """Show what came of a batch."""
    counts = ", ".join(f"{count} {status}" for status, count in answer["statuses"].items())
    before = f" ({answer['done_before']} of them before)" if answer["done_before"] else ""
    every = answer["accepted"] == answer["tasks"]
    money = f"${answer['cost_usd']:.4f} spent, ${answer['saved_usd']:.4f} saved, {answer['seconds']:.1f} s"
    return Group(
        Text(f"{answer['tasks']} tasks{before}: {counts}", "green" if every else "yellow"),
        Text(money),
        Text(f"→ {answer['out']}", "cyan"),
    )


class Bar:
    """Shows on stderr how many tasks ended, and each one's end; with `quiet` only on a terminal."""

    def __init__(self, tasks: int, done: int, *, quiet: bool) -> None:
        console = Console(stderr=True, highlight=False)
        self._silent = quiet and not console.is_terminal
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[money]}  {task.description}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID = self._progress.add_task("", total=tasks, completed=done, money="")
        self._cost_usd = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: Text) -> None:
        """Write one line above the bar."""
        if not self._silent:
            self._progress.console.print(text, soft_wrap=True)

    async def hear(self, line: Line, event: Event) -> None:
        """Name what is under way beside the bar."""
        self._progress.update(self._task, description=f"line {line.number}: {event.message[:60]}")

    def note(self, result: Mapping[str, object]) -> None:
        """Say how a task ended and count it."""
        status, cost = str(result["status"]), result.get("cost_usd", 0.0)
        self._cost_usd += cost if isinstance(cost, float) else 0.0
        good = status == "accepted"
        line = Text.assemble(
            ("✓ " if good else "✗ ", "green" if good else "red"),
            f"line {result['line']}  {result['task_id']}  {status}  {result.get('tier', '')}  ",
            ("" if good else str(result.get("message", "")), "dim"),
        )
        self.say(line)
        self._progress.update(self._task, advance=1, money=f"${self._cost_usd:.4f}")
