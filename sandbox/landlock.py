"""Confine programs by Landlock, seccomp and limits: the sandbox where namespaces are closed to users.

Needs Linux 5.13 and no package, privilege or namespace. Covered: files, network, other processes,
environment, time, memory, output. Less than under bubblewrap: a program can see by `stat` whether a hidden
path exists; the disk is watched, not limited to the byte; /dev/shm and any socket but pairs are refused, also
to honest programs; /tmp is refused, TMPDIR is private; and as an ordinary user, changing modes and times of
files is refused, and before Linux 6.12 so are signals to other processes.
"""

import ctypes
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from anyio import to_thread
from anyio.from_thread import check_cancelled

from sandbox._landlock_child import Plan
from sandbox.bubblewrap import private_uid
from sandbox.errors import SandboxUnavailable
from sandbox.hostcalls import OWN_PID, Exposure, assemble_for_host
from sandbox.packing import Packed, pack
from sandbox.program import Execution, Level, Program
from sandbox.seccomp import assemble
from sandbox.supervision import Launch, supervise

NEWEST_ABI = 7
"""Of Landlock, as far as it is known here."""
_CREATE_RULESET, _ASK_VERSION = 444, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER, _TRUNCATE = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_MAKE_DEVICES = 1 << 6 | 1 << 11
_ON_DEVICES = 1 << 15
_READABLE = _EXECUTE | _READ_FILE | _READ_FOLDER
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _ON_DEVICES
_FILE_RIGHTS = {1: 0x1FFF, 2: 1 << 13, 3: _TRUNCATE, 5: _ON_DEVICES}
_NETWORK_RIGHTS = {4: 0b11}
_SCOPES = {6: 0b11}
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = (
    "ld.so.cache",
    "alternatives",
    "localtime",
    "java-*",
    "maven/m2.conf",
    "maven/logging",
    "ssl/openssl.cnf",
)
_FACTS = ("/proc/cpuinfo", "/proc/meminfo", "/proc/filesystems", "/proc/version", "/sys/devices/system/cpu")
_SOURCES = ("/dev/urandom", "/dev/random")
_SINKS = ("/dev/null", "/dev/zero", "/dev/full")
_PRIVATE = ("work", "tmp")
_CHILD = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from sandbox._landlock_child import main
sys.exit(main(int(sys.argv[1])))
"""


class Landlock:
    """Runs a program that may read the system, write a private folder, and reach nothing else.

    Nothing is started before the first `run`. As root, each run gets a user id that nobody else has.
    """

    name = "landlock"
    level: Level = "strong"

    def __init__(self, newest_abi: int = NEWEST_ABI) -> None:
        """Take no more of Landlock than that version of it has."""
        self._newest_abi = newest_abi

    async def run(self, program: Program) -> Execution:
        """Run to the end or to a limit; nothing of the program is left afterwards.

        Raises:
            SandboxUnavailable: The kernel has no Landlock, or the processor is not known here.
            SandboxError: The tree could not be copied.
            UnsafePath: A path in `program.files` could lead out of the working folder.
        """
        exposure = Exposure(_abi(self._newest_abi), same_user=os.geteuid() != 0)
        filters = _filters(exposure)
        packed = await to_thread.run_sync(pack, program, check_cancelled)
        with packed.archive, ExitStack() as opened:
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
            uid = None if exposure.same_user else private_uid()
            plan = _plan(program, packed, folder, exposure)
            plan["uid"], plan["filters"] = uid, filters
            _make_private(folder, uid)
            descriptor = written(json.dumps(plan).encode())
            opened.callback(os.close, descriptor)
            return await supervise(
                Launch(
                    argv=(sys.executable, "-I", "-S", "-B", "-c", _CHILD, str(descriptor)),
                    environment=_environment(folder),
                    packed=packed,
                    limits=program.limits,
                    contained=False,
                    descriptors=(descriptor,),
                    cleans_up=True,
                    counted=True,
                )
            )

    async def check(self) -> str:
        """Try to read a file that is hidden, to open a socket and to write, and say what holds.

        Raises:
            SandboxUnavailable: The message says why not and how to get it.
        """
        with tempfile.NamedTemporaryFile() as hidden:
            code = (
                "import socket, sys\n"
                "open('own', 'w').close()\n"
                "for reach in (lambda: open(sys.argv[1]), socket.socket):\n"
                "    try: reach()\n"
                "    except OSError: print('refused')\n"
            )
            argv = (sys.executable, "-I", "-S", "-c", code, hidden.name)
            execution = await self.run(Program(argv=argv))
        if (execution.exit_code, execution.stdout) != (0, "refused\n" * 2):
            raise SandboxUnavailable(
                f"Landlock does not hold: a trial program ended with {execution.exit_code}, "
                f"{execution.stdout!r} and {execution.stderr!r}. Install bubblewrap instead."
            )
        return (
            f"landlock holds (version {_abi(self._newest_abi)}): a program could write its own "
            "folder and was refused a hidden file and a socket."
        )


def _abi(newest: int) -> int:
    """Return the version of Landlock that the kernel has, or the newest wanted."""
    abi: int = ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    abi = min(abi, newest)
    if abi < 1:
        raise SandboxUnavailable(
            f"No sandbox: this kernel ({platform.release()}) has no Landlock. Take Linux 5.13 or newer with "
            "`landlock` in the boot parameter `lsm=`."
        )
    return abi


def _filters(exposure: Exposure) -> list[str]:
    machine = platform.machine()
    first = assemble(machine)
    if first is None:
        raise SandboxUnavailable(
            f"No sandbox: the system calls of processor {machine!r} are not known, and Landlock alone does "
            "not close the network. Install bubblewrap."
        )
    return [each.hex() for each in (first, assemble_for_host(machine, exposure))]


def _rights(table: dict[int, int], abi: int) -> int:
    return sum(rights for since, rights in table.items() if since <= abi)


def _plan(program: Program, packed: Packed, folder: Path, exposure: Exposure) -> Plan:
    """Return what `_landlock_child` reads, but for the user and the filters."""
    handled = _rights(_FILE_RIGHTS, exposure.abi)
    private = tuple(str(folder / name) for name in _PRIVATE)
    readable = (*_existing(_SYSTEM), *_toolchains(program.readable))
    return {
        "server": os.getpid(),
        "argv": program.argv,
        "folder": str(folder),
        "environment": _environment(folder) | dict(program.environment),
        "private": private,
        "folder_bytes": 2 * program.limits.file_bytes + packed.size_bytes,
        "handled": (handled, _rights(_NETWORK_RIGHTS, exposure.abi), _rights(_SCOPES, exposure.abi)),
        "file_rights": _ON_FILES,
        "rules": [
            *((path, _READABLE) for path in readable),
            *((path, _READ_FILE | _READ_FOLDER) for path in (*_settings(), *_existing(_FACTS + _SOURCES))),
            *((path, (_READ_FILE | _WRITE_FILE | _TRUNCATE) & handled) for path in _existing(_SINKS)),
            *((path, handled & ~_MAKE_DEVICES) for path in private),
        ],
        "limits": program.limits.rlimits(),
        "reads_anything": any(not _open_to_all(path) for path in (*readable, str(folder))),
        "unpack": not packed.empty,
        "report": program.report_fd,
        "own_pid": OWN_PID,
        "uid": None,
        "filters": [],
    }


def _existing(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(path for path in paths if Path(path).exists())


def _settings() -> Iterator[str]:
    for pattern in _SETTINGS:
        yield from map(str, Path("/etc").glob(pattern))


def _toolchains(readable: tuple[str, ...]) -> tuple[str, ...]:
    """Return the interpreter's folders and what was named."""
    shown = (sys.base_prefix, sys.prefix, *readable)
    refuse_wide(shown)
    return shown


def refuse_wide(paths: Iterable[str]) -> None:
    """Refuse to show a program a whole home, or all of the machine.

    Raises:
        ValueError: The message names the path.
    """
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises for a user without one
    for path in paths:
        if Path(path).resolve() in {Path("/"), Path(home).resolve()}:
            raise ValueError(f"The path {path!r} is too wide to be shown to a program. Name what it needs.")


def _open_to_all(path: str) -> bool:
    """Say whether every user may come to the path; else a private user needs leave to search folders."""
    place = Path(path).resolve()
    folders = (place, *place.parents) if place.is_dir() else place.parents
    return all(folder.stat().st_mode & 1 for folder in folders)


def _make_private(folder: Path, uid: int | None) -> None:
    for name in _PRIVATE:
        (folder / name).mkdir()
    if uid is not None:
        for path in (*folder.iterdir(), folder):
            os.chown(path, uid, uid)


def written(content: bytes) -> int:
    """Return a descriptor that the content can be read from; the caller closes it."""
    descriptor = os.memfd_create("plan")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _environment(folder: Path) -> dict[str, str]:
    temporary = str(folder / "tmp")
    return {
        "HOME": temporary,
        "LANG": "C.UTF-8",
        "LOGNAME": "sandbox",
        "PATH": f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": temporary,
        "USER": "sandbox",
    }
