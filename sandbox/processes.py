"""Look at the processes of a run through /proc, and end them all."""

import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import anyio

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")
_GRACE_SECONDS = 20.0
"""For a process of ours to end a program: an engine takes its time to remove a container."""


class ProcessTree:
    """A started process and everything it brought forth."""

    def __init__(self, process: subprocess.Popen[bytes], opened: ExitStack) -> None:
        self._process = process
        self._opened = opened
        self._handles: list[int] = []
        self._hold(process.pid)

    def _hold(self, pid: int) -> None:
        """Keep a descriptor of the process, which stays true when its number is given to another."""
        self._handles.append(os.pidfd_open(pid))
        self._opened.callback(os.close, self._handles[-1])

    def hold_child(self) -> None:
        """Keep hold of the first process of a namespace, which its parent does not wait for."""
        for pid in _children(self._process.pid):
            self._hold(pid)

    def members(self) -> tuple[int, ...]:
        """Return the started process and its descendants that live now."""
        return (self._process.pid, *descendants(self._process.pid))

    def memory_exceeds(self, limit_bytes: int) -> bool:
        """Say whether they together hold more memory than the limit, counting shared pages once."""
        return memory_exceeds(self.members(), limit_bytes)

    async def exited(self) -> None:
        """Wait until the started process has ended; its descendants may live on."""
        await anyio.wait_readable(self._handles[0])

    async def terminate(self) -> None:
        """Tell the started process to end itself and what it brought forth, and give it a moment for it."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handles[0], signal.SIGTERM)
        with anyio.move_on_after(_GRACE_SECONDS):
            await self.exited()

    async def destroy(self) -> int:
        """Kill everything, wait until it is gone and return how the started process ended."""
        for pid in descendants(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for handle in self._handles:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            await anyio.wait_readable(handle)
        return self._process.wait()


def descendants(pid: int) -> Iterator[int]:
    """Yield the living children, grandchildren and so on of a process, parents first."""
    pending = [pid]
    while pending:
        children = _children(pending.pop())
        pending.extend(children)
        yield from children


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):  # the process may end at any moment
        for task in (_PROC / str(pid) / "task").iterdir():
            found.extend(int(child) for child in (task / "children").read_text().split())
    return found


def count_files(pids: Iterable[int], folders: Iterable[str]) -> int:
    """Return how many files lie in the fullest of some file systems, as the newest of the processes see it.

    The processes that stand around a program see the host's folders instead, and are passed over.
    """
    for pid in reversed(tuple(pids)):
        with suppress(OSError):  # it has ended
            root = _PROC / str(pid) / "root"
            if not root.samefile("/"):
                return max(_used_files(f"{root}{folder}") for folder in folders)
    return 0


def _used_files(folder: str) -> int:
    status = os.statvfs(folder)
    return status.f_files - status.f_ffree


def memory_exceeds(pids: Iterable[int], limit_bytes: int) -> bool:
    """Say whether processes together hold more memory than the limit, counting shared pages once.

    Resident sizes count a page once per process that maps it, so they only tell when to look closely.
    """
    processes = tuple(pids)
    if sum(map(_resident_bytes, processes)) <= limit_bytes:
        return False
    return sum(map(_proportional_bytes, processes)) > limit_bytes


def _resident_bytes(pid: int) -> int:
    with suppress(OSError):
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE_BYTES
    return 0


def _proportional_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return _resident_bytes(pid)
