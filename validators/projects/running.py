"""Make the program that runs a project's tests in a copy of its folder, and read what came of it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.profiles import PROJECT, fit
from sandbox.program import Execution, Limits, Program
from validators.environments import Environment
from validators.projects.detecting import Found
from validators.projects.results import Report
from validators.projects.text_reports import of_pytest
from validators.runners.commands import FIND_SOURCES, search_path, shown_tools, start_files
from validators.runners.python_report import read_report
from validators.runners.python_start import Runner
from validators.sandboxed import describe_end
from validators.toolchains import Tool

STOPPED_CODES = frozenset({124, 137})
"""With which `timeout` ends when the time of its program was over."""
_LARGEST_REPORT = 2 * 1024**2
_LARGEST_DUMP = 64 * 1024
_GO_STOPPED = "panic: test timed out after"
_SCRIPT = rf"""
export REPORT="$TMPDIR/$1" STOP_SECONDS="$3"
mkdir "$REPORT" && mv "$1" "$REPORT-runner" 2>/dev/null
{FIND_SOURCES}
export PYTHONPATH="${{IN_PLACE#:}}"
printf '%s\n' "$PWD" >&3
name=$1 signal=$2 seconds=$3 folder=$4 command=$5 largest=$6 files=$7; shift 7
while [ "$files" -gt 0 ]; do touch -c "./$1" 2>/dev/null; shift; files=$((files - 1)); done
cd "./$folder" || exit 125
if [ -d "$REPORT-runner" ]; then
  export PYTHONPATH="$REPORT-runner"
  export PYTEST_ADDOPTS="-p given_tests_runner.in_commands"
  timeout -s "$signal" -k 2 "$seconds" /bin/sh -c "$command" sh "$@"; exit
fi
timeout -s "$signal" -k 2 "$seconds" /bin/sh -c "$command" sh "$@" 3>&-; code=$?
cat "$REPORT"/* 2>/dev/null | head -c "$largest" >&3
exit $code
"""
"""Descriptor 3 is closed while anything of the project runs, but for pytest, whose plugin has a secret.

The files of the candidate are touched, or what builds by age would take its last build for up to date.
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a project's tests."""

    execution: Execution
    report: Report
    dump: str = ""
    """What it said last when its time was over."""
    limit: str = ""
    """Which limit it passed, empty when none."""

    @property
    def clean(self) -> bool:
        """Whether all that it says agrees that nothing failed."""
        return not self.limit and self.execution.exit_code == 0 and not self.report.names("failed")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run."""

    found: Found
    workspace: str
    environment: Environment | None
    limits: Limits
    chosen: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    removed: Sequence[str] = ()
    """Files of the workspace that go."""
    judged: Sequence[str] = ()
    """Those of the files that may not skip tests."""

    @property
    def command(self) -> str:
        """The words of the runner, for the receipt."""
        return " ".join((self.found.runner.name, *self.chosen))

    @property
    def stop_seconds(self) -> float:
        """When the tests are asked where they are: early enough for the answer."""
        return max(self.limits.seconds * 0.7, self.limits.seconds - 5)


def order_program(order: Order, runner: Runner) -> Program:
    """Return the program that runs what is ordered."""
    found, tools = order.found, shown_tools()
    watched = found.runner.name == "pytest"
    environment = order.environment
    program = Program(
        argv=(
            "/bin/sh",
            "-c",
            _SCRIPT,
            "sh",
            runner.folder,
            found.runner.stop,
            f"{order.stop_seconds:.0f}",
            found.folder or ".",
            _with_words(found, order.chosen),
            str(_LARGEST_REPORT),
            str(len(order.files)),
            *order.files,
            *order.chosen,
        ),
        files={**order.files, **(_plugin(runner, order.judged) if watched else {})},
        tree=order.workspace,
        removed=tuple(order.removed),
        environment={
            "PATH": search_path(tools, environment),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CI": "1",
            "SOURCES": os.pathsep.join(environment.sources if environment else ()),
            **found.runner.environment,
        },
        readable=tuple(dict.fromkeys(_readable(found, tools, environment))),
        limits=order.limits,
        report_fd=True,
    )
    return fit(program, PROJECT)


def _plugin(runner: Runner, judged: Sequence[str]) -> dict[str, str]:
    return {**runner.files(judged), **start_files(runner.folder)}


def _readable(found: Found, tools: Sequence[Tool], environment: Environment | None) -> Iterator[str]:
    for tool in tools:
        yield from tool.readable
    yield from environment.readable if environment else ()
    yield from (path for path in found.runner.shown if Path(path).is_dir())


def _with_words(found: Found, chosen: Sequence[str]) -> str:
    """Return the command with what stands for the chosen tests, or for all of them."""
    words = found.runner.chosen if chosen else found.all or found.runner.all
    return found.runner.command.replace('"$@"', f'{words} "$@"' if words else '"$@"', 1)


def read_run(order: Order, runner: Runner, execution: Execution) -> Ran:
    """Read the report of a run, with the paths of its folder as the workspace has them."""
    place, _, rest = execution.report.partition("\n")
    limit = _limit(order, execution, rest)
    execution = _without(execution, f"{place}/")
    if order.found.runner.name == "pytest":
        return Ran(execution, of_pytest(read_report(rest, runner.secret)), "", limit)
    text = rest.replace(f"{place}/", "")
    read = order.found.runner.read
    return Ran(execution, read(text) if read and text else Report(), text[-_LARGEST_DUMP:], limit)


def _limit(order: Order, execution: Execution, report: str) -> str:
    """Say which limit a run passed: one of the sandbox, or the time after which its tests are stopped."""
    stopped = execution.exit_code in STOPPED_CODES and execution.seconds >= order.stop_seconds
    if stopped or _GO_STOPPED in report:
        return f"The tests did not end within {order.stop_seconds:.0f} s."
    return describe_end(execution, order.limits)


def _without(execution: Execution, place: str) -> Execution:
    if len(place) < 3:
        return execution
    return Execution(
        execution.end,
        execution.exit_code,
        execution.stdout.replace(place, ""),
        execution.stderr.replace(place, ""),
        execution.seconds,
    )
