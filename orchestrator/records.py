"""What the ledger is asked and told: tasks, steps, attempts, decisions. One statement block each.

Money and the trail of what was decided about it are `money` and `audit`, within reach from here.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import apsw

from orchestrator import audit
from orchestrator.adapters import read_json, write_json
from orchestrator.audit import Audit
from orchestrator.ledger import Ledger
from orchestrator.money import Money
from orchestrator.outcome import Attempt, Outcome, Status
from orchestrator.task import Task

Json = Mapping[str, object]
Tell = Callable[[apsw.Connection], object]
"""What is written inside a transaction that somebody else opened."""
Kind = Literal["task", "analysis"]


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """One row of `tasks`."""

    task_id: str
    kind: Kind
    created: float
    updated: float
    status: Status
    description: str
    request: str
    task_type: str
    complexity: float
    round: int
    approved_paid: bool
    guidance: str
    owner: str
    lease_until: float
    outcome: str
    domain: str
    pruned: bool
    """Its texts were thrown away, being old; counts, money and the trail stay."""

    @property
    def task(self) -> Task:
        """The task as it was asked."""
        return read_json(Task, self.request)

    @property
    def is_new(self) -> bool:
        """Whether nobody has worked on it since it was opened: to take a task over updates it."""
        return self.updated == self.created

    @property
    def told(self) -> Outcome | None:
        """The outcome as last told, if one was."""
        return read_json(Outcome, self.outcome) if self.outcome else None


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new row of `tasks` begins with."""

    task_id: str
    kind: Kind
    description: str
    request: str
    task_type: str = ""
    complexity: float = 0.0
    domain: str = ""


class Records:
    """Typed questions to one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.money = Money(ledger)
        self.audit = Audit(ledger)

    async def open_task(self, opening: Opening, owner: str, lease_seconds: float) -> TaskRecord:
        """Add a task that `owner` works on, and return its row."""
        now = time.time()
        row = (
            opening.task_id,
            opening.kind,
            now,
            now,
            opening.description[:500],
            opening.request,
            opening.task_type,
            opening.complexity,
            owner,
            now + lease_seconds,
            opening.domain,
        )
        query = (
            "INSERT INTO tasks (task_id, kind, created, updated, status, description, request,"
            " task_type, complexity, owner, lease_until, domain)"
            " VALUES (?, ?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?) RETURNING *"
        )
        return await self.ledger.write(lambda db: TaskRecord(*db.execute(query, row).get))

    async def find_task(self, task_id: str) -> TaskRecord | None:
        """Read one task."""

        def ask(db: apsw.Connection) -> TaskRecord | None:
            row = db.execute("SELECT * FROM tasks WHERE task_id = ?", (task_id,)).fetchone()
            return TaskRecord(*row) if row else None

        return await self.ledger.read(ask)

    async def list_tasks(self, statuses: tuple[Status, ...], limit: int = 50) -> list[TaskRecord]:
        """Read the newest tasks with one of these statuses; all statuses when none is named."""
        where = f"WHERE status IN ({', '.join('?' * len(statuses))})" if statuses else ""
        query = f"SELECT * FROM tasks {where} ORDER BY updated DESC LIMIT ?"  # noqa: S608 - placeholders only
        return await self.ledger.read(
            lambda db: [TaskRecord(*row) for row in db.execute(query, (*statuses, limit))]
        )

    async def claim(self, task_id: str, owner: str, lease_seconds: float) -> bool:
        """Take or keep the right to work on a task; false while another process holds it."""
        now = time.time()
        query = (
            "UPDATE tasks SET owner = ?, lease_until = ?, status = 'running', updated = ?"
            " WHERE task_id = ? AND (owner IN ('', ?) OR lease_until < ?)"
        )

        def tell(db: apsw.Connection) -> bool:
            db.execute(query, (owner, now + lease_seconds, now, task_id, owner, now))
            return db.changes() == 1

        return await self.ledger.write(tell)

    async def renew(self, task_id: str, owner: str, lease_seconds: float) -> bool:
        """Keep the right to work on a task; false when it is no longer `owner`'s."""
        query = "UPDATE tasks SET lease_until = ? WHERE task_id = ? AND owner = ?"

        def tell(db: apsw.Connection) -> bool:
            db.execute(query, (time.time() + lease_seconds, task_id, owner))
            return db.changes() == 1

        return await self.ledger.write(tell)

    async def close_task(self, outcome: Outcome) -> None:
        """Write how a task stands and let go of it."""
        await self.close_run(outcome.task_id, outcome.status, write_json(outcome))

    async def close_run(self, run_id: str, status: Status, told: str) -> None:
        """Write how a task or an analysis stands, as JSON, and let go of it."""
        await self.ledger.write(
            lambda db: db.execute(
                "UPDATE tasks SET status = ?, outcome = ?, updated = ?, owner = '', lease_until = 0"
                " WHERE task_id = ?",
                (status, told, time.time(), run_id),
            )
        )

    async def let_go(self, task_id: str, owner: str) -> None:
        """Give up a task that is still `owner`'s, so that it can be resumed at once."""
        await self.ledger.write(
            lambda db: db.execute(
                "UPDATE tasks SET status = 'stopped', updated = ?, owner = '', lease_until = 0"
                " WHERE task_id = ? AND owner = ?",
                (time.time(), task_id, owner),
            )
        )

    async def approve_paid(self, task_id: str, by: str = "person") -> None:
        """Write that a person said yes to money for this task."""

        def tell(db: apsw.Connection) -> None:
            db.execute("UPDATE tasks SET approved_paid = 1 WHERE task_id = ?", (task_id,))
            audit.append(db, task_id, "approved", {"by": by})

        await self.ledger.write(tell)

    async def open_round(self, task_id: str, guidance: str) -> None:
        """Begin again after a person said 'retry'; earlier attempts are kept but no longer count."""
        await self.ledger.write(
            lambda db: db.execute(
                "UPDATE tasks SET round = round + 1, guidance = ?, status = 'stopped' WHERE task_id = ?",
                (guidance, task_id),
            )
        )

    async def recall(self, task_id: str, key: str) -> str | None:
        """Read what a step gave, if it was taken before."""

        def ask(db: apsw.Connection) -> str | None:
            query = "SELECT value FROM steps WHERE task_id = ? AND key = ?"
            row = db.execute(query, (task_id, key)).fetchone()
            return str(row[0]) if row else None

        return await self.ledger.read(ask)

    async def list_steps(self, task_id: str) -> frozenset[str]:
        """Name the steps that were taken."""
        query = "SELECT key FROM steps WHERE task_id = ?"
        return await self.ledger.read(
            lambda db: frozenset(str(key) for (key,) in db.execute(query, (task_id,)))
        )

    async def remember(self, task_id: str, key: str, value: str, also: Tell | None = None) -> None:
        """Write what a step gave, together with what is true because of it (`also`), or neither."""

        def tell(db: apsw.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?)", (task_id, key, value, time.time()))
            if also is not None:
                also(db)

        await self.ledger.write(tell)

    async def add_attempts(self, task_id: str, round_: int, *attempts: Attempt) -> None:
        """Write the finished attempts of one turn together, with their task's type and domain."""
        query = (
            "INSERT INTO attempts SELECT task_id, ?, ?, ?, task_type, ?, ?, ?, ?, ?, ?, ?, ?, ?, domain"
            " FROM tasks WHERE task_id = ?"
        )
        now = time.time()
        rows = [
            (
                attempt.number,
                round_,
                now,
                attempt.tier,
                attempt.model,
                attempt.approved,
                attempt.trouble,
                attempt.tokens_in,
                attempt.tokens_out,
                attempt.cost_usd,
                attempt.seconds,
                write_json(attempt),
                task_id,
            )
            for attempt in attempts
        ]
        await self.ledger.write(lambda db: db.executemany(query, rows))

    async def list_attempts(self, task_id: str, round_: int) -> list[Attempt]:
        """Read the attempts of one round, in order."""
        query = "SELECT record FROM attempts WHERE task_id = ? AND round = ? ORDER BY number"
        rows = await self.ledger.read(lambda db: db.execute(query, (task_id, round_)).fetchall())
        return [read_json(Attempt, str(row[0])) for row in rows]

    async def last_number(self, task_id: str) -> int:
        """Say the number of a task's last attempt over all rounds, those that reached nobody included.

        Samples that were cancelled leave gaps, so this is not how many there were.
        """
        query = "SELECT coalesce(max(number), 0) FROM attempts WHERE task_id = ?"
        return await self.ledger.read(lambda db: int(db.execute(query, (task_id,)).get))

    async def spent(self, task_id: str) -> float:
        """Add up what a task cost, in USD; what was never settled counts as reserved."""
        return await self.money.spent(task_id)

    async def note(self, task_id: str, kind: str, detail: Json) -> None:
        """Append a decision: who decided what, and why."""
        await self.ledger.write(_decision(task_id, kind, detail))

    def note_later(self, task_id: str, kind: str, detail: Json) -> None:
        """Append a decision that the ledger shows anyway, with whatever is written next."""
        self.ledger.later(_decision(task_id, kind, detail))


def _decision(task_id: str, kind: str, detail: Json) -> Tell:
    row = (task_id, time.time(), kind, json.dumps(detail))
    return lambda db: db.execute("INSERT INTO decisions (task_id, at, kind, detail) VALUES (?, ?, ?, ?)", row)
