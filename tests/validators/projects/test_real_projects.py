"""Projects as people have them, judged by their own tests in the real sandbox."""

import json
import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Limits
from validators.suite import Tests
from validators.toolchains import find_tool
from validators.validator import Given
from validators.verdict import Candidate

ADD = {
    "python": "import own_words\n\n\ndef add(a, b):\n    return own_words.plus(a, b)\n",
    "javascript": "exports.add = (a, b) => a + b;\n",
    "go": "package sum\n\nfunc Add(a, b int) int { return a + b }\n",
    "rust": "pub fn add(a: i32, b: i32) -> i32 { a + b }\n",
}


def needs(tool):
    return pytest.mark.skipif(find_tool([tool]) is None, reason=f"{tool} is not installed")


def write(folder, files):
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


async def judge(folder, files, language, seconds=60, **given):
    given = Given(workspace=str(folder), **given)
    return await Tests(Bubblewrap(), Limits(seconds=seconds)).judge(Candidate(files, language), given)


@pytest.fixture
def python(tmp_path):
    """A project with an environment that has a package of its own, and itself installed in place."""
    folder = tmp_path.resolve()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    packages = next((folder / ".venv").glob("lib/python3*/site-packages"))
    (packages / "own_words.py").write_text("def plus(a, b):\n    return a + b\n")
    (packages / "sums.pth").write_text(f"{folder}/src\n")
    return write(
        folder,
        {
            "pyproject.toml": "[project]\nname = 'sums'\n",
            "src/sums.py": ADD["python"],
            "tests/test_sums.py": (
                "import unittest\nfrom sums import add\n\nclass Sums(unittest.TestCase):\n"
                "    def test_add(self):\n        self.assertEqual(add(2, 3), 5)\n"
                "    def test_nothing(self):\n        self.assertEqual(0, 0)\n"
            ),
            "tests/test_old.py": (
                "import unittest\n\nclass Old(unittest.TestCase):\n"
                "    def test_broken(self):\n        self.assertEqual(1, 2)\n"
            ),
        },
    )


@pytest.fixture
def with_pytest(python):
    """The same project with the server's pytest in its environment."""
    packages = next((python / ".venv").glob("lib/python3*/site-packages"))
    own = Path(pytest.__file__).parents[1]
    for name in ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py.py"):
        if (own / name).exists():
            (packages / name).symlink_to(own / name)
    (python / "tests/test_old.py").unlink()
    return python


@pytest.mark.parametrize("command", ["", "python -m pytest -q"])
async def test_sources_that_are_installed_in_place_hide_nothing_that_pytest_needs(with_pytest, command):
    files = {"src/sums.py": ADD["python"], "src/json.py": "raise RuntimeError('not the one of Python')\n"}

    verdict = await judge(with_pytest, files, "python", test_command=command)

    assert (verdict.status, verdict.confidence, verdict.reason) == ("passed", 0.95, "2 passed")


async def test_what_hides_a_module_in_the_folder_where_pytest_starts_is_not_judged(with_pytest):
    write(with_pytest, {"app/pyproject.toml": "", "app/core.py": "", "app/test_core.py": "import core\n"})

    verdict = await judge(with_pytest, {"app/core.py": "x = 1\n", "app/json.py": ""}, "python")

    assert verdict.status == "unavailable"
    assert "In 'app', 'json.py' cannot be judged: The name hides the module 'json'" in verdict.reason


async def test_a_module_that_is_removed_but_still_needed_fails(with_pytest):
    write(with_pytest, {"src/words.py": "plus = sum\n"})
    write(with_pytest, {"src/sums.py": f"import words\n{ADD['python']}"})
    given = Given(workspace=str(with_pytest))
    candidate = Candidate({"src/notes.py": ""}, "python", removed=("src/words.py",))

    verdict = await Tests(Bubblewrap(), Limits(seconds=60)).judge(candidate, given)

    assert verdict.status == "failed"
    assert "No module named 'words'" in verdict.diagnostics[0].message


WRONG = ADD["python"].replace("(a, b)\n", "(a, -b)\n")


async def test_a_python_project_runs_in_its_own_environment(python):
    verdict = await judge(python, {"src/sums.py": WRONG}, "python")

    assert (verdict.status, verdict.diagnostics[0].file, verdict.diagnostics[0].line) == (
        "failed",
        "tests/test_sums.py",
        6,
    )
    assert verdict.diagnostics[0].message == "test_add (test_sums.Sums.test_add): AssertionError: -1 != 5"


async def test_what_failed_before_does_not_count_and_the_users_tree_stays(python):
    before = sorted(path for path in python.rglob("*") if ".venv" not in path.parts)

    verdict = await judge(python, {"src/sums.py": ADD["python"] + "\n"}, "python")

    assert (verdict.status, verdict.confidence) == ("passed", 0.6)
    assert "failed before too: test_broken (test_old.Old.test_broken)" in verdict.reason
    assert sorted(path for path in python.rglob("*") if ".venv" not in path.parts) == before


async def test_given_tests_and_commands_see_the_projects_packages(python):
    other = {"src/other.py": "import own_words\ndef twice(a):\n    return own_words.plus(a, a)\n"}

    given = await judge(python, other, "python", tests="from other import twice\nassert twice(2) == 4")
    command = await judge(python, other, "python", test_command="python -c 'import other; other.twice(2)'")

    assert (given.status, command.status) == ("passed", "passed")


async def test_a_change_of_the_tests_that_loses_some_is_no_pass(python):
    lost = "import unittest\nclass Sums(unittest.TestCase):\n    def test_nothing(self): pass\n"

    verdict = await judge(python, {"tests/test_sums.py": lost}, "python")

    assert verdict.status == "failed"
    assert "Tests that passed before did not run: test_add" in verdict.diagnostics[0].message


async def test_a_run_that_ends_early_is_no_pass(python):
    leaving = "import os\ngetattr(os, '_ex' + 'it')(0)\n"

    assert (await judge(python, {"src/sums.py": leaving}, "python")).status == "failed"


@pytest.mark.slow
async def test_a_python_that_hangs_says_where(python):
    hanging = "def add(a, b):\n    while True:\n        pass\n"

    verdict = await judge(python, {"src/sums.py": hanging}, "python", seconds=8)

    assert (verdict.status, verdict.diagnostics[0].file) == ("failed", "src/sums.py")
    assert "did not end within" in verdict.diagnostics[0].message


async def test_a_stranger_cannot_have_a_private_folder_shown_as_an_environment(tmp_path):
    secret = tmp_path / "secret"
    write(secret, {"lib/key": "s3cret", "bin/python": "#!/bin/sh\ncat /proc/self/cwd/../lib/key\n"})
    project = write(tmp_path / "project", {".venv/pyvenv.cfg": f"home = {secret}/bin\n"})
    (project / ".venv/bin").mkdir()
    (project / ".venv/bin/python").symlink_to(secret / "bin" / "python")

    verdict = await judge(project, {}, "python", test_command=f"ls {secret}")

    assert verdict.status == "failed"
    assert "s3cret" not in str(verdict)


@pytest.fixture
def javascript(tmp_path):
    test = (
        "const test = require('node:test')\nconst assert = require('node:assert')\n"
        "const { add } = require('../sum')\ntest('adds', () => {\n  assert.strictEqual(add(2, 3), 5)\n})\n"
    )
    return write(
        tmp_path,
        {
            "package.json": '{"scripts": {"test": "node --test"}}',
            "sum.js": ADD["javascript"],
            "test/sum.test.js": test,
            "test/other.test.js": "require('node:test')('other', () => {})\n",
        },
    )


@needs("node")
async def test_a_failure_in_javascript_says_where_what_was_expected_and_what_came(javascript):
    verdict = await judge(javascript, {"sum.js": "exports.add = (a, b) => a - b\n"}, "javascript")

    assert (verdict.status, verdict.receipt.command) == ("failed", "node --test test/sum.test.js")
    assert (verdict.diagnostics[0].file, verdict.diagnostics[0].line) == ("test/sum.test.js", 5)
    assert "expected: 5, got: -1" in verdict.diagnostics[0].message


@needs("node")
async def test_right_javascript_passes_all_tests(javascript):
    verdict = await judge(javascript, {"sum.js": "exports.add = (a, b) => b + a\n"}, "javascript")

    assert (verdict.status, verdict.reason) == ("passed", "2 passed")


@needs("node")
async def test_javascript_that_ends_the_process_does_not_pass(javascript):
    assert (await judge(javascript, {"sum.js": "process.exit(0)\n"}, "javascript")).status == "failed"


@needs("node")
async def test_the_users_own_command_also_gets_places(javascript):
    wrong = {"sum.js": "exports.add = (a, b) => a - b\n"}

    verdict = await judge(javascript, wrong, "javascript", test_command="node --test")

    assert (verdict.status, verdict.diagnostics[0].line) == ("failed", 5)
    assert "expected: 5, got: -1" in verdict.diagnostics[0].message


async def test_jest_that_is_not_installed_is_unavailable_and_says_what_to_do(tmp_path):
    write(tmp_path, {"package.json": '{"scripts": {"test": "jest"}}'})

    verdict = await judge(tmp_path, {"a.js": ""}, "javascript")

    assert verdict.status == "unavailable"
    if find_tool(["node"]):
        assert "node_modules/jest/bin/jest.js, which is not there. Run `npm install`." in verdict.reason


async def test_a_workspace_without_tests_is_unavailable_and_says_what_to_give(tmp_path):
    verdict = await judge(tmp_path, {"a.py": ""}, "python")

    assert verdict.status == "unavailable"
    assert "Give tests or a test_command." in verdict.reason


@pytest.fixture
def rust(tmp_path):
    tests = "#[test]\nfn adds() {\n    assert_eq!(sum::add(2, 3), 5);\n}\n"
    manifest = '[package]\nname = "sum"\nversion = "0.1.0"\nedition = "2021"\n'
    return write(tmp_path, {"Cargo.toml": manifest, "src/lib.rs": ADD["rust"], "tests/sums.rs": tests})


@needs("cargo")
@pytest.mark.slow
async def test_a_failure_in_rust_says_left_and_right(rust):
    verdict = await judge(rust, {"src/lib.rs": ADD["rust"].replace("a + b", "a - b")}, "rust")

    assert (verdict.status, verdict.diagnostics[0].file, verdict.diagnostics[0].line) == (
        "failed",
        "tests/sums.rs",
        3,
    )
    assert "left: -1\n right: 5" in verdict.diagnostics[0].message


@needs("cargo")
@pytest.mark.slow
async def test_a_last_build_of_the_users_is_not_taken_for_the_candidates(rust):
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    await anyio.run_process(["cargo", "test", "--offline"], cwd=rust, env=environment)

    verdict = await judge(rust, {"src/lib.rs": ADD["rust"].replace("a + b", "a - b")}, "rust")

    assert verdict.status == "failed"


@needs("go")
@pytest.mark.slow
async def test_a_failure_in_go_says_what_its_author_wrote(tmp_path):
    test = (
        'package sum\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {\n'
        '\tif got := Add(2, 3); got != 5 {\n\t\tt.Errorf("expected 5, got %d", got)\n\t}\n}\n'
    )
    write(tmp_path, {"go.mod": "module x.com/sum\n\ngo 1.18\n", "sum.go": ADD["go"], "sum_test.go": test})

    verdict = await judge(tmp_path, {"sum.go": ADD["go"].replace("a + b", "a - b")}, "go")

    assert (verdict.status, verdict.diagnostics[0].file, verdict.diagnostics[0].line) == (
        "failed",
        "sum_test.go",
        7,
    )
    assert "expected 5, got -1" in verdict.diagnostics[0].message


@needs("gcc")
async def test_a_project_with_a_makefile_is_judged_by_its_exit_code(tmp_path):
    main = "#include <assert.h>\nint add(int, int);\nint main(void) { assert(add(2, 3) == 5); }\n"
    write(tmp_path, {"Makefile": "check:\n\tgcc t.c add.c -o t && ./t\n", "t.c": main})
    right = "int add(int a, int b) { return a + b; }\n"

    passed = await judge(tmp_path, {"add.c": right}, "c")
    failed = await judge(tmp_path, {"add.c": right.replace("+", "-")}, "c")

    assert (passed.status, passed.confidence) == ("passed", 0.6)
    assert (failed.status, failed.diagnostics[0].file, failed.diagnostics[0].line) == ("failed", "t.c", 3)
    assert "add(2, 3) == 5" in failed.diagnostics[0].message


@pytest.fixture(scope="module")
def frameworks(tmp_path_factory):
    """A folder with the frameworks of npm, which needs its registry."""
    folder = tmp_path_factory.mktemp("frameworks")
    npm = find_tool(["npm"])
    if npm is None:
        pytest.skip("npm is not installed")
    words = [npm.path, "install", "--no-audit", "--no-fund", "--ignore-scripts", "jest", "vitest", "mocha"]
    done = subprocess.run(words, cwd=folder, check=False, capture_output=True, timeout=300)
    if done.returncode:
        pytest.skip("npm cannot install here")
    return folder


EXPECTING = "test('adds', () => {\n  expect(require('./sum').add(2, 3)).toBe(5)\n})\n"
FOR_VITEST = (
    "import { test, expect } from 'vitest'\nimport { createRequire } from 'node:module'\n"
    "const require = createRequire(import.meta.url)\n"
)
FOR_MOCHA = "it('adds', () => {\n  require('assert').equal(require('./sum').add(2, 3), 5)\n})\n"
FRAMEWORKS = {
    "jest": ("jest", "sum.test.js", EXPECTING, "Expected: 5"),
    "vitest": ("vitest run", "sum.test.js", FOR_VITEST + EXPECTING, "expected -1 to be 5"),
    "mocha": ("mocha *.spec.js", "sum.spec.js", FOR_MOCHA, "expected: 5, got: -1"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("script", "path", "test", "said"), FRAMEWORKS.values(), ids=FRAMEWORKS.keys())
async def test_frameworks_of_javascript_say_where_and_what(frameworks, script, path, test, said):
    for old in frameworks.glob("sum.*"):
        old.unlink()
    package = {"scripts": {"test": script}}
    write(frameworks, {"package.json": json.dumps(package), "sum.js": ADD["javascript"], path: test})

    failed = await judge(frameworks, {"sum.js": "exports.add = (a, b) => a - b\n"}, "javascript")
    passed = await judge(frameworks, {"sum.js": "exports.add = (a, b) => b + a\n"}, "javascript")
    left = await judge(frameworks, {"sum.js": "process.exit(0)\n"}, "javascript")

    assert (failed.status, passed.status, left.status) == ("failed", "passed", "failed")
    assert (failed.diagnostics[0].file, failed.diagnostics[0].line) == (
        path,
        test[: test.index("sum')")].count("\n") + 1,
    )
    assert said in failed.diagnostics[0].message
