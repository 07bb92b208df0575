"""The validator `benchmark`: a command must succeed beside the candidate, and keep its goal if it has one.

The command is given as `CMD`, or with a goal at its end:

    python bench.py => seconds < 2.5
    python bench.py => ops_per_second > 1000
    python bench.py => 1.2x faster
    python bench.py => ops_per_second not slower

`seconds` is the wall clock of the command. Any other name is a number that the command prints as
`NAME: NUMBER` or `NAME=NUMBER`. Without a goal there, the requirements are searched for one ("at least 20 %
faster", "no more than 5 % slower", "under 200 ms"). A bound is held against the best of up to five runs. A
speed is held against the same command in the workspace as it was, in five to nine rounds of both. All runs
together have the time that one run in the sandbox may take.

The candidate runs in the program that measures it and can print too: what serves to get past its judges
fails, and two values under one name are no measurement. That is a tripwire, so a pass spares no checker.
"""

import re
from dataclasses import dataclass, replace
from functools import partial

import anyio
from anyio import to_thread

from sandbox.program import Execution, Limits, Program, Sandbox
from validators.goals import NUMBER, WALL_CLOCK, Bound, Speed, find_goal, parse_benchmark
from validators.measuring import BOUND_RUNS, MOST_ROUNDS, Rounds, decide_bound, decide_speed
from validators.runners.cheating import find_cheats
from validators.runners.commands import absent_program, command_program
from validators.sandboxed import Decision, describe_end, judge_sandboxed, tail, to_verdict, unavailable
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt, Verdict

CONFIDENCE = 0.9
_LEAST_SECONDS = 0.5
"""A run is not begun with less than this left."""
_SHOWN_VALUES = 3


class Benchmark:
    """Runs a benchmark command in a copy of the workspace, in the sandbox."""

    name = "benchmark"

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self._sandbox = sandbox
        self._limits = limits

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Run the command, once or as often as the goal needs."""
        return await judge_sandboxed(self.name, candidate, partial(self._judge, candidate, given))

    async def _judge(self, candidate: Candidate, given: Given) -> Verdict:
        if not given.benchmark_command.strip():
            return unavailable(self.name, "No benchmark was given.")
        try:
            command, goal = parse_benchmark(given.benchmark_command)
        except ValueError as error:
            return unavailable(self.name, str(error))
        goal = goal or find_goal(given.requirements)
        if isinstance(goal, Speed) and not given.workspace:
            return unavailable(self.name, f"Without a workspace there is nothing to be {goal}.")
        if remarks := await to_thread.run_sync(find_cheats, candidate, given):
            return Verdict(self.name, "failed", CONFIDENCE, remarks)
        return await self._run(candidate, given, command, goal)

    async def _run(
        self, candidate: Candidate, given: Given, command: str, goal: Bound | Speed | None
    ) -> Verdict:
        course = _Course(self._sandbox, command, anyio.current_time() + self._limits.seconds)
        program = command_program(command, candidate, given, self._limits)
        if isinstance(goal, Speed):
            as_it_was = replace(candidate, files={}, removed=())
            untouched = command_program(command, as_it_was, given, self._limits)
            decision = await _race(course, goal, untouched, program)
        else:
            decision = await _measure(course, goal, program)
        receipt = Receipt(
            tool=self._sandbox.name, command=given.benchmark_command, exit_code=course.exit_code
        )
        return to_verdict(self.name, decision, CONFIDENCE, receipt)


@dataclass(slots=True)
class _Course:
    """Where runs take place, and until when."""

    sandbox: Sandbox
    command: str
    until: float
    exit_code: int | None = None

    @property
    def has_time(self) -> bool:
        return self.until - anyio.current_time() > _LEAST_SECONDS

    async def run(self, program: Program, name: str) -> float | Decision:
        """Run once in the time that is left; a number, or what is wrong with the run."""
        left = max(_LEAST_SECONDS, self.until - anyio.current_time())
        limits = replace(program.limits, seconds=min(left, program.limits.seconds))
        execution = await self.sandbox.run(replace(program, limits=limits))
        self.exit_code = execution.exit_code
        return read_run(self.command, execution, name, limits)


async def _measure(course: _Course, goal: Bound | None, program: Program) -> Decision:
    """Run until the goal is kept, five times at most; noise never makes a program look better."""
    values: list[float] = []
    while not values or (course.has_time and len(values) < BOUND_RUNS):
        value = await course.run(program, goal.name if goal else WALL_CLOCK)
        if not isinstance(value, float):
            if values and not course.has_time:  # cut off by the time limit of all runs together
                break
            return value
        values.append(value)
        if goal is None:
            return "passed", (), "The benchmark ended with 0."
        if goal.holds(value):
            break
    return decide_bound(values, goal) if goal else ("unavailable", (), "")


async def _race(course: _Course, goal: Speed, untouched: Program, program: Program) -> Decision:
    """Run both sides in turn, the first of each round by turns too, until the decision is clear."""
    before: list[float] = []
    after: list[float] = []
    began = anyio.current_time()
    for number in range(1, MOST_ROUNDS + 1):
        sides = [(untouched, before), (program, after)]
        for side, values in sides if number % 2 else reversed(sides):
            value = await course.run(side, goal.name)
            if not isinstance(value, float):
                if after and not course.has_time:
                    break
                return value if side is program else _blame_workspace(value)
            values.append(value)
        rounds = Rounds(tuple(before[: len(after)]), tuple(after[: len(before)]))
        mean = (anyio.current_time() - began) / number
        is_last = number == MOST_ROUNDS or anyio.current_time() + mean > course.until
        if decision := decide_speed(rounds, goal, is_last=is_last):
            return decision
    raise AssertionError("the last round decides")  # pragma: no cover


def _blame_workspace(decision: Decision) -> Decision:
    _, diagnostics, reason = decision
    said = diagnostics[0].message if diagnostics else reason
    return "unavailable", (), f"In the workspace as it was the benchmark does not run: {said}"


def read_run(command: str, execution: Execution, name: str, limits: Limits) -> float | Decision:
    """Return what a run measured, or the decision where it measured nothing."""
    if limit := describe_end(execution, limits):
        return "failed", (Diagnostic(f"{limit}\n{tail(execution)}".strip()),), ""
    if absent := absent_program(command, execution):
        return "unavailable", (), f"The benchmark needs {absent!r}, which is not here: {tail(execution)}"
    if execution.exit_code != 0:
        said = f"The benchmark ended with {execution.exit_code}.\n{tail(execution)}".strip()
        return "failed", (Diagnostic(said),), ""
    values = measured(execution, name)
    if not values:
        return "failed", (Diagnostic(f"The benchmark printed no `{name}: NUMBER`."),), ""
    if len(values) > 1:
        printed = ", ".join(f"{value:g}" for value in values[:_SHOWN_VALUES])
        said = (
            f"The run printed several values of {name!r}: {printed}. Which counts cannot be told; print one."
        )
        return "unavailable", (), said
    return values[0]


def measured(execution: Execution, name: str) -> tuple[float, ...]:
    """Return the wall clock, or the different numbers that were printed under a name."""
    if name == WALL_CLOCK:
        return (execution.seconds,)
    found = re.findall(rf"(?<![\w.-]){re.escape(name)}\s*[:=]\s*({NUMBER})", execution.stdout)
    return tuple(dict.fromkeys(map(float, found)))
