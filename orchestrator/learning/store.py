"""Keep what was learned in the ledger: one row a count, read at once, added to in one transaction."""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import cast

import apsw

from orchestrator.adapters import read_json
from orchestrator.learning.beliefs import NOTHING, Beliefs
from orchestrator.learning.calibration import WORDS, Judged
from orchestrator.learning.counts import Count, Kind, Observation, Row, fold, touched
from orchestrator.learning.observing import Case, observe_review
from orchestrator.ledger import LedgerError
from orchestrator.outcome import Attempt
from orchestrator.policy import Learning
from orchestrator.records import Records, TaskRecord

RESET = "reset"
"""Kind of the row that says when everything was forgotten; tasks begun before teach nothing."""

FRESH_SECONDS = 1.0
"""How old what was read may get; a learned count moves little with one task."""

NEWEST = 5000
"""Tasks and reviews that a calibration looks back."""

_KNOWN = "SELECT yes, no, seconds, usd, at FROM learned WHERE kind = ? AND key = ?"
_ALL = "SELECT kind, key, yes, no, seconds, usd, at FROM learned WHERE kind NOT IN ('reset', 'recent')"
_WORD = """
d.kind = 'review' AND json_extract(d.detail, '$.action') IN ('approve', 'reject', 'retry')
AND json_extract(d.detail, '$.by') = 'person'
AND json_extract(d.detail, '$.was') IS NOT 'needs_approval'
"""
"""A person's word about work: a host's model is no ground truth, and a word on money says nothing of work."""
_REVIEWED = f"""
SELECT t.task_type, t.domain, a.record,
    CASE WHEN t.outcome != '' AND json_extract(t.outcome, '$.best.number') = a.number
        THEN json_extract(t.outcome, '$.confidence') END,
    json_extract(d.detail, '$.action'), d.task_id, a.number
FROM decisions d JOIN tasks t USING (task_id) JOIN attempts a ON a.task_id = d.task_id AND a.number =
    (SELECT max(b.number) FROM attempts b WHERE b.task_id = d.task_id AND b.approved AND b.at <= d.at)
WHERE {_WORD} ORDER BY d.id DESC LIMIT ?
"""  # noqa: S608 - a constant
_COMPARED = """
SELECT t.task_type, t.domain, a.record, NULL, '', t.task_id, a.number
FROM (SELECT task_id, task_type, domain FROM tasks WHERE kind = 'task' ORDER BY updated DESC LIMIT ?) t
JOIN attempts a USING (task_id) WHERE a.record LIKE '%"validator":"agreement"%'
"""


class Memory:
    """What was learned, as this process read it last; other processes' tasks show within a second."""

    def __init__(self, records: Records, rules: Learning) -> None:
        self._records = records
        self._rules = rules
        self._beliefs = NOTHING
        self._read_at = -FRESH_SECONDS

    async def recall(self) -> Beliefs:
        """Return what was learned: nothing where learning is off, or the ledger cannot be read."""
        if self._rules.enabled and time.monotonic() - self._read_at >= FRESH_SECONDS:
            with suppress(LedgerError):  # nothing is begun without a ledger, but a route can be shown
                self._beliefs = await recall(self._records, self._rules.half_life_days)
            self._read_at = time.monotonic()
        return self._beliefs

    def learn(self, observations: Sequence[Observation], begun: float) -> None:
        """Add what a task taught that was begun at `begun`, with whatever is written next."""
        half_life, now = self._rules.half_life_days, time.time()
        if self._rules.enabled and observations:
            self._records.ledger.later(lambda db: add_learned(db, observations, half_life, (begun, now)))


async def recall(records: Records, half_life_days: float) -> Beliefs:
    """Read what was learned, faded to now, without the windows that only `learn` looks at."""
    now = time.time()

    def ask(db: apsw.Connection) -> Beliefs:
        counts: dict[Row, Count] = {}
        for kind, key, *numbers in db.execute(_ALL):
            row = (cast(Kind, kind), tuple(json.loads(str(key))))
            counts[row] = Count(*map(float, numbers)).faded(now, half_life_days)
        return Beliefs(counts)

    return await records.ledger.read(ask)


async def learn(
    records: Records, observations: Sequence[Observation], half_life_days: float, begun: float
) -> None:
    """Add what a task taught that was begun at `begun`; nothing when all was forgotten since then."""
    now = time.time()
    if observations:
        await records.ledger.write(lambda db: add_learned(db, observations, half_life_days, (begun, now)))


def add_learned(
    db: apsw.Connection,
    observations: Sequence[Observation],
    half_life_days: float,
    times: tuple[float, float],
) -> None:
    """Do what `learn` does inside a transaction that is open already.

    Args:
        db: The ledger, in an immediate transaction: no other process adds between reading and writing.
        observations: What was seen.
        half_life_days: After how long it counts half.
        times: When the task was begun, and now.
    """
    begun, now = times
    forgotten = db.execute("SELECT max(at) FROM learned WHERE kind = ?", (RESET,)).get
    if forgotten is not None and begun <= forgotten:
        return
    known: dict[Row, Count] = {}
    for kind, key in touched(observations):
        numbers = db.execute(_KNOWN, (kind, _write_key(key))).fetchone()
        if numbers:
            known[kind, key] = Count(*map(float, numbers))
    changed = fold(known, observations, now, half_life_days)
    db.executemany(
        "INSERT OR REPLACE INTO learned VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (kind, _write_key(key), count.yes, count.no, count.seconds, count.usd, count.at)
            for (kind, key), count in changed.items()
        ],
    )


async def reset(records: Records) -> int:
    """Forget everything, for good: tasks that were begun before teach nothing any more.

    Returns:
        How many counts there were.
    """
    now = time.time()

    def tell(db: apsw.Connection) -> int:
        db.execute("DELETE FROM learned WHERE kind != ?", (RESET,))
        count = db.changes()
        db.execute("INSERT OR REPLACE INTO learned VALUES (?, '[]', 0, 0, 0, 0, ?)", (RESET, now))
        return count

    return await records.ledger.write(tell)


async def learn_word(records: Records, record: TaskRecord, action: str, half_life_days: float) -> None:
    """Learn what a person says about a task whose work had passed; call it before the word is noted.

    The same word twice counts once; another one takes the earlier back.
    """
    if action not in WORDS:
        return
    attempts = await records.list_attempts(record.task_id, record.round)
    approved = next((one for one in reversed(attempts) if one.approved), None)
    if approved is None:
        return
    before = await _find_word(records, record.task_id, approved.number)
    if before and WORDS[before] == WORDS[action]:
        return
    beliefs = await recall(records, half_life_days)
    case = Case(record.task_type, record.domain)
    said = observe_review(beliefs, case, approved, right=bool(WORDS[action]))
    if before:
        taken = observe_review(beliefs, case, approved, right=bool(WORDS[before]))
        said = (*said, *(replace(one, yes=-one.yes, no=-one.no) for one in taken))
    await learn(records, said, half_life_days, record.created)


async def read_judged(records: Records, newest: int = NEWEST) -> list[Judged]:
    """Read the attempts about which a review or a comparison with other authors said something."""

    def ask(db: apsw.Connection) -> list[Judged]:
        found: dict[tuple[object, ...], Judged] = {}
        for query in (_REVIEWED, _COMPARED):
            for task_type, domain, record, told, word, *place in db.execute(query, (newest,)).fetchall():
                attempt = read_json(Attempt, str(record))
                sure = None if told is None else float(told)
                judged = Judged(str(task_type), str(domain), attempt, sure, str(word))
                found.setdefault(tuple(place), judged)
        return list(found.values())

    return await records.ledger.read(ask)


async def _find_word(records: Records, task_id: str, number: int) -> str:
    """Read the last word that a person said about an attempt."""
    query = (
        f"SELECT json_extract(detail, '$.action') FROM decisions d WHERE task_id = ? AND {_WORD}"  # noqa: S608
        " AND at >= (SELECT at FROM attempts WHERE task_id = d.task_id AND number = ?)"
        " ORDER BY id DESC LIMIT 1"
    )
    word = await records.ledger.read(lambda db: db.execute(query, (task_id, number)).get)
    return str(word or "")


def _write_key(key: Sequence[str]) -> str:
    return json.dumps(key, ensure_ascii=False)
