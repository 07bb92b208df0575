"""Refuse system calls that reach the host where no namespace stands before it, by a second BPF filter.

Landlock decides about opening and making files. This filter stands before what it leaves open: sockets,
other processes' signals and priorities, shared memory by number, watching folders; and, where the program is
the same user as the server, changing the attributes of files, which Landlock does not see.
"""

import errno
import socket
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sandbox.seccomp import (
    ALLOW,
    ERRNO,
    FIRST_ARGUMENT_OFFSET,
    JUMP_ANY_BIT,
    JUMP_EQUAL,
    LOAD,
    MACHINES,
    RETURN,
    load_number,
    refuse_when,
    step,
)

OWN_PID = 0x7FFF_FFFE
"""Stands in a filter for the number of the process that installs it; no process has it."""
_TRUNCATION_ABI, _SIGNAL_ABI = 3, 6
_ARGUMENT_BYTES = 8
_SOCKET_TYPES = (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)
_SOCKET_TYPE_MASK = 0xF
_ACCESS_MODE, _WRITE_ONLY, _READ_AND_WRITE, _TRUNCATE = 0o3, 1, 2, 0o1000
_SET_OWNER = (8, 15)
"""F_SETOWN and F_SETOWN_EX, by which the kernel sends a signal for somebody."""
_AND = 0x54

_ALWAYS = {  # the numbers of x86_64 and of aarch64, here and below
    "bind": (49, 200),
    "connect": (42, 203),
    "fremovexattr": (199, 16),
    "fsetxattr": (190, 7),
    "inotify_add_watch": (254, 27),
    "ioprio_set": (251, 30),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "msgctl": (71, 187),
    "msgget": (68, 186),
    "msgrcv": (70, 188),
    "msgsnd": (69, 189),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "removexattr": (197, 14),
    "removexattrat": (466, 466),
    "semctl": (66, 191),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "setpriority": (141, 140),
    "setxattr": (188, 5),
    "setxattrat": (463, 463),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmget": (29, 194),
    "socket": (41, 198),
}
_ATTRIBUTES = {
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "file_setattr": (469, 469),
    "utimensat": (280, 88),
}
_ATTRIBUTES_X86 = {"chmod": 90, "chown": 92, "lchown": 94, "utime": 132, "utimes": 235, "futimesat": 261}
_SIGNALS = {
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tkill": (200, 130),
}
_OWN_SIGNALS = {"kill": (62, 129), "tgkill": (234, 131)}
_OWN_PROCESS = {
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
}
_TRUNCATE_PATH = {"truncate": (76, 45)}
_OPEN, _OPENAT, _OPENAT2 = 2, (257, 56), 437
_SOCKETPAIR, _FCNTL = (53, 199), (72, 25)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What of the host a program could touch if nobody refused."""

    abi: int
    """The version of Landlock in force; 3 sees truncation, 6 sees signals."""
    same_user: bool
    """Whether the program runs as the user of the server, whose files and processes are its own."""


def assemble_for_host(machine_name: str, exposure: Exposure) -> bytes:
    """Return the filter for a processor that `sandbox.seccomp` knows.

    `OWN_PID` in it is to be replaced by the number of the process that installs it.
    """
    machine = MACHINES[machine_name]
    column = machine.column
    refused = [*_numbers(_ALWAYS, column)]
    if exposure.same_user:
        refused += _numbers(_ATTRIBUTES, column)
        refused += _ATTRIBUTES_X86.values() if machine_name == "x86_64" else ()
    program = [*load_number(machine.audit)]
    if exposure.abi < _TRUNCATION_ABI:
        refused += _numbers(_TRUNCATE_PATH, column)
        program += refuse_when(JUMP_EQUAL, _OPENAT2, errno.ENOSYS)  # its flags cannot be seen
        program += _refuse_truncating_reads(_OPENAT[column], argument=2)
        program += _refuse_truncating_reads(_OPEN, argument=1) if machine_name == "x86_64" else ()
    if exposure.same_user and exposure.abi < _SIGNAL_ABI:
        refused += _numbers(_SIGNALS, column)
        for number in _numbers(_OWN_SIGNALS, column):
            program += _refuse_unless(number, 0, (0, OWN_PID))
        program += _refuse_when_argument(_FCNTL[column], 1, _SET_OWNER)
    for number in _numbers(_OWN_PROCESS, column):
        program += _refuse_unless(number, 0, (0, OWN_PID))
    program += _refuse_unless(_SOCKETPAIR[column], 1, _SOCKET_TYPES, mask=_SOCKET_TYPE_MASK)
    for number in refused:
        program += refuse_when(JUMP_EQUAL, number, errno.EPERM)
    return b"".join((*program, step(RETURN, ALLOW)))


def _numbers(calls: Mapping[str, tuple[int, int]], column: int) -> Iterator[int]:
    return (numbers[column] for numbers in calls.values())


def _load_argument(argument: int, mask: int) -> tuple[bytes, bytes]:
    return step(LOAD, FIRST_ARGUMENT_OFFSET + _ARGUMENT_BYTES * argument), step(_AND, mask)


def _refuse_unless(
    number: int, argument: int, allowed: Collection[int], mask: int = 0xFFFF_FFFF
) -> Iterator[bytes]:
    """Yield that a call is refused unless an argument is one of the values."""
    yield step(JUMP_EQUAL, number, when_false=len(allowed) + 4)
    yield from _load_argument(argument, mask)
    for at, value in enumerate(allowed):
        yield step(JUMP_EQUAL, value, when_true=len(allowed) - at)
    yield step(RETURN, ERRNO | errno.EPERM)
    yield step(RETURN, ALLOW)


def _refuse_when_argument(number: int, argument: int, refused: Collection[int]) -> Iterator[bytes]:
    """Yield that a call is refused when an argument is one of the values."""
    yield step(JUMP_EQUAL, number, when_false=2 * len(refused) + 3)
    yield from _load_argument(argument, 0xFFFF_FFFF)
    for value in refused:
        yield from refuse_when(JUMP_EQUAL, value, errno.EPERM)
    yield step(RETURN, ALLOW)


def _refuse_truncating_reads(number: int, argument: int) -> Iterator[bytes]:
    """Yield that a file is emptied only by opening it for writing, which Landlock decides about."""
    yield step(JUMP_EQUAL, number, when_false=8)
    yield from _load_argument(argument, _ACCESS_MODE)
    yield step(JUMP_EQUAL, _WRITE_ONLY, when_true=4)
    yield step(JUMP_EQUAL, _READ_AND_WRITE, when_true=3)
    yield step(LOAD, FIRST_ARGUMENT_OFFSET + _ARGUMENT_BYTES * argument)
    yield from refuse_when(JUMP_ANY_BIT, _TRUNCATE, errno.EPERM)
    yield step(RETURN, ALLOW)
