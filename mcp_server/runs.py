"""Work that lives apart from the request that began it."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from orchestrator.events import Event, Report, tell_nobody

Answer = dict[str, object]
LOGGER = logging.getLogger(__name__)
Work = Callable[[Report], Awaitable[Answer]]


@dataclass(slots=True)
class Run:
    """One piece of work under way, or its end."""

    listener: Report = tell_nobody
    """Who hears of progress now; changes as callers come and go."""
    waiting: int = 0
    """How many callers wait for it."""
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    done: anyio.Event = field(default_factory=anyio.Event)
    answer: Answer | None = None
    error: Exception | None = None

    async def report(self, event: Event) -> None:
        """Pass an event on to whoever listens now."""
        await self.listener(event)


@dataclass(slots=True)
class Runs:
    """The runs of one server process."""

    _group: TaskGroup | None = None
    _running: dict[str, Run] = field(default_factory=dict)

    def open(self, group: TaskGroup) -> None:
        """Let runs live in `group`, which outlives every request."""
        self._group = group

    def start(self, run_id: str, work: Work) -> None:
        """Begin `work` under this id, unless it is running already."""
        if run_id in self._running:
            return
        if self._group is None:
            raise RuntimeError("Runs.start before Runs.open")
        run = Run()
        self._running[run_id] = run
        self._group.start_soon(self._live, run_id, run, work)

    async def wait(self, run_id: str, seconds: float, listener: Report) -> Answer | None:
        """Wait for a run that was started here, at most so long.

        When the last caller that waits is cancelled, the run ends; when only the time is up, it goes on.

        Returns:
            Its answer, or `None` when the time is up.

        Raises:
            Exception: Whatever the work raised.
        """
        run = self._running[run_id]
        run.listener = listener
        run.waiting += 1
        try:
            with anyio.move_on_after(seconds):
                await run.done.wait()
        except anyio.get_cancelled_exc_class():
            if run.waiting == 1:
                run.scope.cancel()
            raise
        finally:
            run.waiting -= 1
            run.listener = tell_nobody
        if run.error is not None:
            raise run.error
        return run.answer

    async def stop(self) -> None:
        """Cancel every run and wait until each has written down how far it came."""
        running = tuple(self._running.values())
        for run in running:
            run.scope.cancel()
        for run in running:
            await run.done.wait()

    async def _live(self, run_id: str, run: Run, work: Work) -> None:
        try:
            with run.scope:
                run.answer = await work(run.report)
        except Exception as error:  # told where the tool call ends, with its traceback
            run.error = error
            if not run.waiting:
                LOGGER.exception("Run %s failed while nobody waited for it", run_id)
        finally:
            run.done.set()
            del self._running[run_id]
