from dataclasses import replace

import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.choose import choose
from sandbox.program import Execution, Limits
from validators import suite
from validators.runners.deciding import decide_command, decide_suite
from validators.runners.layouts import Materials
from validators.runners.python_report import SuiteReport
from validators.runners.suites import SUITES
from validators.suite import came_to_end
from validators.toolchains import find_tool
from validators.validator import Given
from validators.verdict import Candidate

LIMITS = Limits(seconds=60)
ADD = "def add(a, b):\n    return a + b\n"
WRONG = "def add(a, b):\n    return a - b\n"
JS_ADD = "function add(a, b) { return a + b }\n"
JS_WRONG = "function add(a, b) { return a - b }\n"


async def judge(files, tests="", language="python", limits=LIMITS, **given):
    files = {"solution.py": files} if isinstance(files, str) else files
    return await suite.Tests(Bubblewrap(), limits).judge(
        Candidate(files, language), Given(tests=tests, **given)
    )


def needs(tool):
    return pytest.mark.skipif(find_tool([tool]) is None, reason=f"{tool} is not installed")


UNITTEST = """
import unittest
class T(unittest.TestCase):
    def test_a(self): self.assertEqual(add(1, 2), 3)
    @unittest.skip("later")
    def test_b(self): pass
    @unittest.expectedFailure
    def test_c(self): self.fail()
if __name__ == "__main__":
    unittest.main()
"""
PYTEST = """
import pytest
@pytest.mark.parametrize("n", [1, 2])
def test_a(n): assert add(n, 1) == n + 1
def test_b():
    with pytest.raises(TypeError): add(1)
async def test_c(tmp_path): assert tmp_path.exists()
@pytest.mark.skip
def test_d(): pass
@pytest.mark.xfail
def test_e(): assert False
"""
PASSING = {
    "asserts": ("assert add(2, 3) == 5\nassert add(1, 1) == 2", "2 passed"),
    "functions": (
        "from solution import add\ndef test_a(): assert add(1, 2) == 3\ntest_b = test_a",
        "1 passed",
    ),
    "coroutines": ("async def test_a():\n    assert add(1, 2) == 3", "1 passed"),
    "a loop": ("for n in range(3):\n    assert add(n, 0) == n", "1 passed"),
    "a called check": ("def check(candidate):\n    assert candidate(1, 2) == 3\ncheck(add)", "1 passed"),
    "a check nobody calls": ("def check(candidate):\n    assert candidate(1, 2) == 3", "1 passed"),
    "unittest": (UNITTEST, "2 passed, 1 skipped"),
    "pytest": (PYTEST, "4 passed, 2 skipped"),
    "pytest without functions": (
        "import pytest\nassert add(1, 2) == 3\nwith pytest.raises(TypeError): add(1)",
        "2 passed",
    ),
    "pytest and statements": ("import pytest\nassert add(1, 2) == 3\ndef test_a(): pass", "1 passed"),
    "fixtures without an import": ("def test_a(tmp_path): assert add(1, 2) == 3", "1 passed"),
}


@pytest.mark.parametrize(("tests", "reason"), PASSING.values(), ids=PASSING.keys())
async def test_python_tests_that_hold_pass(tests, reason):
    verdict = await judge(ADD, tests)

    assert (verdict.status, verdict.reason, verdict.confidence) == ("passed", reason, 0.95), verdict
    assert verdict.receipt.tool == "bubblewrap"


FAILING = {
    "assert": (
        "assert add(2, 3) == 5",
        ("given_tests.py", 1, "line 1: assert add(2, 3) == 5: left is -1, right is 5"),
    ),
    "message": (
        "def test_a():\n    assert add(2, 3) in [5], 'sum'",
        ("given_tests.py", 2, "test_a: assert add(2, 3) in [5]: left is -1, right is [5] (sum)"),
    ),
    "not": ("assert not add(3, 2)", ("given_tests.py", 1, "line 1: assert not add(3, 2): the value is 1")),
    "falsy": ("assert add(2, 2)", ("given_tests.py", 1, "line 1: assert add(2, 2): the value is 0")),
    "unknown name": (
        "def test_a(): assert sub(1)",
        ("given_tests.py", 1, "test_a: NameError: name 'sub' is not defined"),
    ),
    "unittest": (
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(add(1, 2), 3)",
        ("given_tests.py", 3, "given_tests.T.test_a: -1 != 3"),
    ),
    "pytest": (
        "import pytest\ndef test_a(): assert add(1, 2) == 3",
        ("given_tests.py", 2, "test_a: assert -1 == 3\n +  where -1 = add(1, 2)"),
    ),
    "import": (
        "import pytest\nfrom solution import other\ndef test_a(): pass",
        ("given_tests.py", 2, "import of the tests: ImportError: cannot import name 'other' from 'solution'"),
    ),
}


@pytest.mark.parametrize(("tests", "expected"), FAILING.values(), ids=FAILING.keys())
async def test_python_tests_that_do_not_hold_fail_with_the_values(tests, expected):
    verdict = await judge(WRONG, tests)

    first = verdict.diagnostics[0]
    assert verdict.status == "failed"
    assert (first.file, first.line) == expected[:2]
    assert first.message.startswith(expected[2])


async def test_an_exception_is_placed_in_the_candidate_and_says_which_test_called():
    verdict = await judge("def add(a, b):\n    return a / 0\n", "assert add(2, 3) == 5")

    first = verdict.diagnostics[0]
    assert (first.file, first.line, first.code) == ("solution.py", 2, "ZeroDivisionError")
    assert first.message == (
        "line 1: ZeroDivisionError: division by zero "
        "(called from given_tests.py, line 1: assert add(2, 3) == 5)"
    )


CHEATS = {
    "leaves at import": "import os\nos._exit(0)",
    "exits at import": "import sys\nsys.exit(0)",
    "leaves when called": "import os\ndef add(a, b): os._exit(0)",
    "exits when called": "import sys\ndef add(a, b): sys.exit(0)",
    "reports itself": f'import os\nos.write(3, b\'{{"kind": "end"}}\\n\')\n{WRONG}',
    "leaves later": f"import atexit, os\natexit.register(os._exit, 0)\n{WRONG}",
    "kills itself": "import os\ndef add(a, b): os.kill(os.getpid(), 9)",
    "looks for the secret": (
        "import glob\nplaces = glob.glob('.*/*') + ['/proc/self/cmdline']\n"
        "texts = [open(place, errors='ignore').read() for place in places]\n"
        f"assert not any('secret' in text for text in texts)\n{WRONG}"
    ),
    "closes the report": f"import os\nos.close(3)\n{ADD}",
}


@pytest.mark.parametrize("code", CHEATS.values(), ids=CHEATS.keys())
async def test_a_candidate_that_ends_the_run_never_passes(code):
    verdict = await judge(code, "assert add(2, 3) == 5")

    assert verdict.status == "failed", verdict


@pytest.mark.parametrize(
    ("code", "message", "place"),
    [
        (
            "def add(a, b):\n    while True:\n        pass\n",
            "did not end within 2 s. It was in add.",
            ("solution.py", 3),
        ),
        (
            "import ctypes\ndef add(a, b):\n    ctypes.string_at(0)\n",
            "Segmentation fault. It was in add.",
            ("solution.py", 3),
        ),
    ],
)
async def test_a_hang_or_crash_is_placed_where_it_happened(code, message, place):
    verdict = await judge(code, "assert add(2, 3) == 5", limits=Limits(seconds=2))

    first = verdict.diagnostics[0]
    assert verdict.status == "failed"
    assert message in first.message
    assert (first.file, first.line) in {place, ("solution.py", 2)}


async def test_too_much_of_anything_is_said():
    verdict = await judge("while True: print('x' * 9999)", "assert True")

    assert verdict.diagnostics[0].message.startswith("The program wrote more than 1024 KiB.")


UNAVAILABLE = {
    "nothing given": (ADD, "", "No tests were given."),
    "no test": (ADD, "x = 1\nprint(add(1, 2))", "No tests were found."),
    "no Python": (ADD, "assert add(1,", "The tests are no Python"),
    "skipped": (
        ADD,
        "import unittest\ndef test_a(): raise unittest.SkipTest('x')",
        "All tests were skipped.",
    ),
    "a package": (
        f"import no_such_package\n{ADD}",
        "import no_such_package\nassert True",
        "Not installed beside the server: no_such_package.",
    ),
    "which function": (
        f"{ADD}def sub(a): pass\n",
        "def check(candidate): pass",
        "could mean any of 2 functions",
    ),
}


@pytest.mark.parametrize(("code", "tests", "reason"), UNAVAILABLE.values(), ids=UNAVAILABLE.keys())
async def test_what_tests_nothing_is_unavailable(code, tests, reason):
    verdict = await judge(code, tests)

    assert (verdict.status, verdict.confidence) == ("unavailable", 0.0)
    assert reason in verdict.reason


async def test_a_syntax_error_of_the_candidate_is_placed():
    verdict = await judge("def add(a, b:\n", "assert True")

    first = verdict.diagnostics[0]
    assert (verdict.status, first.file, first.line, first.code) == ("failed", "solution.py", 1, "SyntaxError")


async def test_several_files_are_imported_by_the_tests_themselves():
    files = {"pkg/__init__.py": "", "pkg/sums.py": ADD}

    verdict = await judge(files, "from pkg.sums import add\nassert add(1, 2) == 3")

    assert verdict.status == "passed"


async def test_one_file_of_another_name_is_known_as_solution_too():
    verdict = await judge(
        {"calc.py": ADD}, "from solution import add as a\nfrom calc import add as b\nassert a is b"
    )

    assert verdict.status == "passed"


async def test_a_candidate_may_use_the_modules_of_the_workspace(tmp_path):
    (tmp_path / "there.py").write_text("ONE = 1\n")

    verdict = await judge("from there import ONE\n", "assert ONE == 1", workspace=str(tmp_path))

    assert verdict.status == "passed"


OTHERS = [
    pytest.param(
        "javascript",
        f"{JS_ADD}module.exports = {{ add }}",
        f"{JS_WRONG}module.exports = {{ add }}",
        "const { add } = require('./solution'); require('assert').strictEqual(add(1, 2), 3)",
        marks=needs("node"),
    ),
    pytest.param(
        "javascript", JS_ADD, JS_WRONG, "require('assert').strictEqual(add(1, 2), 3)", marks=needs("node")
    ),
    pytest.param(
        "javascript",
        f"export {JS_ADD}",
        f"export {JS_WRONG}",
        "import { add } from './solution.js'\nimport assert from 'node:assert'\n"
        "describe('add', () => { it('adds', () => assert.strictEqual(add(1, 2), 3)) })",
        marks=needs("node"),
    ),
    pytest.param(
        "rust",
        "pub fn add(a: i32, b: i32) -> i32 { a + b }",
        "pub fn add(a: i32, b: i32) -> i32 { a - b }",
        "#[cfg(test)]\nmod tests { use super::*;\n#[test]\nfn adds() { assert_eq!(add(1, 2), 3) } }",
        marks=needs("rustc"),
    ),
    pytest.param(
        "c",
        "int add(int a, int b) { return a + b; }",
        "int add(int a, int b) { return a - b; }",
        "#include <assert.h>\nint main(void) { assert(add(1, 2) == 3); }",
        marks=needs("gcc"),
    ),
    pytest.param(
        "cpp",
        "int add(int a, int b) { return a + b; }",
        "int add(int a, int b) { return a - b; }",
        '#include "solution.cpp"\n#include <cassert>\nint main() { assert(add(1, 2) == 3); }',
        marks=needs("g++"),
    ),
    pytest.param(
        "bash", "add() { echo $(($1 + $2)); }", "add() { echo $(($1 - $2)); }", '[ "$(add 1 2)" = 3 ]\nexit 0'
    ),
    pytest.param(
        "bash",
        "add() { echo $(($1 + $2)); }",
        "add() { echo $(($1 - $2)); }",
        'source ./solution.sh\n[ "$(add 1 2)" = 3 ]',
    ),
    pytest.param(
        "java",
        "public class Calc { static int add(int a, int b) { return a + b; } }",
        "public class Calc { static int add(int a, int b) { return a - b; } }",
        "class CalcTest { public static void main(String[] a) { assert Calc.add(1, 2) == 3; } }",
        marks=needs("javac"),
    ),
]
ENDINGS = {"javascript": "js", "rust": "rs", "cpp": "cpp", "c": "c", "bash": "sh", "java": "java"}


@pytest.mark.parametrize(("language", "good", "bad", "tests"), OTHERS)
async def test_tests_of_other_languages_tell_right_from_wrong(language, good, bad, tests):
    path = f"solution.{ENDINGS[language]}"

    passed = await judge({path: good}, tests, language)
    failed = await judge({path: bad}, tests, language)

    assert passed.status == "passed", passed
    assert failed.status == "failed", failed
    assert failed.diagnostics[0].message.startswith("The tests failed.")


LEAVERS = [
    pytest.param(
        "javascript",
        "process.exit(0)",
        "require('./solution'); require('assert')(false)",
        marks=needs("node"),
    ),
    pytest.param(
        "rust",
        "pub fn add() -> i32 { std::process::exit(0) }",
        "#[test]\nfn adds() { assert_eq!(add(), 3) }",
        marks=needs("rustc"),
    ),
    pytest.param(
        "c",
        "#include <stdlib.h>\nint add(int a) { exit(0); }",
        "#include <assert.h>\nint main(void) { assert(add(1)); return 0; }",
        marks=needs("gcc"),
    ),
    pytest.param("bash", "exit 0", "source ./solution.sh\nfalse || exit 1"),
    pytest.param(
        "java",
        "public class Calc { static int add() { System.exit(0); return 1; } }",
        "class CalcTest { public static void main(String[] a) { assert Calc.add() == 3; } }",
        marks=needs("javac"),
    ),
]


@pytest.mark.parametrize(("language", "code", "tests"), LEAVERS)
async def test_a_program_of_any_language_that_ends_early_never_passes(language, code, tests):
    verdict = await judge({f"solution.{ENDINGS[language]}": code}, tests, language)

    assert verdict.status == "failed"
    assert verdict.diagnostics[0].message.startswith("The program ended before its tests did.")


@pytest.mark.parametrize(
    ("language", "tests", "reason"),
    [
        ("javascript", "console.log(1)", "No tests were found"),
        ("typescript", "assert(1)", "Give a test_command"),
        pytest.param(
            "javascript", "test('a', () => expect(1).toBe(1))", "expect is not defined", marks=needs("node")
        ),
    ],
)
async def test_tests_that_cannot_be_run_are_unavailable(language, tests, reason):
    verdict = await judge({"solution.js": JS_ADD}, tests, language)

    assert verdict.status == "unavailable"
    assert reason in verdict.reason


async def test_a_missing_interpreter_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    verdict = await judge({"a.go": "package a"}, "func TestA(t *testing.T) {}", "go")

    assert verdict.reason.startswith("'go' is not installed here. Install Go")


async def test_a_command_runs_in_a_copy_of_the_workspace_with_the_candidate_in_place(tmp_path):
    (tmp_path / "test_sums.py").write_text("from sums import add\ndef test_add(): assert add(1, 2) == 3\n")
    (tmp_path / "sums.py").write_text(WRONG)
    command = "python -m pytest -q -p no:cacheprovider"

    passed = await judge({"sums.py": ADD}, test_command=command, workspace=str(tmp_path))
    failed = await judge({"sums.py": WRONG}, test_command=command, workspace=str(tmp_path))

    assert (passed.status, passed.reason) == ("passed", "1 passed"), passed
    assert failed.status == "failed"
    assert failed.diagnostics[0].file == "test_sums.py"
    assert (tmp_path / "sums.py").read_text() == WRONG
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("test -f solution.py", "passed"),
        ("exit 3", "failed"),
        ("no-such-command", "unavailable"),
        ("python -m unittest -q", "unavailable"),
    ],
)
async def test_a_command_is_judged_by_its_exit_code_and_its_counts(command, status):
    verdict = await judge(ADD, test_command=command, limits=Limits(seconds=60))

    assert verdict.status == status, verdict


async def test_a_command_that_does_not_end_fails():
    verdict = await judge(ADD, test_command="sleep 30", limits=Limits(seconds=0.5))

    assert verdict.status == "failed"
    assert verdict.diagnostics[0].message == "The program did not end within 0.5 s."


@pytest.mark.parametrize(
    ("tests", "command", "status", "reason"),
    [
        (
            "assert add(1, 2) == 3",
            "true",
            "passed",
            "1 passed; The command ended with 0; it printed no count of tests.",
        ),
        ("assert add(1, 2) == 4", "true", "failed", "1 failed"),
        ("assert add(1, 2) == 3", "false", "failed", "1 passed; "),
    ],
)
async def test_where_both_are_given_both_must_pass(tests, command, status, reason):
    verdict = await judge(ADD, tests, test_command=command)

    assert (verdict.status, verdict.reason) == (status, reason)


async def test_without_a_sandbox_nothing_is_run():
    verdict = await suite.Tests(choose("none"), LIMITS).judge(
        Candidate({}, "python"), Given(tests="assert 1")
    )

    assert verdict.status == "unavailable"


DONE = Execution("exited", 0, "", "", 0.1)
ANY = Candidate({"a.js": ""}, "javascript")
SILENT = SuiteReport((), "")


def test_a_framework_that_says_nothing_is_not_believed():
    assert decide_command("python -m unittest -q", DONE, SILENT, ANY, LIMITS)[0] == "unavailable"
    assert (
        decide_command("pytest", replace(DONE, stdout="1 passed in 1s"), SILENT, ANY, LIMITS)[0]
        == "unavailable"
    )
    assert decide_command("make check", DONE, SILENT, ANY, LIMITS)[0] == "passed"


def test_a_command_that_hides_failures_fails():
    execution = replace(
        DONE, stdout="=== 1 failed, 2 passed in 0.1s ===\nFAILED a.py::test_x - assert 1 == 2\n"
    )

    status, diagnostics, _ = decide_command("pytest || true", execution, SILENT, ANY, LIMITS)

    assert status == "failed"
    assert (diagnostics[0].file, diagnostics[0].message) == ("a.py", "test_x - assert 1 == 2")


PASSED = {"kind": "result", "test": "a.py::test_x", "outcome": "passed"}
BEGUN, OVER = {"kind": "start", "collected": "1"}, {"kind": "end"}


@pytest.mark.parametrize(
    ("records", "code", "stdout", "status"),
    [
        ((BEGUN, PASSED, OVER), 0, "1 passed in 1s", "passed"),
        ((PASSED, OVER), 0, "", "passed"),
        ((BEGUN, PASSED), 0, "1 passed in 1s", "failed"),
        ((BEGUN, OVER), 0, "1 passed in 1s", "failed"),
        ((BEGUN, PASSED, OVER), 3, "1 passed in 1s", "failed"),
        ((BEGUN, PASSED, OVER), 0, "1 failed, 1 passed in 1s", "failed"),
        ((OVER,), 5, "no tests ran in 1s", "unavailable"),
        ((OVER,), 3, "", "failed"),
        ((OVER,), 0, "1 passed in 1s", "unavailable"),
    ],
)
def test_of_pytest_only_its_own_report_is_believed(records, code, stdout, status):
    execution = replace(DONE, exit_code=code, stdout=stdout)

    assert decide_command("pytest", execution, SuiteReport(records, ""), ANY, LIMITS)[0] == status


@pytest.mark.parametrize(
    ("command", "code", "written", "status"),
    [
        ("tox", 1, "No module named pytest", "unavailable"),
        ("make check", 0, "3 passed in 1s", "passed"),
        ("make check", 0, "3 passed, 1 failed in 1s", "failed"),
        ("make check", 0, "no tests ran in 1s", "unavailable"),
        ("make check", 2, "3 passed in 1s", "failed"),
    ],
)
def test_what_other_commands_print_is_counted(command, code, written, status):
    execution = replace(DONE, exit_code=code, stdout=written)

    assert decide_command(command, execution, SILENT, ANY, LIMITS)[0] == status


def test_a_limit_fails_whatever_was_said():
    execution = replace(DONE, end="out_of_memory", stdout="3 passed in 1s")

    assert decide_command("pytest", execution, SILENT, ANY, LIMITS)[0] == "failed"
    assert decide_suite(execution, ANY, LIMITS, whole=True)[0] == "failed"


@needs("node")
async def test_a_dependency_that_the_tests_want_too_is_not_the_candidates_fault():
    verdict = await judge({"solution.js": JS_ADD}, "require('chai').assert(add(1, 2) === 3)", "javascript")

    assert verdict.status == "unavailable"
    assert verdict.reason == "A dependency is not installed here: Cannot find module 'chai'."


def test_a_framework_that_ran_no_test_is_unavailable():
    execution = replace(DONE, stdout="# tests 0\n# pass 0\n# fail 0\n")

    assert decide_suite(execution, ANY, LIMITS, whole=True)[0] == "unavailable"


@pytest.mark.parametrize(
    ("language", "stdout", "whole"),
    [
        ("go", "--- PASS: a\n--- SKIP: b\n", True),
        ("go", "--- PASS: a\n", False),
        ("javascript", "word", True),
        ("javascript", "", False),
    ],
)
def test_the_end_of_the_tests_is_proved(language, stdout, whole):
    assert came_to_end(SUITES[language], replace(DONE, stdout=stdout), "word", 2) == whole


def test_tests_in_go_get_the_package_of_the_candidate():
    layout = SUITES["go"].lay_out(Materials({"a.go": "package sums\n"}, "func TestA() {}"))

    assert layout.files["given_test.go"].startswith("package sums\n")
    assert "go.mod" in layout.files


def test_tests_in_go_that_name_their_package_are_left_alone():
    materials = Materials({"a.go": "package sums\n", "go.mod": "module x\n"}, "package sums\n")

    layout = SUITES["go"].lay_out(materials)

    assert layout.files["given_test.go"] == "package sums\n"
    assert layout.files["go.mod"] == "module x\n"


@pytest.mark.parametrize(("language", "ending"), [("ruby", "rb"), ("php", "php")])
@pytest.mark.parametrize("tests", ["assert(1)", "require 'solution'"])
def test_the_last_word_reaches_the_program_on_stdin_alone(language, ending, tests):
    layout = SUITES[language].lay_out(Materials({f"solution.{ending}": "x"}, tests))

    assert tests in layout.files[f"given_tests.{ending}"]
    assert f"given_tests_start.{ending}" in layout.run
    assert layout.script.startswith("read -r word < given_tests_word && rm given_tests_word && ")


def test_rust_tests_that_name_the_candidate_stand_alone():
    layout = SUITES["rust"].lay_out(Materials({"sums.rs": "fn a() {}"}, "mod sums;\n#[test]\nfn b() {}"))

    assert layout.files["given_tests.rs"].startswith("mod sums;")


def test_java_tests_without_a_class_get_a_name():
    assert "Tests.java" in SUITES["java"].lay_out(Materials({}, "")).files
