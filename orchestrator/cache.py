"""Completions that need not be asked for twice: same model, parameters and prompt, same answer.

An answer from here is judged like any other. What a model draws at random is kept only once its work passed
(`is_repeatable` tells), so that a bad draw is never served again; a retry has its own prompt, and the k-th
sample of one prompt its own key.
"""

import hashlib
import json
import time
from dataclasses import asdict, replace

import apsw
from pydantic import ValidationError

from backends.backend import Completion, Request, Usage
from orchestrator.adapters import read_json, write_json
from orchestrator.policy import BackendPolicy, CachePolicy
from orchestrator.records import Records

CACHED = "cached: this answer was given before and cost nothing now"
DAY_SECONDS = 86_400.0
TOUCH_SECONDS = 3_600.0
"""How stale the time of last use may get: a hit must not cost a commit each time."""
TIDY_EVERY = 64
"""Answers that one process keeps between two looks at how much is kept."""


def key_of(config: BackendPolicy, request: Request, sample: int = 0) -> str:
    """Name what is asked by its content: SHA-256 over the server, the model, all parameters and the prompt.

    Args:
        config: The server that is asked; its name and its time limits do not change an answer.
        request: All that is sent.
        sample: Which draw of the same prompt; also counts a person's 'retry' without a word of guidance.
    """
    asked = [config.kind, config.url, config.path, asdict(request), sample]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=dict).encode()).hexdigest()


def is_repeatable(request: Request, sample: int = 0) -> bool:
    """Tell whether the model would say the same again: greedy decoding, or a seed of the policy's."""
    return request.sampling.temperature == 0 or (request.sampling.seed is not None and sample == 0)


def is_whole(completion: Completion) -> bool:
    """Tell whether an answer is worth keeping: it has text, ended by itself and has no warning.

    A warning says that it came from here, from another server or model than was asked, or to half a prompt.
    """
    return completion.finish == "stop" and bool(completion.text.strip()) and not completion.warnings


class Cache:
    """The kept completions of one ledger, bounded by age and size; the least recently used go first."""

    def __init__(self, records: Records, rules: CachePolicy, *, fresh: bool = False) -> None:
        """Wrap the ledger's table.

        Args:
            records: The ledger.
            rules: `[cache]` of the policy.
            fresh: Whether this caller wants every answer anew; new answers still replace kept ones.
        """
        self._ledger = records.ledger
        self._rules = rules
        self._finds = rules.enabled and not fresh
        self._kept = 0

    async def find(self, key: str) -> Completion | None:
        """Return the kept answer with no usage and a warning that says so; a miss writes nothing."""
        if not self._finds:
            return None
        now = time.time()
        since = now - self._rules.days * DAY_SECONDS
        query = "SELECT value, used FROM completions WHERE key = ? AND at >= ?"
        row = await self._ledger.read(lambda db: db.execute(query, (key, since)).fetchone())
        if row is None:
            return None
        if now - float(row[1]) > TOUCH_SECONDS:
            touch = "UPDATE completions SET used = ? WHERE key = ?"
            await self._ledger.write(lambda db: db.execute(touch, (now, key)))
        try:
            completion = read_json(Completion, str(row[0]))
        except ValidationError:
            return None  # an older release wrote it
        return replace(completion, usage=Usage(), seconds=0.0, warnings=(CACHED,))

    async def keep(self, key: str, completion: Completion) -> None:
        """Keep an answer, in one write; one that was cut off, is empty or has a warning is not kept."""
        if not self._rules.enabled or not is_whole(completion):
            return
        value, now = write_json(replace(completion, reasoning="")), time.time()
        size, room = len(value.encode()), int(self._rules.mb * 1e6)
        if size > room:
            return
        tidies = self._kept % TIDY_EVERY == 0
        self._kept += 1

        def tell(db: apsw.Connection) -> None:
            row = (key, value, size, now, now)
            db.execute("INSERT OR REPLACE INTO completions VALUES (?, ?, ?, ?, ?)", row)
            if tidies:
                _tidy(db, now - self._rules.days * DAY_SECONDS, room)

        await self._ledger.write(tell)

    async def forget_task(self, task_id: str) -> None:
        """Take out every answer that this task was given: a person does not want its work.

        Looks through all that is kept, which takes up to a second for a full cache.
        """
        text = "json_extract(value, '$.text')"
        given = f"SELECT {text} FROM steps WHERE task_id = ?"  # noqa: S608 - a constant
        query = f"DELETE FROM completions WHERE {text} IN ({given})"  # noqa: S608 - a constant
        await self._ledger.write(lambda db: db.execute(query, (task_id,)))


def _tidy(db: apsw.Connection, since: float, room: int) -> None:
    """Delete what nobody used since it is too old, then the least recently used beyond the room there is.

    What is too old is found no more, so it is soon unused; looking for it by its age would read everything.
    """
    db.execute("DELETE FROM completions WHERE used < ?", (since,))
    over = int(db.execute("SELECT coalesce(sum(bytes), 0) FROM completions").get) - room
    if over <= 0:
        return
    gone: list[tuple[str]] = []
    for key, size in db.execute("SELECT key, bytes FROM completions ORDER BY used"):
        if over <= 0:
            break
        gone.append((str(key),))
        over -= int(size)
    db.executemany("DELETE FROM completions WHERE key = ?", gone)
