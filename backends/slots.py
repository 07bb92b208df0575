"""Let only so many requests through to one server, counted over all processes of this machine."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from backends.telling import Tell, tell_nobody
from backends.tickets import Queue, Ticket, pauses, try_lock

_TOLD_AFTER_SECONDS = 1.0


class SharedSlots:
    """As many lock files as there are slots; who has to wait is served in the order of coming.

    Processes may count differently: each keeps to its own number, and all share the lower slots.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._count = count
        self._queue = Queue(folder / "waiting")

    @asynccontextmanager
    async def taken(self, tell: Tell = tell_nobody) -> AsyncIterator[None]:
        """Hold a slot inside the block; `tell` hears of a wait that lasts.

        Raises:
            OSError: The folder cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        slot = self._try() if self._queue.is_empty() else None
        if slot is None:
            slot = await self._wait(tell)
        try:
            yield
        finally:
            os.close(slot)

    async def _wait(self, tell: Tell) -> int:
        slept = 0.0
        with self._queue.draw() as ticket:
            for pause in pauses():
                slot = self._try() if self._is_near(ticket) else None
                if slot is not None:
                    return slot
                await anyio.sleep(pause)
                if slept <= _TOLD_AFTER_SECONDS < slept + pause:
                    await tell("all its slots are taken by other requests of this machine; waiting in line")
                slept += pause
        raise AssertionError("pauses never end")

    def _is_near(self, ticket: Ticket) -> bool:
        """Tell whether the ticket is so far in front that a free slot may be its."""
        return ticket in self._queue.waiting()[: self._count]

    def _try(self) -> int | None:
        for number in range(self._count):
            slot = try_lock(self._folder / f"slot-{number}")
            if slot is not None:
                return slot
        return None
