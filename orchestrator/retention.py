"""Throw away what ended long ago: texts go; counts, money, decisions and the audit trail stay."""

import json
import time
from dataclasses import replace

import apsw

from orchestrator.adapters import read_json, write_json
from orchestrator.ledger import Ledger
from orchestrator.outcome import Attempt, Outcome
from orchestrator.records import TaskRecord
from orchestrator.task import Task, TaskError
from validators.verdict import Receipt, Verdict

DAY_SECONDS = 86_400.0
KEPT_CHARACTERS = 40
"""Of a task's words: enough to know it by."""
TASKS_AT_ONCE = 100
"""In one transaction, so that other processes never wait long."""
WORTH_SHARE = 0.25
"""Of the file that must be free before it is written anew without it."""


async def prune(ledger: Ledger, days: float) -> int:
    """Remove prompts, answers, files and remarks of tasks and analyses that ended more than `days` ago.

    Ended is accepted or skipped. What waits for a person stays whole, as does what stopped: it can be
    resumed, and what it paid for would be asked again. The first characters of the description stay.
    Answers that the cache kept before then go too: what those tasks were given is among them.

    Returns:
        How many tasks and analyses were pruned.
    """
    before, pruned = time.time() - days * DAY_SECONDS, 0
    await ledger.write(lambda db: db.execute("DELETE FROM completions WHERE at < ?", (before,)))
    while True:
        done = await ledger.write(lambda db: _prune_some(db, before))
        pruned += done
        if done < TASKS_AT_ONCE:
            return pruned


def check_whole(record: TaskRecord) -> None:
    """Refuse to work on a task, or to accept it, of which only figures are left.

    Raises:
        TaskError: Its texts were pruned, its tests and limits among them.
    """
    if record.pruned:
        raise TaskError(
            f"Task {record.task_id!r} ended long ago and its texts were pruned, so nobody can work on it. "
            "Delegate it anew."
        )


async def compact(ledger: Ledger) -> bool:
    """Give free pages back to the disk, if they are many and nobody works now; says whether it did."""

    def ask(db: apsw.Connection) -> bool:
        free = db.pragma("freelist_count") / max(1, db.pragma("page_count"))
        busy = db.execute("SELECT count(*) FROM tasks WHERE lease_until > ?", (time.time(),)).get
        if busy or free < WORTH_SHARE:
            return False
        try:
            db.execute("VACUUM")
        except apsw.BusyError:
            return False  # somebody began to write in the meantime; there will be another day
        return True

    return await ledger.read(ask)


def _prune_some(db: apsw.Connection, before: float) -> int:
    rows = db.execute(
        "SELECT task_id, kind, description, outcome FROM tasks"
        " WHERE status IN ('accepted', 'skipped') AND updated < ? AND NOT pruned LIMIT ?",
        (before, TASKS_AT_ONCE),
    ).fetchall()
    for row in rows:
        task_id, kind, description, outcome = (str(value) for value in row)
        _prune_one(db, task_id)
        said = description.strip()[:KEPT_CHARACTERS] or "(pruned)"
        request = write_json(Task(said)) if kind == "task" else json.dumps({"question": said})
        shorter = _shorten(kind, outcome) if outcome else ""
        db.execute(
            "UPDATE tasks SET pruned = 1, description = ?, request = ?, outcome = ?, guidance = ''"
            " WHERE task_id = ?",
            (said, request, shorter, task_id),
        )
    return len(rows)


def _prune_one(db: apsw.Connection, task_id: str) -> None:
    db.execute("DELETE FROM steps WHERE task_id = ?", (task_id,))
    db.execute(
        "UPDATE decisions SET detail = json_remove(detail, '$.comment', '$.reason') WHERE task_id = ?",
        (task_id,),
    )
    attempts = db.execute("SELECT number, record FROM attempts WHERE task_id = ?", (task_id,)).fetchall()
    bare = [(write_json(_bare(read_json(Attempt, str(text)))), task_id, number) for number, text in attempts]
    db.executemany("UPDATE attempts SET record = ? WHERE task_id = ? AND number = ?", bare)


def _shorten(kind: str, outcome: str) -> str:
    if kind != "task":
        return json.dumps({**json.loads(outcome), "answer": "", "citations": []})
    told = read_json(Outcome, outcome)
    best = _bare(told.best) if told.best else None
    files = tuple(replace(change, diff="") for change in told.files)
    return write_json(
        replace(told, attempts=tuple(_bare(one) for one in told.attempts), best=best, files=files, message="")
    )


def _bare(attempt: Attempt) -> Attempt:
    """Keep who, what it took and how it was judged; leave out what was written and said."""
    verdicts = tuple(_bare_verdict(verdict) for verdict in attempt.verdicts)
    return replace(attempt, files={}, removed=(), read={}, message="", warnings=(), verdicts=verdicts)


def _bare_verdict(verdict: Verdict) -> Verdict:
    receipt = Receipt(digest=verdict.receipt.digest, tool=verdict.receipt.tool)
    return replace(verdict, diagnostics=(), reason="", receipt=receipt)
