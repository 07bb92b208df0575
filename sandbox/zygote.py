"""One warm Python in bubblewrap that forks for each program, and how to speak with it."""

import json
import marshal
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import anyio

from sandbox._zygote_child import Job, Plan
from sandbox.bubblewrap import (
    NAMESPACES,
    NOBODY,
    PRIVATE_FOLDERS,
    WORKING_FOLDER,
    clean_environment,
    private_uid,
    readable_words,
    system_words,
)
from sandbox.errors import SandboxUnavailable
from sandbox.processes import ProcessTree
from sandbox.program import End, Execution, Program
from sandbox.seccomp import assemble
from sandbox.streams import Stream
from sandbox.supervision import finish, outgrown, read_all

START = (sys.executable, "-I", "-B", "-c")
"""How the words of a program begin that a zygote can run; code and arguments follow."""
_CHILD = ("_zygote_child.py", "_confining.py")
_PLACE = "/zygote"
_SCRIPT = f"""
import sys
sys.path.insert(0, {_PLACE!r})
from sandbox._zygote_child import serve
sys.path.remove({_PLACE!r})
code = serve(int(sys.argv.pop()))
module = type(sys)("__main__")
sys.modules["__main__"] = module
exec(code, vars(module))
"""
_ROOT_KEEPS = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_KILL")
_NEEDS = ("CAP_SYS_ADMIN",)
_START_SECONDS = 20.0
_QUICK_SECONDS = 0.02
"""Most programs end within; only then it pays to look at what they write and take."""
_ANSWER = struct.Struct("=?i")
_BYTES_PER_INODE = 4096
_START_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class Preload:
    """What a zygote has imported before the first program comes."""

    modules: tuple[str, ...] = ()
    library: Mapping[str, str] = field(default_factory=dict)
    """Python files, relative path to text; they are importable by every program."""
    codes: tuple[str, ...] = ()
    """What often stands after `START`."""


class Zygote:
    """Runs one program after another, each in a fork with folders, rights and limits of its own."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket) -> None:
        self._opened = ExitStack()
        self._channel = self._opened.enter_context(channel)
        self._tree = ProcessTree(process, self._opened)
        self.alive = True

    @classmethod
    async def start(cls, preload: Preload) -> Self:
        """Start one and wait until it is warm.

        Raises:
            SandboxUnavailable: It does not start here; the message is its own.
        """
        executable = shutil.which("bwrap") or "bwrap"
        seccomp = assemble(platform.machine(), mounting=True)
        if seccomp is None:
            raise SandboxUnavailable(f"No system calls can be refused on {platform.machine()!r}.")
        channel, inner = socket.socketpair()
        channel.setblocking(False)
        with inner, tempfile.TemporaryFile() as errors:
            argv = (executable, *_words(), *START, _SCRIPT, str(inner.fileno()))
            process = _spawn(argv, inner.fileno(), errors.fileno())
            inner.close()  # else nobody would hear that the other end is gone
            zygote = cls(process, channel)
            try:
                with anyio.move_on_after(_START_SECONDS):
                    if await zygote._warm(seccomp, preload):
                        return zygote
            except BaseException:
                await zygote.destroy()
                raise
            await zygote.destroy()
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip()
        raise SandboxUnavailable(said or f"No Python was warm within {_START_SECONDS:g} s.")

    async def _warm(self, seccomp: bytes, preload: Preload) -> bool:
        plan = Plan(
            private=[*PRIVATE_FOLDERS],
            filter=seccomp.hex(),
            modules=[*preload.modules],
            codes=[*preload.codes],
            library=dict(preload.library),
            library_folder=f"{_PLACE}/library",
        )
        try:
            self._send(json.dumps(plan).encode(), ())
            await anyio.wait_readable(self._channel)
            said = self._channel.recv(1)
        except OSError:  # it has ended, and stderr says why
            return False
        self._tree.hold_child()
        return bool(said)

    async def run(self, program: Program) -> Execution | None:
        """Run a program that begins with `START`, has checked files and needs no tree or other paths.

        When it passes a limit, and when cancelled, the zygote is ended with it.

        Returns:
            What came of it; nothing when the program was not started, and the zygote is not alive then.
        """
        job = marshal.dumps(_job(program))  # type: ignore[arg-type]  # it is a dict of plain values
        with ExitStack() as opened:
            streams = _Streams(program, opened)
            try:
                self._send(job, streams.inner)
                streams.close_inner()
                began = anyio.current_time()
                end = await self._watch(program, streams)
                seconds = anyio.current_time() - began
                answer = self._answer() if end == "exited" else None
            except OSError:  # it ended while it was idle, or somebody ended it
                end, answer = "exited", None
            except BaseException:
                await self.destroy()
                raise
            if answer is None:
                await self.destroy()
                if end == "exited":
                    return None
            return finish(end, answer or 0, seconds, streams.all)

    async def destroy(self) -> None:
        """End it and all that it forked; afterwards nothing of it is left."""
        if self.alive:
            self.alive = False
            with self._opened, anyio.CancelScope(shield=True):
                await self._tree.destroy()

    async def _watch(self, program: Program, streams: "_Streams") -> End:
        with anyio.move_on_after(program.limits.seconds) as clock:
            with anyio.move_on_after(_QUICK_SECONDS):
                await anyio.wait_readable(self._channel)
                return "exited"
            return await self._watch_closely(program, streams)
        return "timed_out" if clock.cancelled_caught else "exited"

    async def _watch_closely(self, program: Program, streams: "_Streams") -> End:
        """Wait, and look meanwhile at what the program writes and how much memory it takes."""
        end: End = "too_much_output"  # unless it is something else that ends the waiting

        async def watch_memory() -> None:
            nonlocal end
            await outgrown(self._tree, program.limits.memory_bytes)
            end = "out_of_memory"
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for stream in streams.all:
                group.start_soon(read_all, stream, group.cancel_scope)
            group.start_soon(watch_memory)
            await anyio.wait_readable(self._channel)
            end = "exited"
            group.cancel_scope.cancel()
        return end

    def _send(self, text: bytes, descriptors: tuple[int, ...]) -> None:
        """Hand over a file with a text, and descriptors."""
        memory = os.memfd_create("job")
        try:
            left = memoryview(text)
            while left:
                left = left[os.write(memory, left) :]
            socket.send_fds(self._channel, [b"j"], [memory, *descriptors])
        finally:
            os.close(memory)

    def _answer(self) -> int | None:
        """Return how the program ended, a signal as a negative code; nothing when it was not started."""
        said = self._channel.recv(_ANSWER.size)
        begun, status = _ANSWER.unpack(said) if said else (False, 0)
        return os.waitstatus_to_exitcode(status) if begun else None


class _Streams:
    """What a program writes to: this side's ends, and the other side's until they are handed over."""

    def __init__(self, program: Program, opened: ExitStack) -> None:
        ends = []
        self._handed_over = opened.enter_context(ExitStack())
        for _ in range(3):
            reader, writer = os.pipe()
            opened.callback(os.close, reader)
            self._handed_over.callback(os.close, writer)
            ends.append((Stream(reader, program.limits.output_bytes), writer))
        (stdout, _), (stderr, _), (report, _) = ends
        self.all = (stdout, stderr, report)
        self.inner = tuple(writer for _, writer in ends)

    def close_inner(self) -> None:
        """Close the other side's ends here."""
        self._handed_over.close()


def _job(program: Program) -> Job:
    limits = program.limits
    return Job(
        code=program.argv[len(START)],
        arguments=[*program.argv[len(START) + 1 :]],
        environment=dict(program.environment),
        files=dict(program.files),
        limits=limits.rlimits(),
        folder_bytes=limits.file_bytes,
        folder_inodes=max(limits.file_bytes // _BYTES_PER_INODE, 1),
        uid=private_uid() if os.geteuid() == 0 else None,
        report=program.report_fd,
    )


def _words() -> Iterator[str]:
    """Yield what stands after `bwrap`, but for the program."""
    root = os.geteuid() == 0
    yield from NAMESPACES
    yield "--as-pid-1"
    if not root:
        yield from ("--unshare-user", "--uid", NOBODY, "--gid", NOBODY)
    for capability in _ROOT_KEEPS if root else _NEEDS:
        yield from ("--cap-add", capability)
    yield from system_words(_START_BYTES)
    for folder in (WORKING_FOLDER, _PLACE):
        yield from ("--dir", folder)
    for name in _CHILD:
        yield from ("--ro-bind", str(Path(__file__).with_name(name)), f"{_PLACE}/sandbox/{name}")
    yield from ("--tmpfs", f"{_PLACE}/library")
    for path in (sys.base_prefix, sys.prefix):
        yield from readable_words(path)
    yield from ("--chdir", WORKING_FOLDER, "--remount-ro", "/dev", "--remount-ro", "/", "--")


def _spawn(argv: tuple[str, ...], channel: int, errors: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            env=clean_environment(),
            pass_fds=(channel,),
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailable(f"{argv[0]!r} could not be started: {error}.") from error
