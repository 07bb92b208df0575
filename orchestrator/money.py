"""Money: set aside before a paid call, settled after it, never more than the budgets of task, type and day.

Reserving reads what was spent and writes the reservation in one immediate transaction, so processes that
share the ledger cannot spend the same dollar. What was never settled, because the process died or the
connection broke, counts as spent: a budget errs on the safe side. A day is the local calendar day of the
machine, as it stands on the wall when the call begins.
"""

import time
from dataclasses import dataclass
from typing import Literal

import apsw

from orchestrator import audit
from orchestrator.ledger import Ledger

Scope = Literal["task", "task type", "day"]
_SPENT = "SELECT coalesce(sum(coalesce(settled_usd, reserved_usd)), 0) FROM money WHERE "


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money to set aside for one call, and the budgets that it must fit."""

    task_id: str
    step: str
    tier: str
    usd: float
    """What the call costs at worst."""
    task_limit_usd: float
    day_limit_usd: float
    task_type: str = ""
    type_limit_usd: float | None = None
    """For all tasks of this type in one day; `None` is no limit of its own."""
    approved_by: str = ""
    """Whose yes to money this call rests on: `person` or `policy`."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A budget that has no room for the call."""

    scope: Scope
    limit_usd: float
    spent_usd: float


class Money:
    """The money of one ledger; every change of it leaves a row in the audit trail."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def reserve(self, wish: Reservation) -> int | Refusal:
        """Set money aside, and return the reservation's id, unless a budget has no room for it."""
        return await self._ledger.write(lambda db: _reserve(db, wish, today()))

    async def settle(self, reservation: int, usd: float) -> None:
        """Put the real price in the place of the reserved one; what was settled stays so."""
        await self._ledger.write(lambda db: settle(db, reservation, usd))

    async def release(self, reservation: int, reason: str) -> None:
        """Give a reservation back, because for certain nothing was billed."""
        await self._ledger.write(lambda db: settle(db, reservation, 0.0, released=reason))

    async def refuse(self, task_id: str, tier: str, reason: str) -> None:
        """Write that a call was not made because of money, before any was reserved."""
        detail = {"tier": tier, "reason": reason}
        await self._ledger.write(lambda db: audit.append(db, task_id, "refused", detail))

    async def spent(self, task_id: str) -> float:
        """Add up what a task cost, in USD; what was never settled counts as reserved."""
        return await self._ledger.read(lambda db: _sum(db, "task_id = ?", task_id))


def today() -> str:
    """Name the local calendar day, as budgets count it."""
    return time.strftime("%Y-%m-%d")


def settle(db: apsw.Connection, reservation: int, usd: float, released: str = "") -> None:
    """Settle inside a transaction that also keeps what was paid for."""
    found = db.execute(
        "UPDATE money SET settled_usd = ? WHERE id = ? AND settled_usd IS NULL RETURNING task_id, tier",
        (usd, reservation),
    ).fetchone()
    if found is None:
        return  # settled before; the first price was the real one
    task_id, tier = found
    detail: dict[str, object] = {"reservation": reservation, "tier": tier, "usd": usd}
    if released:
        audit.append(db, task_id, "released", {**detail, "reason": released})
    else:
        audit.append(db, task_id, "settled", detail)


def _reserve(db: apsw.Connection, wish: Reservation, day: str) -> int | Refusal:
    _note_caps(db, wish)
    refusal = _find_refusal(db, wish, day)
    detail = {"tier": wish.tier, "step": wish.step, "usd": wish.usd, "task_limit_usd": wish.task_limit_usd}
    if refusal is not None:
        told = {"scope": refusal.scope, "limit_usd": refusal.limit_usd, "spent_usd": refusal.spent_usd}
        audit.append(db, wish.task_id, "refused", {**detail, **told})
        return refusal
    db.execute(
        "INSERT INTO money (task_id, step, tier, day, at, reserved_usd, task_type)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (wish.task_id, wish.step, wish.tier, day, time.time(), wish.usd, wish.task_type),
    )
    number = db.last_insert_rowid()
    more = {"reservation": number, "day": day, "task_type": wish.task_type, "approved_by": wish.approved_by}
    audit.append(db, wish.task_id, "reserved", {**detail, **more})
    return number


def _find_refusal(db: apsw.Connection, wish: Reservation, day: str) -> Refusal | None:
    budgets: list[tuple[Scope, float, float]] = [
        ("task", wish.task_limit_usd, _sum(db, "task_id = ?", wish.task_id)),
        ("day", wish.day_limit_usd, _sum(db, "day = ?", day)),
    ]
    if wish.type_limit_usd is not None:
        of_type = _sum(db, "day = ? AND task_type = ?", day, wish.task_type)
        budgets.append(("task type", wish.type_limit_usd, of_type))
    for scope, limit, spent in budgets:
        if spent + wish.usd > limit + audit.PENNY_USD:
            return Refusal(scope, limit, spent)
    return None


def _note_caps(db: apsw.Connection, wish: Reservation) -> None:
    """Write that a budget differs from the one that the last call of its kind was held against."""
    caps = {"day": wish.day_limit_usd}
    if wish.task_type and wish.type_limit_usd is not None:
        caps[f"day of {wish.task_type}"] = wish.type_limit_usd
    for scope, usd in caps.items():
        last = db.execute(
            "SELECT json_extract(detail, '$.usd') FROM audit"
            " WHERE kind = 'cap' AND json_extract(detail, '$.scope') = ? ORDER BY id DESC LIMIT 1",
            (scope,),
        ).fetchone()
        if last != (usd,):
            audit.append(db, wish.task_id, "cap", {"scope": scope, "usd": usd})


def _sum(db: apsw.Connection, where: str, *values: str) -> float:
    return float(db.execute(_SPENT + where, values).get)
