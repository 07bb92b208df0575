"""The command `batch`: many tasks, each on its own, and no interruption that loses one."""

import json
import os
import signal
import subprocess
import sys

import pytest

from cli.reading import BROKEN_WORLD, DONE, INTERRUPTED, NOT_DONE, WRONG_USE
from tests.behaviour.stage import GOOD, TESTS, WRONG, set_stage

ADD = {"task": "task: write add(a, b)", "language": "python", "task_type": "standard_dev", "tests": TESTS}
BATCH = ["batch", "tasks.jsonl", "--out", "results.jsonl"]


@pytest.fixture
def write_tasks(tmp_path):
    def write(*lines):
        text = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines)
        (tmp_path / "project" / "tasks.jsonl").write_text(text)

    return write


@pytest.fixture
def read_results(tmp_path):
    def read():
        text = (tmp_path / "project" / "results.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    return read


def test_a_batch_delegates_every_line_and_writes_every_result(play, write_tasks, read_results, tmp_path):
    run = play(weak=[GOOD])
    write_tasks(ADD, "", {**ADD, "requirements": "short"})

    code, out, err = run(*BATCH, "--json")

    told = json.loads(out)
    assert code == DONE
    assert err == ""
    assert (told["tasks"], told["accepted"], told["statuses"]) == (2, 2, {"accepted": 2})
    assert told["saved_usd"] > 0
    assert sorted(one["line"] for one in read_results()) == [1, 3]
    assert (tmp_path / "project" / "results.jsonl").stat().st_mode & 0o777 == 0o600
    assert all("return a + b" in one["output"] for one in read_results())


def test_a_task_that_is_not_accepted_ends_no_other_and_the_batch_leaves_with_1(
    play, write_tasks, read_results
):
    run = play(weak=[GOOD])
    write_tasks({**ADD, "task": "task: something else", "max_tier": "strong"}, ADD)

    code, out, err = run(*BATCH)

    assert code == NOT_DONE
    assert {one["line"]: one["status"] for one in read_results()} == {1: "skipped", 2: "accepted"}
    assert "1 skipped" in out
    assert "line 1" in err


def test_every_bad_line_is_told_before_anything_begins(play, write_tasks, tmp_path):
    run = play(weak=[GOOD])
    write_tasks(
        ADD,
        "{not json",
        {"task": " "},
        {"task": "x", "colour": "red"},
        {"task": "x", "complexity": "high"},
        "[]",
        {"resume": "t1", "task": "x"},
        {"task": "x", "detail": 1},
    )

    code, out, err = run(*BATCH)

    assert (code, out) == (WRONG_USE, "")
    assert "7 mistakes" in err
    assert all(f"line {number}: " in err for number in range(2, 9))
    assert "unknown 'colour'" in err
    assert not (tmp_path / "project" / "results.jsonl").exists()


def test_lines_that_the_policy_or_the_roots_refuse_are_told_before_anything_begins(
    play, write_tasks, tmp_path
):
    run = play(weak=[GOOD])
    write_tasks(
        ADD,
        {"task": "x", "start_tier": "gpt"},
        {"task": "x", "context_files": ["/etc/passwd"]},
        {"resume": "t0"},
    )

    code, _, err = run(*BATCH)

    assert code == WRONG_USE
    assert "3 mistakes" in err
    assert "line 2: " in err
    assert "line 3: " in err
    assert "There is no task 't0'" in err
    assert not (tmp_path / "project" / "results.jsonl").exists()


@pytest.mark.parametrize("held", ["not ours\n", '{"task": "x"}\n', "not ours, no line end"])
def test_a_file_that_holds_no_results_is_never_written_to(play, write_tasks, tmp_path, held):
    run = play(weak=[GOOD])
    write_tasks(ADD)
    (tmp_path / "project" / "results.jsonl").write_text(held)

    code, _, err = run(*BATCH)

    assert code == WRONG_USE
    assert "name another file" in err
    assert (tmp_path / "project" / "results.jsonl").read_text() == held


def test_what_ended_is_not_done_again(play, write_tasks, read_results, tmp_path):
    run = play(weak=[GOOD])
    write_tasks(ADD)
    run(*BATCH, "--json")
    set_stage(tmp_path, weak=[WRONG])
    write_tasks({**ADD, "task": "task: other"}, ADD)

    code, out, _ = run(*BATCH, "--json")

    told = json.loads(out)
    assert code == NOT_DONE
    assert told["done_before"] == 1
    assert told["accepted"] == 1
    assert len(read_results()) == 2


def test_half_a_line_that_a_killed_process_left_is_cut_off_and_its_task_found_again(
    play, write_tasks, read_results, tmp_path
):
    run = play(weak=[GOOD])
    write_tasks(ADD, {**ADD, "requirements": "short"})
    run(*BATCH, "--json")
    results = tmp_path / "project" / "results.jsonl"
    results.write_bytes(results.read_bytes()[:-40])
    set_stage(tmp_path, weak=[WRONG], strong=[WRONG])

    code, out, _ = run(*BATCH, "--json")

    assert code == DONE
    assert json.loads(out)["done_before"] == 1
    assert [one["status"] for one in read_results()] == ["accepted", "accepted"]


def test_the_same_line_twice_is_two_tasks(play, write_tasks, read_results):
    run = play(weak=[GOOD])
    write_tasks(ADD, ADD)

    run(*BATCH, "--json")

    assert len({one["task_id"] for one in read_results()}) == 2


def test_what_waits_for_money_goes_on_when_a_person_says_yes(play, write_tasks, read_results):
    run = play(weak=[WRONG], strong=[WRONG], dear=[GOOD])
    write_tasks(ADD)

    asked = run(*BATCH, "--json")[0]
    again = run(*BATCH, "--json")[0]
    code, out, _ = run(*BATCH, "--yes", "--json")

    told = json.loads(out)
    assert (asked, again, code) == (NOT_DONE, NOT_DONE, DONE)
    assert [one["status"] for one in read_results()] == ["needs_approval", "accepted"]
    assert told["cost_usd"] > 0
    assert told["statuses"] == {"accepted": 1}


def test_a_line_may_go_on_with_a_task_and_ask_for_detail(play, write_tasks, read_results):
    run = play(weak=[GOOD])
    first = json.loads(run("run", ADD["task"], "--language", "python", "--json")[1])
    write_tasks({"resume": first["task_id"], "detail": True})

    code, _, _ = run(*BATCH, "--json")

    (result,) = read_results()
    assert code == DONE
    assert result["task_id"] == first["task_id"]
    assert len(result["history"]) == 1


def test_tasks_that_nobody_could_be_asked_for_are_tried_again_later(
    play, write_tasks, read_results, tmp_path
):
    run = play(weak=[GOOD])
    write_tasks(ADD)
    (tmp_path / "script.json").rename(tmp_path / "away.json")

    before = run(*BATCH, "--json")[0]
    (tmp_path / "away.json").rename(tmp_path / "script.json")
    code, out, _ = run(*BATCH, "--json")

    assert before == NOT_DONE
    assert code == DONE
    assert [one["status"] for one in read_results()] == ["stopped", "accepted"]
    assert json.loads(out)["done_before"] == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["batch", "missing.jsonl", "--out", "r.jsonl"], WRONG_USE, "missing.jsonl"),
        (["batch", "empty.jsonl", "--out", "r.jsonl"], WRONG_USE, "it holds no task"),
        (["batch", "one.jsonl", "--out", "r.jsonl", "--jobs", "-1"], WRONG_USE, "at least 1"),
        (["batch", "one.jsonl", "--out", "nowhere/r.jsonl"], BROKEN_WORLD, "nowhere"),
        (["batch", "one.jsonl", "--out", "one.jsonl"], WRONG_USE, "name another file"),
    ],
)
def test_wrong_use_of_batch_is_told(play, tmp_path, words, code, said):
    run = play(weak=[GOOD])
    (tmp_path / "project" / "empty.jsonl").write_text("\n")
    (tmp_path / "project" / "one.jsonl").write_text(json.dumps(ADD) + "\n")

    left, out, err = run(*words)

    assert (left, out) == (code, "")
    assert said in err


def test_the_jobs_work_at_once(play, write_tasks, read_results, tmp_path):
    slow, quick = {"text": GOOD, "delay_seconds": 0.4}, {"text": GOOD}
    run = play()
    script = tmp_path / "script.json"
    models = json.loads(script.read_text())["models"]
    models["weak"]["rules"] = [["add(a, b)", [quick]], ["slowly", [slow]]]
    script.write_text(json.dumps({"models": models}))
    write_tasks({**ADD, "task": "task: slowly write add(a, b)"}, ADD)

    run(*BATCH, "--jobs", "2", "--json")
    at_once = [one["line"] for one in read_results()]
    (tmp_path / "project" / "results.jsonl").rename(tmp_path / "first.jsonl")
    second = tmp_path / "project" / "second.jsonl"
    run("batch", "tasks.jsonl", "--out", "second.jsonl", "--jobs", "1", "--json")
    in_turn = [json.loads(one)["line"] for one in second.read_text().splitlines()]

    assert at_once == [2, 1]
    assert in_turn == [1, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="signals as Unix has them")
@pytest.mark.parametrize(("word", "leaves"), [("SIGINT", INTERRUPTED), ("SIGKILL", -9)])
def test_an_interrupted_batch_goes_on_without_asking_again_for_what_was_done(
    play, write_tasks, read_results, tmp_path, word, leaves
):
    run = play()
    script = tmp_path / "script.json"
    models = json.loads(script.read_text())["models"]
    models["weak"]["rules"] = [["add(a, b)", [GOOD]], ["slowly", [{"text": GOOD, "delay_seconds": 60}]]]
    script.write_text(json.dumps({"models": models}))
    slow = {**ADD, "task": "task: slowly write add(a, b)"}
    write_tasks(slow, ADD, {**ADD, "requirements": "short"})

    with subprocess.Popen(
        [sys.executable, "-m", "cli", *BATCH, "--jobs", "2"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path / "project",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        ended = [line for _, line in zip(range(2), process.stderr, strict=False)]
        process.send_signal(getattr(signal, word))
        rest = process.stderr.read()
        left = process.wait(20)
    set_stage(tmp_path, weak=[WRONG], strong=[GOOD])
    code, out, _ = run(*BATCH, "--json")

    told = {one["line"]: one for one in read_results()}
    assert left == leaves
    assert all("accepted" in line for line in ended)
    assert ("The same command goes on" in rest) is (word == "SIGINT")
    assert (code, json.loads(out)["done_before"]) == (DONE, 2)
    assert [told[number]["tier"] for number in (1, 2, 3)] == ["strong", "weak", "weak"]
