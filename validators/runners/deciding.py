"""Decide from how a run of tests ended, and from what it wrote."""

import re
from dataclasses import replace

from sandbox.program import Execution, Limits
from validators.reading import excerpt
from validators.remarks import by_pattern
from validators.runners.commands import absent_program
from validators.runners.counting import Counts, count_tests
from validators.runners.python_report import SuiteReport, decide_python
from validators.runners.suites import Suite
from validators.sandboxed import Decision, describe_end, tail
from validators.verdict import Candidate, Diagnostic

UNCOUNTED = "The command ended with 0; it printed no count of tests."
ENDED_EARLY = "The program ended before its tests did."
_NO_FRAMEWORK = re.compile(r"No module named '?(?:pytest|nose|tox)\b")
_PYTEST = re.compile(r"\bpytest\b")
_UNHEARD = re.compile(r'Error importing plugin "given_tests_runner')
_UNREPORTED = "pytest did not report. Let the command start it without -I, -E and an own PYTEST_ADDOPTS."
_COUNTING = re.compile(r"\b(?:unittest|jest|vitest|node\s+--test|(?:cargo|go)\s+test)\b")
"""Commands of frameworks that always say how many tests there were, unless they were cut off."""
_NO_TESTS_CODE = 5
"""Of pytest."""
_PYTEST_FAILURES = by_pattern(r"^(?:FAILED|ERROR) (?P<file>[^\s:]+)(?:::)?(?P<message>.*)$")
_PLACE = re.compile(
    r"(?<![\w./-])(?:[/-]{0,3}/sandbox/|\./|[/-]{1,9})?(?P<file>[\w.][\w./-]*\.\w+):(?P<line>\d{1,9})"
)
_KEPT = 19


def missing_import(suite: Suite, execution: Execution) -> tuple[str, str]:
    """Return what the output says of a dependency that is not installed here, and the dependency's name."""
    match = re.search(suite.missing, execution.stdout + execution.stderr)
    if match is None or execution.exit_code == 0:
        return "", ""
    return match[0], match.groupdict().get("name") or ""


def decide_suite(execution: Execution, candidate: Candidate, limits: Limits, *, whole: bool) -> Decision:
    """Decide from a run of tests in another language than Python."""
    if limit := describe_end(execution, limits):
        return _failed(limit, execution, candidate)
    counts = count_tests(execution.stdout + execution.stderr)
    if execution.exit_code != 0:
        return _failed("The tests failed.", execution, candidate)
    if not whole:
        return _failed(ENDED_EARLY, execution, candidate)
    told = "The tests ran to their end." if counts is None else f"{counts.passed} passed"
    return _by_counts(counts, execution, candidate) or ("passed", (), told)


def decide_command(
    command: str, execution: Execution, report: SuiteReport, candidate: Candidate, limits: Limits
) -> Decision:
    """Decide from what pytest reported, else from the exit code and the counts that were printed."""
    if limit := describe_end(execution, limits):
        return _failed(limit, execution, candidate)
    if absent := absent_program(command, execution):
        return "unavailable", (), f"The command needs {absent!r}, which is not here: {tail(execution)}"
    if report.records:
        return _decide_pytest(report, execution, candidate)
    return _decide_by_output(command, execution, candidate)


def _decide_by_output(command: str, execution: Execution, candidate: Candidate) -> Decision:
    """Decide from the exit code, and from the counts of a framework that is recognised."""
    output = execution.stdout + execution.stderr
    if _NO_FRAMEWORK.search(output):
        return "unavailable", (), f"The command needs something that is not here: {tail(execution)}"
    counts = count_tests(output)
    if decided := _by_counts(counts, execution, candidate):
        return decided
    if _UNHEARD.search(output) or (execution.exit_code == 0 and _PYTEST.search(command)):
        return "unavailable", (), _UNREPORTED
    if execution.exit_code != 0:
        return _failed(f"The command ended with {execution.exit_code}.", execution, candidate)
    if counts is None and _COUNTING.search(command):
        return "unavailable", (), f"The command printed no count of its tests. {tail(execution)}"
    return "passed", (), UNCOUNTED if counts is None else f"{counts.passed} passed"


def _decide_pytest(report: SuiteReport, execution: Execution, candidate: Candidate) -> Decision:
    """Decide from pytest's own report; what stands on stdout counts only against a candidate."""
    if not report.results("failed") and execution.exit_code == _NO_TESTS_CODE and report.of("end"):
        return "unavailable", (), "No tests were run."
    if not report.results("failed") and not report.of("end"):
        return _failed(ENDED_EARLY, execution, candidate)
    status, diagnostics, reason = decide_python(report, "")
    if status != "failed" and execution.exit_code != 0:
        return _failed(f"The command ended with {execution.exit_code}.", execution, candidate)
    counts = count_tests(execution.stdout + execution.stderr)
    if status == "passed" and counts is not None and counts.failed:
        return _failed(f"{counts.failed} tests failed.", execution, candidate)
    if status == "failed":
        diagnostics = (*diagnostics[:_KEPT], Diagnostic(tail(execution)))
    return status, diagnostics, reason


def _by_counts(counts: Counts | None, execution: Execution, candidate: Candidate) -> Decision | None:
    """Decide where counts alone do: tests failed, or there were none."""
    if counts is None:
        return None
    if counts.failed:
        return _failed(f"{counts.failed} tests failed.", execution, candidate)
    return None if counts.passed else ("unavailable", (), "No tests were run.")


def _failed(message: str, execution: Execution, candidate: Candidate) -> Decision:
    """Fail with the failures that can be read, and what was written last."""
    output = excerpt(execution.stderr) + excerpt(execution.stdout)
    failures = tuple(_PYTEST_FAILURES(output))[:_KEPT]
    last = Diagnostic(f"{message}\n{tail(execution)}".strip())
    place = next((place for place in _PLACE.finditer(output) if _is_shown(place["file"], candidate)), None)
    if place is not None and not failures:
        last = replace(last, file=place["file"], line=int(place["line"]))
    return "failed", (*failures, last), ""


def _is_shown(file: str, candidate: Candidate) -> bool:
    return file in candidate.files or file.startswith("given_test")
