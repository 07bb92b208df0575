from dataclasses import replace

import pytest

from sandbox.program import Execution
from validators.projects.deciding import Runs, decide_project, needs_repeat
from validators.projects.results import Report, Result
from validators.projects.running import Ran

PATHS = {"a.py", "test_a.py"}
FAILURE = {"text": "test_a.py:3: expected 5, got -1"}


def ran(code=None, *, whole=True, limit="", stdout="", stderr="", dump="", **outcomes):
    results = tuple(
        Result(name, outcome, **(FAILURE if outcome == "failed" else {}))
        for name, outcome in outcomes.items()
    )
    code = int("failed" in outcomes.values()) if code is None else code
    return Ran(Execution("exited", code, stdout, stderr, 1.0), Report(results, whole), dump, limit)


def decide(now, before=None, again=None, *, counts=True, partial=False):
    return decide_project(Runs(now, before, again), PATHS, counts=counts, partial=partial)


GOOD = ran(x="passed", y="passed")
BROKEN = ran(2, whole=False, stderr="a.py:1: cannot compile")
SLOW = ran(limit="The tests did not end within 7 s.")


def test_a_clean_run_passes():
    assert decide(GOOD) == ("passed", (), "2 passed")


def test_a_new_failure_names_its_place():
    status, (remark,), reason = decide(ran(x="failed", y="passed"), GOOD)

    assert (status, reason) == ("failed", "1 passed, 1 failed")
    assert (remark.file, remark.line) == ("test_a.py", 3)
    assert "expected 5, got -1" in remark.message


def test_a_test_that_failed_before_is_named_and_does_not_count():
    now = ran(x="failed", y="passed")

    assert decide(now, ran(x="failed", y="passed")) == (
        "passed",
        (),
        "1 passed, 1 failed; failed before too: x",
    )


def test_where_only_old_failures_ran_nothing_is_proven():
    assert decide(ran(x="failed"), ran(x="failed"))[0] == "unavailable"


def test_a_mended_test_passes():
    assert decide(ran(x="passed"), ran(x="failed"))[0] == "passed"


@pytest.mark.parametrize("now", [ran(x="passed"), ran(x="passed", y="skipped")])
def test_a_test_that_passed_before_must_still_run(now):
    status, (remark,), _ = decide(now, GOOD)

    assert status == "failed"
    assert remark.message.startswith("Tests that passed before did not run: y.")
    assert decide(now, GOOD, partial=True)[0] == "passed"


@pytest.mark.parametrize(
    ("before", "again", "status"),
    [
        (GOOD, None, "failed"),
        (GOOD, BROKEN, "failed"),
        (GOOD, GOOD, "unavailable"),
        (BROKEN, None, "unavailable"),
        (SLOW, None, "unavailable"),
        (ran(2, whole=False, stderr="no such file: a.py"), None, "failed"),
        (None, None, "failed"),
    ],
)
def test_a_run_that_does_not_even_begin_counts_unless_it_is_the_same_without_the_candidate(
    before, again, status
):
    assert decide(BROKEN, before, again)[0] == status


def test_what_does_not_compile_has_its_place():
    _, (remark,), _ = decide(BROKEN, GOOD)

    assert (remark.file, remark.line) == ("a.py", 1)
    assert "cannot compile" in remark.message


def test_a_test_that_fails_once_and_passes_once_proves_nothing():
    status, _, reason = decide(ran(x="failed", y="passed"), GOOD, GOOD)

    assert status == "unavailable"
    assert "flaky, failed once and passed once: x" in reason


def test_beside_a_lasting_failure_a_flaky_one_is_only_named():
    now = ran(x="failed", y="failed", z="passed")

    status, remarks, reason = decide(now, GOOD, ran(x="passed", y="failed", z="passed"))

    assert (status, len(remarks)) == ("failed", 1)
    assert "flaky" in reason
    assert "y" in remarks[0].message


@pytest.mark.parametrize(
    ("now", "before", "wanted"),
    [
        (ran(x="failed"), GOOD, True),
        (ran(x="failed"), ran(x="failed"), False),
        (BROKEN, GOOD, True),
        (BROKEN, BROKEN, False),
        (SLOW, GOOD, False),
        (GOOD, None, False),
        (ran(x="failed"), SLOW, False),
    ],
)
def test_only_a_new_failure_is_looked_at_twice_and_never_a_slow_run(now, before, wanted):
    assert needs_repeat(now, before) is wanted


LIMIT = "The tests did not end within 7 s."


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (ran(limit=LIMIT, stderr='  File "a.py", line 2 in add'), "It was in a.py, line 2."),
        (ran(limit=LIMIT, dump="a.py:2 +0x1d"), "It was in a.py, line 2."),
        (ran(limit=LIMIT, y="passed", x="failed"), "It was in the test 'x'."),
        (ran(limit=LIMIT, y="passed"), "The last test that ended was 'y'."),
        (ran(limit=LIMIT, stdout="one\ntwo\n\n"), "It wrote last: two"),
        (ran(limit=LIMIT), LIMIT),
    ],
)
def test_what_took_too_long_says_where_it_was(now, said):
    now = Ran(now.execution, Report(tuple(r for r in now.report.results), whole=False), now.dump, now.limit)
    quiet = Ran(
        now.execution,
        Report(tuple(Result(r.name, r.outcome) for r in now.report.results)),
        now.dump,
        now.limit,
    )

    status, (remark,), _ = decide(quiet, GOOD)

    assert status == "failed"
    assert remark.message.endswith(said)


def test_what_takes_too_long_without_the_candidate_too_is_not_its_fault():
    assert decide(SLOW, SLOW)[0] == "unavailable"


def test_a_report_that_was_cut_off_is_no_pass():
    assert decide(ran(whole=False, x="passed"))[0] == "failed"
    assert decide(ran(whole=False, x="passed"), ran(x="passed"))[0] == "failed"
    assert decide(ran(whole=False, x="passed"), ran(whole=False, x="passed"))[0] == "passed"


@pytest.mark.parametrize(
    ("stdout", "status"),
    [
        ("", "passed"),
        ("3 passed in 1s", "passed"),
        ("1 failed, 2 passed in 1s", "failed"),
        ("no tests ran in 1s", "unavailable"),
    ],
)
def test_a_runner_without_a_report_is_judged_by_its_exit_code_and_what_it_counts(stdout, status):
    assert decide(ran(whole=False, stdout=stdout), counts=False)[0] == status


def test_very_many_old_failures_are_not_all_named():
    names = {f"t{number}": "failed" for number in range(9)}

    assert "and 4 more" in decide(ran(x="passed", **names), ran(x="passed", **names))[2]


@pytest.mark.parametrize("now", [ran(y="passed"), ran(x="skipped", y="passed")])
def test_a_failing_test_that_is_left_out_or_skipped_proves_nothing(now):
    status, _, reason = decide(now, ran(x="failed", y="passed"))

    assert status == "unavailable"
    assert "tests that failed before did not run any more: x." in reason
    assert decide(now, ran(x="failed", y="passed"), partial=True)[0] == "passed"
    assert decide(now, ran(x="failed", y="passed", limit="slow"))[0] == "passed"


@pytest.mark.parametrize(
    ("before", "now", "status"),
    [
        ("test_a.py", "test_a.py::test_x", "passed"),
        ("test_a.py", "test_b.py::test_x", "unavailable"),
        ("test_a.py::test_x", "test_a.py::test_x2", "unavailable"),
        ("a.test.js > (load)", "a.test.js > adds", "passed"),
        ("a.test.js > (load)", "b.test.js > adds", "unavailable"),
        ("a.test.js", "adds", "passed"),
        ("test_a (unittest.loader._FailedTest.test_a)", "test_x (test_a.T.test_x)", "passed"),
        ("setUpClass (test_a.T)", "test_x (test_a.T.test_x)", "passed"),
    ],
)
def test_the_failure_of_a_whole_file_is_mended_when_its_tests_run(before, now, status):
    assert decide(ran(**{now: "passed"}), ran(**{before: "failed"}))[0] == status


def test_tests_that_are_gone_with_their_file_prove_nothing():
    runs = Runs(ran(x="passed"), ran(**{"x": "passed", "b.py::y": "passed"}), removed=("b.py",))

    status, _, reason = decide_project(runs, PATHS, counts=True, partial=False)

    assert (status, reason) == ("unavailable", "1 passed; tests that passed before are gone: b.py::y.")
    assert decide_project(replace(runs, removed=("a.py",)), PATHS, counts=True, partial=False)[0] == "failed"


def test_what_is_wrong_is_the_same_where_only_numbers_differ_however_long_it_is():
    said = "ab " * 600 + "ERROR in step {number}, /tmp/x{number}1: cannot open {name}"
    now, same, other = (
        ran(code=2, stdout=said.format(number=number, name=name))
        for number, name in ((1, "a"), (2, "a"), (1, "b"))
    )

    assert decide(now, same)[0] == "unavailable"
    assert decide(now, other)[0] == "failed"
