"""The validator `tests`: given tests, and the project's own test command, must pass beside the candidate.

A pass is what a runner says that the candidate does not hold in its hands, as far as one process allows:
tests run in the program they test, so what a candidate hides well enough (`runners.tampering`) can still lie.
"""

import platform
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from anyio import to_thread

from sandbox.errors import UnsafePath
from sandbox.program import Execution, Limits, Program, Sandbox
from validators.environments import find_environment
from validators.projects.judging import ProjectTests
from validators.projects.looking import own_paths
from validators.projects.recognising import recognise, with_report
from validators.runners.cheating import find_cheats
from validators.runners.commands import command_program, watched
from validators.runners.deciding import UNCOUNTED, decide_command, decide_suite, missing_import
from validators.runners.imports import expected_modules
from validators.runners.layouts import LAST_WORD_FILE, Materials
from validators.runners.python_report import decide_python, missing_modules, read_report
from validators.runners.python_start import Runner, in_environment, python_program
from validators.runners.python_tests.reporting import TESTS
from validators.runners.suites import SUITES, Suite, count_checks
from validators.runners.tampering import is_test_file
from validators.runners.written_tests import uncalled_tests
from validators.sandboxed import Decision, describe_end, judge_sandboxed, to_verdict, unavailable
from validators.toolchains import Tool, find_tool
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt, Verdict

Subject = TypeVar("Subject")
Answer = TypeVar("Answer")
CONFIDENCE = 0.95
PRINTED_CONFIDENCE = 0.9
"""Where a count of tests was only printed, which a candidate can do too."""
UNCOUNTED_CONFIDENCE = 0.6
"""Where nothing was counted, or tests still fail that failed before: the task may have been to mend them."""
_RESERVED = ("given_test", "StartOfTests.")
_PLAIN_PATH = re.compile(r"[\w./ +@,=\[\]-]+")
"""What may stand between quotes in a source or a script."""


class Tests:
    """Runs tests in the sandbox; a pass is what the runner says, never the mere absence of an error."""

    __test__ = False  # pytest would take the class for a test
    name = "tests"

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self._sandbox = sandbox
        self._limits = limits

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Run `given.tests` and `given.test_command`; whatever is given must pass."""
        return await judge_sandboxed(self.name, candidate, partial(self._judge, candidate, given))

    async def _judge(self, candidate: Candidate, given: Given) -> Verdict:
        alone = not given.tests.strip() and not given.test_command.strip()
        if alone and not given.workspace:
            return unavailable(self.name, "No tests were given.")
        check_names(candidate)
        if remarks := await _away(find_cheats, candidate, given):
            return Verdict(self.name, "failed", CONFIDENCE, remarks)
        if alone:
            return await self._run_project(candidate, given)
        if not given.test_command.strip():
            return await self._run_tests(candidate, given)
        if not given.tests.strip():
            return await self._run_command(candidate, given)
        first = await self._run_tests(candidate, given)
        if first.status != "passed":
            return first
        second = await self._run_command(candidate, given)
        return replace(
            second,
            reason=f"{first.reason}; {second.reason}",
            confidence=max(first.confidence, second.confidence)
            if second.status == "passed"
            else second.confidence,
        )

    async def _run_project(self, candidate: Candidate, given: Given) -> Verdict:
        """Judge by the tests that the workspace has."""
        judged = await ProjectTests(self._sandbox, self._limits).judge(candidate, given)
        status, _, reason = judged.decision
        if judged.ran is None:
            return unavailable(self.name, reason)
        verdict = self._verdict(judged.decision, judged.ran.execution, judged.command)
        if status != "passed" or (judged.ran.report.results and not judged.ran.report.names("failed")):
            return verdict
        sure = reason != UNCOUNTED and not judged.ran.report.results
        return replace(verdict, confidence=PRINTED_CONFIDENCE if sure else UNCOUNTED_CONFIDENCE)

    async def _run_command(self, candidate: Candidate, given: Given) -> Verdict:
        runner = Runner()
        judged = [path for path in candidate.files if not is_test_file(path)]
        recognised = recognise(given.test_command)
        program = await to_thread.run_sync(
            command_program, given.test_command, candidate, given, self._limits
        )
        program = watched(
            program, runner.files(judged), runner.folder, recognised.command if recognised else ""
        )
        execution = await self._sandbox.run(program)
        report = read_report(execution.report, runner.secret)
        decision = decide_command(given.test_command, execution, report, candidate, self._limits)
        if recognised is not None and not report.records:
            paths = await to_thread.run_sync(own_paths, given.workspace, candidate.files)
            decision = with_report(decision, recognised, execution, paths)
        verdict = self._verdict(decision, execution, given.test_command)
        if verdict.status != "passed" or report.records:
            return verdict
        uncounted = verdict.reason == UNCOUNTED
        return replace(verdict, confidence=UNCOUNTED_CONFIDENCE if uncounted else PRINTED_CONFIDENCE)

    async def _run_tests(self, candidate: Candidate, given: Given) -> Verdict:
        if candidate.language == "python":
            return await self._run_python(candidate, given)
        suite = SUITES.get(candidate.language)
        if suite is None:
            return unavailable(
                self.name,
                f"Tests in {candidate.language!r} cannot be run as source. Give a test_command.",
            )
        if uncalled := uncalled_tests(given.tests, candidate.language):
            return unavailable(self.name, f"No tests were found: {uncalled[0]!r} is never called. Call it.")
        if not count_checks(candidate.language, given.tests):
            return unavailable(self.name, f"No tests were found: nothing in them matches {suite.checks!r}.")
        tool = find_tool(suite.binaries)
        if tool is None:
            return unavailable(self.name, f"{suite.binaries[0]!r} is not installed here. {suite.install}")
        return await self._run_suite(suite, tool, candidate, given)

    async def _run_suite(self, suite: Suite, tool: Tool, candidate: Candidate, given: Given) -> Verdict:
        last_word = secrets.token_hex(16)
        layout = suite.lay_out(Materials(candidate.files, given.tests))
        execution = await self._sandbox.run(
            Program(
                argv=("/bin/sh", "-c", layout.script, tool.path),
                files={**layout.files, LAST_WORD_FILE: f"{last_word}\n"},
                tree=given.workspace or None,
                removed=candidate.removed if given.workspace else (),
                environment=suite.environment,
                readable=tool.readable,
                limits=self._limits,
                report_fd=True,
            )
        )
        whole = came_to_end(suite, execution, last_word, count_checks(candidate.language, given.tests))
        decision = decide_suite(execution, candidate, self._limits, whole=whole)
        said, module = missing_import(suite, execution)
        if said:
            expected = await to_thread.run_sync(expected_modules, {module}, given)
            decision = _decide_missing(said, module, decision, expected=not module or module in expected)
        return self._verdict(decision, execution, layout.script)

    async def _run_python(self, candidate: Candidate, given: Given) -> Verdict:
        runner = Runner()
        program = python_program(runner, candidate, given, self._limits)
        if given.workspace and (venv := await to_thread.run_sync(find_environment, given.workspace)):
            program = in_environment(program, venv, given.tests)
        execution = await self._sandbox.run(program)
        report = read_report(execution.report, runner.secret)
        expected = await _away(expected_modules, missing_modules(report), given)
        decision = decide_python(report, describe_end(execution, self._limits), expected)
        return self._verdict(decision, execution, f"python {platform.python_version()} {TESTS}")

    def _verdict(self, decision: Decision, execution: Execution, command: str) -> Verdict:
        receipt = Receipt(tool=self._sandbox.name, command=command, exit_code=execution.exit_code)
        return to_verdict(self.name, decision, CONFIDENCE, receipt)


def check_names(candidate: Candidate) -> None:
    """Refuse files that could take the place of the tests or the runner, or break out of a quoted path.

    Raises:
        UnsafePath: The message names the path.
    """
    for path in candidate.files:
        if path.startswith(_RESERVED):
            raise UnsafePath(f"The path {path!r} is the tests' own. Choose another.")
        if candidate.language != "python" and not _PLAIN_PATH.fullmatch(path):
            raise UnsafePath(
                f"The path {path!r} has characters that shells read. Use letters, digits, '-' and '_'."
            )


async def _away(function: Callable[[Subject, Given], Answer], subject: Subject, given: Given) -> Answer:
    """Call what may read the workspace; a thread is only worth its while where there is one."""
    if given.workspace:
        return await to_thread.run_sync(function, subject, given)
    return function(subject, given)


def came_to_end(suite: Suite, execution: Execution, last_word: str, tests: int) -> bool:
    """Say whether the run proves that it reached the end of its tests."""
    if suite.each_prints:
        return len(re.findall(suite.each_prints, execution.stdout, re.MULTILINE)) >= tests
    return last_word in execution.report + execution.stdout


def _decide_missing(said: str, module: str, decision: Decision, *, expected: bool) -> Decision:
    """Decide about a dependency that is not installed: the project's need, or the candidate's invention."""
    if expected:
        return "unavailable", (), f"A dependency is not installed here: {said}."
    status, diagnostics, reason = decision
    return status, (Diagnostic(f"imports {module!r}, which is not installed"), *diagnostics), reason
