"""Run written tests beside candidates in the sandbox: only the calls go in, what is expected stays here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anyio import to_thread

from sandbox.program import Limits, Program, Sandbox
from sandbox.zygote import START
from validators.generated.asserting import WrittenTest, spell_test
from validators.generated.results import Ran, read_results
from validators.runners.example_calls import Definitions, Example, read_python
from validators.runners.example_deciding import read_answers
from validators.runners.python_report import read_report
from validators.runners.python_start import Runner, example_caller, importable_files
from validators.validator import Given
from validators.verdict import Candidate

_CPU_SECONDS = 2
"""Of one call: tests that a model writes are small."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A Python candidate as it is called."""

    files: Mapping[str, str]
    defines: Mapping[str, Definitions]
    """By file, of those that can be imported."""
    removed: tuple[str, ...]

    @property
    def definitions(self) -> Definitions:
        """What all files define together."""
        found = self.defines.values()
        return Definitions(
            tuple(callee for one in found for callee in one.callees),
            frozenset().union(*(one.own for one in found)),
            frozenset().union(*(one.names for one in found)),
        )

    def modules(self, tests: Sequence[WrittenTest]) -> tuple[str, ...]:
        """Return the files that define what tests call; no other is loaded."""
        names = frozenset().union(*(test.names for test in tests))
        return tuple(path for path, found in self.defines.items() if found.own & names)


def read_subject(candidate: Candidate) -> Subject:
    """Read what a Python candidate defines; a file that does not parse defines nothing."""
    files = importable_files(candidate)
    defines = {path: read_python({path: text}) for path, text in files.items() if _is_importable(path)}
    return Subject(files, defines, candidate.removed)


def _is_importable(path: str) -> bool:
    return path.endswith(".py") and all(part.isidentifier() for part in path.removesuffix(".py").split("/"))


@dataclass(frozen=True, slots=True)
class Bench:
    """Where tests are run."""

    sandbox: Sandbox
    limits: Limits
    given: Given

    async def run(self, subject: Subject, tests: Sequence[WrittenTest]) -> tuple[Ran, ...]:
        """Make the calls of all tests in one run of the sandbox, each in processes of its own.

        A test costs two calls, the second to see whether its result changes; the second one that comes to no
        end ends the run.
        """
        runner = Runner()
        spelled = tuple(spell_test(one, subject.definitions) for one in tests)
        program = self._program(runner, subject, subject.modules(tests), spelled)
        execution = await self.sandbox.run(program)
        answers = read_answers(read_report(execution.report, runner.secret).records)
        return await to_thread.run_sync(read_results, self.given.task, spelled, answers)

    def _program(
        self, runner: Runner, subject: Subject, modules: tuple[str, ...], tests: Sequence[Example]
    ) -> Program:
        settings = {
            "secret": runner.secret,
            "modules": modules,
            "command": (),
            "calls": [{"setup": (), "call": test.call} for test in tests],
            "cpu_seconds": min(_CPU_SECONDS, self.limits.cpu_seconds),
            "seconds": self.limits.seconds / 3,
        }
        return Program(
            argv=(*START, example_caller(), runner.folder),
            files={**subject.files, f"{runner.folder}/settings.json": json.dumps(settings)},
            tree=self.given.workspace or None,
            removed=subject.removed if self.given.workspace else (),
            limits=self.limits,
            report_fd=True,
        )
