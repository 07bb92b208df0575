"""Confine one program by Landlock, seccomp and limits, and end whatever it leaves behind.

Started by `sandbox.landlock` with the number of a descriptor, where a plan can be read. The
process itself stays outside, so that it can watch and end the program; what it forks goes inside.
"""

import json
import os
import signal
import stat
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from sandbox._confining import (
    LIBC,
    SET_NO_NEW_PRIVILEGES,
    SET_PARENT_DEATH_SIGNAL,
    check,
    control,
    install_filter,
    keep_capabilities,
    limit,
)

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1
_SET_KEEP_CAPABILITIES, _SET_SUBREAPER, _AMBIENT, _AMBIENT_RAISE = 8, 36, 47, 2
_READ_ANYTHING = 2
"""CAP_DAC_READ_SEARCH: Landlock still decides what can be read."""
_BLOCK_BYTES, _PAGE_BYTES, _LONGEST_PATH_BYTES = 512, 4096, 4096
_SHORTEST_WATCH_SECONDS = 0.05
_WATCHING_SHARE = 10
"""So many times as long as looking took, nothing is looked at."""
_NOT_FOUND, _NOT_EXECUTABLE, _SIGNALLED = 127, 126, 128


class Plan(TypedDict):
    """What the server wants, as it comes in JSON."""

    server: int
    """The process whose death ends this one."""
    argv: tuple[str, ...]
    environment: dict[str, str]
    """The program's own; this process has a clean one."""
    private: tuple[str, ...]
    """Folders that the program may write, the first of which it starts in; they are removed."""
    folder: str
    """Whose content, with what is held open without a name, may take `folder_bytes`."""
    folder_bytes: int
    handled: tuple[int, int, int]
    """The rights on files, on ports and across the border that Landlock shall refuse unless a rule grants."""
    file_rights: int
    """Those that mean something for what is no folder."""
    rules: list[tuple[str, int]]
    limits: dict[str, int]
    uid: int | None
    """To become, as root."""
    reads_anything: bool
    """Whether that user must get through folders that are closed to it, to what the rules grant."""
    unpack: bool
    report: bool
    filters: list[str]
    own_pid: int
    """Stands in the filters for the number of the program's process."""


def main(descriptor: int) -> int:
    """Run the program of the plan, end what it left and return its exit code as a shell would."""
    with os.fdopen(descriptor, "rb") as file:
        plan = json.load(file)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
    control(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != plan["server"]:
        return 1
    control(_SET_SUBREAPER, 1)
    program = os.fork()
    if program == 0:
        _become(plan)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - the descriptor is wanted, no path
        os.dup2(nothing.fileno(), 0)
    try:
        return _watch(program, Path(plan["folder"]), plan["folder_bytes"])
    finally:
        _end_all()
        # `rm` also removes what is nested too deeply for a recursion
        os.spawnv(os.P_WAIT, "/bin/rm", ["rm", "-rf", "--", *plan["private"]])  # noqa: S606 - no shell is wanted


# --- what goes inside ---------------------------------------------------------------------------------


def _become(plan: Plan) -> None:
    """Confine this process and turn it into the program."""
    os.setsid()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, signal.SIGTERM})
    os.chdir(plan["private"][0])
    _restrict_files(plan)
    counted = 0 if plan["uid"] is not None else _tasks_of(os.getuid())
    limit({**plan["limits"], "nproc": plan["limits"]["nproc"] + counted})
    if plan["uid"] is not None:
        _leave_root(plan["uid"], reads_anything=plan["reads_anything"])
    control(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    _unpack(unpack=plan["unpack"])
    os.dup2(0, 3, inheritable=plan["report"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for program in plan["filters"]:
        own = struct.pack("=I", os.getpid())
        install_filter(bytes.fromhex(program).replace(struct.pack("=I", plan["own_pid"]), own))
    _execute([*plan["argv"]], plan["environment"])


def _restrict_files(plan: Plan) -> None:
    attributes = struct.pack("=QQQ", *plan["handled"])
    ruleset = check(LIBC.syscall(_CREATE_RULESET, attributes, len(attributes), 0), "Landlock")
    for path, rights in plan["rules"]:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = rights if stat.S_ISDIR(os.fstat(opened).st_mode) else rights & plan["file_rights"]
        rule = struct.pack("=Qi", allowed, opened)
        check(LIBC.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0), f"Landlock and {path!r}")
        os.close(opened)
    control(SET_NO_NEW_PRIVILEGES, 1)
    check(LIBC.syscall(_RESTRICT_SELF, ruleset, 0), "Landlock")
    os.close(ruleset)


def _tasks_of(uid: int) -> int:
    """Count the threads that a user has already, because the limit counts them too."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if process.stat().st_uid == uid:
                count += len(os.listdir(process / "task"))  # noqa: PTH208 - only how many
    return count


def _leave_root(uid: int, *, reads_anything: bool) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    control(_SET_KEEP_CAPABILITIES, 1)
    os.setresuid(uid, uid, uid)
    kept = 1 << _READ_ANYTHING if reads_anything else 0
    keep_capabilities(kept)
    if reads_anything:
        control(_AMBIENT, _AMBIENT_RAISE, _READ_ANYTHING)


def _unpack(*, unpack: bool) -> None:
    """Speak with `sandbox.supervision` as its words of shell do."""
    os.write(0, b"1")
    if unpack:
        failed = os.spawnvp(os.P_WAIT, "tar", ["tar", "-xf", "-"])  # noqa: S606 - no shell is wanted
        if failed:
            os._exit(1)
    else:
        os.read(0, 1)
    os.write(0, b"2")


def _execute(argv: list[str], environment: dict[str, str]) -> None:
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606 - no shell is wanted
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE)


# --- what stays outside -------------------------------------------------------------------------------


def _watch(program: int, folder: Path, limit_bytes: int) -> int:
    """Wait until the program has ended, is to be ended or has filled the disk."""
    pause = _SHORTEST_WATCH_SECONDS
    while True:
        seen = signal.sigtimedwait({signal.SIGCHLD, signal.SIGTERM}, pause)
        if seen is not None and seen.si_signo == signal.SIGTERM:
            return _SIGNALLED + signal.SIGTERM
        status = _reap(program)
        if status is not None:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else _SIGNALLED - code
        if seen is None:
            began = time.monotonic()
            if _stored_bytes(folder, limit_bytes) > limit_bytes:
                os.write(2, f"The program was ended: it stored over {limit_bytes} bytes.\n".encode())
                return _SIGNALLED + signal.SIGKILL
            pause = max(_SHORTEST_WATCH_SECONDS, _WATCHING_SHARE * (time.monotonic() - began))


def _reap(program: int) -> int | None:
    """Take up all that ended, and return the program's status if it is among them."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in {0, program}:
            return status if pid else None


def _stored_bytes(folder: Path, enough: int) -> int:
    """Sum what lies in a folder and what processes hold open without a name, until it is enough."""
    total = 0
    for size in _sizes(folder):
        total += size
        if total > enough:
            break
    return total


def _sizes(folder: Path) -> Iterator[int]:
    pending = [str(folder)]
    while pending:
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if len(os.fsencode(entry.path)) >= _LONGEST_PATH_BYTES:
                    yield sys.maxsize  # it lies too deep to be looked at
                status = entry.stat(follow_symlinks=False)
                yield max(status.st_blocks * _BLOCK_BYTES, _PAGE_BYTES)
                if stat.S_ISDIR(status.st_mode):
                    pending.append(entry.path)
    yield from _unnamed_sizes()


def _unnamed_sizes() -> Iterator[int]:
    """Yield the sizes of files that only open descriptors still hold, those in memory among them."""
    unnamed = {}
    for pid in _descendants():
        with suppress(OSError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    status = descriptor.stat()
                    if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                        unnamed[status.st_dev, status.st_ino] = status.st_blocks * _BLOCK_BYTES
    yield from unnamed.values()


def _descendants() -> Iterator[int]:
    pending = [os.getpid()]
    while pending:
        with suppress(OSError):
            for task in Path(f"/proc/{pending.pop()}/task").iterdir():
                children = [*map(int, (task / "children").read_text().split())]
                pending += children
                yield from children


def _end_all() -> None:
    """Kill and reap until nobody is left.

    The dead are left lying while others live: they count as processes, so that a program that forks
    without end soon cannot.
    """
    while True:
        living = [pid for pid in _descendants() if _lives(pid)]
        for pid in living:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not living:
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
        time.sleep(0.001)


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    return False
