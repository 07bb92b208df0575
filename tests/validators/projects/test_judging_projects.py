"""When a project's tests run again, and when without the candidate."""

import json

import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Execution, Limits
from validators.projects.judging import Baselines, ProjectTests
from validators.runners.tampering import find_tampering
from validators.toolchains import find_tool
from validators.validator import Given
from validators.verdict import Candidate

pytestmark = pytest.mark.skipif(find_tool(["node"]) is None, reason="node is not installed")
PACKAGE = {"package.json": '{"scripts": {"test": "jest"}}', "node_modules/jest/bin/jest.js": "", "a.js": "1"}


SLOW = {}


class Telling:
    """A sandbox in which each run ends as told; it keeps what it was asked to run."""

    name, level = "telling", "full"

    def __init__(self, *outcomes):
        self.programs = []
        self._outcomes = list(outcomes)

    async def run(self, program):
        self.programs.append(program)
        outcomes = self._outcomes.pop(0)
        if outcomes is SLOW:
            return Execution("timed_out", 124, "", "", 60.0, "")
        tests = [{"fullName": name, "status": status} for name, status in outcomes.items()]
        report = json.dumps(
            {"testResults": [{"name": "/w/a.test.js", "status": "", "assertionResults": tests}]}
        )
        code = int("failed" in outcomes.values())
        return Execution("exited", code, "", "", 0.1, f"/w\n{report}")


@pytest.fixture
def workspace(tmp_path):
    for path, text in PACKAGE.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


async def judge(sandbox, workspace, files, baselines=None, removed=()):
    tests = ProjectTests(sandbox, Limits(), baselines or Baselines())
    judged = await tests.judge(Candidate(files, "javascript", removed), Given(workspace=str(workspace)))
    return judged.decision


TEST = "require('node:test')('one', () => require('assert').equal(require('./sum').one, 1))"
GOOD, BAD = {"x": "passed", "y": "passed"}, {"x": "failed", "y": "passed"}


async def test_a_clean_run_is_all_that_is_needed(workspace):
    sandbox = Telling(GOOD)

    assert await judge(sandbox, workspace, {"a.js": "2"}) == ("passed", (), "2 passed")
    assert sandbox.programs[0].files == {"a.js": "2"}


async def test_a_failure_is_compared_with_a_run_without_the_candidate_and_repeated(workspace):
    sandbox = Telling(BAD, GOOD, BAD)

    assert (await judge(sandbox, workspace, {"a.js": "2"}))[0] == "failed"
    assert [bool(program.files) for program in sandbox.programs] == [True, False, True]


async def test_a_failure_that_does_not_come_again_proves_nothing(workspace):
    status, _, reason = await judge(Telling(BAD, GOOD, GOOD), workspace, {"a.js": "2"})

    assert status == "unavailable"
    assert "flaky, failed once and passed once: a.test.js > x" in reason


async def test_an_old_failure_needs_no_repeat(workspace):
    status, _, reason = await judge(Telling(BAD, BAD), workspace, {"a.js": "2"})

    assert status == "passed"
    assert "failed before too: a.test.js > x" in reason


async def test_the_run_without_the_candidate_is_kept_until_the_project_changes(workspace):
    baselines = Baselines()

    await judge(Telling(BAD, BAD), workspace, {"a.js": "2"}, baselines)
    kept = await judge(Telling(BAD), workspace, {"a.js": "3"}, baselines)
    (workspace / "b.js").write_text("new")
    sandbox = Telling(BAD, GOOD, BAD)
    changed = await judge(sandbox, workspace, {"a.js": "3"}, baselines)

    assert (kept[0], changed[0], len(sandbox.programs)) == ("passed", "failed", 3)


async def test_a_run_without_the_candidate_that_was_too_slow_is_not_kept(workspace):
    baselines = Baselines()

    slow = await judge(Telling(BAD, SLOW), workspace, {"a.js": "2"}, baselines)
    known = await judge(Telling(BAD, BAD), workspace, {"a.js": "2"}, baselines)

    assert (slow[0], known[0]) == ("failed", "passed")
    assert "failed before too: a.test.js > x" in known[2]


async def test_what_a_candidate_removes_is_gone_in_its_runs_and_counts_as_touched(workspace):
    for name in ("a.test.js", "b.test.js"):
        (workspace / name).write_text("")
    sandbox = Telling({"y": "passed"}, GOOD)

    status, _, reason = await judge(sandbox, workspace, {"b.js": "2"}, removed=("a.js", "a.test.js"))

    assert [program.removed for program in sandbox.programs] == [("a.js", "a.test.js"), ()]
    assert status == "unavailable"
    assert "tests that passed before are gone: a.test.js > x" in reason


async def test_only_so_many_runs_are_kept(workspace):
    baselines = Baselines()
    for number in range(40):
        baselines.keep((str(number),), number)

    assert (baselines.get(("0",)), baselines.get(("39",))) == (None, 39)


async def test_a_candidate_that_touches_the_judges_is_always_compared(workspace):
    status, (remark,), _ = await judge(
        Telling({"y": "passed"}, GOOD), workspace, {"jest.config.js": "module.exports = {}"}
    )

    assert status == "failed"
    assert "did not run: a.test.js > x" in remark.message


async def test_a_failure_among_the_touched_tests_ends_it(workspace):
    for name in ("a.test.js", "b.test.js"):
        (workspace / name).write_text("")
    sandbox = Telling(BAD, GOOD, BAD)

    assert (await judge(sandbox, workspace, {"a.js": "2"}))[0] == "failed"
    assert sandbox.programs[0].argv[-1] == "a.test.js"
    assert "--runTestsByPath" in str(sandbox.programs[0].argv)


async def test_touched_tests_that_fail_as_before_prove_nothing(workspace):
    for name in ("a.test.js", "b.test.js"):
        (workspace / name).write_text("")

    decision = await judge(Telling({"x": "failed"}, BAD), workspace, {"a.js": "2"})

    assert decision[0] == "unavailable"
    assert "failed before too: a.test.js > x" in decision[2]


async def test_after_the_touched_tests_all_run(workspace):
    for name in ("a.test.js", "b.test.js"):
        (workspace / name).write_text("")
    sandbox = Telling({"x": "passed"}, GOOD)

    assert (await judge(sandbox, workspace, {"a.js": "2"}))[2] == "2 passed"
    assert [program.argv[-1] for program in sandbox.programs] == ["a.test.js", "a.js"]


async def test_the_project_of_a_folder_below_is_run_there(tmp_path):
    files = {
        "app/package.json": '{"scripts": {"test": "node --test"}}',
        "app/sum.js": "exports.one = 1",
        "app/sum.test.js": TEST,
        "package.json": '{"scripts": {"test": "false"}}',
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)

    passed = await judge(Bubblewrap(), tmp_path, {"app/sum.js": "exports.one = 1 "})
    failed = await judge(Bubblewrap(), tmp_path, {"app/sum.js": "exports.one = 2"})

    assert passed == ("passed", (), "1 passed")
    assert (failed[0], failed[1][0].file, failed[1][0].line) == ("failed", "app/sum.test.js", 1)


def test_reading_the_report_is_noticed():
    text = "require('fs').writeFileSync(process.env.REPORT + '/report.json', '{}')"

    assert find_tampering("a.js", text, "javascript")
