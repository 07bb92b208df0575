"""Look at the processes of a run through `ps`, where no /proc and no process descriptors are (macOS)."""

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import anyio

_POLL_SECONDS = 0.02
_GRACE_SECONDS = 5.0
_KIB = 1024


@dataclass(frozen=True, slots=True)
class _Seen:
    """One process as `ps` tells of it."""

    parent: int
    group: int
    resident_bytes: int


class PolledTree:
    """A started process and everything it brought forth, as far as one look after the other tells.

    What was seen once stays known when its parent ends. What begins and leaves its session between two looks
    is not found.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._known = {process.pid}

    def hold_child(self) -> None:
        """Do nothing: there are no process namespaces here."""

    def members(self) -> tuple[int, ...]:
        """Return the started process and its descendants that live now."""
        return tuple(self._look())

    def memory_exceeds(self, limit_bytes: int) -> bool:
        """Say whether they together hold more memory than the limit, shared pages counted each time."""
        return sum(seen.resident_bytes for seen in self._look().values()) > limit_bytes

    async def exited(self) -> None:
        """Wait until the started process has ended; its descendants may live on."""
        while self._process.poll() is None:  # noqa: ASYNC110 - there is nothing to wait on
            await anyio.sleep(_POLL_SECONDS)

    async def terminate(self) -> None:
        """Tell the started process to end itself and what it brought forth, and give it a moment for it."""
        self._process.terminate()
        with anyio.move_on_after(_GRACE_SECONDS):
            await self.exited()

    async def destroy(self) -> int:
        """Kill everything that was seen, wait until it is gone and return how the started process ended."""
        with anyio.move_on_after(_GRACE_SECONDS):
            while living := [pid for pid in self._look() if pid != self._process.pid]:
                self._kill(living)
                await anyio.sleep(_POLL_SECONDS)
        self._kill([self._process.pid])
        await self.exited()
        return self._process.wait()

    def _kill(self, pids: list[int]) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _look(self) -> dict[int, _Seen]:
        words = ["ps", "-A", "-o", "pid=,ppid=,pgid=,rss=,state="]
        table = read_table(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        found = find_family(table, self._known, self._process.pid)
        self._known = set(found) | {self._process.pid}
        return found


def read_table(listing: str) -> dict[int, _Seen]:
    """Read what `ps -o pid=,ppid=,pgid=,rss=,state=` prints; the dead are left out."""
    rows = (line.split() for line in listing.splitlines())
    return {
        int(pid): _Seen(int(parent), int(group), int(resident) * _KIB)
        for pid, parent, group, resident, state, *_ in rows
        if not state.startswith("Z")
    }


def find_family(table: Mapping[int, _Seen], known: set[int], group: int) -> dict[int, _Seen]:
    """Return those that were known, share the group of the first, or descend from one of either."""
    family = {pid for pid, seen in table.items() if pid in known or seen.group == group}
    while True:
        children = {pid for pid, seen in table.items() if seen.parent in family} - family
        if not children:
            return {pid: table[pid] for pid in family}
        family |= children
