"""The audit trail: every decision about money, each row sealed together with all rows before it.

A row's digest is SHA-256 over the digest before it and what the row says. So a row that was changed, removed
or put in between is found; so is an end that was cut off, by the head kept beside the trail and by the money
that the trail must explain. Triggers refuse to change what was written. There is no secret in it: whoever
writes a whole new trail, its head and the money with it is found only by a digest that was noted elsewhere
before (`verify(..., noted=...)`).
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import apsw

from orchestrator.ledger import Ledger, LedgerError

Entry = Literal["approved", "declined", "reserved", "refused", "settled", "released", "cap", "warned"]
"""What was decided. `released` is a reservation given back because nothing was billed for certain."""
Detail = Mapping[str, object]
PENNY_USD = 1e-9
"""Sums of the same dollars in another order differ by less."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where the trail does not hold."""

    row: int
    """`audit.id`; of a missing row the one that should be there; 0 when it is no single row."""
    reason: str


def append(db: apsw.Connection, task_id: str, kind: Entry, detail: Detail) -> None:
    """Write one row inside the transaction that makes the decision true.

    Raises:
        LedgerError: Somebody tampered with the trail; nothing of the transaction is kept.
    """
    head = db.execute("SELECT rows, digest FROM audit_head").fetchone()
    if head is None:
        raise LedgerError(
            "The audit trail has lost its head, so no money is spent. "
            "Run `orchestrator report --verify`, then move the ledger away."
        )
    rows, before = head
    at, said = time.time(), json.dumps(detail, sort_keys=True)
    digest = _seal(before, rows + 1, at, (task_id, kind, said))
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", (rows + 1, at, task_id, kind, said, digest))
    db.execute("UPDATE audit_head SET rows = ?, digest = ?", (rows + 1, digest))


class Audit:
    """Decisions about money that change no money: a warning that was given, a yes that was not."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def append(self, task_id: str, kind: Entry, detail: Detail) -> None:
        """Write one row, in a transaction of its own."""
        await self._ledger.write(lambda db: append(db, task_id, kind, detail))

    async def head(self) -> str:
        """Read the digest of the last row; noted elsewhere, it proves later that this much was there."""
        return await self._ledger.read(lambda db: str(db.execute("SELECT digest FROM audit_head").get))


async def verify(ledger: Ledger, noted: str = "") -> Broken | None:
    """Check the whole trail, and that it explains every row of `money`.

    Args:
        ledger: The ledger whose trail is read.
        noted: A digest that `Audit.head` gave before; it must still be in the trail.

    Returns:
        The first row that does not hold, or `None`. Not found: rows written by somebody who also wrote all
        that follows anew, unless `noted` is from before; money of ledgers older than the trail.
    """
    return await ledger.read(lambda db: _verify(db, noted))


def _verify(db: apsw.Connection, noted: str) -> Broken | None:
    with db:  # one view of all tables, while others write
        found = [*_find_breaks(db, noted)] or [*_find_unexplained(db)]
    return found[0] if found else None


def _find_breaks(db: apsw.Connection, noted: str) -> Iterator[Broken]:
    before, expected, seen = "", 0, not noted
    for row, at, task_id, kind, said, digest in db.execute(
        "SELECT id, at, task_id, kind, detail, digest FROM audit ORDER BY id"
    ):
        expected += 1
        if row != expected:
            yield Broken(expected, f"row {expected} is missing, the next one is {row}")
            return
        if digest != _seal(before, row, at, (task_id, kind, said)):
            yield Broken(row, f"row {row} ({kind}, task {task_id!r}) is not what was written")
            return
        before, seen = str(digest), seen or digest == noted
    head = db.execute("SELECT rows, digest FROM audit_head").fetchone()
    if head is None or head != (expected, before):
        rows = head[0] if head else "no"
        yield Broken(expected + 1, f"the trail ends at row {expected}, its head says {rows} rows")
    if not seen:
        yield Broken(0, f"no row has the digest {noted!r} that was noted before")


def _find_unexplained(db: apsw.Connection) -> Iterator[Broken]:
    """Compare `money` with what the trail says was reserved and settled."""
    told = _read_told(db)
    rows = db.execute(
        "SELECT id, task_id, tier, day, task_type, reserved_usd, settled_usd FROM money"
        " WHERE id > (SELECT money_before FROM audit_head)"
    )
    held = {
        int(number): _Held(tuple(of), float(reserved), settled) for number, *of, reserved, settled in rows
    }
    for number in sorted({*told, *held}):
        row, said = told.get(number, (0, None))
        if number not in held:
            yield Broken(row, f"reservation {number} of row {row} is gone from the money")
        elif said is None:
            yield Broken(0, f"reservation {number} is in no row of the trail")
        elif held[number].of != said.of:
            yield Broken(
                row, f"reservation {number} is not of the task, tier, day and type that its row says"
            )
        elif not held[number].is_as_dear_as(said):
            yield Broken(row, f"reservation {number} holds other dollars than row {row} says")


@dataclass(frozen=True, slots=True)
class _Held:
    of: tuple[object, ...]
    """Task, tier, day and task type: what the budgets add up by."""
    reserved: float
    settled: float | None = None

    def is_as_dear_as(self, other: "_Held") -> bool:
        if (self.settled is None) != (other.settled is None):
            return False
        pairs = ((self.reserved, other.reserved), (self.settled or 0.0, other.settled or 0.0))
        return all(abs(one - two) < PENNY_USD for one, two in pairs)


def _read_told(db: apsw.Connection) -> dict[int, tuple[int, _Held]]:
    """Read what the trail says of each reservation, with the last row that says it."""
    told: dict[int, tuple[int, _Held]] = {}
    for row, task_id, kind, said in db.execute(
        "SELECT id, task_id, kind, detail FROM audit"
        " WHERE kind IN ('reserved', 'settled', 'released') ORDER BY id"
    ):
        detail = json.loads(said)
        number, usd = int(detail["reservation"]), float(detail["usd"])
        if kind == "reserved":
            of = (task_id, *(detail.get(key, "") for key in ("tier", "day", "task_type")))
            told[number] = (row, _Held(of, usd))
        elif number in told:  # else it was reserved before there was a trail
            told[number] = (row, replace(told[number][1], settled=usd))
    return told


def _seal(before: str, row: int, at: float, said: tuple[str, str, str]) -> str:
    told = json.dumps([before, row, at, *said], default=repr)  # what somebody else put there may be anything
    return hashlib.sha256(told.encode()).hexdigest()
