import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.runners.counting import Counts, count_tests

OUTPUTS = {
    "pytest": ("=========== 1 failed, 2 passed, 1 warning in 0.12s ============", Counts(2, 1)),
    "pytest errors": ("1 error in 0.05s", Counts(0, 1)),
    "pytest quiet": ("3 passed in 0.01s", Counts(3, 0)),
    "pytest nothing": ("======== no tests ran in 0.01s ========", Counts(0, 0)),
    "unittest": ("Ran 3 tests in 0.001s\n\nOK (skipped=1)", Counts(2, 0)),
    "unittest failing": ("Ran 3 tests in 0.001s\n\nFAILED (failures=1, errors=1)", Counts(1, 2)),
    "unittest nothing": ("Ran 0 tests in 0.000s\n\nNO TESTS RAN", Counts(0, 0)),
    "node tap": ("# tests 3\n# pass 2\n# fail 1", Counts(2, 1)),
    "node spec": ("\u2139 tests 3\n\u2139 pass 3\n\u2139 fail 0", Counts(3, 0)),
    "jest": ("Tests:       1 failed, 2 passed, 3 total", Counts(2, 1)),
    "vitest": ("      Tests  3 passed (3)", Counts(3, 0)),
    "go verbose": ("--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\nFAIL", Counts(1, 1)),
    "go": ("ok  \texample.com/a\t0.001s\n?   \texample.com/b\t[no test files]", Counts(1, 0)),
    "go nothing": ("?   \texample.com/b\t[no test files]", Counts(0, 0)),
    "cargo": (
        "test result: ok. 3 passed; 0 failed; 0 ignored\ntest result: ok. 1 passed; 0 failed;",
        Counts(4, 0),
    ),
    "minitest": ("4 runs, 5 assertions, 1 failures, 1 errors, 0 skips", Counts(2, 2)),
}


@pytest.mark.parametrize(("output", "counts"), OUTPUTS.values(), ids=OUTPUTS.keys())
def test_what_frameworks_print_is_counted(output, counts):
    assert count_tests(f"before\n{output}\nafter\n") == counts


@pytest.mark.parametrize("output", ["", "all good", "I passed 3 exams", "passed"])
def test_what_no_framework_prints_is_not_counted(output):
    assert count_tests(output) is None


@given(st.text())
def test_no_output_breaks_the_count(output):
    count_tests(output)
