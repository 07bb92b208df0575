import csv
import io
import json

import pytest

from orchestrator.export import export
from orchestrator.ledger import Ledger
from orchestrator.money import Reservation
from orchestrator.outcome import Attempt, Outcome
from orchestrator.records import Opening, Records
from validators.verdict import Verdict

COLUMNS = [
    "task_id",
    "timestamp",
    "task_type",
    "description",
    "complexity_score",
    "worker",
    "checker",
    "outcome",
    "attempts",
    "escalations",
    "validation_method",
    "latency_ms",
    "tokens_in",
    "tokens_out",
    "cost",
]


@pytest.fixture
async def records(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    yield Records(ledger)
    await ledger.aclose()


async def work(records, task_id, description="add two numbers"):
    await records.open_task(Opening(task_id, "task", description, "{}", "quick_edit", 1.5), "me", 30)
    failed = Attempt(1, "weak", "w", "b", tokens_in=10, tokens_out=20)
    passed = Attempt(
        2,
        "dear",
        "d",
        "b",
        verdicts=(
            Verdict("syntax", "passed", 1),
            Verdict("tests", "passed", 1),
            Verdict("lint", "failed", 1),
        ),
        checker="judge",
        tokens_in=30,
        tokens_out=40,
    )
    for attempt in (failed, passed):
        await records.add_attempts(task_id, 1, attempt)
    await records.money.settle(
        await records.money.reserve(Reservation(task_id, "s", "dear", 0.2, 1.0, 9.0)), 0.05
    )
    outcome = Outcome(task_id, "accepted", (failed, passed), passed, escalations=1, seconds=1.2345)
    await records.close_task(outcome)


async def exported(records, form):
    out = io.StringIO(newline="")
    count = await export(records.ledger, form, out)
    return count, out.getvalue()


async def test_a_task_record_has_what_the_owner_asked_for(records):
    await work(records, "t1")

    count, text = await exported(records, "jsonl")

    row = json.loads(text)
    assert count == 1
    assert list(row) == COLUMNS
    assert row["timestamp"].endswith("+00:00")
    assert {key: row[key] for key in COLUMNS if key != "timestamp"} == {
        "task_id": "t1",
        "task_type": "quick_edit",
        "description": "add two numbers",
        "complexity_score": 1.5,
        "worker": "dear (d)",
        "checker": "judge",
        "outcome": "accepted",
        "attempts": 2,
        "escalations": 1,
        "validation_method": "syntax+tests",
        "latency_ms": 1234,
        "tokens_in": 40,
        "tokens_out": 60,
        "cost": 0.05,
    }


async def test_both_formats_say_the_same_oldest_first(records):
    for number in range(3):
        await work(records, f"t{number}", 'a "quoted" line,\nand another: é')

    _, lines = await exported(records, "jsonl")
    count, table = await exported(records, "csv")

    told = [json.loads(line) for line in lines.splitlines()]
    cells = list(csv.DictReader(io.StringIO(table, newline="")))
    assert count == 3
    assert [row["task_id"] for row in told] == ["t0", "t1", "t2"]
    assert cells == [{key: str(value) for key, value in row.items()} for row in told]


async def test_a_task_that_runs_and_one_that_nobody_could_do_are_there_too(records):
    await records.open_task(Opening("t1", "task", "first", "{}"), "me", 30)
    await records.open_task(Opening("t2", "task", "second", "{}"), "me", 30)
    await records.close_task(Outcome("t2", "stopped"))
    await records.open_task(Opening("a1", "analysis", "no task", "{}"), "me", 30)

    count, text = await exported(records, "jsonl")

    told = [json.loads(line) for line in text.splitlines()]
    assert count == 2
    assert [(row["outcome"], row["worker"], row["attempts"]) for row in told] == [
        ("running", "", 0),
        ("stopped", "", 0),
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
async def test_a_spreadsheet_computes_nothing_that_a_task_says(records, text):
    await work(records, "t1", text)

    _, table = await exported(records, "csv")
    _, line = await exported(records, "jsonl")

    assert next(csv.DictReader(io.StringIO(table, newline="")))["description"] == f"'{text}"
    assert json.loads(line)["description"] == text


async def test_a_long_ledger_is_written_in_pieces_and_whole(records):
    def fill(db):
        db.executemany(
            "INSERT INTO tasks (task_id, kind, created, updated, status, description, request)"
            " VALUES (?, 'task', 0, 0, 'skipped', 'd', '{}')",
            [(f"t{number:05}",) for number in range(1203)],
        )

    await records.ledger.write(fill)

    count, text = await exported(records, "jsonl")

    assert count == 1203
    assert [json.loads(line)["task_id"] for line in text.splitlines()] == [f"t{n:05}" for n in range(1203)]


async def test_an_empty_ledger_gives_a_head_and_no_rows(records):
    assert await exported(records, "csv") == (0, ",".join(COLUMNS) + "\r\n")
    assert await exported(records, "jsonl") == (0, "")
