"""Candidates that are wrong and want to pass, by accident or on purpose, run for real in the sandbox."""

import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Limits
from tests.sandbox.warm import Forking
from validators import suite
from validators.runners.cheating import find_cheats
from validators.toolchains import find_tool
from validators.validator import Given
from validators.verdict import Candidate

LIMITS = Limits(seconds=60)
WRONG = "def add(a, b):\n    return a - b\n"
ADD = "def add(a, b):\n    return a + b\n"
CHECK = "assert add(2, 3) == 5\n"
PYTEST = "import pytest\nfrom solution import add\ndef test_add():\n    assert add(2, 3) == 5\n"
UNITTEST = (
    "import unittest\nfrom solution import add\nclass T(unittest.TestCase):\n"
    "    def test_one(self): self.assertEqual(1, 1)\n    def test_add(self): self.assertEqual(add(2, 3), 5)\n"
)


def needs(tool):
    return pytest.mark.skipif(find_tool([tool]) is None, reason=f"{tool} is not installed")


def test_a_name_that_is_too_long_to_be_looked_up_replaces_nothing(tmp_path):
    candidate = Candidate({f"{'é' * 200}.py": "import atexit\n"}, "python")

    (remark,) = find_cheats(candidate, Given(workspace=str(tmp_path)))

    assert remark.code == "tampering"


async def judge(files, tests="", language="python", box=None, **given):
    files = {"solution.py": files} if isinstance(files, str) else files
    return await suite.Tests(box or Bubblewrap(), LIMITS).judge(
        Candidate(files, language), Given(tests=tests, **given)
    )


def told(verdict):
    return " ".join([verdict.reason, *(remark.message for remark in verdict.diagnostics)])


PYTHON = {
    "leaves at import": "import os\nos._exit(0)",
    "leaves by another name": "from os import _exit as done\ndone(0)",
    "leaves by a computed name": f"import os\ngetattr(os, '_' + 'exit')(0)\n{WRONG}",
    "exits at import": "import sys\nsys.exit()",
    "raises SystemExit": f"raise SystemExit\n{WRONG}",
    "exits when called": "import sys\ndef add(a, b): sys.exit(0)",
    "execs true": "import os\nos.execv('/bin/true', ['true'])",
    "patches AssertionError": f"import builtins\nbuiltins.AssertionError = type('Fine', (), {{}})\n{WRONG}",
    "names AssertionError": f"AssertionError = KeyboardInterrupt\n{WRONG}",
    "patches isinstance": f"import builtins\nbuiltins.isinstance = lambda *_: True\n{WRONG}",
    "patches unittest": f"import unittest\nunittest.TestCase.assertEqual = lambda *_: None\n{WRONG}",
    "patches unittest later": (
        "import unittest\ndef add(a, b):\n"
        "    unittest.TestCase.assertEqual = lambda *_: None\n    return a - b\n"
    ),
    "patches TestCase.run": f"import unittest\nunittest.TestCase.run = lambda s, r: r.addSuccess(s)\n{WRONG}",
    "patches coroutines": f"import asyncio\nasyncio.run = lambda c: c.close()\n{WRONG}",
    "skips at import": f"import unittest\nraise unittest.SkipTest('later')\n{WRONG}",
    "skips when called": "import unittest\ndef add(a, b): raise unittest.SkipTest('later')",
    "skips by a computed name": (
        "import unittest\ndef add(a, b): raise getattr(unittest, 'Skip' + 'Test')('later')"
    ),
    "skips by pytest": "import pytest\ndef add(a, b): pytest.skip('later')",
    "expects to fail": "import pytest\ndef add(a, b): pytest.xfail('later')",
    "ends pytest": "import pytest\ndef add(a, b): pytest.exit('done', 0)",
    "is equal to everything": (
        "class All:\n    def __eq__(self, other): return True\ndef add(a, b): return All()"
    ),
    "is equal by lambda": (
        "class All(int):\n    __eq__ = lambda self, other: True\ndef add(a, b): return All()"
    ),
    "overwrites the tests": f"open('given_tests.py', 'w').write('def test_add(): pass')\n{WRONG}",
    "reads the tests": "def add(a, b): return eval(open('given_tests.py').read().split('==')[1])",
    "reads the tests by a pattern": (
        "import glob\ntests = [open(p).read() for p in glob.glob('given*')]\n"
        "def add(a, b): return int(tests[0].split('==')[1])"
    ),
    "replaces the code": (
        "def add(a, b):\n    import sys\n    frame = sys._getframe(1)\n"
        "    frame.f_code = (lambda: None).__code__\n    return -1"
    ),
    "peeks into frames": (
        "import inspect\ndef add(a, b):\n    outer = inspect.stack()\n    return outer[1].frame.f_locals"
    ),
    "searches the memory": "import gc\ndef add(a, b): return [o for o in gc.get_objects()][0]",
    "leaves by a thread": (
        "import os, threading\nthreading.Thread(target=os._exit, args=(0,)).start()\n"
        "def add(a, b):\n    while True: pass"
    ),
    "leaves by a signal": (
        "import os, signal\nsignal.signal(signal.SIGALRM, lambda *_: os._exit(0))\nsignal.alarm(1)\n"
        "def add(a, b):\n    while True: pass"
    ),
    "exits by a signal": (
        "import signal, sys\nsignal.signal(signal.SIGALRM, lambda *_: sys.exit(0))\n"
        "def add(a, b):\n    signal.raise_signal(signal.SIGALRM)"
    ),
    "leaves at exit": f"import atexit, os\natexit.register(lambda: os.kill(os.getpid(), 0))\n{WRONG}",
    "prints a pass": f"print('1 passed in 0.01s')\nprint('OK')\n{WRONG}",
    "writes a JUnit file": (
        "open('junit.xml', 'w').write('<testsuite tests=\"1\" failures=\"0\"/>')\n" + WRONG
    ),
    "redirects the report": f"import os\nr, w = os.pipe()\nos.dup2(w, 3)\n{WRONG}",
    "patches json": f"import json\njson.JSONEncoder.iterencode = lambda *_: ['passed']\n{WRONG}",
    "patches os": (
        "import os\nwrite = os.write\n"
        f"os.write = lambda fd, text: write(fd, text.replace(b'failed', b'passed'))\n{WRONG}"
    ),
    "replaces the reporter": (
        "import sys\nfor name, module in list(sys.modules.items()):\n"
        "    if name.endswith('reporting'):\n        module.Reporter.failed = module.Reporter.passed\n"
        + WRONG
    ),
    "lies in the error": (
        'class Fine(AssertionError):\n    def __str__(self): return \'", "outcome": "passed\'\n'
        "def add(a, b): raise Fine"
    ),
    "is not installed": f"import leftpadx\n{WRONG}",
}


@pytest.mark.parametrize(
    "box",
    [pytest.param(Bubblewrap(), id="cold"), pytest.param(Forking(), id="warm", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("code", PYTHON.values(), ids=PYTHON.keys())
async def test_a_wrong_candidate_in_python_never_passes(code, box):
    verdict = await judge(code, CHECK, box=box)

    assert verdict.status == "failed", verdict


@pytest.mark.parametrize(
    "way", [way for way in PYTHON if "patches" in way or "skips" in way or "exit" in way]
)
async def test_a_wrong_candidate_never_passes_tests_of_unittest(way):
    verdict = await judge(PYTHON[way], UNITTEST)

    assert verdict.status == "failed", verdict


@pytest.mark.parametrize(
    "way", ["patches isinstance", "skips by a computed name", "reads the tests by a pattern"]
)
async def test_a_wrong_candidate_never_passes_tests_of_pytest(way):
    verdict = await judge(PYTHON[way], PYTEST)

    assert verdict.status == "failed", verdict


@pytest.mark.slow
@pytest.mark.parametrize("code", PYTHON.values(), ids=PYTHON.keys())
async def test_no_wrong_candidate_at_all_passes_tests_of_pytest(code):
    verdict = await judge(code, PYTEST)

    assert verdict.status == "failed", verdict


REPLACING = {
    "asserts": (
        (
            "import ast\nclass Nothing(ast.Pass):\n    def __init__(self, *a, **k): super().__init__(**k)\n"
            f"ast.Raise = Nothing\n{WRONG}"
        ),
        CHECK,
    ),
    "the event loop": (
        (
            "import asyncio.base_events as loops\n"
            "loops.BaseEventLoop.run_until_complete = lambda self, one: None\n"
            "async def add(a, b): return a - b\n"
        ),
        "async def test_add():\n    assert await add(2, 3) == 5\n",
    ),
    "asynchronous test cases": (
        (
            "import unittest.async_case as cases\n"
            f"cases.IsolatedAsyncioTestCase._callTestMethod = lambda *_: None\n{WRONG}"
        ),
        (
            "import unittest\nclass T(unittest.IsolatedAsyncioTestCase):\n"
            "    async def test_add(self): self.assertEqual(add(2, 3), 5)\n"
        ),
    ),
    "what the tests compare by": (
        f"import math\nmath.isclose = lambda *a, **k: True\n{WRONG}",
        "import math\ndef test_add():\n    assert math.isclose(add(2, 3), 5)\n",
    ),
}


@pytest.mark.parametrize(("code", "tests"), REPLACING.values(), ids=REPLACING.keys())
async def test_a_wrong_candidate_that_replaces_what_tests_are_judged_by_never_passes(code, tests):
    verdict = await judge(code, tests)

    assert verdict.status == "failed", verdict


async def test_tests_that_put_something_in_place_of_a_module_are_not_held_against_the_candidate():
    tests = "import math\nmath.pi = 3\nmath.isclose = lambda a, b: a == b\nassert math.isclose(add(2, 3), 5)"

    assert (await judge("def add(a, b): return a + b", tests)).status == "passed"


async def test_an_assert_keeps_nothing_alive():
    code = "import weakref\nclass Node: pass\nkept = weakref.WeakValueDictionary()\n"
    tests = (
        "def test_it_forgets():\n    node = Node()\n    kept[1] = node\n    assert kept.get(1) is not None\n"
        "    del node\n    assert kept.get(1) is None\n"
    )

    assert (await judge(code, tests)).status == "passed"


TRIPPED = {
    "os._exit": ("import os\n\nos._exit(0)\n", 3),
    "frames": ("import sys\ndef f(): return sys._getframe(1)\n", 2),
    "stack": ("from inspect import stack\n", 1),
    "renamed": ("import inspect as i\ni.stack()\n", 2),
    "garbage": ("import gc\ngc.get_objects()\n", 2),
    "internals": ("import _pytest.runner\n", 1),
    "code": ("def f(): pass\nf.__code__ = None\n", 2),
    "tests": ("def f(): return open('given_tests.py')\n", 1),
    "atexit": ("import atexit\n", 1),
    "equality": ("class A:\n    x = 1\n    def __eq__(self, o):\n        return True\n", 3),
    "inequality": ("class A:\n    def __ne__(self, o): return False\n", 2),
    "by text": ("import os\ngetattr(os, '_exit')\n", 2),
}


@pytest.mark.parametrize(("code", "line"), TRIPPED.values(), ids=TRIPPED.keys())
async def test_tampering_is_named_with_its_line(code, line):
    verdict = await judge(code, "assert True")

    first = verdict.diagnostics[0]
    assert (verdict.status, first.code, first.file, first.line) == (
        "failed",
        "tampering",
        "solution.py",
        line,
    )


@pytest.mark.parametrize(
    "path",
    ["json.py", "pytest.py", "_pytest/__init__.py", "given_tests.py", "given_tests_start.mjs"],
)
async def test_a_candidate_cannot_take_the_place_of_what_judges(path):
    verdict = await judge(
        {"solution.py": WRONG, path: ""}, CHECK.replace("assert", "from solution import add\nassert")
    )

    assert verdict.status == "failed", verdict


@pytest.mark.parametrize("path", ["/tmp/a.py", "../a.py", "a/../../b.py", "a\\b.py"])
async def test_a_path_that_leads_out_is_refused(path):
    verdict = await judge({path: ADD}, CHECK)

    assert (verdict.status, verdict.diagnostics[0].code) == ("failed", "unsafe path")


@pytest.mark.parametrize("language", ["c", "javascript", "bash"])
async def test_a_path_that_a_shell_would_read_is_refused(language):
    path = "b';cat given_tests_word>&3;exit;'.c"

    verdict = await judge({path: "int add;"}, "int main(void) { return 1; } // [ it( ", language)

    assert (verdict.status, verdict.diagnostics[0].code) == ("failed", "unsafe path")


HONEST = {
    "equality": (
        "class Sum:\n    def __init__(self, n): self.n = n\n"
        "    def __eq__(self, other): return isinstance(other, int) and self.n == other\n"
        "def add(a, b): return Sum(a + b)"
    ),
    "a guard": f"import sys\n{ADD}\nif __name__ == '__main__':\n    sys.exit(main())",
    "an exit in a function": f"import sys\ndef main(): sys.exit(0)\n{ADD}",
    "its own print": f"import builtins\nbuiltins.print = lambda *_: None\n{ADD}",
    "a builtin's name that no test uses": f"def sum(a): return a\n{ADD}",
    "math": f"from math import *\n{ADD}",
    "json": f"import json, os, unittest\n{ADD}",
    "a module of its own kind": f"import typing\nlogging = None\n{ADD}",
}


@pytest.mark.parametrize("code", HONEST.values(), ids=HONEST.keys())
async def test_an_honest_candidate_passes(code):
    verdict = await judge(code, f"{UNITTEST}{CHECK}")

    assert verdict.status == "passed", verdict


async def test_tests_may_put_their_own_input_in_place():
    code = "def ask():\n    return input()\n"
    tests = "import builtins\nbuiltins.input = lambda: 'x'\nassert ask() == 'x'"

    verdict = await judge(code, tests)

    assert verdict.status == "passed", verdict


async def test_a_builtin_that_the_tests_use_cannot_be_replaced_unseen():
    verdict = await judge("def all(values): return True\ndef ok(): return [False]", "assert all(ok())")

    assert (verdict.status, verdict.diagnostics[0].code) == ("failed", "shadowing")


async def test_a_task_may_ask_for_a_builtins_name_where_the_tests_import_it():
    verdict = await judge("def pow(a, b): return a ** b", "from solution import pow\nassert pow(2, 3) == 8")

    assert verdict.status == "passed", verdict


NO_TESTS = {
    "a bare call": "add(2, 3)",
    "a test that yields": "def test_add():\n    yield add(2, 3)",
    "a method that yields": "class TestAdd:\n    def test_add(self):\n        yield 1",
    "only comments": "# assert add(2, 3) == 5",
    "a function nobody calls": "def verify():\n    assert add(2, 3) == 5",
}


@pytest.mark.parametrize("tests", NO_TESTS.values(), ids=NO_TESTS.keys())
async def test_tests_that_check_nothing_are_no_pass(tests):
    verdict = await judge(WRONG, tests)

    assert verdict.status == "unavailable", verdict


NO_TESTS_ELSEWHERE = [
    ("javascript", "// it adds: assert(add(2, 3) === 5)"),
    ("javascript", "function testAdd() { require('assert')(add(2, 3) === 5) }"),
    ("javascript", "const testAdd = () => { require('assert')(add(2, 3) === 5) }"),
    ("javascript", "console.log('it adds, assert(1)', add(2, 3))"),
    ("javascript", "const assert = require('assert')\nadd(2, 3)"),
    ("bash", "# [ 1 = 2 ]"),
    ("bash", 'test_add() { [ "$(add 2 3)" = 5 ]; }'),
    ("bash", "function verify { exit 1; }\necho done"),
    ("c", "static void test_add(void) { assert(add(2, 3) == 5); }\nint main(void) { return 0; }"),
    ("java", "class T { static void testAdd() { assert false; }\npublic static void main(String[] a) { } }"),
]


@pytest.mark.parametrize(("language", "tests"), NO_TESTS_ELSEWHERE)
async def test_tests_of_other_languages_that_check_nothing_are_no_pass(language, tests):
    verdict = await judge({"solution.txt": ""}, tests, language)

    assert verdict.status == "unavailable", verdict
    assert "No tests were found" in verdict.reason


BASH_TESTS = '[ "$(add 2 3)" = 5 ]'
BASH = {
    "set +e": "set +e; add() { echo 9; }",
    "set +e when called": "add() { set +e; echo 9; }",
    "set +eE": "set +eE +o pipefail; add() { echo 9; }",
    "no trap": "trap - ERR; set +e; add() { echo 9; }",
    "replaced test": "[() { true; }\nadd() { echo 9; }",
    "replaced exit": "exit() { :; }\nadd() { echo 9; }",
    "replaced trap": "trap() { :; }\nset +e\nadd() { echo 9; }",
    "exit 0": "exit 0",
    "exit trap": "trap 'exit 0' EXIT; add() { echo 9; }",
    "reads the secret": (
        "set +e; trap - ERR; cat given* > /tmp/all; cat /tmp/all >&3 2>/dev/null\nadd() { echo 9; }"
    ),
    "switches off": "enable -n [\nadd() { echo 9; }",
}


@pytest.mark.parametrize(
    "tests", [BASH_TESTS, f"source ./solution.sh\n{BASH_TESTS}"], ids=["joined", "sourced"]
)
@pytest.mark.parametrize("code", BASH.values(), ids=BASH.keys())
async def test_a_wrong_candidate_in_bash_never_passes(code, tests):
    verdict = await judge({"solution.sh": code}, tests, "bash")

    assert verdict.status == "failed", verdict


BASH_HONEST = [
    ("add() { grep -q x /dev/null; echo $(($1 + $2)); }", BASH_TESTS),
    ('add() { echo $(($1 + $2)); }\n[[ "${BASH_SOURCE[0]}" == "$0" ]] && add "$@"', BASH_TESTS),
    ("set -euo pipefail\nadd() { echo $(($1 + $2)); }", f"#!/bin/bash\n{BASH_TESTS}\nexit 0"),
    (
        "add() { echo $(($1 + $2)); }",
        f'source "$(dirname "$0")/solution.sh"\n{BASH_TESTS}\nfailed=0\nexit $failed',
    ),
    ("add() { echo $(($1 + $2)); }", f"test_add() {{ {BASH_TESTS}; }}\ntest_add"),
    (
        "add() { echo $(($1 + $2)); }",
        f"source ./solution.sh || exit 1 # loads\nif true; then . ./solution.sh\nfi\n{BASH_TESTS}",
    ),
    ("trap 'echo bad' ERR\nadd() { echo $(($1 + $2)); }", f"if ! {BASH_TESTS}; then exit 1; fi"),
]


@pytest.mark.parametrize(("code", "tests"), BASH_HONEST)
async def test_an_honest_candidate_in_bash_passes(code, tests):
    verdict = await judge({"solution.sh": code}, tests, "bash")

    assert verdict.status == "passed", verdict


async def test_an_exit_code_at_the_end_of_bash_tests_counts():
    verdict = await judge(
        {"solution.sh": "add() { :; }"}, 'test -n "$(add 1 2)" || failed=1\nexit $failed', "bash"
    )

    assert verdict.status == "failed", verdict


JS_TESTS = "require('assert').strictEqual(add(2, 3), 5)"
JS_FRAMEWORK = (
    "const { add } = require('./solution')\nconst { test } = require('node:test')\n"
    "test('adds', () => require('node:assert').strictEqual(add(2, 3), 5))"
)
JS_WRONG = "function add(a, b) { return a - b }\nmodule.exports = { add }\n"
JAVASCRIPT = {
    "leaves": "process.exit(0)",
    "replaces strictEqual": f"require('assert').strictEqual = () => {{}}\n{JS_WRONG}",
    "replaces it by definition": (
        f"Object.defineProperty(require('assert'), 'strictEqual', {{ value: () => {{}} }})\n{JS_WRONG}"
    ),
    "catches everything": f"process.on('uncaughtException', () => {{}})\n{JS_WRONG}",
    "keeps the exit code": f"process.on('exit', () => {{ process.exitCode = 0 }})\n{JS_WRONG}",
    "silences and keeps": (
        "process.stdout.write = () => true\nprocess.on('exit', () => process.reallyExit(0))\n"
        f"process.on('beforeExit', () => {{ process.exitCode = 0 }})\n{JS_WRONG}"
    ),
    "replaces the test function": (
        f"require('node:test').test = () => {{}}\nglobalThis.test = () => {{}}\n{JS_WRONG}"
    ),
    "looks for the secret": (
        "const fs = require('fs')\nfor (const f of [0, ...fs.readdirSync('.')])\n"
        f"  try {{ fs.writeSync(3, fs.readFileSync(f)) }} catch {{}}\n{JS_WRONG}"
        "process.on('exit', () => process.reallyExit(0))"
    ),
    "replaces require": f"function require() {{ return {{ strictEqual() {{}} }} }}\n{JS_WRONG}",
    "is not installed": f"require('leftpadx')\n{JS_WRONG}",
}


@needs("node")
@pytest.mark.parametrize("tests", [JS_TESTS, JS_FRAMEWORK], ids=["joined", "framework"])
@pytest.mark.parametrize("code", JAVASCRIPT.values(), ids=JAVASCRIPT.keys())
async def test_a_wrong_candidate_in_javascript_never_passes(code, tests):
    verdict = await judge({"solution.js": code}, tests, "javascript")

    assert verdict.status == "failed", verdict


@needs("node")
async def test_a_candidate_in_javascript_cannot_take_the_test_function():
    verdict = await judge(
        {"solution.js": f"function test() {{}}\n{JS_WRONG}"}, "test('adds', () => {})", "javascript"
    )

    assert (verdict.status, verdict.diagnostics[0].code) == ("failed", "shadowing")


C_TESTS = "#include <assert.h>\nint main(void) { assert(add(2, 3) == 5); return 0; }"
C_INCLUDED = f'#include "solution.c"\n{C_TESTS}'
C_WRONG = "int add(int a, int b) { return a - b; }\n"
READER = (
    "#include <stdio.h>\n#include <unistd.h>\n#include <stdlib.h>\n"
    "__attribute__((constructor(101))) static void steal(void) {\n"
    '  char word[99]; size_t got = 0; FILE *file = fopen("giv" "en_tests_word", "r");\n'
    "  if (file) got = fread(word, 1, 99, file); else got = read(0, word, 99);\n"
    "  if (write(3, word, got) >= 0) exit(0);\n}\n"
)
C = {
    "no asserts": f"#define NDEBUG\n{C_WRONG}",
    "no asserts, included": f"#define NDEBUG\n#include <assert.h>\n{C_WRONG}",
    "its own assert": f"#include <assert.h>\n#undef assert\n#define assert(x)\n{C_WRONG}",
    "its own failure": (
        f"void __assert_fail(const char *a, const char *b, unsigned c, const char *d) {{}}\n{C_WRONG}"
    ),
    "leaves": "#include <stdlib.h>\nint add(int a, int b) { exit(0); }",
    "reads the secret": READER + C_WRONG,
}


@needs("gcc")
@pytest.mark.parametrize("tests", [C_TESTS, C_INCLUDED], ids=["joined", "included"])
@pytest.mark.parametrize("code", C.values(), ids=C.keys())
async def test_a_wrong_candidate_in_c_never_passes(code, tests):
    verdict = await judge({"solution.c": code}, tests, "c")

    assert verdict.status == "failed", verdict


RUST_TESTS = "#[test]\nfn adds() { assert_eq!(add(2, 3), 5) }"
RUST = {
    "prints and leaves": (
        "use std::io::Write;\npub fn add(a: i32, b: i32) -> i32 {\n"
        '  std::io::stdout().write_all(b"test adds ... ok\\n").unwrap();\n  std::process::exit(0) }'
    ),
    "replaces assert_eq": (
        "macro_rules! assert_eq { ($($t:tt)*) => { () } }\npub fn add(a: i32, b: i32) -> i32 { a - b }"
    ),
    "is equal to everything": (
        "#[derive(Debug)] pub struct All;\n"
        "impl PartialEq<i32> for All { fn eq(&self, _: &i32) -> bool { true } }\n"
        "pub fn add(a: i32, b: i32) -> All { All }"
    ),
    "is not installed": "use leftpadx::add;",
}


@needs("rustc")
@pytest.mark.parametrize("code", RUST.values(), ids=RUST.keys())
async def test_a_wrong_candidate_in_rust_never_passes(code):
    verdict = await judge({"solution.rs": code}, RUST_TESTS, "rust")

    assert verdict.status == "failed", verdict


JAVA = {
    "is equal to everything": (
        "class Calc { public boolean equals(Object o) { return true; } static int add() { return 1; } }"
    ),
    "no asserts": (
        "class Calc { static { ClassLoader.getSystemClassLoader().setDefaultAssertionStatus(false); }"
        " static int add() { return 1; } }"
    ),
    "takes stdout": (
        "class Calc { static int add() { System.setOut(null); Runtime.getRuntime().halt(0); return 1; } }"
    ),
}


@needs("javac")
@pytest.mark.parametrize("code", JAVA.values(), ids=JAVA.keys())
async def test_a_wrong_candidate_in_java_never_passes(code):
    tests = "class CalcTest { public static void main(String[] a) { assert Calc.add() == 3; } }"

    verdict = await judge({"Calc.java": code}, tests, "java")

    assert verdict.status == "failed", verdict


@pytest.fixture
def project(tmp_path):
    """A project with a pytest of its own, whose `sums.py` the candidate replaces."""
    (tmp_path / "test_sums.py").write_text("from sums import add\ndef test_add(): assert add(2, 3) == 5\n")
    (tmp_path / "check.py").write_text("from sums import add\nassert add(2, 3) == 5\n")
    (tmp_path / "sums.py").write_text(WRONG)
    return tmp_path


COMMANDS = {
    "prints a pass and leaves": (
        "import os\nprint('1 passed in 0.01s', flush=True)\ngetattr(os, '_e' + 'xit')(0)"
    ),
    "exits": f"import sys\n{WRONG}\nif True: sys.exit(0)",
    "execs": "import os\nprint('1 passed in 0.01s', flush=True)\nos.execv('/bin/true', ['true'])",
    "skips": "import pytest\ndef add(a, b): getattr(pytest, 'sk' + 'ip')('later')",
    "skips at import": "import pytest\ngetattr(pytest, 'sk' + 'ip')('later', allow_module_level=True)",
    "expects to fail": "import pytest\ndef add(a, b): getattr(pytest, 'xf' + 'ail')('later')",
    "ends": "import pytest\ndef add(a, b): getattr(pytest, 'ex' + 'it')('done', 0)",
    "looks for the secret": (
        "import glob, os\nfor path in glob.glob('/tmp/.*/*') + glob.glob('.*/*'):\n"
        "    if os.path.isfile(path): os.write(3, open(path, 'rb').read())\n" + WRONG
    ),
}


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(
            way, marks=[] if way in {"prints a pass and leaves", "exits", "skips"} else pytest.mark.slow
        )
        for way in COMMANDS
    ],
)
async def test_a_wrong_candidate_never_passes_the_projects_own_pytest(project, way):
    verdict = await judge({"sums.py": COMMANDS[way]}, test_command="pytest", workspace=str(project))

    assert verdict.status == "failed", verdict


async def test_a_conftest_that_changes_how_pytest_judges_is_refused(project):
    hook = "def pytest_runtest_makereport(item, call):\n    call.excinfo = None\n"

    verdict = await judge(
        {"sums.py": WRONG, "conftest.py": hook}, test_command="pytest", workspace=str(project)
    )

    assert (verdict.status, verdict.diagnostics[0].code) == ("failed", "tampering")


@pytest.mark.parametrize(
    "command",
    [
        "python -m pytest -q -p no:cacheprovider",
        pytest.param("sh -c 'pytest -q'", marks=pytest.mark.slow),
        pytest.param("true && pytest && pytest", marks=pytest.mark.slow),
    ],
)
async def test_an_honest_candidate_passes_the_projects_own_pytest(project, command):
    verdict = await judge({"sums.py": ADD}, test_command=command, workspace=str(project))

    assert (verdict.status, verdict.reason, verdict.confidence) == ("passed", "1 passed", 0.95), verdict


async def test_what_the_workspace_did_before_is_not_held_against_a_candidate(project):
    (project / "sums.py").write_text(f"import atexit\n{WRONG}")

    same = await judge({"sums.py": f"import atexit\n{ADD}"}, test_command="pytest", workspace=str(project))
    more = await judge(
        {"sums.py": f"import atexit\nimport _pytest\n{ADD}"}, test_command="pytest", workspace=str(project)
    )

    assert same.status == "passed", same
    assert more.status == "failed"


async def test_a_candidate_may_write_tests_that_skip(project):
    files = {"sums.py": ADD, "test_more.py": "import pytest\ndef test_a(): pytest.skip('later')\n"}

    verdict = await judge(files, test_command="pytest", workspace=str(project))

    assert (verdict.status, verdict.reason) == ("passed", "1 passed, 1 skipped"), verdict


async def test_pytest_that_does_not_report_is_not_believed(project):
    verdict = await judge({"sums.py": ADD}, test_command="PYTEST_ADDOPTS= pytest", workspace=str(project))

    assert verdict.status == "unavailable"
    assert "pytest did not report" in verdict.reason


@pytest.mark.slow
@pytest.mark.parametrize(("code", "status"), [(ADD, "passed"), (COMMANDS["skips"], "failed")])
async def test_tests_that_run_in_several_processes_report_too(project, code, status):
    verdict = await judge({"sums.py": code}, test_command="pytest -q -n 2", workspace=str(project))

    assert verdict.status == status, verdict


async def test_pytest_that_cannot_load_the_report_is_unavailable(project):
    verdict = await judge({"sums.py": ADD}, test_command="python -I -m pytest -q", workspace=str(project))

    assert verdict.status == "unavailable"


async def test_a_command_that_counts_no_tests_is_hardly_believed(project):
    verdict = await judge({"sums.py": ADD}, test_command="python check.py", workspace=str(project))

    assert (verdict.status, verdict.confidence) == ("passed", 0.6)
    assert verdict.reason == "The command ended with 0; it printed no count of tests."


@pytest.mark.parametrize("code", ["import os\nos._exit(0)", "import sys\nsys.exit()", "raise SystemExit(0)"])
async def test_a_candidate_that_ends_a_command_with_success_fails(project, code):
    verdict = await judge({"sums.py": code}, test_command="python check.py", workspace=str(project))

    assert (verdict.status, verdict.diagnostics[0].code) == ("failed", "tampering")


async def test_an_import_that_only_the_candidate_wants_is_its_fault():
    verdict = await judge(f"import leftpadx\n{ADD}", CHECK)

    assert verdict.status == "failed"
    assert "imports 'leftpadx', which is not installed" in told(verdict)
    assert (verdict.diagnostics[0].file, verdict.diagnostics[0].line) == ("solution.py", 1)


@pytest.mark.parametrize(
    ("path", "text"),
    [("other.py", "from leftpadx import pad\n"), ("pyproject.toml", 'dependencies = ["leftpadx>=1"]\n')],
)
async def test_an_import_that_the_project_wants_too_is_unavailable(tmp_path, path, text):
    (tmp_path / path).write_text(text)

    verdict = await judge(f"import leftpadx\n{ADD}", CHECK, workspace=str(tmp_path))

    assert (verdict.status, verdict.reason) == ("unavailable", "Not installed beside the server: leftpadx.")


async def test_an_import_that_the_tests_want_is_unavailable():
    verdict = await judge(f"import leftpadx\n{ADD}", f"import leftpadx\n{CHECK}")

    assert verdict.status == "unavailable"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("no-such-program --now", "unavailable"),
        ("cd . && A=1 no-such-program", "unavailable"),
        ("./sums.py", "unavailable"),
        ("exit 127", "failed"),
        ("sh -c 'exit 126'", "failed"),
        ("python sums.py", "failed"),
    ],
)
async def test_only_a_program_that_the_shell_did_not_find_makes_a_command_unavailable(
    project, command, status
):
    code = "import sys\nprint('/bin/sh: 1: nothing: not found', file=sys.stderr)\nsys.exit(127)"

    verdict = await judge({"sums.py": code}, test_command=command, workspace=str(project))

    assert verdict.status == status, verdict
