import operator
from dataclasses import replace

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Execution, Limits
from validators.benchmark import Benchmark, measured, read_run
from validators.goals import Bound, Speed, find_goal, parse_benchmark
from validators.measuring import Rounds, decide_bound, decide_speed
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
        ("true => fast", "'fast' is no goal"),
        ("=> not slower", "is no goal"),
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


async def test_the_first_run_that_keeps_its_bound_is_enough(tmp_path):
    verdict = await judge("python solution.py => ops > 1000")

    assert verdict.reason == "ops is 1200 at best of 1 run (1200 to 1200), which keeps ops > 1000."


async def test_a_bound_is_found_in_the_requirements():
    verdict = await judge("python solution.py", requirements="It starts within 20 seconds.")

    assert verdict.reason.endswith("which keeps seconds <= 20.")


SLEEPS = "import time\ntime.sleep({})\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seconds", "goal", "status"),
    [(0.1, "1.2x faster", "passed"), (0.4, "not slower", "failed"), (0.2, "2x faster", "failed")],
)
async def test_a_speed_is_held_against_the_workspace_as_it_was(tmp_path, seconds, goal, status):
    (tmp_path / "work.py").write_text(SLEEPS.format(0.2))

    verdict = await judge(
        f"python work.py => {goal}", {"work.py": SLEEPS.format(seconds)}, workspace=str(tmp_path)
    )

    assert verdict.status == status, verdict
    assert "times as fast as before" in f"{verdict.reason}{verdict.diagnostics}"
    assert (tmp_path / "work.py").read_text() == SLEEPS.format(0.2)


RATE = "print('ops:', {})\n"


@pytest.mark.parametrize(
    ("before", "after", "status", "said"),
    [
        ("100", "150", "passed", "The candidate is 1.5 times as fast as before"),
        ("100", "80", "failed", "0.8 times as fast"),
        ("1 / 0", "100", "unavailable", "In the workspace as it was the benchmark does not run"),
        ("100", "1 / 0", "failed", "The benchmark ended with 1."),
        ("0", "1", "unavailable", "not above 0"),
    ],
)
async def test_a_printed_rate_is_held_against_the_workspace_as_it_was(tmp_path, before, after, status, said):
    (tmp_path / "work.py").write_text(RATE.format(before))

    verdict = await judge(
        "python work.py => ops not slower", {"work.py": RATE.format(after)}, workspace=str(tmp_path)
    )

    assert verdict.status == status, verdict
    assert said in f"{verdict.reason}{verdict.diagnostics}"


async def test_what_is_over_at_once_is_not_compared(tmp_path):
    (tmp_path / "work.sh").write_text("true\n")

    verdict = await judge("sh work.sh => not slower", {"work.sh": "true\n\n"}, workspace=str(tmp_path))

    assert verdict.status == "unavailable"


async def test_without_a_workspace_there_is_no_speed():
    verdict = await judge("python solution.py => not slower")

    assert verdict.reason == "Without a workspace there is nothing to be 1 times as fast as before."


@pytest.mark.parametrize("goal", ["seconds < 0.1", "not slower"])
async def test_all_runs_together_have_the_time_of_one(tmp_path, goal):
    (tmp_path / "work.py").write_text(SLEEPS.format(0.6))
    candidate = Candidate({"work.py": SLEEPS.format(0.5)}, "python")
    given = Given(benchmark_command=f"python work.py => {goal}", workspace=str(tmp_path))

    with anyio.fail_after(20):
        verdict = await Benchmark(Bubblewrap(), Limits(seconds=2.0)).judge(candidate, given)

    assert verdict.status == ("failed" if "<" in goal else "unavailable"), verdict
    assert "<" in goal or "rounds fit into the time limit" in verdict.reason


def test_a_benchmark_that_does_not_end_fails():
    status, diagnostics, _ = read_run("true", replace(DONE, end="timed_out"), "seconds", LIMITS)

    assert status == "failed"
    assert diagnostics[0].message == "The program did not end within 30 s."


def test_the_best_of_the_runs_counts():
    assert decide_bound([3.0, 1.0], Bound("seconds", "<", 2))[0] == "passed"
    assert decide_bound([3.0, 1.0], Bound("seconds", ">", 2))[0] == "passed"
    assert decide_bound([3.0, 3.0], Bound("seconds", "<", 2))[0] == "failed"


def decide(before, after, factor=1.0, name="seconds", *, is_last=True):
    decision = decide_speed(Rounds(tuple(before), tuple(after)), Speed(factor, name), is_last=is_last)
    return decision and decision[0]


@pytest.mark.parametrize(
    ("before", "after", "factor", "status"),
    [
        ([1.0] * 5, [1.0] * 5, 1.0, "passed"),
        ([1.0] * 5, [1.2] * 5, 1.0, "failed"),
        ([1.0] * 5, [1.04] * 5, 1 / 1.05, "passed"),
        ([1.0] * 5, [1.2] * 5, 1 / 1.05, "failed"),
        ([1.0] * 5, [0.8] * 5, 1.2, "passed"),
        ([1.0] * 5, [1.0] * 5, 1.2, "failed"),
        ([1.0, 1.5, 1.0, 1.5, 1.0], [0.1] * 5, 1.2, "unavailable"),
        ([1.0] * 5, [1.015] * 5, 1.0, "unavailable"),
        ([1.0] * 4, [1.0] * 4, 1.0, "unavailable"),
        ([], [], 1.0, "unavailable"),
        ([0.01] * 5, [0.02] * 5, 1.0, "unavailable"),
    ],
)
def test_noise_is_told_and_never_guessed(before, after, factor, status):
    assert decide(before, after, factor) == status


def test_more_rounds_are_asked_for_while_they_can_be_had():
    noisy = [1.0, 1.5, 1.0, 1.5, 1.0]

    assert decide([1.0] * 3, [1.0] * 3, is_last=False) is None
    assert decide(noisy, noisy, is_last=False) is None
    assert decide([1.0] * 5, [0.5] * 5, is_last=False) == "passed"


@given(
    st.lists(st.floats(0.1, 10), min_size=5, max_size=9),
    st.floats(1.0, 1.02),
    st.sampled_from(["seconds", "ops"]),
)
def test_a_program_is_never_slower_than_itself(values, wobble, name):
    assert decide(values, [value * wobble for value in values], 1 / 1.05, name) != "failed"


GOALS = {
    "at least 1.2x faster": Speed(1.2),
    "must be 1.5 times as fast": Speed(1.5),
    "20 % faster, please": Speed(1.2),
    "twice as fast": Speed(2.0),
    "It must not be slower than before.": Speed(1.0),
    "don't make it slower": Speed(1.0),
    "at least as fast as now": Speed(1.0),
    "no performance regression": Speed(1.0),
    "no more than 5 % slower": Speed(1 / 1.05),
    "at most 10% slower": Speed(1 / 1.1),
    "not more than 2x slower": Speed(0.5),
    "answers in < 200 ms": Bound("seconds", "<", 0.2),
    "within 2 s": Bound("seconds", "<=", 2.0),
    "at most 1.5 seconds": Bound("seconds", "<=", 1.5),
    "no more than 3 minutes": Bound("seconds", "<=", 180.0),
    "under 50 microseconds": Bound("seconds", "<", 50e-6),
    "throughput >= 1000": Bound("throughput", ">=", 1000.0),
    "ops_per_second > 1,000": Bound("ops_per_second", ">", 1000.0),
    "throughput of at least 50": Bound("throughput", ">=", 50.0),
    "throughput at least 50": Bound("throughput", ">=", 50.0),
    "0x faster": None,
    "Use 4 spaces in 3 files. No globals.": None,
    "lists of 200 m long": None,
    "": None,
}


@pytest.mark.parametrize(("requirements", "goal"), GOALS.items())
def test_goals_are_read_from_requirements(requirements, goal):
    found = find_goal(requirements)

    assert type(found) is type(goal)
    assert str(found) == str(goal)


@given(st.text(max_size=400))
def test_no_requirements_break_the_reader(words):
    assert find_goal(words) is None or str(find_goal(words))


@given(st.floats(0.01, 100).map(lambda number: round(number, 2)))
def test_a_speed_is_read_back(factor):
    assert find_goal(f"at least {factor}x faster") == Speed(factor)
    assert parse_benchmark(f"run => ops {factor}x faster") == ("run", Speed(factor, "ops"))
    assert parse_benchmark(f"run => {factor}x faster") == ("run", Speed(factor))


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
    [
        ("ops: 5", (5,)),
        ("ops=1e3\nops = 2.5", (1000, 2.5)),
        ("ops: 5\nops: 5.0", (5,)),
        ("laps: 5", ()),
        ("x.ops: 1", ()),
        ("ops: -.5", (-0.5,)),
    ],
)
def test_the_different_numbers_under_the_name_are_measured(printed, value):
    assert measured(replace(DONE, stdout=printed), "ops") == value


BENCH = "import solution\nassert solution.add(1, 2) == 3\nprint('ops: 10')\n"
FORGED = {
    "it ends the run": ("print('ops: 1e9', flush=True)\nimport os\nos._exit(0)\n", "failed"),
    "it has the last word": ("import atexit\natexit.register(print, 'ops: 1e9')\n", "failed"),
    "it prints first": ("print('ops: 1e9')\n", "unavailable"),
}


@pytest.mark.parametrize(("text", "status"), FORGED.values(), ids=FORGED.keys())
async def test_a_value_that_the_candidate_prints_itself_keeps_no_bound(tmp_path, text, status):
    (tmp_path / "bench.py").write_text(BENCH)
    files = {"solution.py": f"{text}def add(a, b):\n    return a + b\n"}

    verdict = await judge("python bench.py => ops > 1000", files, workspace=str(tmp_path))

    assert verdict.status == status, verdict


def test_several_values_under_one_name_measure_nothing():
    status, _, reason = read_run("true", replace(DONE, stdout="ops: 1e9\nops: 10\n"), "ops", LIMITS)

    assert status == "unavailable"
    assert reason.startswith("The run printed several values of 'ops': 1e+09, 10.")


async def test_the_workspace_as_it_was_still_has_what_the_candidate_removes(tmp_path):
    (tmp_path / "old.py").write_text("ops = 100\n")
    (tmp_path / "bench.py").write_text(
        "import glob\nname = min(glob.glob('*.py'), key='bench.py'.__eq__)[:-3]\n"
        "print('ops:', __import__(name).ops)\n"
    )
    candidate = Candidate({"new.py": "ops = 150\n"}, "python", ("old.py",))
    given = Given(benchmark_command="python bench.py => ops not slower", workspace=str(tmp_path))

    verdict = await Benchmark(Bubblewrap(), LIMITS).judge(candidate, given)

    assert verdict.status == "passed", verdict
