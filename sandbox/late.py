"""A sandbox that is not even loaded before something is to be run, because a server starts at once."""

from collections.abc import Callable
from typing import Protocol

from sandbox.program import CheckedSandbox, Execution, Level, Program


class OwnedSandbox(CheckedSandbox, Protocol):
    """A sandbox that may keep something running between programs."""

    async def aclose(self) -> None:
        """End what is kept running."""
        ...


class Late:
    """Makes a sandbox at the first use, and is it from then on."""

    def __init__(self, make: Callable[[], OwnedSandbox]) -> None:
        self._make = make
        self._made: OwnedSandbox | None = None

    @property
    def name(self) -> str:
        """Of the sandbox."""
        return self._get().name

    @property
    def level(self) -> Level:
        """What it promises."""
        return self._get().level

    async def run(self, program: Program) -> Execution:
        """Run to the end or to a limit; nothing of the program is left afterwards.

        Raises:
            SandboxUnavailable: No sandbox holds here.
        """
        return await self._get().run(program)

    async def check(self) -> str:
        """Say in one sentence what holds here.

        Raises:
            SandboxUnavailable: Nothing holds; the message says what to do.
        """
        return await self._get().check()

    async def aclose(self) -> None:
        """End what is kept running."""
        if self._made is not None:
            await self._made.aclose()

    def _get(self) -> OwnedSandbox:
        self._made = self._made or self._make()
        return self._made
