import venv

import pytest

from sandbox.program import Execution, Limits
from validators.projects.detecting import Found
from validators.projects.judging import Baselines, ProjectTests
from validators.projects.runners import RUNNERS
from validators.projects.running import Order, order_program, read_run
from validators.runners.python_start import Runner
from validators.validator import Given
from validators.verdict import Candidate

PASSED = '<testsuite><testcase name="/w/a" classname="test" file="/w/a.js"/></testsuite>'


def order(runner, **changes):
    return Order(Found(RUNNERS[runner]), "/project", None, Limits(seconds=10), **changes)


def ended(code=0, seconds=1.0, report="", end="exited"):
    return Execution(end, code, "/w/out", "/w/err", seconds, report)


def test_paths_are_as_the_workspace_has_them():
    ran = read_run(order("node --test"), Runner(), ended(report=f"/w\n{PASSED}"))

    assert (ran.execution.stdout, ran.execution.stderr) == ("out", "err")
    assert ran.report.names("passed") == {"a"}


@pytest.mark.parametrize(
    ("runner", "execution", "limited"),
    [
        ("jest", ended(124, 7.1), True),
        ("jest", ended(137, 9.5, end="killed"), True),
        ("jest", ended(124, 1.0), False),
        ("jest", ended(0, 10.0, end="timed_out"), True),
        ("go test", ended(1, 6.0, '/w\n{"Output": "panic: test timed out after 6s"}'), True),
    ],
)
def test_tests_that_were_stopped_passed_a_limit(runner, execution, limited):
    assert bool(read_run(order(runner), Runner(), execution).limit) is limited


def test_a_run_that_never_began_has_no_report():
    ran = read_run(order("jest"), Runner(), ended(125))

    assert (ran.report.results, ran.execution.stdout, ran.clean) == ((), "/w/out", False)


def test_chosen_tests_stand_behind_the_words_that_choose():
    program = order_program(order("jest", chosen=("a.test.js",), files={"a.js": "1"}), Runner())

    assert '--runTestsByPath "$@"' in program.argv[8]
    assert program.argv[-2:] == ("a.js", "a.test.js")
    assert program.report_fd


async def absent(workspace, files, language):
    tests = ProjectTests(None, Limits(), Baselines())
    return (await tests.judge(Candidate(files, language), Given(workspace=str(workspace)))).decision


async def test_a_tool_that_is_not_here_is_named_with_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.csproj").touch()

    status, _, reason = await absent(tmp_path, {"a.cs": ""}, "csharp")

    assert status == "unavailable"
    assert "'dotnet', which is not installed here. Install the .NET SDK" in reason


async def test_pytest_that_the_project_lacks_is_named(tmp_path):
    folder = tmp_path.resolve()
    venv.create(folder / ".venv", with_pip=False)
    (folder / "test_a.py").write_text("import pytest\n")

    status, _, reason = await absent(folder, {"a.py": ""}, "python")

    assert status == "unavailable"
    assert "need pytest, which is not installed. Install pytest into the project's virtual" in reason
