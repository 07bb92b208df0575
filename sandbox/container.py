"""Run programs in a container of podman or docker: the sandbox of those who have an image with their tools.

Covered: files, network, processes, environment, time, memory, output, disk. The image's own tools run, not
this machine's: an interpreter or compiler is looked up by its name in the image, which needs `sh`, `tar` and
`env`, and with docker `python3` too. Images are never fetched here. Not covered: a hole in the kernel or the
container runtime. Linux only: elsewhere engines run in a virtual machine, which the channel to the program, a
socket of this machine, does not reach. docker itself was never run by the tests, only its way over podman.
"""

import json
import os
import platform
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread
from anyio.from_thread import check_cancelled

from sandbox._container_child import Plan
from sandbox.errors import SandboxUnavailable
from sandbox.landlock import refuse_wide, written
from sandbox.packing import Packed, pack
from sandbox.program import Execution, Level, Limits, Program
from sandbox.seccomp import write_profile
from sandbox.supervision import Launch, supervise

DEFAULT_IMAGE = "python:3.13"
WORKING_FOLDER = "/sandbox"
_TEMPORARY_FOLDER = "/tmp"  # noqa: S108 - inside, it is private
_CHILD = str(Path(__file__).with_name("_container_child.py"))
_LOWEST_UID, _UIDS = 50_000, 10_000
"""Below 65536, so that it exists where an ordinary user has a range of ids only."""
_HEADROOM_BYTES = 32 * 1024**2
"""What the container's own processes take."""
_PLACE, _CALLS = "/channel", "seccomp.json"
_CONNECT = (
    "import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
    "os.dup2(s.detach(), 9); os.dup2(9, 3); os.closerange(4, 10); os.execvp(sys.argv[2], sys.argv[2:])"
)
_INSTALL = "Install podman or docker."


@dataclass(frozen=True, slots=True)
class Way:
    """One way to start containers here."""

    engine: str
    """`podman` or `docker`."""
    words: tuple[str, ...] = ()
    """What stands before `run`."""
    counted: bool = True
    """Whether the kernel may limit memory and processes by control groups."""
    relayed: bool = False
    """Whether the channel is a socket to connect to instead of an inherited descriptor."""


WAYS = (
    Way("podman"),
    Way("podman", ("--runtime", "runc")),
    Way("podman", counted=False),
    Way("docker", relayed=True),
)


class Container:
    """Runs a program in a new container with a read-only image, private folders and no network.

    Nothing is started before the first `run`, which finds the first way that works. A tree is copied.
    """

    name = "container"
    level: Level = "full"

    def __init__(self, image: str = DEFAULT_IMAGE, ways: Iterable[Way] = WAYS) -> None:
        """Take an image that is on this machine already."""
        self._image = image
        self._ways = tuple(ways)
        self._way: Way | None = None

    async def run(self, program: Program) -> Execution:
        """Run to the end or to a limit; the container is removed afterwards.

        Raises:
            SandboxUnavailable: No container can be started, or the image is not there.
            SandboxError: The tree could not be copied.
            UnsafePath: A path in `program.files` could lead out of the working folder.
        """
        self._way = self._way or await self._find()
        return await self._run(self._way, program)

    async def check(self) -> str:
        """Start a program in a container and return one sentence about what holds.

        Raises:
            SandboxUnavailable: The message says why not and how to get it.
        """
        self._way = await self._find()
        limits = "by control groups" if self._way.counted else "by a watch"
        words = " ".join((self._way.engine, *self._way.words))
        return f"container holds: a program ran by {words!r} in image {self._image!r}, limited {limits}."

    async def _find(self) -> Way:
        reasons: dict[str, None] = {}
        for way in self._ways:
            try:
                execution = await self._run(way, Program(("true",), limits=Limits(processes=16)))
            except SandboxUnavailable as error:
                reasons[str(error)] = None
            else:
                if execution.exit_code == 0:
                    return way
                reasons[f"`true` ended with {execution.exit_code} in {self._image!r}."] = None
        raise SandboxUnavailable("No sandbox: no container could be started. " + " ".join(reasons))

    async def _run(self, way: Way, program: Program) -> Execution:
        executable = shutil.which(way.engine)
        if executable is None:
            raise SandboxUnavailable(f"{way.engine!r} is not on PATH. {_INSTALL}")
        refuse_wide(program.readable)
        packed = await to_thread.run_sync(pack, program, check_cancelled)
        with packed.archive, ExitStack() as opened:
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
            (folder / _CALLS).write_text(write_profile(platform.machine()), encoding="ascii")
            run = _Run(way, self._image, program, packed, folder)
            descriptor = written(json.dumps(run.plan(executable)).encode())
            opened.callback(os.close, descriptor)
            try:
                return await supervise(run.launch(descriptor))
            except SandboxUnavailable as error:
                raise SandboxUnavailable(self._explain(way, str(error))) from error

    def _explain(self, way: Way, said: str) -> str:
        if "image not known" in said or "No such image" in said or "pull access" in said:
            return f"The image {self._image!r} is not here. Fetch it: `{way.engine} pull {self._image}`."
        return f"{' '.join((way.engine, *way.words))!r} says {said[-500:]!r}."


@dataclass(frozen=True, slots=True)
class _Run:
    """One container: what starts it and what removes it."""

    way: Way
    image: str
    program: Program
    packed: Packed
    folder: Path

    def launch(self, descriptor: int) -> Launch:
        """Return what supervision starts."""
        return Launch(
            argv=(sys.executable, "-I", "-S", _CHILD, str(descriptor)),
            environment=dict(os.environ),  # the engine's own settings; nothing of it goes inside
            packed=self.packed,
            limits=self.program.limits,
            contained=False,
            cwd=str(self.folder),  # where an engine leaves files of its own when memory runs out
            descriptors=(descriptor,),
            cleans_up=True,
            private=(WORKING_FOLDER, _TEMPORARY_FOLDER, "/dev/shm"),  # noqa: S108 - inside, they are private
            starved=(self.folder / "starved").exists,
        )

    def plan(self, executable: str) -> Plan:
        """Return what `_container_child` reads."""
        name = f"orchestrator-{secrets.token_hex(8)}"
        engine = [executable, *self.way.words]
        patience = ("--time", "0") if self.way.engine == "podman" else ()
        return {
            "server": os.getpid(),
            "argv": [*engine, "run", "--name", name, *self._options(), self.image, *self._inside()],
            "relayed": str(self._channel_folder() / "socket") if self.way.relayed else "",
            "asks_memory": [*engine, "inspect", "--format", "{{.State.OOMKilled}}", name],
            "says_memory": str(self.folder / "starved"),
            "removes": [*engine, "rm", "--force", "--volumes", *patience, name],
        }

    def _channel_folder(self) -> Path:
        place = self.folder / "channel"
        place.mkdir(exist_ok=True)
        return place

    def _options(self) -> Iterator[str]:
        limits = self.program.limits
        uid = str(_LOWEST_UID + secrets.randbelow(_UIDS))
        yield from ("--pull", "never", "--network", "none", "--read-only", "--cap-drop", "ALL")
        yield from ("--security-opt", "no-new-privileges", "--user", f"{uid}:{uid}", "--ipc", "private")
        yield from ("--hostname", "sandbox", "--entrypoint", "")
        yield from ("--security-opt", f"seccomp={self.folder / _CALLS}")
        yield from ("--log-driver", "none", "--no-healthcheck", "--shm-size", str(limits.file_bytes))
        bare = ""
        if self.way.engine == "podman":
            yield from ("--http-proxy=false", "--read-only-tmpfs=false", "--no-hosts")
            bare = ",notmpcopyup"  # else the folder of the image decides about the mode
        if not self.way.relayed:
            yield from ("--preserve-fds", "1")
        yield from self._limits()
        yield from _private(WORKING_FOLDER, limits.file_bytes + self.packed.size_bytes, bare)
        yield from _private(_TEMPORARY_FOLDER, limits.file_bytes, bare)
        yield from self._mounts()

    def _limits(self) -> Iterator[str]:
        limits = self.program.limits
        memory = limits.memory_bytes + _HEADROOM_BYTES
        if self.way.counted:
            yield from ("--memory", str(memory), "--memory-swap", str(memory))
            yield from ("--pids-limit", str(limits.processes))
        elif self.way.engine == "podman":
            yield "--cgroups=disabled"
        for name, value in limits.rlimits().items():
            yield from ("--ulimit", f"{name}={value}:{value}")

    def _mounts(self) -> Iterator[str]:
        mounts = {path: path for path in self.program.readable}
        if self.way.relayed:
            mounts[str(self._channel_folder())] = _PLACE
        for source, target in mounts.items():
            if "," in source:
                raise SandboxUnavailable(f"A container cannot be shown {source!r}. Take the comma out of it.")
            yield from ("--mount", f"type=bind,source={source},target={target},readonly")
        if mounts:
            yield from ("--security-opt", "label=disable")

    def _inside(self) -> Iterator[str]:
        """Yield what runs in the container: the words of `sandbox.supervision` over descriptor 3.

        The shell stays the first process, so that signals end the program as they would anywhere.
        """
        fill = "tar -xf - <&3" if not self.packed.empty else "read -r _ <&3 || :"
        channel = "3>&3" if self.program.report_fd else "3>&-"
        begin = f"cd {WORKING_FOLDER} && printf 1 >&3; {{ {fill}; }} && printf 2 >&3"
        script = f'{begin} && {{ "$@" {channel} </dev/null; exit; }}'
        if self.way.relayed:
            yield from ("python3", "-I", "-S", "-c", _CONNECT, f"{_PLACE}/socket")
        yield from ("/bin/sh", "-c", script, "sh", "env", "-i", *_environment(self.program))
        yield from _inner_words(self.program.argv)


def _private(folder: str, size_bytes: int, more: str) -> Iterator[str]:
    yield from ("--tmpfs", f"{folder}:rw,exec,nosuid,nodev,mode=1777,size={size_bytes}{more}")


def _environment(program: Program) -> Iterator[str]:
    given = {
        "HOME": _TEMPORARY_FOLDER,
        "LANG": "C.UTF-8",
        "LOGNAME": "sandbox",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "TMPDIR": _TEMPORARY_FOLDER,
        "USER": "sandbox",
    } | dict(program.environment)
    return (f"{name}={value}" for name, value in given.items())


def _inner_words(argv: tuple[str, ...]) -> Iterator[str]:
    """Yield the words of a program as the image knows them: tools by name, our interpreter as `python3`."""
    for place, word in enumerate(argv):
        if word == sys.executable:
            yield "python3"
        else:
            yield Path(word).name if place == 0 and Path(word).is_absolute() else word
