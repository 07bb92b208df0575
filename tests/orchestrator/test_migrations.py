import json

import apsw
import pytest

from orchestrator.audit import verify
from orchestrator.ledger import Ledger
from orchestrator.money import Reservation
from orchestrator.outcome import Attempt, Outcome
from orchestrator.records import Records
from orchestrator.schema import MIGRATIONS

TASK = {"task": "do it"}


def write_old(place, version):
    """Write a ledger as the release of that schema version left it, with a row in every table."""
    db = apsw.Connection(str(place))
    for migration in MIGRATIONS[:version]:
        db.execute(migration)
    db.pragma("user_version", version)
    db.execute(
        "INSERT INTO tasks (task_id, kind, created, updated, status, description, request, task_type)"
        " VALUES ('t1', 'task', 1, 2, 'stopped', 'do it', ?, 'quick_edit')",
        (json.dumps(TASK),),
    )
    db.execute("INSERT INTO steps VALUES ('t1', 'attempt/1/weak', '\"paid for\"', 1)")
    attempt = json.dumps({"number": 1, "tier": "weak", "model": "m", "backend": "b"})
    columns = "task_id, number, round, at, task_type, tier, model, approved, trouble, tokens_in, tokens_out,"
    db.execute(
        f"INSERT INTO attempts ({columns} cost_usd, seconds, record)"  # noqa: S608 - constants
        " VALUES ('t1', 1, 1, 1, 'quick_edit', 'weak', 'm', 0, '', 1, 2, 0.1, 1, ?)",
        (attempt,),
    )
    db.execute(
        "INSERT INTO money (task_id, step, tier, day, at, reserved_usd, settled_usd)"
        " VALUES ('t1', 's', 'weak', '2026-01-01', 1, 0.3, 0.1),"
        " ('t1', 's2', 'weak', '2026-01-01', 1, 0.2, NULL)"
    )
    db.execute("INSERT INTO decisions (task_id, at, kind, detail) VALUES ('t1', 1, 'route', '{}')")
    db.close()


@pytest.fixture(params=range(1, len(MIGRATIONS)))
async def records(request, tmp_path):
    write_old(tmp_path / "ledger.db", request.param)
    ledger = Ledger(tmp_path / "ledger.db")
    yield Records(ledger)
    await ledger.aclose()


async def test_an_old_ledger_is_brought_up_to_date_and_loses_nothing(records):
    record = await records.find_task("t1")

    version = await records.ledger.read(lambda db: db.pragma("user_version"))
    assert version == len(MIGRATIONS)
    assert (record.task.task, record.status, record.task_type) == ("do it", "stopped", "quick_edit")
    assert (record.domain, record.pruned) == ("", False)
    assert await records.recall("t1", "attempt/1/weak") == '"paid for"'
    assert await records.list_attempts("t1", 1) == [Attempt(1, "weak", "m", "b")]
    assert await records.spent("t1") == pytest.approx(0.3)


async def test_work_goes_on_in_an_old_ledger(records):
    assert await records.claim("t1", "me", 30)
    await records.add_attempts("t1", 1, Attempt(2, "strong", "m", "b"))
    await records.close_task(Outcome("t1", "accepted"))

    assert len(await records.list_attempts("t1", 1)) == 2
    assert (await records.find_task("t1")).status == "accepted"


async def test_the_trail_of_an_old_ledger_begins_with_what_is_spent_from_now_on(records):
    await records.money.settle(2, 0.15)
    reserved = await records.money.reserve(Reservation("t1", "s3", "weak", 0.1, 1.0, 1.0))
    untouched = await verify(records.ledger)

    await records.ledger.write(
        lambda db: db.execute("UPDATE money SET reserved_usd = 0 WHERE id = ?", (reserved,))
    )

    assert untouched is None
    assert (await verify(records.ledger)).reason == "reservation 3 holds other dollars than row 3 says"
