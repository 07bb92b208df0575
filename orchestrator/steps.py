"""The only way from the engine into the world: steps whose results are remembered.

A step has a key that is the same when the task is resumed. What it gave is in the ledger before the next
one is taken, so a killed process asks no model twice. Another engine (DBOS, Temporal) can take the place of
this class without the loop noticing.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from orchestrator.adapters import read_json, write_json
from orchestrator.records import Records, Tell

Value = TypeVar("Value")


class Steps:
    """The remembered steps of one task."""

    def __init__(self, records: Records, task_id: str, round_: int = 1, *, is_new: bool = False) -> None:
        """Take the task and its round; of a new one no step was taken yet.

        A round that a person began with 'retry' takes its steps anew.
        """
        self._records = records
        self._task_id = task_id
        self._prefix = "" if round_ == 1 else f"round/{round_}/"
        self._taken: set[str] | None = set() if is_new else None
        """Keys, read once: only the process that holds the task's lease takes steps."""

    async def take(self, key: str, kind: type[Value], act: Callable[[], Awaitable[Value]]) -> Value:
        """Return what the step gave before, else act and remember it.

        What `act` raises is not remembered, so the step is taken again on resume.
        """
        known = await self.recall(key, kind)
        if known is not None:
            return known
        value = await act()
        await self.remember(key, value)
        return value

    async def recall(self, key: str, kind: type[Value]) -> Value | None:
        """Read what the step gave, if it was taken before."""
        if self._taken is None:
            self._taken = set(await self._records.list_steps(self._task_id))
        place = self._prefix + key
        known = await self._records.recall(self._task_id, place) if place in self._taken else None
        return None if known is None else read_json(kind, known)

    async def remember(self, key: str, value: object, also: Tell | None = None) -> None:
        """Write what the step gave; `also` is written with it, in one transaction, or neither is."""
        place = self._prefix + key
        await self._records.remember(self._task_id, place, write_json(value), also)
        if self._taken is not None:
            self._taken.add(place)
