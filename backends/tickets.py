"""Queue up over all processes of this machine: one locked file for each that waits.

The kernel takes back a lock when its process ends, however it ends, so nothing here can be left behind
locked; a file that nobody holds is a ticket of the dead and is removed by whoever sees it.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.03
_HIDDEN = "."


@dataclass(frozen=True, slots=True)
class Ticket:
    """One that waits."""

    name: str
    """Names sort by age."""
    label: str
    """What is waited for."""

    @property
    def since(self) -> float:
        """When it was drawn, in seconds since the epoch."""
        return int(self.name.partition("-")[0]) / 1e9


class Queue:
    """The tickets in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def draw(self, label: str = "") -> Iterator[Ticket]:
        """Wait in line inside the block."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}"
        hidden, path = self._folder / f"{_HIDDEN}{name}", self._folder / name
        descriptor = os.open(hidden, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(descriptor, label.encode())
            hidden.rename(path)  # seen only when locked, else it would be taken for a dead one's
            yield Ticket(name, label)
        finally:
            hidden.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def waiting(self) -> tuple[Ticket, ...]:
        """List who waits, the longest first."""
        names = sorted(name for name in self._names() if not name.startswith(_HIDDEN))
        read = (self._read(name) for name in names)
        return tuple(ticket for ticket in read if ticket is not None)

    def is_empty(self) -> bool:
        """Tell whether nobody waits; a ticket of the dead counts until `waiting` has seen it."""
        return not any(not name.startswith(_HIDDEN) for name in self._names())

    def _names(self) -> list[str]:
        try:
            return [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return []

    def _read(self, name: str) -> Ticket | None:
        path = self._folder / name
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                if not _is_held(descriptor):
                    path.unlink()
                    return None
                return Ticket(name, os.read(descriptor, 4096).decode("utf-8", "replace"))
            finally:
                os.close(descriptor)
        return None


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Lock a file without waiting; return the descriptor whose closing frees it, `None` when it is taken."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def pauses() -> Iterator[float]:
    """Yield for ever how long to sleep before the next look, longer each time."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(_LONGEST_PAUSE_SECONDS, pause * 1.5)


def _is_held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
