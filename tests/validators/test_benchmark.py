import operator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Execution, Limits
from validators.benchmark import Benchmark, Bound, decide_benchmark, measured, parse_benchmark
from validators.validator import Given
from validators.verdict import Candidate

DONE = Execution("exited", 0, "", "", 0.5)
LIMITS = Limits()


async def judge(command, files=None, **given):
    candidate = Candidate(files or {"solution.py": "print('ops: 1200')\n"}, "python")
    return await Benchmark(Bubblewrap(), LIMITS).judge(candidate, Given(benchmark_command=command, **given))


@pytest.mark.parametrize(
    "command", ["python solution.py", "python solution.py => ops > 1000", "true => seconds < 9"]
)
async def test_a_benchmark_that_keeps_its_bound_passes(command):
    verdict = await judge(command)

    assert verdict.status == "passed", verdict
    assert verdict.receipt.command == command


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "python solution.py => ops > 9000",
            "ops is 1200 at best of 5 runs (1200 to 1200), but must be ops > 9000.",
        ),
        ("python solution.py => other > 1", "The benchmark printed no `other: NUMBER`."),
        ("exit 3", "The benchmark ended with 3."),
    ],
)
async def test_a_benchmark_that_does_not_fails_with_what_was_measured(command, message):
    verdict = await judge(command)

    assert verdict.status == "failed"
    assert verdict.diagnostics[0].message == message


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (" ", "No benchmark was given."),
        ("true => fast", "'fast' is no bound"),
        ("no-such-program", "no-such-program"),
    ],
)
async def test_what_measures_nothing_is_unavailable(command, reason):
    verdict = await judge(command)

    assert verdict.status == "unavailable"
    assert reason in verdict.reason


async def test_a_benchmark_runs_in_a_copy_of_the_workspace(tmp_path):
    (tmp_path / "data.txt").write_text("n = 7\n")

    verdict = await judge("cat data.txt && rm data.txt => n <= 7", workspace=str(tmp_path))

    assert verdict.status == "passed"
    assert (tmp_path / "data.txt").exists()


def test_a_benchmark_that_does_not_end_fails():
    status, diagnostics, _ = decide_benchmark("true", [replace(DONE, end="timed_out")], None, LIMITS)

    assert status == "failed"
    assert diagnostics[0].message == "The program did not end within 30 s."


def test_the_best_of_the_runs_counts():
    slow, fast = replace(DONE, seconds=3.0), replace(DONE, seconds=1.0)

    assert decide_benchmark("true", [slow, fast], Bound("seconds", "<", 2), LIMITS)[0] == "passed"
    assert decide_benchmark("true", [slow, fast], Bound("seconds", ">", 2), LIMITS)[0] == "passed"
    assert decide_benchmark("true", [slow, slow], Bound("seconds", "<", 2), LIMITS)[0] == "failed"


@given(
    command=st.from_regex(r"[a-z][a-z >=./-]{0,20}[a-z]", fullmatch=True),
    name=st.from_regex(r"[a-z_][a-z_0-9]{0,8}", fullmatch=True),
    relation=st.sampled_from(["<", "<=", ">", ">="]),
    number=st.floats(0, 1e9, allow_subnormal=False),
)
def test_a_bound_is_read_back(command, name, relation, number):
    parsed, bound = parse_benchmark(f"{command} => {name} {relation} {number!r}")

    assert parsed == command
    assert bound == Bound(name, relation, number)


@given(st.sampled_from(["<", "<=", ">", ">="]), st.floats(-9, 9), st.floats(-9, 9))
def test_a_bound_means_what_it_says(relation, number, value):
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}[relation]

    assert Bound("x", relation, number).holds(value) == compare(value, number)


@pytest.mark.parametrize(
    ("printed", "value"),
    [("ops: 5", 5), ("ops=1e3\nops = 2.5", 2.5), ("laps: 5", None), ("x.ops: 1", None), ("ops: -.5", -0.5)],
)
def test_the_last_number_under_the_name_is_measured(printed, value):
    assert measured(replace(DONE, stdout=printed), "ops") == value
