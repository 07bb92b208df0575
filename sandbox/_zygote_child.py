"""Wait, warm, for Python programs and fork for each: the first process of a namespace.

Started by `sandbox.zygote` inside of bubblewrap, with no more of this package than it imports. It runs
nothing of anybody: what it forks gives up its rights, and is killed with all that it left before the next.
"""

import gc
import importlib
import json
import marshal
import os
import resource
import select
import signal
import socket
import struct
import sys
import types
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from sandbox._confining import (
    LIBC,
    SET_DUMPABLE,
    SET_NO_NEW_PRIVILEGES,
    check,
    control,
    install_filter,
    keep_capabilities,
    limit,
)

_NEW_MOUNTS, _NEW_IPC = 0x0002_0000, 0x0800_0000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _REMOUNT, _BIND = 1, 2, 4, 32, 4096
_IDLE_SECONDS = 300.0
_KINDS_OF_LIMITS = 16
_REPORT, _FIRST_UNUSED = 3, 4


class Plan(TypedDict):
    """What stays the same for every program."""

    private: list[str]
    """Folders that a program may write, the first of which it starts in; empty for each."""
    filter: str
    """For seccomp, in hexadecimal digits; it lets pass what making folders private needs."""
    codes: list[str]
    """Of programs that come often; compiled once."""
    modules: list[str]
    """Imported before the first program comes."""
    library: dict[str, str]
    """Python files, path to text, that some of `modules` are."""
    library_folder: str
    """Where the library is written."""


class Job(TypedDict):
    """One program, as `marshal` writes it: of what is quick to read, it is what touches least."""

    code: str
    arguments: list[str]
    environment: dict[str, str]
    """Added to what every program gets."""
    files: dict[str, str]
    limits: dict[str, int]
    folder_bytes: int
    folder_inodes: int
    uid: int | None
    """To become, as root."""
    report: bool


def serve(descriptor: int) -> types.CodeType:
    """Serve until the server goes away; return the code of a program in the process that is to run it."""
    channel = socket.socket(fileno=descriptor)
    plan: Plan = json.loads(_read(*_receive(channel)))
    control(SET_DUMPABLE, 0)
    _load(plan)
    sys.modules.pop("sandbox")
    gc.collect()
    gc.freeze()
    codes = {text: compile(text, "<string>", "exec") for text in plan["codes"]}
    control(SET_NO_NEW_PRIVILEGES, 1)
    install_filter(bytes.fromhex(plan["filter"]))
    state = _own_state()
    channel.sendall(b"1")
    while True:
        descriptors = _receive(channel)
        started, starting = os.pipe()
        program = os.fork()
        if program == 0:
            channel.close()
            os.close(started)
            return _become(plan, codes, descriptors, starting)
        for unused in (*descriptors, starting):
            os.close(unused)
        status = os.waitpid(program, 0)[1]  # of this one first: its status must not be taken for another's
        _end_all()
        begun = os.read(started, 1) == b"1"
        os.close(started)
        channel.sendall(struct.pack("=?i", begun, status))
        if _left_connections() or _own_state() != state:
            os._exit(0)  # the next program would notice


def _load(plan: Plan) -> None:
    folder = Path(plan["library_folder"])
    for name, text in plan["library"].items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    sys.path.insert(0, str(folder))
    for name in plan["modules"]:
        importlib.import_module(name)
    sys.path.remove(str(folder))
    # what programs share must be what it was: some of it is only imported when a program needs it
    check(LIBC.unshare(_NEW_MOUNTS), "unshare")
    flags = _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | _NO_DEVICES
    check(LIBC.mount(None, str(folder).encode(), None, flags, None), "remount")


def _read(descriptor: int) -> bytes:
    """Read a whole file, wherever its writer left off, and close it."""
    text = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    os.close(descriptor)
    return text


def _receive(channel: socket.socket) -> list[int]:
    """Wait for the next message and return the descriptors in it; end with the server or when idle."""
    ready, _, _ = select.select([channel], [], [], _IDLE_SECONDS)
    message, descriptors, _, _ = socket.recv_fds(channel, 1, 8) if ready else (b"", [], 0, None)
    if not message:
        os._exit(0)
    return descriptors


def _end_all() -> None:
    """Kill whatever the program left in this namespace, at once, and reap it."""
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _left_connections() -> bool:
    """Say whether a closed connection keeps its port, for a minute, in the network that all share."""
    with open("/proc/net/sockstat", "rb", 0) as file:  # noqa: PTH123 - as quick as can be
        told = file.read(1024)
    return b" tw 0 " not in told or b"TCP: inuse 0 " not in told


def _own_state() -> list[object]:
    """Return what another process of the same user may change of this one, and forks inherit.

    As root there is nothing: programs are other users then.
    """
    if os.getuid() == 0:
        return []
    return [
        *(resource.getrlimit(number) for number in range(_KINDS_OF_LIMITS)),
        os.getpriority(os.PRIO_PROCESS, 0),
        os.sched_getscheduler(0),
        os.sched_getaffinity(0),
    ]


# --- in the process that becomes a program --------------------------------------------------------------


def _become(
    plan: Plan, codes: dict[str, types.CodeType], descriptors: list[int], starting: int
) -> types.CodeType:
    """Give up all rights, take the place of the program and return its code."""
    wanted, stdout, stderr, report = descriptors
    os.dup2(stderr, 2)
    job: Job = marshal.loads(_read(wanted))  # noqa: S302 - the server wrote it
    os.setsid()
    _make_private(plan, job)
    if job["uid"] is None:
        keep_capabilities(0)
    else:
        os.setgroups([])
        os.setresgid(job["uid"], job["uid"], job["uid"])
        os.setresuid(job["uid"], job["uid"], job["uid"])  # which takes all capabilities
    control(SET_DUMPABLE, 1)  # it is a program like another from now on
    os.chdir(plan["private"][0])
    for path, text in job["files"].items():
        _write(path, text)
    _connect(stdout, report if job["report"] else None, starting)
    limit(job["limits"])
    if job["environment"]:
        os.environ.update(job["environment"])
    sys.argv = ["-c", *job["arguments"]]
    return codes.get(job["code"]) or compile(job["code"], "<string>", "exec")


def _make_private(plan: Plan, job: Job) -> None:
    """Put empty folders, that nobody else sees, over those that a program may write."""
    check(LIBC.unshare(_NEW_MOUNTS | _NEW_IPC), "unshare")
    options = f"mode=1777,size={job['folder_bytes']},nr_inodes={job['folder_inodes']}".encode()
    flags = _NO_SUID | _NO_DEVICES
    for folder in plan["private"]:
        check(LIBC.mount(b"tmpfs", folder.encode(), b"tmpfs", flags, options), f"mount {folder}")


def _write(path: str, text: str) -> None:
    folder = os.path.dirname(path)  # noqa: PTH120 - here and below, pathlib would cost half of a fork
    if folder:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    mode = 0o755 if text.startswith("#!") else 0o644
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    left = memoryview(text.encode("utf-8", "surrogatepass"))
    while left:
        left = left[os.write(descriptor, left) :]
    os.close(descriptor)


def _connect(stdout: int, report: int | None, starting: int) -> None:
    """Leave no descriptor open but the program's own, and say that it begins."""
    os.dup2(stdout, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.write(starting, b"1")
    if report is not None:
        os.dup2(report, _REPORT)
    os.closerange(_REPORT if report is None else _FIRST_UNUSED, os.sysconf("SC_OPEN_MAX"))
