import tempfile
from pathlib import Path

import anyio
import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audit import Broken, verify
from orchestrator.ledger import Ledger, LedgerError
from orchestrator.money import Reservation
from orchestrator.records import Records


@pytest.fixture
async def records(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    yield Records(ledger)
    await ledger.aclose()


async def spend(records, times=3):
    """Reserve and settle; each time after the first, which notes the budget too, adds two rows."""
    for number in range(times):
        wish = Reservation(f"t{number}", "step", "haiku", 0.1, 1.0, 5.0, "quick_edit")
        await records.money.settle(await records.money.reserve(wish), 0.01)


async def tamper(records, *statements):
    """Change the file as somebody with an SQLite shell would, triggers and index out of the way."""

    def tell(db):
        db.execute("DROP INDEX IF EXISTS audit_caps")
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)

    await records.ledger.write(tell)


async def test_a_trail_that_nobody_touched_holds(records):
    await spend(records)

    assert await verify(records.ledger) is None


async def test_an_empty_trail_holds(records):
    assert await verify(records.ledger) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET detail = '{}' WHERE id = 3",
        "DELETE FROM audit WHERE id = 3",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
    ],
)
async def test_the_ledger_itself_refuses_to_change_the_trail(records, statement):
    await spend(records)

    with pytest.raises(apsw.ConstraintError, match="append-only"):
        await records.ledger.write(lambda db: db.execute(statement))

    assert await verify(records.ledger) is None


@pytest.mark.parametrize(
    ("statement", "row", "reason"),
    [
        (
            "UPDATE audit SET detail = replace(detail, '0.01', '0.02') WHERE id = 3",
            3,
            "is not what was written",
        ),
        ("UPDATE audit SET at = at + 1 WHERE id = 4", 4, "is not what was written"),
        ("UPDATE audit SET detail = x'00' WHERE id = 4", 4, "is not what was written"),
        ("UPDATE audit SET kind = 'warned' WHERE id = 1", 1, "is not what was written"),
        ("UPDATE audit SET digest = 'x' WHERE id = 7", 7, "is not what was written"),
        ("DELETE FROM audit WHERE id = 2", 2, "row 2 is missing, the next one is 3"),
        ("DELETE FROM audit WHERE id = 1", 1, "row 1 is missing"),
        ("DELETE FROM audit WHERE id = 7", 7, "the trail ends at row 6, its head says 7 rows"),
        ("DELETE FROM audit_head", 8, "its head says no rows"),
        ("INSERT INTO audit VALUES (8, 0, 't1', 'approved', '{}', '')", 8, "is not what was written"),
        (
            "UPDATE money SET day = '2000-01-01' WHERE id = 2",
            5,
            "reservation 2 is not of the task, tier, day",
        ),
        ("UPDATE money SET task_id = 't9' WHERE id = 2", 5, "reservation 2 is not of the task, tier, day"),
        ("UPDATE money SET task_type = 'critical' WHERE id = 2", 5, "reservation 2 is not of the task, tier"),
        ("UPDATE money SET tier = 'opus' WHERE id = 2", 5, "reservation 2 is not of the task, tier, day"),
        ("UPDATE money SET settled_usd = 0.001 WHERE id = 2", 5, "reservation 2 holds other dollars"),
        ("UPDATE money SET settled_usd = NULL WHERE id = 2", 5, "reservation 2 holds other dollars"),
        ("DELETE FROM money WHERE id = 2", 5, "reservation 2 of row 5 is gone"),
        ("INSERT INTO money VALUES (9, 't', 's', 'haiku', '', 0, 1, 1, '')", 0, "reservation 9 is in no row"),
    ],
)
async def test_a_changed_removed_or_added_row_is_found(records, statement, row, reason):
    await spend(records)

    await tamper(records, statement)

    broken = await verify(records.ledger)
    assert broken is not None
    assert broken.row == row
    assert reason in broken.reason


async def test_a_trail_that_was_cut_off_with_its_head_is_found_by_the_money_it_must_explain(records):
    await spend(records)

    await tamper(
        records,
        "DELETE FROM audit WHERE id > 3",
        "UPDATE audit_head SET rows = 3, digest = (SELECT digest FROM audit WHERE id = 3)",
    )

    assert await verify(records.ledger) == Broken(0, "reservation 2 is in no row of the trail")


async def test_without_a_trail_no_money_is_spent(records):
    await spend(records)
    await tamper(records, "DELETE FROM audit_head")

    with pytest.raises(LedgerError, match="has lost its head, so no money is spent"):
        await spend(records, times=1)

    assert await records.spent("t0") == pytest.approx(0.01)


async def test_a_trail_written_anew_is_found_by_a_digest_that_was_noted_elsewhere(records):
    await spend(records)
    noted = await records.audit.head()
    still_there = await verify(records.ledger, noted)

    await tamper(
        records,
        "DELETE FROM audit",
        "DELETE FROM money",
        "UPDATE audit_head SET rows = 0, digest = ''",
    )
    await spend(records, times=2)

    assert still_there is None
    assert await verify(records.ledger) is None
    assert "that was noted before" in (await verify(records.ledger, noted)).reason


COLUMNS = ("at", "task_id", "kind", "detail", "digest")


async def change_one(place, row, column, value):
    """Change one cell; tells whether it says the same as before, and what is found."""
    ledger = Ledger(place)
    records = Records(ledger)
    await spend(records)
    everything = "SELECT * FROM audit ORDER BY id"
    old = await ledger.read(lambda db: db.execute(everything).fetchall())
    await tamper(records)
    query = f"UPDATE audit SET {column} = ? WHERE id = ?"  # noqa: S608 - a name from the list above
    await ledger.write(lambda db: db.execute(query, (value, row)))
    new = await ledger.read(lambda db: db.execute(everything).fetchall())
    broken = await verify(ledger)
    await ledger.aclose()
    return old == new, broken


@settings(max_examples=40, deadline=None)
@given(
    row=st.integers(1, 7),
    column=st.sampled_from(COLUMNS),
    value=st.one_of(st.text(max_size=20), st.floats(allow_nan=False), st.binary(max_size=8)),
)
def test_no_cell_can_be_changed_unseen(row, column, value):
    with tempfile.TemporaryDirectory() as folder:
        same, broken = anyio.run(change_one, Path(folder) / "ledger.db", row, column, value)

    assert same or broken is not None
