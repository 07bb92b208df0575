from validators.projects.results import OwnFiles, explain_failures, trim
from validators.projects.text_reports import of_pytest, read_cargo, read_go_text, read_unittest
from validators.runners.python_report import SuiteReport

CARGO = """
running 3 tests
test tests::later ... ignored
test tests::ok ... ok
test tests::adds ... FAILED

failures:

---- tests::adds stdout ----

thread 'tests::adds' (22048) panicked at src/lib.rs:6:20:
assertion `left == right` failed
  left: -1
 right: 5
stack backtrace:
   0: __rustc::rust_begin_unwind
             at /rustc/59807/library/std/src/panicking.rs:689:5


failures:
    tests::adds

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.13s
"""
UNITTEST = """test_add (test_sums.T.test_add)
Adds two numbers. ... noise
FAIL
test_later (test_sums.T.test_later) ... skipped 'later'
test_ok (test_sums.T.test_ok) ... ok

======================================================================
FAIL: test_add (test_sums.T.test_add)
Adds two numbers.
----------------------------------------------------------------------
Traceback (most recent call last):
  File "tests/test_sums.py", line 7, in test_add
    self.assertEqual(add(2, 3), 5)
AssertionError: -1 != 5

----------------------------------------------------------------------
Ran 3 tests in 0.001s

FAILED (failures=1, skipped=1)
"""
GO = """--- FAIL: TestAdd (0.00s)
    sum_test.go:4: Add(2,3) = -1; want 5
--- PASS: TestOk (0.00s)
FAIL
"""


def test_a_failure_of_cargo_says_left_and_right_without_the_stack():
    report = read_cargo(CARGO)

    (remark,) = explain_failures([one for one in report.results if one.outcome == "failed"], {"src/lib.rs"})

    assert report.whole
    assert (remark.file, remark.line) == ("src/lib.rs", 6)
    assert "left: -1\n right: 5" in remark.message
    assert "rustc" not in remark.message


def test_tests_of_cargo_that_never_said_how_they_ended_are_not_whole():
    assert not read_cargo("running 2 tests\ntest a ... ok\n").whole
    assert not read_cargo("running 2 tests\ntest result: ok. 1 passed; 0 failed; 0 ignored;\n").whole


def test_a_failure_of_unittest_has_its_line_even_where_the_test_printed():
    report = read_unittest(UNITTEST)

    (remark,) = explain_failures(
        [one for one in report.results if one.outcome == "failed"], {"tests/test_sums.py"}
    )

    assert report.whole
    assert (remark.file, remark.line) == ("tests/test_sums.py", 7)
    assert remark.message == "test_add (test_sums.T.test_add): AssertionError: -1 != 5"
    assert report.names("passed") == {"test_ok (test_sums.T.test_ok)"}
    assert report.names("skipped") == {"test_later (test_sums.T.test_later)"}


def test_what_unittest_could_not_import_is_told_without_a_frame():
    rule = "-" * 70
    said = f"ERROR: test_x (unittest.loader._FailedTest)\n{rule}\nImportError: no\n\n{rule}\nRan 1 test in 0s"

    (result,) = read_unittest(said).results

    assert (result.outcome, result.text.strip(), result.line) == ("failed", "ImportError: no", 0)


def test_what_go_prints_for_people_is_read():
    report = read_go_text(GO)

    (remark,) = explain_failures(report.results[:1], {"sum_test.go"})

    assert (remark.file, remark.line, remark.message) == (
        "sum_test.go",
        4,
        "TestAdd: sum_test.go:4: Add(2,3) = -1; want 5",
    )
    assert report.names("passed") == {"TestOk"}


def test_the_records_of_our_plugin_become_results():
    records = (
        {
            "kind": "result",
            "test": "a.py::x",
            "outcome": "failed",
            "message": "no",
            "file": "a.py",
            "line": "3",
        },
        {"kind": "result", "test": "a.py::y", "outcome": "skipped"},
        {"kind": "end"},
    )

    report = of_pytest(SuiteReport(records, ""))

    assert report.whole
    assert (report.results[0].file, report.results[0].line) == ("a.py", 3)
    assert report.names("skipped") == {"a.py::y"}


def test_a_file_is_the_projects_own_however_a_runner_names_it():
    resolve = OwnFiles({"src/a.py", "a.py", "x/SumTest.java"}).resolve

    assert resolve("src/a.py") == "src/a.py"
    assert resolve("/somewhere/src/a.py") == "src/a.py"
    assert resolve("SumTest.java") == "x/SumTest.java"
    assert resolve("/usr/lib/SumTest.java") == ""
    assert resolve("node_modules/a.py") == ""
    assert resolve("") == ""


def test_the_same_failure_is_told_once_and_long_ones_are_cut():
    results = read_go_text(GO + GO).results

    assert len(explain_failures([one for one in results if one.outcome == "failed"], {"sum_test.go"})) == 1
    assert len(trim("x" * 10_000)) < 700
