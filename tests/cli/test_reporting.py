"""The command `report` and the other things it does."""

import csv
import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import apsw
import pytest

from cli.reading import BROKEN_WORLD, DONE, NOT_DONE, WRONG_USE
from tests.behaviour.stage import GOOD, WRONG

TASK = ["task: write add(a, b)", "--language", "python", "--task-type", "standard_dev", "--tests", "tests.py"]


def change_price(place):
    """Do what a hand on the file would: set a price that was never agreed."""
    with closing(apsw.Connection(str(place))) as db:
        db.execute("UPDATE money SET settled_usd = settled_usd / 2, reserved_usd = reserved_usd / 2")


def test_report_tells_types_workers_money_and_backends(play):
    run = play(weak=[WRONG, GOOD])
    run("run", *TASK, "--json")

    code, out, _ = run("report", "--json")
    shown = run("report")[1]

    told = json.loads(out)
    (kind,) = told["task_types"]
    assert code == DONE
    assert (kind["task_type"], kind["tasks"], kind["accepted"], kind["attempts"]) == ("standard_dev", 1, 1, 2)
    assert told["workers"][0]["success_rate"] == 0.5
    assert kind["saved_usd"] == told["budget"]["saved_usd"] > 0
    assert [one["backend"] for one in told["backends"]] == ["script", "paid"]
    assert "Task types" in shown
    assert "loaded: weak; strong; dear" in shown.replace("\n", " ")


def test_report_counts_nothing_saved_once_a_person_rejects_the_work(play):
    run = play(weak=[GOOD])
    task_id = json.loads(run("run", *TASK, "--json")[1])["task_id"]

    run("review", "reject", task_id)
    told = json.loads(run("report", "--json")[1])

    assert told["budget"]["saved_usd"] == 0
    assert told["task_types"][0]["taken_back"] == 1
    assert told["calibration"]["labels"] == 1


def test_report_writes_a_page(play, tmp_path):
    run = play(weak=[GOOD])
    run("run", *TASK, "--json")

    code, out, _ = run("report", "--html", "page.html")

    page = (tmp_path / "project" / "page.html").read_text()
    assert code == DONE
    assert "page.html" in out
    assert page.startswith("<!doctype html>")
    assert "standard_dev" in page


def test_verify_finds_nothing_in_an_honest_ledger_and_the_row_that_somebody_changed(play, tmp_path):
    run = play(weak=[WRONG], strong=[WRONG], dear=[GOOD])
    run("run", *TASK, "--yes", "--json")

    honest, out, _ = run("report", "--verify", "--json")
    noted = run("report", "--verify", json.loads(out)["head"])[0]
    foreign = run("report", "--verify", "0" * 64)[0]
    shown = run("report", "--verify")[1]
    change_price(tmp_path / "home" / "ledger.db")
    changed, _, _ = run("report", "--verify", "--json")
    named = run("report", "--verify")[1]

    told = json.loads(out)
    assert (honest, told["intact"], told["reason"]) == (DONE, True, "")
    assert (noted, foreign) == (DONE, NOT_DONE)
    assert told["head"] in shown.replace("\n", "")
    assert changed == NOT_DONE
    assert "does not hold" in named


def test_suggest_says_when_there_is_nothing_to_change(play):
    run = play()

    code, out, _ = run("report", "--suggest")

    assert code == DONE
    assert "Nothing to change" in out


def test_reset_learning_forgets_what_was_learned(play):
    run = play(weak=[GOOD])
    task_id = json.loads(run("run", *TASK, "--json")[1])["task_id"]
    run("review", "reject", task_id)

    code, out, _ = run("report", "--reset-learning", "--json")
    again = run("report", "--reset-learning")[1]

    assert code == DONE
    assert json.loads(out)["forgotten"] > 0
    assert "Forgot 0" in again


def test_export_writes_a_row_for_every_task(play, tmp_path):
    run = play(weak=[GOOD])
    run("run", *TASK, "--json")

    code, out, _ = run("report", "--export", "tasks.csv", "--json")
    run("report", "--export", "tasks.jsonl")

    with (tmp_path / "project" / "tasks.csv").open(newline="") as table:
        (row,) = csv.DictReader(table)
    line = json.loads((tmp_path / "project" / "tasks.jsonl").read_text())
    assert (code, json.loads(out)["tasks"]) == (DONE, 1)
    assert row["outcome"] == line["outcome"] == "accepted"


def test_prune_drops_the_texts_of_what_ended(play):
    run = play(weak=[GOOD])
    run("run", *TASK, "--json")

    kept = json.loads(run("report", "--prune", "1", "--json")[1])
    code, out, _ = run("report", "--prune", "0", "--json")

    assert kept["pruned"] == 0
    assert (code, json.loads(out)["pruned"]) == (DONE, 1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["report", "--export", "tasks.xlsx"], WRONG_USE, "must end in .jsonl or .csv"),
        (["report", "--prune", "-1"], WRONG_USE, "must not be negative"),
        (["report", "--prune", "nan"], WRONG_USE, "must not be negative"),
        (["report", "--html", "nowhere/page.html"], BROKEN_WORLD, "nowhere"),
    ],
)
def test_wrong_use_of_report_is_told(play, words, code, said):
    left, out, err = play()(*words)

    assert (left, out) == (code, "")
    assert said in err


def test_an_export_that_fails_leaves_the_earlier_one_as_it_was(play, tmp_path):
    run = play(weak=[GOOD])
    run("run", *TASK, "--json")
    run("report", "--export", "tasks.csv")
    earlier = (tmp_path / "project" / "tasks.csv").read_bytes()
    (tmp_path / "home" / "ledger.db").write_bytes(b"no ledger" * 1000)

    code, _, _ = run("report", "--export", "tasks.csv")

    assert code == BROKEN_WORLD
    assert (tmp_path / "project" / "tasks.csv").read_bytes() == earlier
    assert not list((tmp_path / "project").glob(".tasks.csv*"))


@pytest.mark.parametrize("words", [("--export", "out.csv"), ("--html", "out.csv")])
def test_what_is_written_out_is_as_private_as_the_ledger(play, tmp_path, words):
    run = play(weak=[GOOD])
    (tmp_path / "project" / "out.csv").write_text("before")

    run("report", *words)

    assert (tmp_path / "project" / "out.csv").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "project" / "out.csv").read_text() != "before"


def test_a_page_can_be_written_into_a_pipe(play, tmp_path):
    run = play()
    os.mkfifo(tmp_path / "pipe")

    with ThreadPoolExecutor(1) as pool:
        read = pool.submit((tmp_path / "pipe").read_text)
        run("report", "--html", str(tmp_path / "pipe"))

    assert read.result().startswith("<!doctype html>")
