"""Count a run's memory, and its processes, by control groups, where this process may make some.

Of version 1 only memory is counted: a run's processes are limited by their user id as exactly, at no cost.
"""

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.program import Limits

_MEMBERSHIP, _MOUNTS = Path("/proc/self/cgroup"), Path("/proc/self/mounts")
_PREFIX = "orchestrator-"
_EMPTYING_SECONDS = 5.0
_OWN_TASKS = 8
"""What stands around a program: the sandbox's own processes."""
_HEADROOM_BYTES = 32 * 1024**2
"""What those take."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where groups of one kind can be made, and the files that limit them."""

    places: tuple[Path, ...]
    """The groups below which one may be made, the first preferred."""
    memory: str
    """The file of a group's limit of memory."""
    swap: str
    processes: str
    """The file of its limit of processes; empty where this hierarchy does not count them."""
    kills: tuple[str, str]
    """The file and the key that count what the kernel ended for want of memory."""


_UNIFIED = ("memory.max", "memory.swap.max", "pids.max", ("memory.events", "oom_kill"))
_MEMORY = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "", ("memory.oom_control", "oom_kill"))


class Group:
    """The groups of one run: nothing in them may take more than its limits, all its processes together."""

    def __init__(self, parts: tuple[tuple[Hierarchy, Path], ...]) -> None:
        self.parts = parts
        """What counts, and the group's folder there."""

    def add(self, pid: int) -> None:
        """Put a process into the group; what it brings forth afterwards is in it too.

        It costs the kernel up to some milliseconds, once per process and hierarchy.
        """
        for _, folder in self.parts:
            with suppress(OSError):  # it has ended
                (folder / "cgroup.procs").write_text(str(pid))

    def add_all(self, members: Callable[[], Iterable[int]], checkpoint: Callable[[], None]) -> None:
        """Put all processes of a run into the group, those too that they bring forth meanwhile.

        Args:
            members: Returns the processes that live now.
            checkpoint: Called before each is added; adding ends when it raises.
        """
        tried: set[int] = set()
        while new := {*members()} - tried - {pid for _, folder in self.parts[:1] for pid in _members(folder)}:
            for pid in new:
                checkpoint()
                self.add(pid)
            tried |= new

    def starved(self) -> bool:
        """Say whether the kernel ended a process of the group for want of memory."""
        return any(_read_kills(folder, *hierarchy.kills) for hierarchy, folder in self.parts)

    def remove(self) -> None:
        """Kill what is left in the group and take it away."""
        deadline = time.monotonic() + _EMPTYING_SECONDS
        for _, folder in self.parts:
            while folder.exists() and time.monotonic() < deadline:
                for pid in _members(folder):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                with suppress(OSError):
                    folder.rmdir()
                    break
                time.sleep(0.002)


@contextmanager
def counted(limits: Limits, stored_bytes: int) -> Iterator[Group | None]:
    """Make a group for one run, or nothing where none can be made; it is removed at the end.

    Args:
        limits: Of all its processes together.
        stored_bytes: What may lie in file systems in memory besides, which the kernel counts as memory.
    """
    memory_bytes = limits.memory_bytes + stored_bytes + _HEADROOM_BYTES
    made = (_make(each, memory_bytes, limits) for each in hierarchies(_read(_MEMBERSHIP), _read(_MOUNTS)))
    group = Group(tuple(part for part in made if part is not None))
    try:
        yield group if group.parts else None
    finally:
        group.remove()


def _make(hierarchy: Hierarchy, memory_bytes: int, limits: Limits) -> tuple[Hierarchy, Path] | None:
    """Make a group in the first place that permits it; where none does, only the watch limits the run."""
    for place in hierarchy.places:
        folder = place / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
        with suppress(OSError):
            _sweep(place)
            folder.mkdir()
            try:
                _limit(hierarchy, folder, memory_bytes, limits.processes + _OWN_TASKS)
            except OSError:
                folder.rmdir()
            else:
                return hierarchy, folder
    return None


def _sweep(place: Path) -> None:
    """Take away the groups of servers that were killed; one that still has processes cannot be."""
    for name in os.listdir(place):  # noqa: PTH208 - a hundredth of a millisecond
        owner = name.removeprefix(_PREFIX).partition("-")[0]
        if name.startswith(_PREFIX) and not Path("/proc", owner).exists():
            with suppress(OSError):
                (place / name).rmdir()


def hierarchies(membership: str, mounts: str) -> tuple[Hierarchy, ...]:
    """Return where memory and processes could be counted.

    Args:
        membership: As in /proc/self/cgroup.
        mounts: As in /proc/self/mounts.
    """
    lines = [line.split(":", 2) for line in membership.splitlines()]
    own = {kind: path for _, kinds, path in lines for kind in kinds.split(",")}
    found = []
    for _, place, system, options, *_ in (line.split() for line in mounts.splitlines()):
        kinds = set(options.split(","))
        if system == "cgroup" and "memory" in kinds and "memory" in own:
            found.append(Hierarchy((_below(place, own["memory"]),), *_MEMORY))
        elif system == "cgroup2" and "memory" not in own:
            group = _below(place, own.get("", "/"))
            # a group that has processes cannot count those of groups below it, but its neighbours can
            found.append(Hierarchy((group, group.parent) if group != Path(place) else (group,), *_UNIFIED))
    return tuple(found)


def _below(place: str, path: str) -> Path:
    return Path(place, path.lstrip("/"))


def _limit(hierarchy: Hierarchy, folder: Path, memory_bytes: int, processes: int) -> None:
    """Write the limits of a new group.

    Raises:
        OSError: The kernel does not count this here.
    """
    (folder / hierarchy.memory).write_text(str(memory_bytes))
    with suppress(OSError):  # a kernel without swap accounting has no such file
        (folder / hierarchy.swap).write_text(str(memory_bytes if "memsw" in hierarchy.swap else 0))
    if hierarchy.processes:
        with suppress(OSError):  # version 2 may count memory and no processes
            (folder / hierarchy.processes).write_text(str(processes))


def _read_kills(folder: Path, name: str, key: str) -> int:
    for line in _read(folder / name).splitlines():
        words = line.split()
        if words[0] == key:
            return int(words[1])
    return 0


def _members(folder: Path) -> tuple[int, ...]:
    return tuple(map(int, _read(folder / "cgroup.procs").split()))


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text()
    return ""
