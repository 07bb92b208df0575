from pathlib import Path

import anyio
import pytest

from orchestrator.ledger import Ledger, LedgerError
from orchestrator.outcome import Attempt, Outcome
from orchestrator.records import Opening, Records
from orchestrator.steps import Steps
from validators.verdict import Diagnostic, Verdict


@pytest.fixture
async def records(tmp_path):
    ledger = Ledger(tmp_path / "home" / "ledger.db")
    yield Records(ledger)
    await ledger.aclose()


OPENING = Opening("t1", "task", "do it", '{"task": "do it"}', "quick_edit", 1.0)
ATTEMPT = Attempt(
    1,
    "weak",
    "m",
    "b",
    files={"a.py": "x = 1\n"},
    verdicts=(Verdict("syntax", "failed", 1, (Diagnostic("no"),)),),
)


async def test_what_was_written_is_read_back_as_it_was(records):
    opened = await records.open_task(OPENING, "me", 30)
    in_the_file = await records.find_task("t1")
    await records.add_attempts("t1", 1, ATTEMPT)
    outcome = Outcome("t1", "skipped", (ATTEMPT,), ATTEMPT)
    await records.close_task(outcome)

    record = await records.find_task("t1")

    assert opened == in_the_file
    assert await records.list_attempts("t1", 1) == [ATTEMPT]
    assert record.told == outcome
    assert record.task.task == "do it"
    assert await records.find_task("t2") is None


async def test_a_step_is_taken_once_and_then_remembered(records):
    taken = []
    steps = Steps(records, "t1")

    async def act():
        taken.append("asked")
        return ATTEMPT

    first = await steps.take("one", Attempt, act)
    second = await steps.take("one", Attempt, act)

    assert first == second == ATTEMPT
    assert taken == ["asked"]


async def test_a_step_that_fails_is_not_remembered(records):
    steps = Steps(records, "t1")

    async def fail():
        raise ConnectionError

    async def succeed():
        return ATTEMPT

    with pytest.raises(ConnectionError):
        await steps.take("one", Attempt, fail)

    assert await steps.take("one", Attempt, succeed) == ATTEMPT


async def test_a_task_is_one_owners_until_the_lease_ends(records):
    await records.open_task(OPENING, "first", 30)

    assert not await records.claim("t1", "second", 30)
    assert await records.claim("t1", "first", -1)
    assert await records.claim("t1", "second", 30)


async def test_a_round_begins_without_the_attempts_of_the_last(records):
    await records.open_task(OPENING, "me", 30)
    await records.add_attempts("t1", 1, ATTEMPT)

    await records.open_round("t1", "use a set")
    record = await records.find_task("t1")

    assert (record.round, record.guidance) == (2, "use a set")
    assert await records.list_attempts("t1", record.round) == []


async def test_a_failing_write_leaves_nothing_behind(records):
    def half(db):
        db.execute("INSERT INTO decisions (task_id, at, kind, detail) VALUES ('t', 0, 'k', '{}')")
        raise KeyError

    with pytest.raises(KeyError):
        await records.ledger.write(half)

    rows = await records.ledger.read(lambda db: db.execute("SELECT count(*) FROM decisions").fetchall())
    assert rows == [(0,)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    ledger = Ledger(tmp_path / "file" / "ledger.db")

    with pytest.raises(LedgerError, match="set ORCHESTRATOR_HOME to another folder"):
        await ledger.read(lambda db: db.pragma("user_version"))
    await ledger.aclose()


async def test_a_full_disk_is_told_and_nothing_is_half_written(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    records = Records(ledger)
    await records.open_task(OPENING, "me", 30)
    await ledger.read(lambda db: db.pragma("max_page_count", db.pragma("page_count")))

    with pytest.raises(LedgerError, match="the disk is full. Free some space"):
        await records.remember("t1", "big", "x" * 10_000_000)

    assert await records.recall("t1", "big") is None
    await ledger.aclose()


async def test_a_file_that_is_no_ledger_is_not_overwritten(tmp_path):
    place = tmp_path / "ledger.db"
    place.write_text("my diary " * 200)
    ledger = Ledger(place)

    with pytest.raises(LedgerError, match="it is not a ledger"):
        await ledger.read(lambda db: db.pragma("user_version"))
    await ledger.aclose()

    assert place.read_text().startswith("my diary")


async def test_a_ledger_of_a_newer_release_is_left_alone(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    await ledger.read(lambda db: db.pragma("user_version", 99))
    await ledger.aclose()

    with pytest.raises(LedgerError, match="written by a newer release"):
        await Ledger(tmp_path / "ledger.db").read(lambda db: db.pragma("user_version"))


async def test_a_write_that_began_is_seen_through_when_the_caller_is_cancelled(records):
    with anyio.CancelScope() as scope:
        scope.cancel()
        await records.remember("t1", "key", '"value"')

    assert await records.recall("t1", "key") == '"value"'


async def test_only_its_owner_lets_a_task_go(records):
    await records.open_task(OPENING, "first", 30)

    await records.let_go("t1", "second")
    held = await records.find_task("t1")
    await records.let_go("t1", "first")
    free = await records.find_task("t1")

    assert (held.status, held.owner) == ("running", "first")
    assert (free.status, free.owner) == ("stopped", "")


async def test_many_that_open_a_new_ledger_at_once_all_may_write(tmp_path):
    for turn in range(30):
        ledgers = [Ledger(tmp_path / str(turn) / "ledger.db") for _ in range(8)]

        async with anyio.create_task_group() as group:
            for ledger in ledgers:
                group.start_soon(ledger.write, lambda db: db.execute("SELECT 1"))

        for ledger in ledgers:
            await ledger.aclose()
    assert len(list(tmp_path.glob("*/ledger.db"))) == 30
