"""Reading a file of tasks, the file of results, and what one task can do to the others: nothing."""

import json
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.batch import Terms, choose_jobs, read_lines, work_off
from orchestrator.config import load_config
from orchestrator.orchestrator import Orchestrator
from orchestrator.policy import Policy
from orchestrator.results import BatchError, Results, sum_up
from tests.behaviour.stage import GOOD, TESTS, set_stage

OUT = Path("/somewhere/results.jsonl")
ADD = {"task": "task: write add(a, b)", "language": "python", "task_type": "standard_dev", "tests": TESTS}


class Listener:
    """Keeps what it is told; breaks on the lines that it is told to."""

    def __init__(self, *broken):
        self.broken = broken
        self.results = []

    async def hear(self, line, event):
        if line.number in self.broken:
            raise ZeroDivisionError("a bug")

    def note(self, result):
        self.results.append(result)


@pytest.fixture
async def orchestrator(tmp_path):
    stage = set_stage(tmp_path, weak=[GOOD])
    opened = Orchestrator(load_config(str(stage.config), stage.environment, stage.folder), {}, stage.folder)
    yield opened
    await opened.aclose()


def write(*tasks):
    return "\n".join(json.dumps(one) for one in tasks)


async def test_a_bug_of_ours_costs_one_line_its_work_and_is_told_in_full(orchestrator, tmp_path, caplog):
    lines = read_lines(write(ADD, {**ADD, "requirements": "short"}, ADD), "tasks.jsonl", OUT)
    results, listener = Results(tmp_path / "results.jsonl"), Listener(2)

    await work_off(orchestrator, lines, results, listener, Terms(jobs=3))

    told = {one["line"]: one for one in results.read().values()}
    assert [told[number]["status"] for number in (1, 2, 3)] == ["accepted", "stopped", "accepted"]
    assert "ZeroDivisionError('a bug')" in told[2]["message"]
    assert "Traceback" in caplog.text
    assert len(listener.results) == 3


async def test_a_line_that_broke_is_taken_up_again_where_it_stopped(orchestrator, tmp_path):
    lines = read_lines(write(ADD), "tasks.jsonl", OUT)
    results = Results(tmp_path / "results.jsonl")
    await work_off(orchestrator, lines, results, Listener(1), Terms(jobs=1))

    await work_off(orchestrator, lines, results, Listener(), Terms(jobs=1))

    written = (tmp_path / "results.jsonl").read_text().splitlines()
    assert [json.loads(one)["status"] for one in written] == ["stopped", "accepted"]
    assert results.read()[lines[0].task_id]["status"] == "accepted"


async def test_two_batches_of_the_same_files_share_each_task(tmp_path, orchestrator):
    other = Orchestrator(orchestrator.config, {}, orchestrator.folder)
    tasks = [{**ADD, "requirements": f"number {number}"} for number in range(8)]
    lines = read_lines(write(*tasks), "tasks.jsonl", OUT)
    results, listeners = Results(tmp_path / "results.jsonl"), (Listener(), Listener())

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for one, listener in zip((orchestrator, other), listeners, strict=True):
                group.start_soon(work_off, one, lines, results, listener, Terms(jobs=8))
    await other.aclose()

    told = [[one["status"] for one in listener.results] for listener in listeners]
    assert told == [["accepted"] * 8] * 2


async def test_many_tasks_at_once_lose_no_result(orchestrator, tmp_path):
    tasks = [{**ADD, "requirements": f"number {number}"} for number in range(32)]
    lines = read_lines(write(*tasks), "tasks.jsonl", OUT)
    results = Results(tmp_path / "results.jsonl")

    await work_off(orchestrator, lines, results, Listener(), Terms(jobs=32))

    totals = sum_up([line.task_id for line in lines], results.read())
    assert dict(totals.statuses) == {"accepted": 32}


def test_a_line_keeps_its_task_wherever_it_stands_in_the_file():
    one, two = {"task": "one"}, {"task": "two"}

    before = read_lines(write(one, two), "tasks.jsonl", OUT)
    after = read_lines("\n" + write({"task": "new"}, two, one), "tasks.jsonl", OUT)
    elsewhere = read_lines(write(one), "tasks.jsonl", OUT.with_name("other.jsonl"))

    assert [line.number for line in after] == [2, 3, 4]
    assert before[0].task_id == after[2].task_id
    assert before[1].task_id == after[1].task_id
    assert elsewhere[0].task_id != before[0].task_id


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1))
def test_equal_lines_are_tasks_of_their_own(names):
    lines = read_lines(write(*({"task": name} for name in names)), "tasks.jsonl", OUT)

    assert len({line.task_id for line in lines}) == len(names)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_whatever_a_file_holds_is_read_or_refused_with_line_numbers(text):
    try:
        lines = read_lines(text, "tasks.jsonl", OUT)
    except BatchError as error:
        assert "line " in str(error) or "no task" in str(error)  # noqa: PT017 - both ends are right
    else:
        assert lines


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"task": "x", "complexity": 11}', "must be from 0 to 10"),
        ('{"task": "x", "validators": ["magic"]}', "validators magic are unknown"),
        ('{"task": "x", "context_files": "a.py"}', "context_files"),
        ('{"task": "x", "apply": true}', "apply needs write_to"),
        ('{"task": 7}', "task: "),
        ('{"tests": "x"}', "The task is empty"),
        ('"task"', "must be an object"),
        ("[" * 200_000, "it is nested too deep to be a task"),
    ],
)
def test_a_refusal_says_what_is_wrong(line, said):
    with pytest.raises(BatchError, match="line 1: ") as refused:
        read_lines(line, "tasks.jsonl", OUT)

    assert said in str(refused.value)


async def test_a_result_file_cut_off_anywhere_gives_back_its_whole_lines(tmp_path):
    results = Results(tmp_path / "results.jsonl")
    for number in (1, 2):
        await results.append({"line": number, "task_id": f"b{number}", "status": "accepted", "output": "ü\n"})
    data = results.path.read_bytes()
    first = data.index(b"\n") + 1

    for length in range(len(data) + 1):
        results.path.write_bytes(data[:length])

        known = results.read()

        whole = max(end for end in (0, first, len(data)) if end <= length)
        assert set(known) == {0: set(), first: {"b1"}, len(data): {"b1", "b2"}}[whole]
        assert results.path.read_bytes() == data[:whole]


def test_what_was_spent_on_work_that_failed_is_taken_off_what_a_batch_saved():
    results = {
        "a": {"status": "accepted", "cost_usd": 0.01, "saved_usd": 0.05},
        "b": {"status": "skipped", "cost_usd": 0.02, "saved_usd": 0.0},
    }

    totals = sum_up(["a", "b", "c"], results)

    assert dict(totals.statuses) == {"accepted": 1, "skipped": 1, "running": 1}
    assert totals.cost_usd == pytest.approx(0.03)
    assert totals.saved_usd == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("backends", "jobs"),
    [
        (
            {
                "local": {"kind": "lmstudio", "max_concurrent": 3},
                "b": {"kind": "ollama", "max_concurrent": 2},
            },
            5,
        ),
        ({"local": {"kind": "lmstudio"}}, 4),
        ({"local": {"kind": "openai", "url": "https://x", "api_key_env": "K", "max_concurrent": 9}}, 4),
    ],
)
def test_as_many_tasks_run_at_once_as_the_local_servers_take(backends, jobs):
    policy = Policy.model_validate(
        {
            "backends": backends,
            "tiers": {"weak": {"rank": -1, "backend": "local", "model": "*"}},
            "task_types": {
                "quick_edit": {"complexity": [0, 10], "route": ["weak"], "validators": ["syntax"]}
            },
        }
    )

    assert choose_jobs(policy) == jobs
