"""The validator `tests`: given tests, and the project's own test command, must pass beside the candidate."""

import json
import platform
import re
import secrets
import sys
from dataclasses import replace
from functools import partial
from importlib import resources

from sandbox.program import Execution, Limits, Program, Sandbox
from validators.remarks import by_pattern
from validators.runners.commands import command_program
from validators.runners.counting import Counts, count_tests
from validators.runners.python_report import decide_python, read_report
from validators.runners.python_tests.reporting import TESTS
from validators.runners.suites import SUITES, Materials, Suite
from validators.sandboxed import Decision, describe_end, judge_sandboxed, tail, unavailable
from validators.toolchains import Tool, find_tool
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt, Verdict

CONFIDENCE = 0.95
_RUNNER_FOLDER = ".runner"
_START = "import sys; sys.path.insert(0, sys.argv[1]); from python_tests.running import main; main()"
_NOTED_AT = 0.9
"""The share of the time after which the Python runner notes where it is."""
_NOT_FOUND_CODES = frozenset({126, 127})
_NO_FRAMEWORK = re.compile(r"No module named '?(?:pytest|nose|tox)\b")
_PYTEST_FAILURES = by_pattern(r"^(?:FAILED|ERROR) (?P<file>[^\s:]+)(?:::)?(?P<message>.*)$")
_COUNTING = re.compile(r"\b(?:pytest|unittest|jest|vitest|node\s+--test|(?:cargo|go)\s+test)\b")
"""Commands of frameworks that always say how many tests there were, unless they were cut off."""
_PLACE = re.compile(r"(?:/sandbox/|\./)?(?P<file>[\w.][\w./-]*\.\w+):(?P<line>\d+)")
_KEPT = 19


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
        if not given.tests.strip() and not given.test_command.strip():
            return unavailable(self.name, "No tests were given.")
        if not given.test_command.strip():
            return await self._run_tests(candidate, given)
        if not given.tests.strip():
            return await self._run_command(candidate, given)
        first = await self._run_tests(candidate, given)
        if first.status != "passed":
            return first
        second = await self._run_command(candidate, given)
        return replace(second, reason=f"{first.reason}; {second.reason}")

    async def _run_command(self, candidate: Candidate, given: Given) -> Verdict:
        program = command_program(given.test_command, candidate, given, self._limits)
        execution = await self._sandbox.run(program)
        decision = decide_command(given.test_command, execution, candidate, self._limits)
        return self._verdict(decision, execution, given.test_command)

    async def _run_tests(self, candidate: Candidate, given: Given) -> Verdict:
        if candidate.language == "python":
            return await self._run_python(candidate, given)
        suite = SUITES.get(candidate.language)
        if suite is None:
            return unavailable(
                self.name,
                f"Tests in {candidate.language!r} cannot be run as source. Give a test_command.",
            )
        if not count_checks(suite, given.tests):
            return unavailable(self.name, f"No tests were found: nothing in them matches {suite.checks!r}.")
        tool = find_tool(suite.binaries)
        if tool is None:
            return unavailable(self.name, f"{suite.binaries[0]!r} is not installed here. {suite.install}")
        return await self._run_suite(suite, tool, candidate, given)

    async def _run_suite(self, suite: Suite, tool: Tool, candidate: Candidate, given: Given) -> Verdict:
        last_word = secrets.token_hex(16)
        layout = suite.lay_out(Materials(candidate.files, given.tests, last_word))
        execution = await self._sandbox.run(
            Program(
                argv=("/bin/sh", "-c", layout.script, tool.path),
                files=layout.files,
                tree=given.workspace or None,
                environment=suite.environment,
                readable=tool.readable,
                limits=self._limits,
                report_fd=True,
            )
        )
        whole = came_to_end(suite, execution, last_word, given.tests)
        decision = decide_suite(suite, execution, candidate, self._limits, whole=whole)
        return self._verdict(decision, execution, layout.script)

    async def _run_python(self, candidate: Candidate, given: Given) -> Verdict:
        secret = secrets.token_hex(16)
        execution = await self._sandbox.run(
            Program(
                argv=(sys.executable, "-I", "-B", "-c", _START, _RUNNER_FOLDER),
                files={
                    **candidate.files,
                    TESTS: given.tests,
                    **python_runner(candidate, secret, self._limits.seconds * _NOTED_AT),
                },
                tree=given.workspace or None,
                limits=self._limits,
                report_fd=True,
            )
        )
        decision = decide_python(read_report(execution.report, secret), describe_end(execution, self._limits))
        return self._verdict(decision, execution, f"python {platform.python_version()} {TESTS}")

    def _verdict(self, decision: Decision, execution: Execution, command: str) -> Verdict:
        status, diagnostics, reason = decision
        return Verdict(
            self.name,
            status,
            confidence=0.0 if status == "unavailable" else CONFIDENCE,
            diagnostics=diagnostics,
            reason=reason,
            receipt=Receipt(tool=self._sandbox.name, command=command, exit_code=execution.exit_code),
        )


def python_runner(candidate: Candidate, secret: str, seconds: float) -> dict[str, str]:
    """Return the files of the Python runner, which removes them before the candidate's first line."""
    own = [path for path in candidate.files if path.endswith(".py")]
    importable = len(own) == 1 and all(part.isidentifier() for part in own[0].removesuffix(".py").split("/"))
    settings = {"secret": secret, "candidate": own[0] if importable else "", "seconds": seconds}
    package = resources.files("validators.runners.python_tests")
    return {
        f"{_RUNNER_FOLDER}/settings.json": json.dumps(settings),
        **{
            f"{_RUNNER_FOLDER}/python_tests/{module.name}": module.read_text("utf-8")
            for module in package.iterdir()
            if module.name.endswith(".py")
        },
    }


def count_checks(suite: Suite, tests: str) -> int:
    """Count the tests or assertions in a source, as far as a pattern tells."""
    return len(re.findall(suite.checks, tests, re.MULTILINE))


def came_to_end(suite: Suite, execution: Execution, last_word: str, tests: str) -> bool:
    """Say whether the run proves that it reached the end of the tests."""
    if suite.each_prints:
        ended = re.findall(suite.each_prints, execution.stdout, re.MULTILINE)
        return len(ended) >= count_checks(suite, tests)
    return last_word in execution.report + execution.stdout


def decide_suite(
    suite: Suite, execution: Execution, candidate: Candidate, limits: Limits, *, whole: bool
) -> Decision:
    """Decide from a run of tests in another language than Python."""
    if limit := describe_end(execution, limits):
        return _failed(limit, execution, candidate)
    output = execution.stdout + execution.stderr
    counts = count_tests(output)
    if execution.exit_code != 0:
        if absent := re.search(suite.missing, output):
            return "unavailable", (), f"A dependency is not installed here: {absent[0]}."
        return _failed("The tests failed.", execution, candidate)
    if not whole:
        return _failed("The program ended before its tests did.", execution, candidate)
    return _by_counts(counts, execution, candidate) or ("passed", (), _counted(counts))


def decide_command(command: str, execution: Execution, candidate: Candidate, limits: Limits) -> Decision:
    """Decide from the exit code of a test command, and from the counts of a framework that is recognised."""
    if limit := describe_end(execution, limits):
        return _failed(limit, execution, candidate)
    output = execution.stdout + execution.stderr
    if execution.exit_code in _NOT_FOUND_CODES or _NO_FRAMEWORK.search(output):
        return "unavailable", (), f"The command needs something that is not here: {tail(execution)}"
    counts = count_tests(output)
    if decided := _by_counts(counts, execution, candidate):
        return decided
    if execution.exit_code != 0:
        return _failed(f"The command ended with {execution.exit_code}.", execution, candidate)
    if counts is None and _COUNTING.search(command):
        return "unavailable", (), f"The command printed no count of its tests. {tail(execution)}"
    return "passed", (), _counted(counts)


def _by_counts(counts: Counts | None, execution: Execution, candidate: Candidate) -> Decision | None:
    """Decide where counts alone do: tests failed, or there were none."""
    if counts is None:
        return None
    if counts.failed:
        return _failed(f"{counts.failed} tests failed.", execution, candidate)
    return None if counts.passed else ("unavailable", (), "No tests were run.")


def _failed(message: str, execution: Execution, candidate: Candidate) -> Decision:
    """Fail with the failures that can be read, and what was written last."""
    output = execution.stderr + execution.stdout
    failures = tuple(_PYTEST_FAILURES(output))[:_KEPT]
    last = Diagnostic(f"{message}\n{tail(execution)}".strip())
    place = next((place for place in _PLACE.finditer(output) if _is_shown(place["file"], candidate)), None)
    if place is not None and not failures:
        last = replace(last, file=place["file"], line=int(place["line"]))
    return "failed", (*failures, last), ""


def _is_shown(file: str, candidate: Candidate) -> bool:
    return file in candidate.files or file.startswith("given_test")


def _counted(counts: Counts | None) -> str:
    return "The tests ran to their end." if counts is None else f"{counts.passed} passed"
