"""What a person sees while a task runs: one line an event on stderr, a spinner where it is a terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from orchestrator.events import Event

MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}
WORKING = {"try", "read", "route"}


class Live:
    """Reports events on stderr; with `quiet` (for `--json`) only where it is a terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._silent = quiet and not self._console.is_terminal
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("…")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def name(self, text: str) -> None:
        """Say first what this is, so that it can be found again after an interruption."""
        if not self._silent:
            self._console.print(Text(text, "dim"))

    async def report(self, event: Event) -> None:
        """Write the event; what is under way also becomes the spinner's text."""
        if self._silent:
            return
        mark, style = MARKS[event.good]
        self._console.print(
            Text.assemble((f"{mark} ", style), (event.message, style if event.good is False else ""))
        )
        if self._status is not None and event.kind in WORKING:
            self._status.update(Text(event.message, "dim"))
