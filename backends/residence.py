"""Share a host that holds one model at a time, over all processes of this machine.

Requests for the model that is there hold a shared lock; whoever wants another waits until nobody does, takes
the lock alone, and lets its own model be loaded. So no model is evicted under a running request, and none is
loaded twice because several requests met it unloaded.
"""

import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import anyio

from backends.telling import Tell, tell_nobody
from backends.tickets import Queue, pauses, try_lock
from backends.turns import Waiting, whose_turn

_TOLD_AFTER_SECONDS = 1.0
_LISTED_AFTER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Resident:
    """What the processes of this machine know about a host."""

    model: str = ""
    """The one that was asked for last."""
    since: float = 0.0
    """Seconds since the epoch at which that changed."""
    loaded_by_us: tuple[str, ...] = ()
    """Instances that we had loaded and may unload; a person's own are left alone."""


IsListed = Callable[[Resident], Awaitable[bool | None]]
"""Tells whether the host lists the model as loaded, `None` when it does not say; a list older than the last
change must not be believed."""


class Hold:
    """A request's place at the host."""

    def __init__(self, folder: Path, model: str, lock: int, *, alone: bool) -> None:
        self._folder = folder
        self._model = model
        self._lock = lock
        self.alone = alone
        """Nobody else is served, and the model may have to be loaded."""

    async def share(self, loaded: str = "") -> None:
        """Let others with the same model in, now that it is loaded; `loaded` names the instance if we did."""
        if not self.alone:
            return
        async with _guarding(self._folder):
            _write(self._folder, Resident(self._model, time.time(), (loaded,) if loaded else ()))
            os.close(self._lock)
            # Whoever wants this lock holds the guard, which we have: it cannot be taken meanwhile.
            shared = try_lock(self._folder / "using", shared=True)
            if shared is None:
                raise AssertionError("the lock was taken without the guard")
            self._lock, self.alone = shared, False

    def previous(self) -> tuple[str, ...]:
        """Name the instances that we loaded before and that this model takes the place of."""
        return _read(self._folder).loaded_by_us

    def close(self) -> None:
        """Leave the host."""
        os.close(self._lock)


class OneModelLock:
    """The lock of one host; its files are in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._queue = Queue(folder / "waiting")

    @asynccontextmanager
    async def held(self, model: str, is_listed: IsListed, tell: Tell = tell_nobody) -> AsyncIterator[Hold]:
        """Be at the host inside the block, alone until `share` is called if the model is not there yet.

        Raises:
            OSError: The folder cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        hold = None
        if self._queue.is_empty():
            hold = await self._try(Waiting(model, time.time()), is_listed)
        if hold is None:
            hold = await self._wait(model, is_listed, tell)
        try:
            yield hold
        finally:
            hold.close()

    async def _wait(self, model: str, is_listed: IsListed, tell: Tell) -> Hold:
        slept = 0.0
        with self._queue.draw(model) as ticket:
            for pause in pauses():
                hold = await self._try(Waiting(model, ticket.since), is_listed)
                if hold is not None:
                    return hold
                await anyio.sleep(pause)
                if slept <= _TOLD_AFTER_SECONDS < slept + pause:
                    await tell(f"{model} waits until the host is done with {_read(self._folder).model}")
                slept += pause
        raise AssertionError("pauses never end")

    async def _try(self, mine: Waiting, is_listed: IsListed) -> Hold | None:
        known = _read(self._folder)
        resident = _is_there(mine, known, await is_listed(known))
        async with _guarding(self._folder):
            if _read(self._folder) != known:  # it changed while we asked the host
                return None
            waiting = [Waiting(ticket.label, ticket.since) for ticket in self._queue.waiting()]
            turn = whose_turn(mine, resident=resident, waiting=waiting, now=time.time())
            if turn == "wait":
                return None
            lock = try_lock(self._folder / "using", shared=turn == "join")
            return None if lock is None else Hold(self._folder, mine.model, lock, alone=turn == "switch")


@asynccontextmanager
async def _guarding(folder: Path) -> AsyncIterator[None]:
    """Change or read the state alone; held for microseconds, and never while waiting for anything."""
    guard = await _lock_soon(folder / "guard")
    try:
        yield
    finally:
        os.close(guard)


async def _lock_soon(path: Path) -> int:
    for pause in pauses():
        lock = try_lock(path)
        if lock is not None:
            return lock
        await anyio.sleep(pause)
    raise AssertionError("pauses never end")


def _is_there(mine: Waiting, known: Resident, listed: bool | None) -> bool:  # noqa: FBT001 - three-valued
    """Believe the host's list, save just after a change that it may not show yet."""
    just_changed = time.time() - known.since < _LISTED_AFTER_SECONDS
    if known.model == mine.model and (listed is None or just_changed):
        return True
    return bool(listed)


def _read(folder: Path) -> Resident:
    try:
        fields = json.loads((folder / "resident.json").read_text("utf-8"))
        return Resident(str(fields["model"]), float(fields["since"]), tuple(map(str, fields["loaded_by_us"])))
    except (OSError, ValueError, KeyError, TypeError):
        return Resident()


def _write(folder: Path, resident: Resident) -> None:
    draft = folder / f"resident.{os.getpid()}"
    draft.write_text(json.dumps(asdict(resident)), "utf-8")
    draft.replace(folder / "resident.json")
