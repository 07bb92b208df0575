"""Run programs under Apple's Seatbelt by `sandbox-exec`: the sandbox of macOS.

Covered: files, network, signals to others, environment, time, memory, output. Not covered: a program sees by
`ps` that other processes exist; the disk is limited per file only; memory is watched; a process that leaves
its session between two looks of the watch can outlive the run, confined. Never run by the tests, which have
no macOS: they cover the profile, the words and the refusals. `sandbox-exec` is called deprecated and is
enforced; where it does not hold, its own check refuses.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from anyio import to_thread
from anyio.from_thread import check_cancelled

from sandbox.errors import SandboxUnavailable
from sandbox.landlock import refuse_wide
from sandbox.packing import Packed, pack
from sandbox.program import Execution, Level, Limits, Program
from sandbox.supervision import Launch, shell_words, supervise

_EXECUTABLE = "/usr/bin/sandbox-exec"
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/System", "/Library/Developer", "/Library/Java", "/Library/Frameworks"),
    *("/Applications/Xcode.app", "/opt/homebrew", "/private/etc/ssl", "/private/var/db/timezone"),
    *("/private/var/select", "/private/var/db/dyld"),
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/fd")
_BLOCK_BYTES = 512
"""What `ulimit -f` counts in."""
_SELF_TEST = (
    "import socket, sys\n"
    "open('own', 'w').close()\n"
    "for reach in (lambda: open(sys.argv[1]), lambda: socket.create_connection(('127.0.0.1', 9), 1)):\n"
    "    try: reach()\n"
    "    except PermissionError: print('refused')\n"
)


class Seatbelt:
    """Runs a program that may read the system, write a private folder, and reach nothing else."""

    name = "seatbelt"
    level: Level = "strong"

    def __init__(self, executable: str = _EXECUTABLE) -> None:
        """Take another program than the system's `sandbox-exec`, which understands the same words."""
        self._executable = executable

    async def run(self, program: Program) -> Execution:
        """Run to the end or to a limit; the processes that the watch has seen are killed.

        Raises:
            SandboxUnavailable: There is no `sandbox-exec`, or it does not start.
            SandboxError: The tree could not be copied.
            UnsafePath: A path in `program.files` could lead out of the working folder.
        """
        if shutil.which(self._executable) is None:
            raise SandboxUnavailable(f"No sandbox: there is no {self._executable!r}, which macOS has.")
        packed = await to_thread.run_sync(pack, program, check_cancelled)
        with packed.archive, ExitStack() as opened:
            folder = opened.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            return await supervise(self._launch(program, packed, folder))

    async def check(self) -> str:
        """Try to read a file that is hidden, to open a connection and to write, and say what holds.

        Raises:
            SandboxUnavailable: The message says why not.
        """
        with tempfile.NamedTemporaryFile() as hidden:
            argv = (sys.executable, "-I", "-S", "-c", _SELF_TEST, hidden.name)
            execution = await self.run(Program(argv))
        if (execution.exit_code, execution.stdout) != (0, "refused\n" * 2):
            raise SandboxUnavailable(
                f"Seatbelt does not hold: a trial program ended with {execution.exit_code}, "
                f"{execution.stdout!r} and {execution.stderr[-500:]!r}. Nothing is run without it."
            )
        return (
            "seatbelt holds: a program could write its own folder and was refused a hidden file and a "
            "connection; memory is watched, processes of others can be seen."
        )

    def _launch(self, program: Program, packed: Packed, folder: str) -> Launch:
        folder = os.path.realpath(folder)
        readable = (sys.base_prefix, sys.prefix, *program.readable)
        refuse_wide(readable)
        return Launch(
            argv=(
                *(self._executable, "-p", profile((folder,), map(os.path.realpath, readable))),
                *shell_words(unpack=not packed.empty, report=program.report_fd),
                *_limit_words(program.limits),
                *program.argv,
            ),
            environment=_environment(folder) | dict(program.environment),
            packed=packed,
            limits=program.limits,
            contained=False,
            cwd=folder,
            polled=True,
        )


def profile(writable: Iterable[str], readable: Iterable[str]) -> str:
    """Return what Seatbelt shall permit, in its own language; everything else is denied.

    Args:
        writable: Folders by their canonical paths (`/private/tmp`, not `/tmp`), which Seatbelt compares.
        readable: Further files and folders, canonical too.
    """
    writable, readable = tuple(writable), (*_SYSTEM, *readable)
    return "\n".join(_rules(writable, readable))


def _rules(writable: tuple[str, ...], readable: tuple[str, ...]) -> Iterator[str]:
    yield "(version 1)"
    yield "(deny default)"
    yield "(allow process-fork)"
    yield f"(allow process-exec file-map-executable {_below((*readable, *writable))})"
    yield "(allow signal (target same-sandbox))"
    yield "(allow process-info* (target same-sandbox))"
    yield "(allow sysctl-read)"
    yield "(allow ipc-posix-sem)"
    yield '(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))'
    yield '(allow file-read* (literal "/"))'
    yield f"(allow file-read-metadata {_folders_above((*readable, *writable))})"
    yield f"(allow file-read* {_below((*readable, *writable))})"
    yield f"(allow file-read* file-write-data file-ioctl {_below(_DEVICES)})"
    yield f"(allow file-write* {_below(writable)})"
    yield "(deny file-write-setugid)"
    yield "(deny network*)"


def _below(paths: Iterable[str]) -> str:
    return " ".join(f"(subpath {_quoted(path)})" for path in paths)


def _folders_above(paths: Iterable[str]) -> str:
    above = {str(folder) for path in paths for folder in Path(path).parents}
    return " ".join(f"(literal {_quoted(path)})" for path in sorted(above))


def _quoted(path: str) -> str:
    """Quote a path so that no character of it is read as a rule.

    Raises:
        ValueError: It has a character that the language cannot hold.
    """
    if not path.isprintable():
        raise ValueError(f"The path {path!r} has a control character. Rename it.")
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _environment(folder: str) -> dict[str, str]:
    search = os.pathsep.join((f"{sys.prefix}/bin", "/usr/local/bin", "/usr/bin", "/bin"))
    names = {"LANG": "C.UTF-8", "LOGNAME": "sandbox", "PATH": search, "USER": "sandbox"}
    return {"HOME": folder, "TMPDIR": folder, **names}


def _limit_words(limits: Limits) -> tuple[str, ...]:
    blocks = max(1, limits.file_bytes // _BLOCK_BYTES)
    script = f'ulimit -c 0; ulimit -t {limits.cpu_seconds}; ulimit -f {blocks}; exec "$@"'
    return ("/bin/sh", "-c", script, "sh")
