"""Run programs in a Windows job: limits and no survivors, but no protection of files, network or secrets.

Covered: memory, processes, processor time and wall clock of all processes together, output, environment. A
program can read and write whatever the user can, and reach the network; so it needs `allow_unsandboxed`, and
a container or WSL2 is what isolates on Windows. There is no descriptor 3, so runners of tests that report
over it say `unavailable`; the disk is not limited; the token is not restricted. Never run by the tests as a
job, for want of Windows: they cover everything else with a child that enters none, and the limits' layout.
"""

import os
import sys
import tarfile
import tempfile
from pathlib import Path
from subprocess import DEVNULL

import anyio
from anyio import to_thread
from anyio.abc import ByteReceiveStream, Process
from anyio.from_thread import check_cancelled

from sandbox.errors import SandboxUnavailable
from sandbox.packing import Packed, pack
from sandbox.program import End, Execution, Level, Program
from sandbox.streams import clean

_CHILD = str(Path(__file__).with_name("_job_child.py"))
_PASSED_ON = ("SYSTEMROOT", "SYSTEMDRIVE", "PATHEXT", "COMSPEC", "WINDIR")
"""Without these Windows starts nothing; none of them is a secret."""


class Job:
    """Runs a program as the user, in a temporary folder, against accidents only."""

    name = "job"
    level: Level = "limits"

    def __init__(self, child: str = _CHILD) -> None:
        """Take another program than the one that enters a job."""
        self._child = child

    async def run(self, program: Program) -> Execution:
        """Run to the end or to a limit; the job ends whatever is left.

        Raises:
            SandboxError: The tree could not be copied.
            UnsafePath: A path in `program.files` could lead out of the working folder.
        """
        packed = await to_thread.run_sync(pack, program, check_cancelled)
        with packed.archive, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            await to_thread.run_sync(_unpack, packed, folder)
            limits = program.limits
            numbers = (limits.memory_bytes, limits.processes, limits.cpu_seconds)
            async with await anyio.open_process(
                [sys.executable, "-I", "-S", self._child, *map(str, numbers), *program.argv],
                stdin=DEVNULL,
                env=_environment(folder) | dict(program.environment),
                cwd=folder,
            ) as process:
                return await _supervise(process, program)

    async def check(self) -> str:
        """Start a program and say that only limits hold.

        Raises:
            SandboxUnavailable: It did not run.
        """
        execution = await self.run(Program((sys.executable, "-I", "-S", "-c", "print('ran')")))
        if execution.stdout.strip() != "ran":
            raise SandboxUnavailable(f"A job does not hold: {execution.stderr[-500:]!r}. Use a container.")
        return "job holds limits only: programs run as you, and can read your files and reach the network."


class _Output:
    """What came out of one stream, up to a size."""

    def __init__(self, limit_bytes: int) -> None:
        self.content = bytearray()
        self._limit_bytes = limit_bytes

    @property
    def overflown(self) -> bool:
        return len(self.content) > self._limit_bytes

    async def read(self, stream: ByteReceiveStream | None, process: Process) -> None:
        assert stream is not None  # noqa: S101 - it was asked for
        async for chunk in stream:
            self.content += chunk
            if self.overflown:
                process.kill()  # and with it the job's only handle is closed
                return

    def text(self) -> str:
        return clean(bytes(self.content[: self._limit_bytes]))


async def _supervise(process: Process, program: Program) -> Execution:
    """Wait for the end or a limit; when cancelled, leaving the process's context kills it."""
    outputs = [_Output(program.limits.output_bytes) for _ in range(2)]
    began = anyio.current_time()
    end: End = "exited"
    with anyio.move_on_after(program.limits.seconds) as clock:
        async with anyio.create_task_group() as group:
            group.start_soon(outputs[0].read, process.stdout, process)
            group.start_soon(outputs[1].read, process.stderr, process)
            await process.wait()
            group.cancel_scope.deadline = (
                anyio.current_time() + 1
            )  # what another holds open is not waited for
    if clock.cancelled_caught:
        process.kill()
        end = "timed_out"
    exit_code = await process.wait()
    return Execution(
        end="too_much_output" if any(each.overflown for each in outputs) else end,
        exit_code=exit_code if exit_code >= 0 else 128 - exit_code,
        stdout=outputs[0].text(),
        stderr=outputs[1].text(),
        seconds=anyio.current_time() - began,
    )


def _unpack(packed: Packed, folder: str) -> None:
    if not packed.empty:
        with tarfile.open(fileobj=packed.archive) as tar:
            tar.extractall(folder, filter="data")


def _environment(folder: str) -> dict[str, str]:
    """Return a clean environment by which programs of Windows, and of others, start."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    search = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return {**kept, "HOME": folder, "USERPROFILE": folder, "TEMP": folder, "TMP": folder, "PATH": search}
