"""Write the task records out, one row a task: JSONL for programs, CSV for spreadsheets."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TextIO

import apsw

from orchestrator.ledger import Ledger

Format = Literal["jsonl", "csv"]
ROWS_AT_ONCE = 500
"""Read in one go, so that a long export holds up nobody and fits any memory."""
COMPUTED = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute instead of show."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task, as it stood when it was exported."""

    task_id: str
    timestamp: str
    """When it was asked, ISO 8601 in UTC."""
    task_type: str
    description: str
    """The user's own words, at most 500 characters, not redacted: an export is as private as they are."""
    complexity_score: float
    worker: str
    """Tier and model of the best attempt."""
    checker: str
    """The tier that judged it, if one did."""
    outcome: str
    attempts: int
    escalations: int
    validation_method: str
    """The validators that it passed, joined by `+`."""
    latency_ms: int
    tokens_in: int
    """What workers read; checkers and plans are in the cost only."""
    tokens_out: int
    cost: float
    """USD; what was never settled counts as reserved."""


async def export(ledger: Ledger, form: Format, out: TextIO) -> int:
    """Write all tasks, oldest first, to an open text file.

    Args:
        ledger: Whose tasks.
        form: In CSV a text that a spreadsheet would compute gets an apostrophe in front.
        out: Opened with `newline=""` for CSV.

    Returns:
        How many rows were written.
    """
    names = [field.name for field in fields(TaskRow)]
    table = csv.DictWriter(out, names)
    if form == "csv":
        table.writeheader()
    written, after = 0, 0
    while True:
        rows = await ledger.read(partial(_read_rows, after=after))
        for _, row in rows:
            if form == "csv":
                table.writerow({name: _cell(value) for name, value in asdict(row).items()})
            else:
                out.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
        if not rows:
            return written
        written, after = written + len(rows), rows[-1][0]


def _read_rows(db: apsw.Connection, after: int) -> list[tuple[int, TaskRow]]:
    """Read the next rows, each with its place in the table."""
    query = (
        "SELECT t.rowid, t.task_id, t.created, t.task_type, t.description, t.complexity, t.status, t.outcome,"
        " count(a.number), coalesce(sum(a.tokens_in), 0), coalesce(sum(a.tokens_out), 0),"
        " (SELECT coalesce(sum(coalesce(settled_usd, reserved_usd)), 0) FROM money m"
        "  WHERE m.task_id = t.task_id)"
        " FROM tasks t LEFT JOIN attempts a ON a.task_id = t.task_id"
        " WHERE t.kind = 'task' AND t.rowid > ? GROUP BY t.rowid ORDER BY t.rowid LIMIT ?"
    )
    return [(int(row[0]), _make_row(*row[1:])) for row in db.execute(query, (after, ROWS_AT_ONCE))]


def _make_row(*row: Any) -> TaskRow:  # noqa: ANN401 - columns of one query, in its order
    task_id, created, task_type, description, complexity, status, outcome, attempts, *used = row
    told: Mapping[str, Any] = json.loads(outcome) if outcome else {}
    best: Mapping[str, Any] = told.get("best") or {}
    tokens_in, tokens_out, cost = used
    return TaskRow(
        task_id=task_id,
        timestamp=datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds"),
        task_type=task_type,
        description=description,
        complexity_score=complexity,
        worker=f"{best['tier']} ({best['model']})" if best else "",
        checker=best.get("checker", ""),
        outcome=status,
        attempts=attempts,
        escalations=told.get("escalations", 0),
        validation_method="+".join(_passed(best)),
        latency_ms=round(told.get("seconds", 0.0) * 1000),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost=round(cost, 9),
    )


def _passed(best: Mapping[str, Any]) -> Iterator[str]:
    for verdict in best.get("verdicts", ()):
        if verdict["status"] == "passed":
            yield verdict["validator"]


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(COMPUTED) else value
