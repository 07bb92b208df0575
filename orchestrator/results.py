"""The result file of a batch: appended whole lines, read back when the batch goes on, and added up."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio import to_thread

from orchestrator.answers import Answer
from orchestrator.task import TaskError

OURS = '{"line": '
"""How each line of a result file begins."""
ENDED = {"accepted", "skipped"}
"""What a result says of a task that is never taken up again; the others may have changed meanwhile."""


class BatchError(TaskError):
    """A batch that cannot be begun; every mistake is listed and nothing was asked."""

    def __init__(self, place: str, mistakes: Sequence[str]) -> None:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        listed = "\n".join(f"  - {mistake}" for mistake in mistakes)
        super().__init__(f"{place!r} is refused, nothing was begun. It has {count}:\n{listed}")


@dataclass(frozen=True, slots=True)
class Totals:
    """What came of a batch, results of earlier runs included."""

    statuses: Mapping[str, int]
    cost_usd: float
    saved_usd: float
    """Of accepted work, less what was spent on the rest; negative where that was more."""


class Results:
    """The result file: one JSON object a line, as tasks end; the last of a task counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = anyio.Lock()

    def read(self) -> dict[str, Answer]:
        """Read the results of earlier runs by task_id; half a line that a killed process left is cut off.

        Raises:
            BatchError: The file holds something else.
        """
        data = self.path.read_bytes() if self.path.exists() else b""
        whole, newline, torn = data.rpartition(b"\n")
        if torn and not (torn.startswith(OURS.encode()) or OURS.encode().startswith(torn)):
            raise BatchError(str(self.path), ["its end is no result of a batch; name another file"])
        known: dict[str, Answer] = {}
        for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
            result = _read_result(line)
            if result is None:
                raise BatchError(
                    str(self.path), [f"line {number} is no result of a batch; name another file"]
                )
            known[str(result["task_id"])] = result
        if torn:
            os.truncate(self.path, len(whole) + len(newline))
        return known

    async def append(self, result: Answer) -> None:
        """Add one result and wait until it is on the disk.

        Raises:
            OSError: It cannot be written; the task's own record is in the ledger.
        """
        data = (json.dumps(result, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        with anyio.CancelScope(shield=True):
            async with self._turn:
                await to_thread.run_sync(self._write, data)

    def _write(self, data: bytes) -> None:
        target = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            while data:
                data = data[os.write(target, data) :]
            os.fsync(target)
        finally:
            os.close(target)


def _read_result(line: bytes) -> Answer | None:
    try:
        result = json.loads(line) if line.startswith(OURS.encode()) else None
    except ValueError:
        return None
    return result if isinstance(result, dict) and "task_id" in result and "status" in result else None


def sum_up(task_ids: Iterable[str], results: Mapping[str, Answer]) -> Totals:
    """Count and add up the results of these tasks; what has none yet counts as `running`."""
    told = [results.get(task_id, {"status": "running"}) for task_id in task_ids]
    cost = sum(_usd(one, "cost_usd") for one in told)
    saved = sum(
        _usd(one, "saved_usd") if one["status"] == "accepted" else -_usd(one, "cost_usd") for one in told
    )
    return Totals(Counter(str(one["status"]) for one in told), cost, saved)


def _usd(result: Answer, key: str) -> float:
    value = result.get(key, 0.0)
    return float(value) if isinstance(value, int | float) else 0.0
