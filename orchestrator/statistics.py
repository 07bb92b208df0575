"""What the ledger says about workers, money and backends: the work behind status and report."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import apsw

from orchestrator.orchestrator import Orchestrator


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """How one tier fares at one task type."""

    task_type: str
    tier: str
    attempts: int
    approved: int
    cost_usd: float
    mean_seconds: float


@dataclass(frozen=True, slots=True)
class Standings:
    """Counts, money and success since the ledger began."""

    tasks: Mapping[str, int]
    """Status to how many."""
    workers: tuple[WorkerRow, ...]
    spent_today_usd: float
    spent_usd: float
    saved_usd: float
    """Of accepted outcomes only, against the dearest tier asked once."""


async def read_standings(orchestrator: Orchestrator) -> Standings:
    """Read the figures in one go."""

    def ask(db: apsw.Connection) -> Standings:
        spent = "SELECT coalesce(sum(coalesce(settled_usd, reserved_usd)), 0) FROM money"
        today = time.strftime("%Y-%m-%d")
        rows = db.execute(
            "SELECT task_type, tier, count(*), sum(approved), sum(cost_usd), avg(seconds) FROM attempts"
            " GROUP BY task_type, tier ORDER BY task_type, count(*) DESC"
        )
        counts = db.execute("SELECT status, count(*) FROM tasks WHERE kind = 'task' GROUP BY status")
        saved = db.execute(
            "SELECT coalesce(sum(json_extract(outcome, '$.saved_usd')), 0) FROM tasks"
            " WHERE status = 'accepted' AND kind = 'task'"
        )
        return Standings(
            tasks={str(status): int(count) for status, count in counts},
            workers=tuple(WorkerRow(*row) for row in rows),
            spent_today_usd=float(db.execute(spent + " WHERE day = ?", (today,)).get),
            spent_usd=float(db.execute(spent).get),
            saved_usd=float(saved.get),
        )

    return await orchestrator.world.records.ledger.read(ask)
