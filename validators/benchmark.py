"""The validator `benchmark`: a command must succeed beside the candidate, and keep a bound if one is given.

The command is given as `CMD`, or with a bound at its end:

    python bench.py => seconds < 2.5
    python bench.py => ops_per_second > 1000

`seconds` is the wall clock of the command. Any other name is a number that the command prints as
`NAME: NUMBER` or `NAME=NUMBER`. With a bound the command runs five times and the best value counts, the least
for `<` and the greatest for `>`: noise of the machine only ever makes a program look worse.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sandbox.program import Execution, Limits, Sandbox
from validators.runners.commands import absent_program, command_program
from validators.sandboxed import Decision, describe_end, judge_sandboxed, tail, unavailable
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt, Verdict

CONFIDENCE = 0.9
RUNS = 5
_WALL_CLOCK = "seconds"
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_BOUND = re.compile(
    rf"^(?P<command>.*\S)\s*=>\s*(?P<name>[A-Za-z_][\w.-]*)\s*(?P<relation><=|>=|<|>)\s*(?P<number>{_NUMBER})\s*$",
    re.DOTALL,
)
_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Bound:
    """What a measured value must keep."""

    name: str
    relation: str
    number: float

    def best(self, values: list[float]) -> float:
        """Return the value that is furthest on the right side."""
        return min(values) if self.relation.startswith("<") else max(values)

    def holds(self, value: float) -> bool:
        """Say whether the value keeps the bound."""
        return _RELATIONS[self.relation](value, self.number)

    def __str__(self) -> str:
        return f"{self.name} {self.relation} {self.number:g}"


def parse_benchmark(given: str) -> tuple[str, Bound | None]:
    """Split a benchmark into its command and its bound.

    Raises:
        ValueError: What follows the last `=>` is no bound.
    """
    match = _BOUND.match(given.strip())
    if match is not None:
        return match["command"], Bound(match["name"], match["relation"], float(match["number"]))
    if "=>" in given:
        bound = given.rpartition("=>")[2].strip()
        raise ValueError(f"{bound!r} is no bound. Write `COMMAND => NAME < NUMBER`, with <, <=, > or >=.")
    return given.strip(), None


class Benchmark:
    """Runs a benchmark command in a copy of the workspace, in the sandbox."""

    name = "benchmark"

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self._sandbox = sandbox
        self._limits = limits

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Run the command, once or as often as the bound needs."""
        return await judge_sandboxed(self.name, candidate, partial(self._judge, candidate, given))

    async def _judge(self, candidate: Candidate, given: Given) -> Verdict:
        if not given.benchmark_command.strip():
            return unavailable(self.name, "No benchmark was given.")
        try:
            command, bound = parse_benchmark(given.benchmark_command)
        except ValueError as error:
            return unavailable(self.name, str(error))
        program = command_program(command, candidate, given, self._limits)
        executions: list[Execution] = []
        for _ in range(RUNS if bound else 1):
            executions.append(await self._sandbox.run(program))
            if executions[-1].end != "exited" or executions[-1].exit_code != 0:
                break
        status, diagnostics, reason = decide_benchmark(command, executions, bound, self._limits)
        return Verdict(
            self.name,
            status,
            confidence=0.0 if status == "unavailable" else CONFIDENCE,
            diagnostics=diagnostics,
            reason=reason,
            receipt=Receipt(
                tool=self._sandbox.name, command=given.benchmark_command, exit_code=executions[-1].exit_code
            ),
        )


def decide_benchmark(
    command: str, executions: list[Execution], bound: Bound | None, limits: Limits
) -> Decision:
    """Decide from the runs of a benchmark, of which only the last may have failed."""
    last = executions[-1]
    if limit := describe_end(last, limits):
        return "failed", (Diagnostic(f"{limit}\n{tail(last)}".strip()),), ""
    if absent := absent_program(command, last):
        return "unavailable", (), f"The benchmark needs {absent!r}, which is not here: {tail(last)}"
    if last.exit_code != 0:
        return (
            "failed",
            (Diagnostic(f"The benchmark ended with {last.exit_code}.\n{tail(last)}".strip()),),
            "",
        )
    if bound is None:
        return "passed", (), "The benchmark ended with 0."
    return _decide_bound(executions, bound)


def _decide_bound(executions: list[Execution], bound: Bound) -> Decision:
    values = [value for execution in executions if (value := measured(execution, bound.name)) is not None]
    if len(values) < len(executions):
        return "failed", (Diagnostic(f"The benchmark printed no `{bound.name}: NUMBER`."),), ""
    best = bound.best(values)
    told = (
        f"{bound.name} is {best:.6g} at best of {len(values)} runs ({min(values):.6g} to {max(values):.6g})"
    )
    if bound.holds(best):
        return "passed", (), f"{told}, which keeps {bound}."
    return "failed", (Diagnostic(f"{told}, but must be {bound}."),), ""


def measured(execution: Execution, name: str) -> float | None:
    """Return the wall clock, or the last number that was printed under a name."""
    if name == _WALL_CLOCK:
        return execution.seconds
    found = re.findall(rf"(?<![\w.-]){re.escape(name)}\s*[:=]\s*({_NUMBER})", execution.stdout)
    return float(found[-1]) if found else None
