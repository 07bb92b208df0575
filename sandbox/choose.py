"""Choose the sandbox that a policy names."""

import sys
from collections.abc import Callable

from sandbox.bubblewrap import Bubblewrap
from sandbox.container import DEFAULT_IMAGE, Container
from sandbox.errors import SandboxUnavailable
from sandbox.job import Job
from sandbox.landlock import Landlock
from sandbox.program import CheckedSandbox, Execution, Level, Program
from sandbox.seatbelt import Seatbelt
from sandbox.unsandboxed import Unsandboxed


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


class FirstThatHolds:
    """Runs in the first of several sandboxes that passes its own check, tried once, at the first `run`.

    Until then it promises what the last of them does.
    """

    def __init__(self, *candidates: CheckedSandbox) -> None:
        self.name = "auto"
        self.level: Level = candidates[-1].level
        self._candidates = candidates
        self._chosen: CheckedSandbox | None = None
        self._found = ""

    async def run(self, program: Program) -> Execution:
        """Run where it holds.

        Raises:
            SandboxUnavailable: Nothing holds; the message gives the reason of each.
        """
        return await (await self._choose()).run(program)

    async def check(self) -> str:
        """Say which sandbox holds, and why those before it do not.

        Raises:
            SandboxUnavailable: Nothing holds; the message gives the reason of each.
        """
        await self._choose()
        return self._found

    async def _choose(self) -> CheckedSandbox:
        reasons: list[str] = []
        for candidate in () if self._chosen else self._candidates:
            try:
                holds = await candidate.check()
            except SandboxUnavailable as error:
                reasons.append(f"Not {candidate.name}: {error}")
            else:
                self._chosen, self._found = candidate, " ".join((holds, *reasons))
                self.name, self.level = candidate.name, candidate.level
                break
        if self._chosen is None:
            raise SandboxUnavailable("No sandbox holds here. " + " ".join(reasons))
        return self._chosen


def _automatic(platform: str, image: str) -> CheckedSandbox:
    """Return the first that holds of what a platform can have; a container only where an image is named."""
    if platform == "darwin":
        return Seatbelt()
    if not platform.startswith("linux"):
        return Refusing(f"There is no sandbox on {platform!r} yet. Use Linux, WSL2 or macOS.")
    named = (Container(image),) if image else ()
    return FirstThatHolds(Bubblewrap(), Landlock(), *named)


SANDBOXES: dict[str, Callable[[str, str], CheckedSandbox]] = {
    "auto": _automatic,
    "bubblewrap": lambda _platform, _image: Bubblewrap(),
    "landlock": lambda _platform, _image: Landlock(),
    "seatbelt": lambda _platform, _image: Seatbelt(),
    "container": lambda _platform, image: Container(image or DEFAULT_IMAGE),
    "job": lambda _platform, _image: Job(),
    "none": lambda _platform, _image: Unsandboxed(),
}
_HOMES = {
    "bubblewrap": "linux",
    "landlock": "linux",
    "container": "linux",
    "seatbelt": "darwin",
    "job": "win32",
}
"""The only platform that has it."""
_UNISOLATED = ("job", "none")


def choose(
    name: str = "auto", *, allow_unsandboxed: bool = False, image: str = "", platform: str = sys.platform
) -> CheckedSandbox:
    """Return the sandbox of that name; nothing is started or probed before its first `run`.

    Args:
        name: A key of `SANDBOXES`.
        allow_unsandboxed: The user, not a repository, has allowed to run without isolation.
        image: Of a container; where one is named, `auto` takes it when nothing else holds.
        platform: As in `sys.platform`.

    Raises:
        ValueError: There is no sandbox of that name.
    """
    if name not in SANDBOXES:
        raise ValueError(f"There is no sandbox {name!r}. Take one of {', '.join(SANDBOXES)}.")
    if name in _UNISOLATED and not allow_unsandboxed:
        return Refusing(
            "Running unsandboxed is not allowed. Set `[sandbox] allow_unsandboxed = true` yourself."
        )
    if not platform.startswith(_HOMES.get(name, platform)):
        return Refusing(f'There is no {name!r} on {platform!r}. Take `backend = "auto"`.')
    return SANDBOXES[name](platform, image)
