"""Start the runner of Python tests: the files it is made of, and the program that runs it."""

import json
import secrets
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from sandbox.program import Limits, Program
from sandbox.zygote import Preload
from validators.environments import Environment
from validators.parsers import ParserLimitError, parse_python
from validators.runners.python_tests.collecting import needs_pytest
from validators.runners.python_tests.reporting import TESTS
from validators.validator import Given
from validators.verdict import Candidate

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); __import__('given_tests_runner.running').running.main()"
)
_NOTED_AT = 0.9
"""The share of the time after which the runner notes where it is."""


@dataclass(frozen=True, slots=True)
class Runner:
    """The runner as it is written into one run; a candidate can guess neither its folder nor its secret."""

    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    folder: str = field(default_factory=lambda: f".{secrets.token_hex(8)}")

    def files(self, judged: Iterable[str], candidate: str = "", seconds: float = 0.0) -> dict[str, str]:
        """Return the runner's files, of which none is left when the candidate is loaded.

        Args:
            judged: The candidate's files that may not skip tests.
            candidate: The one whose names the tests know.
            seconds: When to note where the program is.
        """
        settings = {
            "secret": self.secret,
            "candidate": candidate,
            "files": sorted(judged),
            "seconds": seconds,
        }
        return {
            f"{self.folder}/settings.json": json.dumps(settings),
            **{f"{self.folder}/{name}": text for name, text in runner_package().items()},
        }


@cache
def runner_package() -> dict[str, str]:
    """Return the files that every run has in common."""
    package = resources.files("validators.runners.python_tests")
    return {
        f"given_tests_runner/{module.name}": module.read_text("utf-8")
        for module in package.iterdir()
        if module.name.endswith(".py")
    }


@cache
def example_caller() -> str:
    """Return the code that makes the calls of examples."""
    return resources.files("validators.runners").joinpath("example_child.py").read_text("utf-8")


@cache
def preload() -> Preload:
    """Return what a warm Python has ready: the runner imported, the caller of examples compiled."""
    return Preload(("given_tests_runner.running",), runner_package(), (_START, example_caller()))


def named_file(candidate: Candidate) -> str:
    """Return the file whose names tests know without importing them; empty where there is not just one."""
    own = [path for path in candidate.files if path.endswith(".py")]
    importable = len(own) == 1 and all(part.isidentifier() for part in own[0].removesuffix(".py").split("/"))
    return own[0] if importable else ""


def importable_files(candidate: Candidate) -> dict[str, str]:
    """Return the candidate's files; a single one whose name no import can spell becomes `solution.py`."""
    own = [path for path in candidate.files if path.endswith(".py")]
    if len(own) != 1 or named_file(candidate):
        return dict(candidate.files)
    others = {path: text for path, text in candidate.files.items() if path != own[0]}
    return {**others, "solution.py": candidate.files[own[0]]}


def python_program(runner: Runner, candidate: Candidate, given: Given, limits: Limits) -> Program:
    """Return the program that runs given tests beside a candidate."""
    files = importable_files(candidate)
    named = named_file(replace(candidate, files=files))
    own = runner.files(files, named, limits.seconds * _NOTED_AT)
    return Program(
        argv=(sys.executable, "-I", "-B", "-c", _START, runner.folder),
        files={**files, TESTS: given.tests, **own},
        tree=given.workspace or None,
        removed=candidate.removed if given.workspace else (),
        limits=limits,
        report_fd=True,
    )


def in_environment(program: Program, environment: Environment, tests: str) -> Program:
    """Return the program run by a project's own Python, with what is installed there in place.

    Tests that need pytest stay with the server's Python where the project's has none.
    """
    if not environment.pytest and _wants_pytest(tests):
        return program
    own = "import os, sys; sys.path[:0] = [os.path.abspath(place) for place in sys.argv[2:]]; "
    _, *options, start, folder = program.argv
    return replace(
        program,
        argv=(environment.python, *options, f"{own}{start}", folder, *environment.sources),
        readable=(*program.readable, *environment.readable),
    )


def _wants_pytest(tests: str) -> bool:
    try:
        return needs_pytest(tests, parse_python(tests))
    except (SyntaxError, ParserLimitError):
        return False
