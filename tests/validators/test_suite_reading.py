"""What is read of tests, commands and projects before and after anything runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.program import Execution
from validators.runners.commands import absent_program
from validators.runners.imports import expected_modules
from validators.runners.suites import SUITES, count_checks
from validators.runners.tampering import find_shadowing, find_tampering, is_test_file
from validators.runners.written_tests import checked_text, uncalled_tests
from validators.validator import Given


@pytest.mark.parametrize(
    ("language", "source", "names"),
    [
        ("javascript", "function testAdd() {}\n", ["testAdd"]),
        ("javascript", "function testAdd() {}\ntestAdd()\n", []),
        ("javascript", "const check_it = function () {}\nconst checked = 3\nlet test\n", ["check_it"]),
        ("javascript", "function testing() {}\n", []),
        ("bash", "test_a() { :; }\nfor t in test_b; do $t; done\ntest_b() { :; }", ["test_a"]),
        ("c", "static int *test_a(void) { return 0; }\nint main(void) { return 0; } // test_a", ["test_a"]),
        ("cpp", "void test_a() {}\nint main() { test_a(); }", []),
        ("java", "class T { void testA() {} }", ["testA"]),
        ("ruby", "def test_a; end", ["test_a"]),
        ("php", "function test_a() {}", ["test_a"]),
        ("php", "<?php function test_a() {} test_a();", []),
        ("rust", "#[test]\nfn test_a() {}", []),
        ("go", "func TestA(t *testing.T) {}", []),
    ],
)
def test_test_functions_that_nothing_calls_are_found(language, source, names):
    assert uncalled_tests(source, language) == names


@pytest.mark.parametrize(
    ("language", "source", "count"),
    [
        ("javascript", "assert(1)", 1),
        ("javascript", "assert.deepStrictEqual(1, 1)\nthrow 1", 2),
        ("javascript", "strictEqual(1, 1)", 1),
        ("javascript", "require('assert')(1)", 1),
        ("javascript", "if (add(1) !== 2) process.exit(1)", 1),
        ("javascript", "it('adds', () => {})", 1),
        ("javascript", "/^a/.test('b')", 0),
        ("javascript", "const assert = require('assert')", 0),
        ("javascript", "/* assert(1) */ console.log('assert(1)')", 0),
        ("javascript", "function verify() { assert(1) }", 0),
        ("bash", "[ 1 = 1 ]", 1),
        ("bash", "# [ 1 = 1 ]\necho '[ 1 = 1 ]'", 0),
        ("c", "int main(void) { return 0; }", 1),
        ("rust", "#[test]\nfn a() {}", 1),
    ],
)
def test_checks_are_counted_where_they_can_run(language, source, count):
    assert count_checks(language, source) == count


@given(st.sampled_from(sorted(SUITES)), st.text())
def test_no_text_breaks_the_reading_of_tests(language, text):
    blanked = checked_text(text, language)

    assert blanked.count("\n") == text.count("\n")
    assert isinstance(uncalled_tests(text, language), list)


@given(st.sampled_from(["a.py", "a.sh", "a.c"]), st.sampled_from(["python", "bash", "c"]), st.text())
def test_no_text_breaks_the_tripwire(path, language, text):
    found = find_tampering(path, text, language)

    assert find_tampering(path, text, language, text) == ()
    assert isinstance(found, tuple)
    assert isinstance(find_shadowing(path, text, language, text), tuple)


HONEST = {
    "equality": "class A:\n  def __eq__(self, o):\n    if self is o: return True\n    return False\n",
    "no equality": "class A:\n    def __eq__(self, o): return NotImplemented\n",
    "a lambda": "__eq__ = lambda a, b: a.n == b.n\nf = lambda: True\nx.y = lambda: True\n",
    "leaving with an error": "import sys\nif bad:\n    sys.exit(2)\nsys.exit(main())\n",
    "raising": "raise ValueError(x)\n",
    "words": "'''Exit and skip.'''\nskip = exit_code = 1\n",
    "nothing": "def broken(:\n",
    "a fixture hook": "def pytest_addoption(parser): pass\n",
}


@pytest.mark.parametrize("code", HONEST.values(), ids=HONEST.keys())
def test_honest_code_trips_nothing(code):
    assert find_tampering("a.py", code, "python") == ()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("a.py", "import sys\nsys.exit(0)\n"),
        ("a.py", "raise SystemExit()\n"),
        ("a.py", "raise SystemExit\n"),
        ("a.py", "quit()\n"),
        ("a.py", "from unittest import SkipTest\n"),
        ("conftest.py", "def pytest_runtest_makereport(): pass\n"),
        ("random.py", "x = 1\n"),
        ("pluggy/__init__.py", ""),
        ("src/sitecustomize.py", ""),
        ("a/given_tests_runner/__init__.py", ""),
        ("pytest.ini", "[pytest]\naddopts = -q\n  -p evil\n"),
        ("a/pyproject.toml", '[tool.pytest.ini_options]\naddopts = [\n  "-p", "evil",\n]\n'),
        ("setup.cfg", "[tool:pytest]\naddopts: -pevil\n"),
        ("a.sh", "cat given_tests.sh"),
    ],
)
def test_what_deceives_its_judges_trips(path, code):
    found = find_tampering(path, code, "bash" if path.endswith("sh") else "python")

    assert [remark.code for remark in found] == ["tampering"]


@pytest.mark.parametrize(
    ("path", "text", "before"),
    [
        ("pytest.ini", "[pytest]\naddopts = -q -p no:cacheprovider -p pytester\n", None),
        ("pytest.ini", "[pytest]\naddopts = -v -p own\n", "[pytest]\naddopts = -p own\n"),
        ("pyproject.toml", "[tool.x]\naddopts = '-q'\nargs = ['-p', '80']\n", None),
        ("a.toml", "addopts = '-p evil'\n", None),
    ],
)
def test_settings_of_pytest_that_load_nothing_new_trip_nothing(path, text, before):
    assert find_tampering(path, text, "python", before) == ()


@pytest.mark.parametrize("path", ["random.py", "a/random.py", "test.py", "email/a.py"])
def test_a_name_of_the_standard_library_is_free_where_it_hides_nothing(path):
    assert find_tampering(path, "", "python", "" if path == "random.py" else None) == ()


@pytest.mark.parametrize(
    ("path", "told"),
    [("test_a.py", True), ("a_test.py", True), ("tests/a.py", True), ("conftest.py", True), ("a.py", False)],
)
def test_files_of_tests_are_told_by_their_names(path, told):
    assert is_test_file(path) == told


def test_tests_may_skip_and_name_themselves():
    code = "import pytest, unittest\npytest.skip('later')\nunittest.SkipTest\nx = 'given_test'\n"

    assert find_tampering("tests/test_a.py", code, "python") == ()


@pytest.mark.parametrize(
    ("language", "code", "tests", "names"),
    [
        ("python", "def all(x): pass", "assert all([])", ["all"]),
        ("python", "len = 3", "assert len([])", ["len"]),
        ("python", "a, b = 1, 2\nx.len = 3", "assert len([])", []),
        ("python", "def all(x): pass", "from a import all\nassert all([])", []),
        ("python", "def all(x): pass", "from a import *\nassert all([])", []),
        ("python", "def all(x): pass", "all = 3", []),
        ("python", "def all(x): pass", "def all(x): return x\nassert all([])", []),
        ("python", "def all(x): pass", "def f(all): return all", []),
        ("python", "def all(x): pass", "assert (", []),
        ("python", "def add(x): pass", "assert add(1)", []),
        ("javascript", "function test() {}", "test('a')", ["test"]),
        ("javascript", "const assert = require('assert')", "assert(1)", []),
        ("javascript", "function test() {}", "assert(1)", []),
        ("bash", "diff() { :; }", "diff a b", ["diff"]),
        ("c", "int test;", "test", []),
    ],
)
def test_names_that_tests_rely_on_are_not_replaced_unseen(language, code, tests, names):
    path = "a.py" if language == "python" else "a.x"

    found = find_shadowing(path, code, language, tests)

    assert [remark.message.split("'")[1] for remark in found] == names


def test_only_python_files_have_names_of_python():
    assert find_shadowing("a.txt", "def all(x): pass", "python", "assert all([])") == ()


def ended(code, stderr=""):
    return Execution("exited", code, "", stderr, 0.1)


@pytest.mark.parametrize(
    ("command", "code", "stderr", "program"),
    [
        ("npm test", 127, "/bin/sh: 1: npm: not found\n", "npm"),
        ("npm test", 127, "sh: line 1: npm: command not found\n", "npm"),
        ("A=1 npm test", 127, "/bin/sh: 1: npm: not found\n", "npm"),
        ("cd a && npm test", 127, "/bin/sh: 1: npm: not found\n", "npm"),
        ("cd a\nnpm test", 127, "/bin/sh: 2: npm: not found\n", "npm"),
        ("./run.sh", 126, "/bin/sh: 1: ./run.sh: Permission denied\n", "./run.sh"),
        ("./run.sh", 127, "/bin/sh: 1: npm: not found\n", ""),
        ("echo npm", 127, "/bin/sh: 1: npm: not found\n", ""),
        ("npm test", 1, "/bin/sh: 1: npm: not found\n", ""),
        ("npm 'test", 127, "/bin/sh: 1: npm: not found\n", "npm"),
        ("npm test", 127, "", ""),
    ],
)
def test_a_program_is_absent_where_the_shell_says_so_of_the_commands_own_word(command, code, stderr, program):
    assert absent_program(command, ended(code, stderr)) == program


@given(st.text(), st.text())
def test_no_command_breaks_the_question_for_its_program(command, stderr):
    assert isinstance(absent_program(command, ended(127, stderr)), str)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", "import os, pad.left\n", True),
        ("a.js", "const pad = require('pad')\n", True),
        ("a.py", "pad = 3\n", False),
        ("a.py", "import padding\n", False),
        ("notes.txt", "import pad\n", False),
        ("requirements-dev.txt", "pad==1\n", True),
        ("package.json", '{"dependencies": {"pad": "1"}}', True),
        ("node_modules/a.py", "import pad\n", False),
        (".venv/a.py", "import pad\n", False),
        ("src/deep/a.rs", "use pad::left;\n", True),
    ],
)
def test_a_module_is_expected_where_the_project_asks_for_it(tmp_path, path, text, expected):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)

    found = expected_modules(["pad"], Given(workspace=str(tmp_path)))

    assert found == ({"pad"} if expected else set())


def test_the_given_tests_ask_for_modules_too():
    tests = "import pad\n"

    assert expected_modules(["pad", "left"], Given(tests=tests)) == {"pad"}
    assert expected_modules([], Given(tests=tests)) == frozenset()
