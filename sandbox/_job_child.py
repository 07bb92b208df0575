"""Run one program in a Windows job that ends with this process, and limits memory, processes and time.

Started by `sandbox.job` as `python -I -S _job_child.py MEMORY PROCESSES CPU_SECONDS WORDS...`. The process
puts itself into the job first, so that nothing it starts is ever outside.
"""

import ctypes
import subprocess
import sys

_EXTENDED_LIMITS = 9
_PROCESS_COUNT, _JOB_TIME, _JOB_MEMORY, _NO_DIALOGUES, _KILL_ON_CLOSE = 0x8, 0x4, 0x200, 0x400, 0x2000
_TICKS = 10_000_000
"""Of 100 nanoseconds in a second."""
_OWN_PROCESSES = 1
_NOT_FOUND = 127


class Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("per_process_time", ctypes.c_int64),
        ("per_job_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("smallest_working_set", ctypes.c_size_t),
        ("largest_working_set", ctypes.c_size_t),
        ("processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
        ("io_counters", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("peak_process_memory", ctypes.c_size_t),
        ("peak_job_memory", ctypes.c_size_t),
    )


def describe(memory_bytes: int, processes: int, cpu_seconds: int) -> Limits:
    """Return what Windows shall limit, for all processes of the job together."""
    return Limits(
        per_job_time=cpu_seconds * _TICKS,
        flags=_PROCESS_COUNT | _JOB_TIME | _JOB_MEMORY | _NO_DIALOGUES | _KILL_ON_CLOSE,
        processes=processes + _OWN_PROCESSES,
        job_memory=memory_bytes,
    )


def main(memory: str, processes: str, cpu_seconds: str, *words: str) -> int:
    """Enter a new job, run the words and return their exit code."""
    enter(describe(int(memory), int(processes), int(cpu_seconds)))
    try:
        return subprocess.run(words, stdin=subprocess.DEVNULL, check=False).returncode
    except OSError as error:
        sys.stderr.write(f"{words[0]}: {error.strerror}\n")
        return _NOT_FOUND


if sys.platform == "win32":

    def enter(limits: Limits) -> None:
        """Put this process into a new job, which ends when its only handle is closed: with this process.

        Raises:
            OSError: Windows refused.
        """
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = kernel.GetCurrentProcess.restype = ctypes.c_void_p
        kernel.SetInformationJobObject.argtypes = (
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_uint32,
        )
        kernel.AssignProcessToJobObject.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        job = kernel.CreateJobObjectW(None, None)
        size = ctypes.sizeof(limits)
        if not kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), size):
            raise ctypes.WinError(ctypes.get_last_error())
        if not kernel.AssignProcessToJobObject(job, kernel.GetCurrentProcess()):
            raise ctypes.WinError(ctypes.get_last_error())

else:

    def enter(limits: Limits) -> None:
        """Refuse: only Windows has jobs.

        Raises:
            OSError: Always.
        """
        raise OSError(f"{sys.platform} has no jobs, so nothing limits {limits!r}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
