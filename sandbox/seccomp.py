"""Refuse system calls that no honest program under test needs, by a classic BPF filter.

Refused with EPERM: looking into other processes, mounts, namespaces, kernel modules, keys, bpf, perf,
io_uring, clocks, reboot; and sockets of other families than Unix, Internet and route netlink ones (AF_VSOCK
leaves a virtual machine past every network namespace). `clone3` answers ENOSYS, because its flags cannot be
seen; C libraries then take `clone`.
"""

import errno
import json
import os
import platform
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
_NUMBER_OFFSET, _MACHINE_OFFSET, FIRST_ARGUMENT_OFFSET = 0, 4, 16
_NAMESPACE_FLAGS = 0x7E02_0080
"""CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
_NEW_USER = 0x1000_0000
_MOUNTING = ("mount", "unshare")
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
_X32_CALLS = 0x4000_0000
_CLONE3 = 435
_REFUSED_EVERYWHERE = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_getfd": 438,
    "mount_setattr": 442,
}
_REFUSED = {  # the numbers of x86_64 and of aarch64
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "init_module": (175, 105),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "perf_event_open": (298, 241),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}


_ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
_Rule = dict[str, object]


@dataclass(frozen=True, slots=True)
class Machine:
    """What differs between processors."""

    column: int
    audit: int
    socket: int
    clone: int


MACHINES = {
    "x86_64": Machine(column=0, audit=0xC000_003E, socket=41, clone=56),
    "aarch64": Machine(column=1, audit=0xC000_00B7, socket=198, clone=220),
}


def assemble(machine_name: str, *, mounting: bool = False) -> bytes | None:
    """Return the filter for a processor as the kernel reads it, or nothing for a processor not known here.

    Args:
        machine_name: As `platform.machine()` has it.
        mounting: Permit what needs CAP_SYS_ADMIN anyway: `mount`, and `unshare` except for users. So a
            process that has it can install the filter once for all that it forks.
    """
    machine = MACHINES.get(machine_name)
    if machine is None:
        return None
    refused = (
        *_REFUSED_EVERYWHERE.values(),
        *(
            numbers[machine.column]
            for name, numbers in _REFUSED.items()
            if not (mounting and name in _MOUNTING)
        ),
    )
    program = [
        *load_number(machine.audit),
        *refuse_when(JUMP_AT_LEAST, _X32_CALLS, errno.ENOSYS),
        *refuse_when(JUMP_EQUAL, _CLONE3, errno.ENOSYS),
    ]
    for number in refused:
        program += refuse_when(JUMP_EQUAL, number, errno.EPERM)
    program += [
        *_refuse_flags(_REFUSED["unshare"][machine.column], _NEW_USER),
        *_refuse_flags(machine.clone, _NAMESPACE_FLAGS),
        step(JUMP_EQUAL, machine.socket, when_false=len(_FAMILIES) + 2),
        step(LOAD, FIRST_ARGUMENT_OFFSET),
        *(step(JUMP_EQUAL, family, when_true=len(_FAMILIES) - at) for at, family in enumerate(_FAMILIES)),
        step(RETURN, ERRNO | errno.EAFNOSUPPORT),
        step(RETURN, ALLOW),
    ]
    return b"".join(program)


def _refuse_flags(call: int, flags: int) -> tuple[bytes, ...]:
    """Encode that a call is refused when its first argument has one of the flags, and permitted otherwise."""
    return (
        step(JUMP_EQUAL, call, when_false=4),
        step(LOAD, FIRST_ARGUMENT_OFFSET),
        *refuse_when(JUMP_ANY_BIT, flags, errno.EPERM),
        step(RETURN, ALLOW),
    )


def write_profile(machine_name: str) -> str:
    """Return the same refusals in the words that container runtimes read.

    By themselves runtimes refuse less: namespaces of users, memory of other processes and AF_VSOCK are open.
    """
    machine = MACHINES.get(machine_name)
    architecture = [_ARCHITECTURES[machine_name]] if machine else []
    largest = max(_FAMILIES)
    others = sorted({*range(largest)} - {*map(int, _FAMILIES)})
    flags = [1 << bit for bit in range(32) if _NAMESPACE_FLAGS & 1 << bit]
    rules = [
        _rule((*_REFUSED_EVERYWHERE, *_REFUSED), errno.EPERM),
        _rule(("clone3",), errno.ENOSYS),
        *(_rule(("clone",), errno.EPERM, "SCMP_CMP_MASKED_EQ", flag, flag) for flag in flags),
        *(_rule(("socket",), errno.EAFNOSUPPORT, "SCMP_CMP_EQ", family) for family in others),
        _rule(("socket",), errno.EAFNOSUPPORT, "SCMP_CMP_GT", largest),
    ]
    allowed = "SCMP_ACT_ALLOW"
    return json.dumps({"defaultAction": allowed, "architectures": architecture, "syscalls": rules})


def _rule(names: Sequence[str], error: int, compare: str = "", value: int = 0, masked: int = 0) -> _Rule:
    """Return that calls are refused with an error, or only where their first argument compares so."""
    argument = {"index": 0, "value": value, "valueTwo": masked, "op": compare}
    arguments = [argument] if compare else []
    return {"names": [*names], "action": "SCMP_ACT_ERRNO", "errnoRet": int(error), "args": arguments}


def load_number(audit: int) -> tuple[bytes, ...]:
    """Return how each filter begins: another processor's call ends the process, then the number is there."""
    return (
        step(LOAD, _MACHINE_OFFSET),
        step(JUMP_EQUAL, audit, when_true=1),
        step(RETURN, KILL),
        step(LOAD, _NUMBER_OFFSET),
    )


def refuse_when(jump: int, operand: int, error: int) -> tuple[bytes, bytes]:
    """Encode that a call is refused with an error when the jump is taken."""
    return step(jump, operand, when_false=1), step(RETURN, ERRNO | error)


def step(code: int, operand: int, *, when_true: int = 0, when_false: int = 0) -> bytes:
    """Encode one instruction; the jumps count the instructions that are left out."""
    return struct.pack("=HBBI", code, when_true, when_false, operand)


def open_filter() -> int | None:
    """Return a descriptor that the filter for this processor can be read from; the caller closes it."""
    program = assemble(platform.machine())
    if program is None:
        return None
    descriptor = os.memfd_create("seccomp")
    os.write(descriptor, program)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
