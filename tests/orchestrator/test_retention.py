import io
import json

import pytest

from backends.backend import Completion, Usage
from orchestrator.audit import verify
from orchestrator.cache import Cache
from orchestrator.export import export
from orchestrator.ledger import Ledger
from orchestrator.money import Reservation
from orchestrator.outcome import Attempt, FileChange, Outcome
from orchestrator.policy import CachePolicy
from orchestrator.records import Opening, Records
from orchestrator.retention import compact, prune
from validators.verdict import Diagnostic, Receipt, Verdict

SAID = "swordfish"
DAY = 86_400.0


@pytest.fixture
async def records(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    yield Records(ledger)
    await ledger.aclose()


async def work(records, task_id, status="accepted", days_ago=40.0):
    """Do a task in which everything but the description holds what was said."""
    request = json.dumps({"task": f"use {SAID}", "tests": SAID})
    await records.open_task(Opening(task_id, "task", "use the password", request, "quick_edit"), "me", 30)
    verdict = Verdict(
        "tests",
        "passed",
        1.0,
        (Diagnostic(SAID),),
        SAID,
        0.1,
        Receipt("abc", "pytest", f"run {SAID}", 0),
    )
    attempt = Attempt(
        1,
        "weak",
        "w",
        "b",
        files={"a.py": SAID},
        verdicts=(verdict,),
        approved=True,
        message=SAID,
        tokens_in=5,
        tokens_out=6,
        warnings=(SAID,),
    )
    await records.remember(task_id, "attempt/1", json.dumps(SAID))
    await Cache(records, CachePolicy()).keep("k", Completion(SAID, "m", "stop", Usage(5, 6)))
    await records.note(task_id, status, {"reason": SAID})
    await records.note(task_id, "review", {"action": "approve", "comment": SAID, "by": "person"})
    await records.add_attempts(task_id, 1, attempt)
    await records.money.settle(
        await records.money.reserve(Reservation(task_id, "s", "dear", 0.2, 1.0, 99.0)), 0.05
    )
    files = (FileChange("a.py", f"+{SAID}", applied=True),)
    await records.close_task(
        Outcome(task_id, status, (attempt,), attempt, files, confidence=0.9, message=SAID)
    )
    age = "UPDATE tasks SET updated = updated - ?, guidance = ? WHERE task_id = ?"
    await records.ledger.write(lambda db: db.execute(age, (days_ago * DAY, SAID, task_id)))
    kept = "UPDATE completions SET at = at - ?"
    await records.ledger.write(lambda db: db.execute(kept, (days_ago * DAY,)))


async def dump(records, *more):
    """Return all text of the ledger."""

    def ask(db):
        tables = ("tasks", "steps", "attempts", "decisions", "audit", "money", *more)
        return repr([db.execute(f"SELECT * FROM {table}").fetchall() for table in tables])  # noqa: S608

    return await records.ledger.read(ask)


async def test_texts_of_old_tasks_go_and_their_counts_and_money_stay(records):
    await work(records, "t1")
    before = io.StringIO()
    await export(records.ledger, "jsonl", before)

    pruned = await prune(records.ledger, days=30)

    after = io.StringIO()
    await export(records.ledger, "jsonl", after)
    assert pruned == 1
    assert SAID not in await dump(records, "completions")
    assert after.getvalue() == before.getvalue()
    assert await verify(records.ledger) is None


async def test_what_is_left_of_an_old_task_can_still_be_read(records):
    await work(records, "t1")

    await prune(records.ledger, days=30)

    record = await records.find_task("t1")
    (attempt,) = await records.list_attempts("t1", 1)
    assert record.pruned
    assert record.task.task == "use the password"
    assert (record.told.status, record.told.confidence) == ("accepted", 0.9)
    assert [(one.path, one.diff, one.applied) for one in record.told.files] == [("a.py", "", True)]
    assert (attempt.approved, attempt.tokens_out, attempt.files) == (True, 6, {})
    assert attempt.verdicts[0].receipt == Receipt("abc", "pytest")


@pytest.mark.parametrize("status", ["needs_review", "needs_approval", "stopped", "running"])
async def test_what_waits_or_can_be_resumed_stays_whole_however_old(records, status):
    await work(records, "t1", status)
    before = await dump(records)

    assert await prune(records.ledger, days=0) == 0
    assert await dump(records) == before


async def test_what_ended_lately_stays(records):
    await work(records, "t1", days_ago=29)

    assert await prune(records.ledger, days=30) == 0
    assert SAID in await dump(records)


async def test_pruning_again_finds_nothing_more(records):
    for number in range(205):
        await work(records, f"t{number}", "skipped")

    first = await prune(records.ledger, days=30)
    second = await prune(records.ledger, days=30)

    assert (first, second) == (205, 0)


async def test_an_old_analysis_keeps_its_figures_and_loses_what_it_read(records):
    request = json.dumps({"question": f"where is {SAID}?", "text": SAID})
    await records.open_task(Opening("a1", "analysis", "where is it?", request), "me", 30)
    told = {
        "run_id": "a1",
        "status": "answered",
        "answer": SAID,
        "citations": [{"quote": SAID}],
        "calls": 3,
    }
    await records.close_run("a1", "accepted", json.dumps(told))
    await records.ledger.write(lambda db: db.execute("UPDATE tasks SET updated = 0"))

    await prune(records.ledger, days=30)

    record = await records.find_task("a1")
    assert SAID not in await dump(records)
    assert json.loads(record.request) == {"question": "where is it?"}
    assert json.loads(record.outcome) == {**told, "answer": "", "citations": []}


async def test_a_task_that_ended_without_an_outcome_and_without_words_is_pruned_too(records):
    await records.open_task(Opening("t1", "task", "  \n", '{"task": "x"}'), "me", 30)
    await records.ledger.write(lambda db: db.execute("UPDATE tasks SET status = 'skipped', updated = 0"))

    await prune(records.ledger, days=30)

    record = await records.find_task("t1")
    assert record.task.task == "(pruned)"
    assert record.told is None


async def count_pages(records):
    return await records.ledger.read(lambda db: db.pragma("page_count"))


async def test_a_file_that_is_mostly_air_is_written_anew_when_nobody_works(records):
    await work(records, "t1")
    await records.remember("t1", "big", "x" * 3_000_000)
    full = await count_pages(records)
    await prune(records.ledger, days=30)

    await records.open_task(Opening("t2", "task", "now", "{}"), "me", 30)
    while_somebody_works = await compact(records.ledger)
    await records.let_go("t2", "me")
    afterwards = await compact(records.ledger)
    once_more = await compact(records.ledger)

    assert (while_somebody_works, afterwards, once_more) == (False, True, False)
    assert await count_pages(records) < full / 4


async def test_compacting_waits_for_no_writer(tmp_path, records):
    await work(records, "t1")
    await records.remember("t1", "big", "x" * 3_000_000)
    await prune(records.ledger, days=30)
    await records.ledger.read(lambda db: db.set_busy_timeout(1))
    other = Ledger(tmp_path / "ledger.db")
    await other.read(lambda db: db.execute("BEGIN IMMEDIATE"))

    compacted = await compact(records.ledger)

    await other.read(lambda db: db.execute("ROLLBACK"))
    await other.aclose()
    assert not compacted
