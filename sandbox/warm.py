"""Run Python programs in forks of a warm Python, and all others in the sandbox that this one wraps."""

import os
from collections.abc import Callable
from dataclasses import replace

import anyio

from sandbox.errors import SandboxUnavailable
from sandbox.packing import check_files
from sandbox.program import CheckedSandbox, Execution, Level, Program
from sandbox.zygote import START, Preload, Zygote


class Warm:
    """Runs what `python -I -B -c` would run without starting Python each time.

    As many programs run at once as there are cores, and one more, so that none waits for this process.

    It promises what bubblewrap does: each program has processes, folders, limits and a user of its own, no
    network, and ends whole. It does not hold where another sandbox than bubblewrap was chosen; all programs
    go there then. The first program goes there always, so that nothing is warmed for one program alone.
    """

    def __init__(self, sandbox: CheckedSandbox, preload: Callable[[], Preload] = Preload) -> None:
        self._sandbox = sandbox
        self._preload = preload
        self._idle: list[Zygote] = []
        self._room = anyio.CapacityLimiter((os.cpu_count() or 1) + 1)
        self._proven = False
        self._obstacle = ""
        self._closed = False

    @property
    def name(self) -> str:
        """Of the sandbox that holds."""
        return self._sandbox.name

    @property
    def level(self) -> Level:
        """What it promises."""
        return self._sandbox.level

    async def check(self) -> str:
        """Say in one sentence what holds here.

        Raises:
            SandboxUnavailable: Nothing holds; the message says what to do.
        """
        return await self._sandbox.check()

    async def run(self, program: Program) -> Execution:
        """Run to the end or to a limit; nothing of the program is left afterwards.

        Raises:
            SandboxUnavailable: No sandbox holds here.
            UnsafePath: A path in `program.files` could lead out of the working folder.
        """
        if self._fits(program):
            plain = self._without_library(program)
            check_files(plain)
            async with self._room:
                execution = await self._run_warm(plain)
            if execution is not None:
                return execution
        execution = await self._sandbox.run(program)
        self._proven = True
        return execution

    async def aclose(self) -> None:
        """End what is warm, and what still runs when it has run."""
        self._closed = True
        while self._idle:
            await self._idle.pop().destroy()

    def _fits(self, program: Program) -> bool:
        plain = not (program.tree or program.readable)
        starts = program.argv[: len(START)] == START and len(program.argv) > len(START)
        holds = self._proven and self._sandbox.name == "bubblewrap" and not self._obstacle
        return plain and starts and holds

    async def _run_warm(self, program: Program) -> Execution | None:
        """Run in a zygote; nothing when there is none that could start it."""
        while True:
            kept = bool(self._idle)
            try:
                zygote = self._idle.pop() if kept else await Zygote.start(self._preload())
            except SandboxUnavailable as error:
                self._obstacle = str(error)
                return None
            execution = await zygote.run(program)
            if zygote.alive and not self._closed:
                self._idle.append(zygote)
            else:
                await zygote.destroy()
            if execution is not None or not kept:  # one that was kept may have ended while it was idle
                return execution

    def _without_library(self, program: Program) -> Program:
        """Leave out the files that the zygote has imported, in whichever folder they lie."""
        library = self._preload().library
        files = {
            path: text for path, text in program.files.items() if library.get(path.partition("/")[2]) != text
        }
        return replace(program, files=files)
