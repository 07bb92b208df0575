"""Run programs in namespaces of their own by bubblewrap: the sandbox that holds on Linux.

Covered: files, network, processes, environment, time, memory, output, disk. Not covered: a hole in the
kernel itself, beyond the system calls that `sandbox.seccomp` refuses.
"""

import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread
from anyio.from_thread import check_cancelled

from sandbox.errors import SandboxUnavailable
from sandbox.overlay import find_obstacle, overlay_words
from sandbox.packing import Packed, pack
from sandbox.program import Execution, Level, Limits, Program
from sandbox.seccomp import open_filter
from sandbox.supervision import Launch, shell_words, supervise

WORKING_FOLDER = "/sandbox"
NAMESPACES = (
    *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--hostname", "sandbox", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
)
_TEMPORARY_FOLDER = "/tmp"  # noqa: S108 - inside, it is private
PRIVATE_FOLDERS = (WORKING_FOLDER, _TEMPORARY_FOLDER, "/dev/shm")  # noqa: S108 - as above
NOBODY = "65534"
_LOWEST_PRIVATE_UID, _PRIVATE_UIDS = 0x7000_0000, 0x0FFF_FFFE
"""Ids that no distribution, container or directory service gives to anybody."""
_SYSTEM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = ("ld.so.cache", "alternatives", "localtime", "java-*", "maven/m2.conf", "maven/logging")
_INSTALL = "Install bubblewrap (`apt install bubblewrap`, `dnf install bubblewrap`)."
_PERMIT = (
    "If namespaces are closed to users here, open them: on Ubuntu 24.04 by an AppArmor profile with "
    "`userns,` for /usr/bin/bwrap or `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a "
    "container by starting it with a seccomp profile that permits them."
)


@dataclass(frozen=True, slots=True)
class _Workspace:
    """What the working folder of one run is made of."""

    packed: Packed
    owner: int
    """As root, the id that the program runs as: nobody else has it, so its processes can be counted."""
    place: str | None = None
    """The folder at whose `merged` the tree is mounted; without, the archive holds the tree."""


class Bubblewrap:
    """Runs a program with a read-only system, private folders, no network and no privilege.

    Nothing is started before the first `run`. As root, each run gets a user id that nobody else has.
    A tree is shown copy-on-write where it can be mounted so, and copied elsewhere; a file system where
    mounting failed once is not tried again.
    """

    name = "bubblewrap"
    level: Level = "full"

    def __init__(self) -> None:
        self._options = ""
        self._not_mountable: dict[int, str] = {}

    async def run(self, program: Program) -> Execution:
        """Run to the end or to a limit; nothing of the program is left afterwards.

        Raises:
            SandboxUnavailable: bubblewrap is missing or may not make namespaces.
            SandboxError: The tree could not be copied.
            UnsafePath: A path in `program.files` could lead out of the working folder.
        """
        executable = shutil.which("bwrap")
        if executable is None:
            raise SandboxUnavailable(f"No sandbox: 'bwrap' is not on PATH. {_INSTALL}")
        self._options = self._options or await _read_options(executable)
        execution = await self._run_mounted(executable, program)
        if execution is not None:
            return execution
        try:
            return await self._run_packed(executable, program, place=None)
        except SandboxUnavailable as error:
            raise SandboxUnavailable(f"No sandbox: bubblewrap says {str(error)!r}. {_PERMIT}") from error

    async def check(self) -> str:
        """Start a program that changes a folder and return one sentence about what holds.

        Raises:
            SandboxUnavailable: The message says why not and how to get it.
        """
        with tempfile.TemporaryDirectory() as tree:
            execution = await self.run(Program(("touch", "file"), tree=tree))
            reason = self._not_mountable.get(_device(tree))
        workspaces = f"copied, because {reason}" if reason else "shown copy-on-write"
        return (
            f"bubblewrap holds: a program ran and ended with {execution.exit_code} in its own namespaces; "
            f"workspaces are {workspaces}."
        )

    async def _run_mounted(self, executable: str, program: Program) -> Execution | None:
        """Run where the tree is mounted copy-on-write; return nothing where it must be copied."""
        if program.tree is None:
            return None
        obstacle = await to_thread.run_sync(find_obstacle, program, check_cancelled)
        if obstacle or (device := _device(program.tree)) in self._not_mountable:
            return None
        with tempfile.TemporaryDirectory(prefix="workspace-", ignore_cleanup_errors=True) as place:
            try:
                return await self._run_packed(executable, program, place)
            except SandboxUnavailable as error:  # the program has not been started
                self._not_mountable[device] = str(error)
        return None

    async def _run_packed(self, executable: str, program: Program, place: str | None) -> Execution:
        packing = partial(pack, program, check_cancelled, with_tree=place is None)
        packed = await to_thread.run_sync(packing)
        with packed.archive, ExitStack() as opened:
            owner = private_uid()
            workspace = _Workspace(packed, owner, place)
            descriptors = tuple(_filters(opened))
            words = self._words(program, workspace, descriptors)
            launch = Launch(
                argv=(*_mounting(program, workspace), executable, *words),
                environment=clean_environment() | dict(program.environment),
                packed=packed,
                limits=program.limits,
                contained=True,
                descriptors=descriptors,
                counted=True,
                private=PRIVATE_FOLDERS,
            )
            return await supervise(launch)

    def _words(self, program: Program, workspace: _Workspace, filters: tuple[int, ...]) -> Iterator[str]:
        """Yield what stands after `bwrap`."""
        root = os.geteuid() == 0
        closed = any(_is_closed(path) for path in program.readable)
        yield from NAMESPACES
        if root:
            for capability in ("SETUID", "SETGID", *(("DAC_READ_SEARCH",) if closed else ())):
                yield from ("--cap-add", f"CAP_{capability}")
        else:
            yield from ("--unshare-user", "--uid", NOBODY, "--gid", NOBODY)
            if "--disable-userns" in self._options:
                yield "--disable-userns"
        for descriptor in filters:
            yield from ("--seccomp", str(descriptor))
        yield from system_words(program.limits.file_bytes)
        yield from _working_folder(program.limits.file_bytes, workspace)
        for path in (sys.base_prefix, sys.prefix, *program.readable):
            yield from readable_words(path)
        yield from ("--chdir", WORKING_FOLDER, "--remount-ro", "/dev", "--remount-ro", "/", "--")
        if root:
            yield from _drop_root(str(workspace.owner), reads_anything=closed)
        yield from shell_words(unpack=not workspace.packed.empty, report=program.report_fd)
        yield from _limit_words(program.limits)
        yield from program.argv


async def _read_options(executable: str) -> str:
    try:
        return (await anyio.run_process([executable, "--help"], check=False)).stdout.decode()
    except OSError as error:
        raise SandboxUnavailable(f"No sandbox: {executable!r} could not be started: {error}.") from error


def _filters(opened: ExitStack) -> Iterator[int]:
    descriptor = open_filter()
    if descriptor is not None:
        opened.callback(os.close, descriptor)
        yield descriptor


def private_uid() -> int:
    """Return a user id that nobody has."""
    return _LOWEST_PRIVATE_UID + secrets.randbelow(_PRIVATE_UIDS)


def clean_environment() -> dict[str, str]:
    """Return all that a program knows of its surroundings."""
    return {
        "HOME": _TEMPORARY_FOLDER,
        "LANG": "C.UTF-8",
        "LOGNAME": "sandbox",
        "PATH": f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": _TEMPORARY_FOLDER,
        "USER": "sandbox",
    }


def _mounting(program: Program, workspace: _Workspace) -> tuple[str, ...]:
    """Return the words that stand before `bwrap`, if any."""
    if program.tree is None or workspace.place is None:
        return ()
    size_bytes = program.limits.file_bytes + workspace.packed.size_bytes
    return overlay_words(program.tree, workspace.place, size_bytes, workspace.owner, program.removed)


def _device(path: str) -> int:
    """Return the number of the file system that a path lies on."""
    return Path(path).stat().st_dev


def _working_folder(file_bytes: int, workspace: _Workspace) -> Iterator[str]:
    if workspace.place is not None:
        yield from ("--bind", f"{workspace.place}/merged", WORKING_FOLDER)
    else:
        yield from _private(WORKING_FOLDER, file_bytes + workspace.packed.size_bytes)


def _private(folder: str, size_bytes: int) -> Iterator[str]:
    yield from ("--perms", "1777", "--size", str(size_bytes), "--tmpfs", folder)


def system_words(file_bytes: int) -> Iterator[str]:
    """Yield the read-only system, and private folders that are limited each."""
    yield from ("--ro-bind", "/usr", "/usr")
    for folder in map(Path, _SYSTEM_FOLDERS):
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        elif folder.exists():
            yield from ("--ro-bind", str(folder), str(folder))
    yield from ("--perms", "0755", "--dir", "/etc")
    for pattern in _SETTINGS:
        for path in Path("/etc").glob(pattern):
            yield from ("--perms", "0755", "--dir", str(path.parent), "--ro-bind", str(path), str(path))
    yield from ("--proc", "/proc", "--dev", "/dev")
    for private in ("/dev/shm", _TEMPORARY_FOLDER):  # noqa: S108 - inside, it is private
        yield from _private(private, file_bytes)


def readable_words(path: str) -> Iterator[str]:
    """Yield the binding of a host path, unless the system has it; a whole home or root is never bound."""
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises for a user without one
    if Path(path).resolve() in {Path("/"), Path(home).resolve()}:
        raise ValueError(f"The path {path!r} is too wide to be shown to a program. Name what it needs.")
    if Path("/usr") in (Path(path), *Path(path).parents):
        return
    for folder in (*Path(path).parents,)[-2::-1]:
        yield from ("--perms", "0755", "--dir", str(folder))
    yield from ("--ro-bind", path, path)


def _is_closed(path: str) -> bool:
    """Say whether a folder that is shown is one that not every user may read."""
    needed = stat.S_IROTH | stat.S_IXOTH
    with suppress(OSError):
        mode = Path(path).stat().st_mode
        return stat.S_ISDIR(mode) and mode & needed != needed
    return False


def _drop_root(uid: str, *, reads_anything: bool) -> Iterator[str]:
    """Yield the words that leave root for a user id.

    Args:
        uid: Which nobody else has.
        reads_anything: Whether what is shown must be readable even where it belongs to root alone; what is
            not shown is not there.
    """
    yield from ("setpriv", "--reuid", uid, "--regid", uid, "--clear-groups")
    if reads_anything:
        yield from ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search", "--")
    else:
        yield from ("--inh-caps=-all", "--")


def _limit_words(limits: Limits) -> Iterator[str]:
    """Yield the words that limit each process; they stand inside, where processes are counted anew."""
    yield from ("prlimit", *(f"--{name}={value}" for name, value in limits.rlimits().items()), "--")
