"""What is run in a sandbox, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

End = Literal["exited", "timed_out", "out_of_memory", "too_much_output", "killed"]
_OPEN_FILES = 4096
_BURST = 2
"""No single process may even ask for this many times the memory, should it be faster than the watch."""
Level = Literal["full", "strong", "limits", "none"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use; the run is killed whole when it passes one of them."""

    seconds: float = 30.0
    """Wall clock."""
    cpu_seconds: int = 60
    memory_bytes: int = 2 * 1024**3
    """Of the whole run, all its processes together."""
    processes: int = 128
    file_bytes: int = 64 * 1024**2
    """Of one file, and of the private file systems each."""
    files: int = 200_000
    """That it makes in one private file system in memory: without content they take no room, but memory."""
    output_bytes: int = 1024**2
    """Of stdout and stderr each."""

    def rlimits(self) -> dict[str, int]:
        """Return what limits each process by itself, by names that `prlimit` and containers use."""
        return {
            "core": 0,
            "cpu": self.cpu_seconds,
            "data": _BURST * self.memory_bytes,
            "fsize": self.file_bytes,
            "nofile": _OPEN_FILES,
            "nproc": self.processes,
        }


@dataclass(frozen=True, slots=True)
class Program:
    """One program, its files and its limits. The working folder is private, writable and thrown away."""

    argv: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    """Relative POSIX path to text, written into the working folder before the start."""
    tree: str | None = None
    """A folder of the host whose copy becomes the working folder; the original is never written."""
    removed: tuple[str, ...] = ()
    """Relative POSIX paths of files of the tree that are absent from the working folder."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the sandbox's own clean environment; nothing is inherited."""
    readable: tuple[str, ...] = ()
    """Further host paths that the program may read (a toolchain, a virtual environment)."""
    limits: Limits = field(default_factory=Limits)
    report_fd: bool = False
    """Open descriptor 3 for writing; what is written there comes back in `Execution.report`."""


@dataclass(frozen=True, slots=True)
class Execution:
    """How a program ended. `exit_code` means something only when `end` is `exited`."""

    end: End
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    report: str = ""
    """What came over descriptor 3."""


class Sandbox(Protocol):
    """A way to run a program that can neither read secrets, reach a network nor outlive its run."""

    @property
    def name(self) -> str:
        """As in `[sandbox] backend` and in every verdict: `bubblewrap`, `landlock`, `none`."""
        ...

    @property
    def level(self) -> Level:
        """What it promises."""
        ...

    async def run(self, program: Program) -> Execution:
        """Run to the end or to a limit; nothing of the program is left afterwards.

        Raises:
            SandboxUnavailable: The sandbox itself cannot be set up here; the message says how to get it.
        """
        ...


class CheckedSandbox(Sandbox, Protocol):
    """A sandbox that can say what holds, for `doctor`."""

    async def check(self) -> str:
        """Say in one sentence what holds here.

        Raises:
            SandboxUnavailable: Nothing holds; the message says what to do.
        """
        ...
