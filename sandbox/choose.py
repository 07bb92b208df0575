"""Choose the sandbox that a policy names."""

import sys
from collections.abc import Callable
from typing import Protocol

from sandbox.bubblewrap import Bubblewrap
from sandbox.errors import SandboxUnavailable
from sandbox.program import Execution, Level, Program, Sandbox
from sandbox.unsandboxed import Unsandboxed


class CheckedSandbox(Sandbox, Protocol):
    """A sandbox that can say what holds, for `doctor`."""

    async def check(self) -> str:
        """Say in one sentence what holds here.

        Raises:
            SandboxUnavailable: Nothing holds; the message says what to do.
        """
        ...


class Refusing:
    """Runs nothing, and says why."""

    name = "refusing"
    level: Level = "none"

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def run(self, program: Program) -> Execution:
        """Refuse.

        Raises:
            SandboxUnavailable: Always.
        """
        raise SandboxUnavailable(f"{program.argv[0]!r} was not run. {self._reason}")

    async def check(self) -> str:
        """Refuse.

        Raises:
            SandboxUnavailable: Always.
        """
        raise SandboxUnavailable(self._reason)


SANDBOXES: dict[str, Callable[[], CheckedSandbox]] = {
    "auto": Bubblewrap,
    "bubblewrap": Bubblewrap,
    "none": Unsandboxed,
}


def choose(
    name: str = "auto", *, allow_unsandboxed: bool = False, platform: str = sys.platform
) -> CheckedSandbox:
    """Return the sandbox of that name; nothing is started or probed before its first `run`.

    Args:
        name: A key of `SANDBOXES`.
        allow_unsandboxed: The user, not a repository, has allowed to run without isolation.
        platform: As in `sys.platform`; only Linux has a sandbox so far.

    Raises:
        ValueError: There is no sandbox of that name.
    """
    if name not in SANDBOXES:
        raise ValueError(f"There is no sandbox {name!r}. Take one of {', '.join(SANDBOXES)}.")
    if name == "none" and not allow_unsandboxed:
        return Refusing(
            "Running unsandboxed is not allowed. Set `[sandbox] allow_unsandboxed = true` yourself."
        )
    if not platform.startswith("linux"):
        return Refusing(f"There is no sandbox on {platform!r} yet. Use Linux, WSL2 or a container.")
    return SANDBOXES[name]()
