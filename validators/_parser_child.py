"""Parse for the server, in a process that can do nothing else.

Started by `validators.parser_workers` as `python -I -S _parser_child.py PATH...`, the folders to import from.
It loads every grammar, then limits itself: on Linux to a few system calls, none of which opens, starts or
connects; everywhere to memory and time. So what a text does to a C parser stays here.
"""

import ctypes
import json
import os
import platform
import resource
import signal
import struct
import sys

_HEADER = struct.Struct("=IId")
"""Bytes of the language's name, bytes of the text, seconds it may take."""
_LENGTH = struct.Struct("=I")
_GRACE_SECONDS = 2.0
_MEMORY_BYTES = 512 * 1024**2
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _SECCOMP_FILTER = 38, 22, 2
_STEP_BYTES = 8
_ALLOWED = {  # the numbers of x86_64 and of aarch64
    "brk": (12, 214),
    "clock_gettime": (228, 113),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "futex": (202, 98),
    "madvise": (28, 233),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "read": (0, 63),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "setitimer": (38, 103),
    "write": (1, 64),
}


class _Filter(ctypes.Structure):
    _fields_ = (("steps", ctypes.c_ushort), ("program", ctypes.c_char_p))


def main(paths: list[str]) -> None:
    """Load, confine, then answer until the server closes the pipe."""
    sys.path[:] = paths
    from validators import grammars  # noqa: PLC0415 - only now it can be found
    from validators.parsed import ParserLimitError  # noqa: PLC0415

    grammars.load_all()
    _limit()
    _confine()
    _write(b"1")
    while True:
        names, size, seconds = _HEADER.unpack(_read(_HEADER.size))
        language, source = _read(names).decode(), _read(size)
        # The default action of SIGALRM ends the process, also in C code and when the server is gone.
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
        try:
            found = grammars.parse_text(source, language, seconds)
            errors = [(one.message, one.line, one.column) for one in found.errors]
            answer: dict[str, object] = {"errors": errors, "tool": found.tool, "share": found.broken_share}
        except ParserLimitError as error:
            answer = {"limit": str(error)}
        except MemoryError:
            answer = {"limit": "the parser ran out of memory"}
        signal.setitimer(signal.ITIMER_REAL, 0)
        body = json.dumps(answer).encode()
        _write(_LENGTH.pack(len(body)) + body)


def _read(size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(0, size - len(parts))
        if not part:
            os._exit(0)
        parts += part
    return bytes(parts)


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def _limit() -> None:
    limits = {
        resource.RLIMIT_AS: _MEMORY_BYTES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NPROC: 0,
    }
    for number, value in limits.items():
        try:
            resource.setrlimit(number, (value, value))
        except (OSError, ValueError):  # macOS takes no limit of memory
            continue


def _confine() -> None:
    """Give up all system calls but those of reading, writing and memory, where their numbers are known."""
    from sandbox import seccomp  # noqa: PLC0415 - only now it can be found

    machine = seccomp.MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if machine is None:
        return
    numbers = [call[machine.column] for call in _ALLOWED.values()]
    program = b"".join(
        (
            *seccomp.load_number(machine.audit),
            *(
                seccomp.step(seccomp.JUMP_EQUAL, number, when_true=len(numbers) - at)
                for at, number in enumerate(numbers)
            ),
            seccomp.step(seccomp.RETURN, seccomp.ERRNO | 1),
            seccomp.step(seccomp.RETURN, seccomp.ALLOW),
        )
    )
    library = ctypes.CDLL(None)
    library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    one = _Filter(len(program) // _STEP_BYTES, program)
    library.prctl(_SET_SECCOMP, _SECCOMP_FILTER, ctypes.byref(one), 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
