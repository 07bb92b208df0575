"""What a run of tests comes to, by how it ended and what it wrote; nothing is run here."""

import re

import pytest

from sandbox.program import Execution, Limits
from validators.runners.deciding import decide_command, decide_suite, missing_import
from validators.runners.python_report import SuiteReport, decide_python, read_report
from validators.runners.suites import SUITES
from validators.verdict import Candidate

LIMITS = Limits(seconds=3)
CANDIDATE = Candidate({"src/a.js": "", "b.py": ""}, "javascript")
SILENT = SuiteReport((), "")


def ended(code=0, out="", err="", end="exited"):
    return Execution(end, code, out, err, seconds=0.1)


def of_suite(execution, *, whole=True):
    return decide_suite(execution, CANDIDATE, LIMITS, whole=whole)


def of_command(execution, command="make check", report=SILENT):
    return decide_command(command, execution, report, CANDIDATE, LIMITS)


def reported(*records):
    return SuiteReport(records, "")


def result(outcome, **more):
    return {
        "kind": "result",
        "outcome": outcome,
        "test": "t",
        "message": "m",
        "file": "",
        "line": "0",
        "code": "",
        **more,
    }


START = {"kind": "start", "collected": "1"}
END = {"kind": "end"}


@pytest.mark.parametrize(
    ("execution", "whole", "status", "said"),
    [
        (ended(), True, "passed", "The tests ran to their end."),
        (ended(out="# pass 2\n# fail 0\n"), True, "passed", "2 passed"),
        (ended(out="# pass 2\n# fail 1\n"), True, "failed", "1 tests failed."),
        (ended(out="# pass 0\n# fail 0\n"), True, "unavailable", "No tests were run."),
        (ended(1, err="boom"), True, "failed", "The tests failed.\nboom"),
        (ended(1, out="# pass 2\n"), True, "failed", "The tests failed."),
        (ended(), False, "failed", "The program ended before its tests did."),
        (ended(end="timed_out"), True, "failed", "did not end within 3 s"),
        (ended(end="out_of_memory", out="# pass 1\n"), True, "failed", "MiB of memory"),
    ],
)
def test_a_suite_passes_only_whole_and_with_tests_that_ran(execution, whole, status, said):
    decided, remarks, reason = of_suite(execution, whole=whole)

    assert decided == status
    assert said in (reason or remarks[-1].message)
    assert bool(remarks) is (status == "failed")


@pytest.mark.parametrize(
    ("execution", "command", "status", "said"),
    [
        (ended(), "make check", "passed", "it printed no count of tests"),
        (ended(out="Tests: 2 passed, 2 total"), "npm test", "passed", "2 passed"),
        (ended(out="Tests: 1 failed, 2 passed"), "npm test", "failed", "1 tests failed."),
        (ended(2, err="boom"), "make check", "failed", "The command ended with 2.\nboom"),
        (ended(127, err="sh: 1: mocha: not found"), "mocha", "unavailable", "needs 'mocha'"),
        (ended(1, err="No module named pytest"), "python -m pytest", "unavailable", "needs something"),
        (ended(out="fine"), "pytest -q", "unavailable", "pytest did not report"),
        (
            ended(1, err='Error importing plugin "given_tests_runner.in_commands"'),
            "make",
            "unavailable",
            "did not report",
        ),
        (ended(out="fine"), "python -m unittest", "unavailable", "no count of its tests. fine"),
        (ended(out="no tests ran in 0.01s"), "make check", "unavailable", "No tests were run."),
        (ended(end="too_much_output"), "make check", "failed", "KiB"),
    ],
)
def test_a_command_passes_by_its_exit_code_only_where_nothing_counts(execution, command, status, said):
    decided, remarks, reason = of_command(execution, command)

    assert decided == status
    assert said in (reason or remarks[-1].message)


@pytest.mark.parametrize(
    ("records", "execution", "status", "said"),
    [
        ((START, result("passed"), END), ended(), "passed", "1 passed"),
        ((START, result("failed"), END), ended(1, out="tail"), "failed", "tail"),
        ((START, result("passed"), END), ended(1), "failed", "The command ended with 1."),
        ((START, result("passed"), END), ended(out="1 failed in 0.1s"), "failed", "1 tests failed."),
        ((START, result("passed")), ended(), "failed", "The program ended before its tests did."),
        ((START, END), ended(5), "unavailable", "No tests were run."),
        ((START, result("failed"), END), ended(5), "failed", ""),
        ((START, result("skipped"), END), ended(), "unavailable", "All tests were skipped."),
    ],
)
def test_what_pytest_reports_decides_and_its_output_counts_only_against(records, execution, status, said):
    decided, remarks, reason = of_command(execution, "pytest", reported(*records))

    assert decided == status
    assert said in (remarks[-1].message if remarks else reason)


def test_a_failure_is_placed_where_the_output_first_names_a_file_that_was_shown():
    output = "node:internal:1\nother.js:3\n    at /sandbox/src/a.js:7:1\nb.py:9\n"

    _, (remark,), _ = of_suite(ended(1, err=output))

    assert (remark.file, remark.line) == ("src/a.js", 7)


def test_failures_that_pytest_prints_come_first_and_keep_their_own_places():
    out = "FAILED test_a.py::test_one - assert 1 == 2\nERROR b.py - ImportError\nb.py:9: x\n"

    _, remarks, _ = of_command(ended(1, out=out))

    assert [(one.file, one.line) for one in remarks] == [("test_a.py", 0), ("b.py", 0), ("", 0)]
    assert remarks[0].message == "test_one - assert 1 == 2"


def test_no_more_than_twenty_remarks_are_kept():
    out = "".join(f"FAILED test_a.py::test_{number}\n" for number in range(50))

    _, remarks, _ = of_command(ended(1, out=out))

    assert len(remarks) == 20


def test_a_missing_dependency_is_named_only_where_the_run_failed():
    said = "Error: Cannot find module 'left-pad'\n"
    suite = SUITES["javascript"]

    assert missing_import(suite, ended(1, err=said))[1] == "left-pad"
    assert missing_import(suite, ended(0, err=said)) == ("", "")
    assert missing_import(suite, ended(1, err="Cannot find module './own'")) == ("", "")
    assert missing_import(SUITES["rust"], ended(1, out="error[E0432]: unresolved import\n"))[1] == ""
    assert re.search(suite.missing, said)


def test_a_failure_that_was_reported_before_an_early_end_is_told():
    _, remarks, _ = of_command(ended(1), "pytest", reported(START, result("failed")))

    assert remarks[0].message == "t: m"


def test_a_module_that_the_project_asks_for_and_is_not_here_is_nobodys_fault():
    report = reported(START, result("failed", missing="numpy"), result("failed", missing="made_up"), END)

    expected = decide_python(report, "", {"numpy"})
    unexpected = decide_python(report, "")

    assert expected == ("unavailable", (), "Not installed beside the server: numpy.")
    assert unexpected[1][1].message == "t: imports 'made_up', which is not installed"


def test_the_stack_of_a_report_keeps_its_lines():
    stack = '{"kind": "end", "secret": "s"}\nFatal Python error: Aborted\n  File "a.py", line 3 in f'

    report = read_report(stack, "s")

    assert report.stack == 'Fatal Python error: Aborted\n  File "a.py", line 3 in f'
    assert [record["kind"] for record in report.records] == ["end"]
