"""The runner of Python tests, here without a sandbox: what it collects, rewrites and reports."""

import ast
import json
import linecache
import sys
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Limits
from validators.runners.python_report import decide_python, read_report
from validators.runners.python_syntax import remarks
from validators.runners.python_tests.asserting import EXPLAIN, explain, explaining
from validators.runners.python_tests.collecting import count_tests, needs_pytest, uncalled_check
from validators.runners.python_tests.plain import prepare, run_plain
from validators.runners.python_tests.reporting import TESTS, Reporter, describe, open_record
from validators.runners.python_tests.running import run
from validators.suite import Tests
from validators.validator import Given
from validators.verdict import Candidate


class Broken:
    def __repr__(self):
        raise ValueError


@pytest.fixture
def records():
    return []


@pytest.fixture
def report(records):
    return Reporter(open_record("secret", lambda line: records.append(json.loads(line))))


@pytest.fixture
def box(tmp_path, monkeypatch):
    """A working folder with the runner's own folder in it, as in the sandbox."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path / ".runner"), *sys.path])
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / ".runner").mkdir()
    known = dict(sys.modules)
    yield tmp_path
    for name in {"solution", "given_tests"} & (sys.modules.keys() - known.keys()):
        del sys.modules[name]
    sys.modules.update(known)  # the runner has hidden its own


def outcomes(records):
    return [(record["test"], record["outcome"]) for record in records if record["kind"] == "result"]


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("assert f(1)", 1),
        ("check(f)", 0),
        ("def check(f): assert f(1)\ncheck(f)", 1),
        ("def check(f): verify(f)\ndef verify(f): raise ValueError\ncheck(f)", 1),
        ("numpy.testing.assert_equal(f(1), 2)", 1),
        ("f(1)", 0),
        ("with pytest.raises(TypeError): f()", 1),
        ("import pytest\nassert f(1)\ndef test_a(): pass", 1),
        ("print(f(1))", 0),
        ("x = f(1)\nimport a", 0),
        ("for n in a:\n    assert n", 1),
        ("for n in a:\n    print(n)", 0),
        ("if f(1) != 2:\n    raise ValueError", 1),
        ("if __name__ == '__main__':\n    assert 1", 0),
        ("def test_a(): pass\nasync def test_b(): pass\ndef other(): assert 1", 2),
        ("class T(unittest.TestCase):\n    def test_a(self): pass\n    def other(self): pass", 1),
        ("class TestT:\n    def test_a(self): pass", 1),
        ("class Other:\n    def test_a(self): pass", 0),
        ('"""Text."""', 0),
    ],
)
def test_tests_are_counted_without_running_them(source, count):
    assert count_tests(source, ast.parse(source)) == count


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("import pytest\ndef test_a(): pass", True),
        ("from pytest import raises\ndef test_a(): pass", True),
        ("def test_a():\n    import pytest.x", True),
        ("import pytest\nwith pytest.raises(TypeError): f()", False),
        ("def test_a(tmp_path): pass", True),
        ("class TestT:\n    def test_a(self): pass", True),
        ("class TestT(TestCase):\n    def test_a(self): pass", False),
        ("def test_a(x=1): pass", False),
        ("from . import x\nimport pytestx", False),
    ],
)
def test_pytest_is_asked_for_when_nothing_else_will_do(source, needed):
    assert needs_pytest(source, ast.parse(source)) == needed


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def check(candidate): assert candidate(1)", "check"),
        ("def check(candidate): assert 1\ncheck(f)", ""),
        ("def check(a, b): pass", ""),
        ("x = 1", ""),
    ],
)
def test_a_check_that_nobody_calls_is_found(source, name):
    assert uncalled_check(source, ast.parse(source)) == name


@given(
    st.integers(-9, 9), st.integers(-9, 9), st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "is", "in"])
)
def test_a_rewritten_assert_means_the_same(left, right, operation):
    source = f"assert {left} {operation} {f'[{right}]' if operation == 'in' else right}"

    def fails(tree):
        try:
            exec(compile(tree, "x", "exec"), {EXPLAIN: explain})  # noqa: S102 - the source is our own
        except AssertionError:
            return True
        return False

    with warnings.catch_warnings(action="ignore"):
        plain = fails(ast.parse(source))
    assert fails(explaining(ast.parse(source))) == plain


def explained(source, **names):
    """What a failed assert of the tests says."""
    linecache.cache[TESTS] = (len(source), None, source.splitlines(keepends=True), TESTS)
    with pytest.raises(AssertionError) as error:
        exec(compile(explaining(ast.parse(source)), TESTS, "exec"), {EXPLAIN: explain, **names})  # noqa: S102 - the source is our own
    del linecache.cache[TESTS]
    return str(error.value)


def test_a_failed_assert_shows_its_source_and_its_values():
    assert explained("assert a == b", a=1, b=2) == "assert a == b: left is 1, right is 2"
    assert explained("assert not a, 'why'", a=[1]) == "assert not a: the value is [1] (why)"
    assert explained("assert (\n  'grüß' ==\n  a)", a="x").startswith("assert 'grüß' == a: left is 'grüß'")


def test_a_failed_assert_is_explained_wherever_it_stands():
    for block in (
        "if a:\n {}",
        "for x in [1]:\n {}",
        "try:\n {}\nfinally:\n pass",
        "match a:\n case _:\n  {}",
    ):
        assert "left is 1" in explained(block.format("assert a == 2"), a=1)
    assert "left is 1" in explained("try:\n 1/0\nexcept ArithmeticError:\n assert a == 2", a=1)


def test_values_that_cannot_be_shown_or_are_long_do_no_harm():
    assert "<Broken whose repr raises ValueError>" in explained("assert not a", a=Broken())
    assert len(explained("assert not a", a="x" * 9999)) < 400


def run_plain_source(source, names, report):
    tree = ast.parse(source)
    run_plain(prepare(source, tree), names, report)


def test_every_kind_of_plain_test_is_reported(records, report, box):
    source = """
import unittest
assert one == 1
def test_a(): assert one == 1
async def test_b(): assert one == 2
def test_c(): raise unittest.SkipTest("why")
class T(unittest.TestCase):
    def test_d(self): pass
    def test_e(self): self.assertEqual(one, 2)
    def test_f(self): raise KeyError
    def test_g(self):
        for n in (1, 2):
            with self.subTest(n): self.assertEqual(n, 1)
    @unittest.skip("x")
    def test_h(self): pass
    @unittest.expectedFailure
    def test_i(self): pass
    @unittest.expectedFailure
    def test_j(self): self.fail()
"""
    tree = ast.parse(source)

    run_plain(prepare(source, tree), {"one": 1}, report)

    case = "given_tests.T.test_"
    assert outcomes(records) == [
        ("line 3", "passed"),
        ("test_a", "passed"),
        ("test_b", "failed"),
        ("test_c", "skipped"),
        (f"{case}d", "passed"),
        (f"{case}e", "failed"),
        (f"{case}f", "failed"),
        (f"{case}g [2]", "failed"),
        (f"{case}h", "skipped"),
        (f"{case}i", "failed"),
        (f"{case}j", "passed"),
    ]


def test_a_failed_statement_ends_the_run(records, report, box):
    source = "from __future__ import annotations\nraise SystemExit(0)\nassert 1\n"

    run_plain_source(source, {}, report)

    assert outcomes(records) == [("line 2", "failed")]


def test_the_candidate_is_imported_and_its_public_names_are_known(records, report, box):
    (box / "solution.py").write_text("__all__ = ['_one']\n_one = 1\ntwo = 2\n")

    run("assert _one == 1", box / ".runner", "solution.py", report)
    run_plain_source("assert two", {"_one": 1}, report)

    assert outcomes(records) == [("line 1", "passed"), ("line 1", "failed")]
    assert not (box / ".runner").exists()


def test_a_candidate_that_cannot_be_imported_is_reported(records, report, box):
    (box / "solution.py").write_text("import no_such_module_here\n")

    run("assert 1", box / ".runner", "solution.py", report)

    assert records[-1]["missing"] == "no_such_module_here"


def test_tests_that_are_no_python_are_told(records, report, box):
    run("assert (", box / ".runner", "", report)

    assert [record["kind"] for record in records] == ["unusable"]


def test_a_check_that_nobody_calls_gets_the_only_function(records, report, box):
    source = "def check(candidate): assert candidate() == 1"

    run_plain_source(source, {"f": lambda: 1, "json": json, "dumps": json.dumps}, report)

    assert outcomes(records) == [("check", "passed")]


def test_a_module_of_the_candidates_own_is_not_called_missing(box):
    (box / "own.py").touch()

    assert describe(ModuleNotFoundError(name="own.part"))["missing"] == ""
    assert describe(ModuleNotFoundError(name="json.part"))["missing"] == ""
    assert describe(ModuleNotFoundError())["missing"] == ""


def line(kind="result", **fields):
    return json.dumps({"secret": "secret", "kind": kind} | fields) + "\n"


def broken(**fields):
    return line(test="a", outcome="failed", message="m", file="f.py", line="3", code="E", **fields)


START, END = line("start", collected="1"), line("end")
PASSED = line(test="a", outcome="passed")
SKIPPED = line(test="a", outcome="skipped", message="")
FAILED = broken()
STACK = """Timeout (0:00:01)!
  File "/usr/lib/python3.11/a.py", line 1 in x
  File "/b/c.py", line 3 in f
"""


@pytest.mark.parametrize(
    ("report", "limit", "status", "told"),
    [
        (START + PASSED + END, "", "passed", "1 passed"),
        (START + PASSED, "", "failed", "ended before"),
        (START + END, "", "failed", "Only 0 of 1"),
        (START + PASSED + END, "Too slow.", "failed", "Too slow."),
        (START + FAILED + END, "", "failed", "a: m"),
        (START + PASSED + STACK, "Too slow.", "failed", "Too slow. It was in f."),
        (START + "Fatal Python error: Aborted\n", "", "failed", "Python crashed: Aborted."),
        (START + SKIPPED + END, "", "unavailable", "All tests were skipped."),
        (line("start", collected="0") + END, "", "unavailable", "No tests were found."),
        ("", "", "unavailable", "could not be started"),
        (line("unusable", message="no pytest") + END, "", "unavailable", "no pytest"),
        (START + PASSED.replace("secret", "guess") + END, "", "failed", "Only 0 of 1"),
        (START + PASSED + END.replace("secret", "guess"), "", "failed", "ended before"),
        (START + '{"secret": "secret", cut', "", "failed", "ended before"),
        (START + broken(missing="numpy") + END, "", "unavailable", "numpy"),
        (
            START + broken(missing="leftpadx") + END,
            "",
            "failed",
            "imports 'leftpadx', which is not installed",
        ),
    ],
)
def test_only_a_whole_report_without_failures_passes(report, limit, status, told):
    decided, diagnostics, reason = decide_python(read_report(report, "secret"), limit, {"numpy"})

    assert decided == status
    assert told in " ".join([reason, *(diagnostic.message for diagnostic in diagnostics)])


@given(st.text(), st.text())
def test_nothing_that_a_candidate_can_write_passes_without_the_secret(text, limit):
    assert decide_python(read_report(text, "e7b1"), limit)[0] != "passed"


@pytest.mark.parametrize(
    ("source", "code"),
    [("def f(:", "SyntaxError"), ("(" * 5000, ""), ("x = 1 is 1", "SyntaxWarning"), ("x = 1", None)],
)
def test_python_is_compiled_without_being_run(tmp_path, source, code):
    (tmp_path / "a.py").write_text(source)

    found = list(remarks(str(tmp_path / "a.py")))

    assert len(found) == (0 if code is None else 1)
    assert all(remark["code"] == code or not code for remark in found)


@pytest.mark.parametrize("path", ["my-slug.py", "new dir/ü.py"])
async def test_a_file_whose_name_cannot_be_imported_is_tested_as_solution(path):
    candidate = Candidate({path: "def add(a, b):\n    return a + b\n"}, "python")
    tests = "from solution import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n"

    verdict = await Tests(Bubblewrap(), Limits()).judge(candidate, Given(tests=tests))

    assert verdict.status == "passed", verdict.diagnostics
