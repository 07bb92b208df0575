"""Give up rights in a process that is about to run what nobody trusts; for the children of sandboxes alone.

It imports nothing else of this package, most of which is not there where it runs.
"""

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Mapping

LIBC = ctypes.CDLL(None, use_errno=True)
SET_PARENT_DEATH_SIGNAL, SET_DUMPABLE, SET_NO_NEW_PRIVILEGES = 1, 4, 38
_SET_SECCOMP, _SECCOMP_FILTER, _FILTER_STEP_BYTES = 22, 2, 8
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITIES_VERSION = 0x2008_0522
_LIMITS = {
    "core": resource.RLIMIT_CORE,
    "cpu": resource.RLIMIT_CPU,
    "data": resource.RLIMIT_DATA,
    "fsize": resource.RLIMIT_FSIZE,
    "nofile": resource.RLIMIT_NOFILE,
    "nproc": resource.RLIMIT_NPROC,
}


class _Filter(ctypes.Structure):
    _fields_ = (("steps", ctypes.c_ushort), ("program", ctypes.c_char_p))


def check(result: int, what: str) -> int:
    """Return the result of a foreign call, or end this process with what it says."""
    if result < 0:
        sys.stderr.write(f"{what}: {os.strerror(ctypes.get_errno())}\n")
        sys.stderr.flush()
        os._exit(1)
    return result


def control(option: int, value: int, more: int = 0) -> None:
    """Set an option of this process (`prctl`)."""
    check(LIBC.prctl(option, value, more, 0, 0), f"prctl {option}")


def limit(limits: Mapping[str, int]) -> None:
    """Limit this process and its children for good, by the names of rlimits."""
    for name, value in limits.items():
        try:
            resource.setrlimit(_LIMITS[name], (value, value))
        except ValueError:  # it may not be raised over what holds already
            hard = resource.getrlimit(_LIMITS[name])[1]
            resource.setrlimit(_LIMITS[name], (min(value, hard), min(value, hard)))


def keep_capabilities(kept: int) -> None:
    """Keep these capabilities, a bit each, and no others."""
    header = struct.pack("=Ii", _CAPABILITIES_VERSION, 0)
    sets = struct.pack("=6I", kept, kept, kept, 0, 0, 0)
    check(LIBC.syscall(_CAPSET[os.uname().machine], header, sets), "Capabilities")


def install_filter(program: bytes) -> None:
    """Have the kernel look at each system call from now on."""
    one = _Filter(len(program) // _FILTER_STEP_BYTES, program)
    check(LIBC.prctl(_SET_SECCOMP, _SECCOMP_FILTER, ctypes.byref(one), 0, 0), "seccomp")
