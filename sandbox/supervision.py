"""Start a program, feed it, watch its limits and end it whole: what every sandbox here has in common.

The program's stdin is one end of a socket. A few words of shell stand before the program: they say `1`
once they run inside the sandbox, unpack the archive that is then sent, say `2`, and give way to the
program, whose stdin is /dev/null. Descriptor 3 is that socket where the program may report. So it is
always known who failed: the sandbox, the unpacking, or the program.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

import anyio
from anyio import to_thread
from anyio.from_thread import check_cancelled

from sandbox.cgroups import Group, counted
from sandbox.errors import SandboxError, SandboxUnavailable
from sandbox.packing import Packed
from sandbox.polled import PolledTree
from sandbox.processes import ProcessTree, count_files
from sandbox.program import End, Execution, Limits
from sandbox.streams import Stream

SET_UP_SECONDS = 60.0
_WATCH_SECONDS = 0.05
_SHORT_SECONDS = 0.03
"""In which a program can take some hundred megabytes at most, and is not counted by the kernel."""
_CHUNK_BYTES = 65536
_FILE_SYSTEMS = 3
"""Private ones of a run: the working folder, the temporary one, shared memory."""
_KILLED_CODES = frozenset({128 + signal.SIGKILL, 128 + signal.SIGXCPU})
"""Of programs that were ended from outside, or by the limit of processor time."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A program made ready: what to start, and what it may use."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    packed: Packed
    limits: Limits
    contained: bool
    """Whether the child of the started process is the first of a process namespace, which ends with it."""
    cwd: str | None = None
    descriptors: tuple[int, ...] = ()
    """Kept open for the started process."""
    cleans_up: bool = False
    """Whether the started process, told to terminate, first ends everything that it brought forth."""
    starved: Callable[[], bool] = bool
    """Says, once nothing is left, whether the kernel ended any of it for want of memory."""
    polled: bool = False
    """Whether its processes are looked for by `ps`, because there is no /proc."""
    counted: bool = False
    """Whether the kernel shall count its memory and processes, where it can."""
    private: tuple[str, ...] = ()
    """Folders that are in memory inside: the files in them are counted."""


def shell_words(*, unpack: bool, report: bool) -> tuple[str, ...]:
    """Return the words of shell that stand before the program's own words."""
    fill = "tar -xf - <&0" if unpack else "read -r _ || :"
    redirect = "3>&0 </dev/null" if report else "</dev/null"
    script = f'printf 1 >&0; {{ {fill}; }} && printf 2 >&0 && exec {redirect} && exec "$@"'
    return ("/bin/sh", "-c", script, "sh")


async def supervise(launch: Launch) -> Execution:
    """Run to the end or to a limit; afterwards, also when cancelled, nothing of the program is left.

    Raises:
        SandboxUnavailable: The sandbox did not come up; the message is its own.
        SandboxError: The working folder could not be filled.
    """
    with ExitStack() as opened:
        run = _Run(launch, opened)
        try:
            await run.watch()
        finally:
            with anyio.CancelScope(shield=True):
                await run.destroy()
        return run.execution()


class _Run:
    """One program that runs: its processes, its descriptors and what came out of them."""

    def __init__(self, launch: Launch, opened: ExitStack) -> None:
        self._launch = launch
        self._channel, inner_channel = map(opened.enter_context, socket.socketpair())
        self._channel.setblocking(False)
        with ExitStack() as handed_over:
            outputs = [os.pipe() for _ in range(2)]
            for reader, writer in outputs:
                opened.callback(os.close, reader)
                handed_over.callback(os.close, writer)
            process = _start(launch, inner_channel.fileno(), outputs[0][1], outputs[1][1])
        inner_channel.close()
        self._tree = PolledTree(process) if launch.polled else ProcessTree(process, opened)
        self._opened = opened
        self._group: Group | None = None
        self._remark = ""
        self._stdout, self._stderr, self._report = (
            Stream(descriptor, launch.limits.output_bytes)
            for descriptor in (outputs[0][0], outputs[1][0], self._channel.fileno())
        )
        self._stage = b""
        self._end: End = "exited"
        self._exit_code = 0
        self._began: float | None = None
        self._seconds = 0.0

    async def watch(self) -> None:
        """Return when the program has ended or passed a limit."""
        async with anyio.create_task_group() as group:
            group.start_soon(read_all, self._stdout, group.cancel_scope)
            group.start_soon(read_all, self._stderr, group.cancel_scope)
            with anyio.move_on_after(SET_UP_SECONDS):
                await self._set_up()
            if self._stage == b"12":
                group.start_soon(read_all, self._report, group.cancel_scope)
                group.start_soon(self._watch_memory, group.cancel_scope)
                if self._launch.counted:
                    group.start_soon(self._count)
                if self._launch.private:
                    group.start_soon(self._watch_files, group.cancel_scope)
                await self._wait()
            group.cancel_scope.cancel()

    async def _set_up(self) -> None:
        if await self._hear() == b"1":
            if self._launch.contained:
                self._tree.hold_child()
            with suppress(ConnectionError):  # unpacking has failed, and stderr says why
                await self._send_archive()
            await self._hear()

    async def _hear(self) -> bytes:
        """Wait for the shell's next word, which is empty when it has ended."""
        await anyio.wait_readable(self._channel)
        with suppress(ConnectionResetError):
            self._stage += self._channel.recv(1)
        return self._stage

    async def _send_archive(self) -> None:
        while chunk := self._launch.packed.archive.read(_CHUNK_BYTES):
            left = memoryview(chunk)
            while left:
                await anyio.wait_writable(self._channel)
                left = left[self._channel.send(left) :]
        self._channel.shutdown(socket.SHUT_WR)

    async def _wait(self) -> None:
        self._began = anyio.current_time()
        with anyio.move_on_after(self._launch.limits.seconds) as clock:
            await self._tree.exited()
        if clock.cancelled_caught:
            self._end = "timed_out"

    async def _watch_memory(self, scope: anyio.CancelScope) -> None:
        await outgrown(self._tree, self._launch.limits.memory_bytes)
        self._end = "out_of_memory"
        scope.cancel()

    async def _count(self) -> None:
        """Have the kernel count a run that does not end at once: moving it costs more than most runs take."""
        await anyio.sleep(_SHORT_SECONDS)
        self._group = await to_thread.run_sync(self._make_group)

    def _make_group(self) -> Group | None:
        stored_bytes = _FILE_SYSTEMS * self._launch.limits.file_bytes + self._launch.packed.size_bytes
        group = self._opened.enter_context(counted(self._launch.limits, stored_bytes))
        if group is not None:
            group.add_all(self._tree.members, check_cancelled)
        return group

    async def _watch_files(self, scope: anyio.CancelScope) -> None:
        private, limit = self._launch.private, self._launch.limits.files
        before = count_files(self._tree.members(), private)
        while count_files(self._tree.members(), private) - before <= limit:  # noqa: ASYNC110 - nobody tells
            await anyio.sleep(_WATCH_SECONDS)
        self._end, self._remark = "killed", f"The program was ended: it made over {limit} files.\n"
        scope.cancel()

    async def destroy(self) -> None:
        """Kill what is left of the program."""
        if self._began is not None:
            self._seconds = anyio.current_time() - self._began
        if self._launch.cleans_up:
            await self._tree.terminate()
        self._exit_code = await self._tree.destroy()
        if self._launch.starved() or (self._group is not None and self._group.starved()):
            self._end = "out_of_memory"

    def execution(self) -> Execution:
        """Return what came of it.

        Raises:
            SandboxError: It is not the program that failed.
        """
        streams = (self._stdout, self._stderr, self._report)
        execution = finish(self._end, self._exit_code, self._seconds, streams)
        if self._stage == b"":
            raise SandboxUnavailable(execution.stderr.strip() or "The sandbox did not start.")
        if self._stage == b"1":
            raise SandboxError(f"The working folder could not be filled: {execution.stderr.strip()}")
        return replace(execution, stderr=execution.stderr + self._remark)


def finish(end: End, exit_code: int, seconds: float, streams: tuple[Stream, Stream, Stream]) -> Execution:
    """Read what is left in stdout, stderr and the report, and return what came of a program.

    Args:
        end: How it ended, as far as was seen from outside.
        exit_code: A signal is a negative one when the program was started directly, 128 and more by bwrap.
        seconds: How long it ran.
        streams: What it wrote; all that could write to them is gone.
    """
    for stream in streams:
        stream.drain()
        if stream.overflown:
            end = "too_much_output"
    code = exit_code if exit_code >= 0 else 128 - exit_code
    stdout, stderr, report = (stream.text() for stream in streams)
    return Execution(
        end="killed" if end == "exited" and code in _KILLED_CODES else end,
        exit_code=code,
        stdout=stdout,
        stderr=stderr,
        seconds=seconds,
        report=report,
    )


async def read_all(stream: Stream, scope: anyio.CancelScope) -> None:
    """Read to the end; cancel the scope when more comes than is kept."""
    await anyio.wait_readable(stream.descriptor)
    while stream.take():
        await anyio.wait_readable(stream.descriptor)
    if stream.overflown:
        scope.cancel()


async def outgrown(tree: ProcessTree | PolledTree, limit_bytes: int) -> None:
    """Return once the processes together hold more memory than the limit."""
    while not tree.memory_exceeds(limit_bytes):  # noqa: ASYNC110 - nobody tells
        await anyio.sleep(_WATCH_SECONDS)


def _start(launch: Launch, stdin: int, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            launch.argv,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=dict(launch.environment),
            cwd=launch.cwd,
            pass_fds=launch.descriptors,
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailable(f"{launch.argv[0]!r} could not be started: {error}.") from error
