"""What the tools of one server process share: the orchestrator, opened at the first call, and the runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_server.runs import Runs

if TYPE_CHECKING:
    from orchestrator.orchestrator import Orchestrator

DEADLINE_SECONDS = 45.0
"""How long a call may take before the run goes on without it: some hosts kill calls after 60 s."""


@dataclass(slots=True)
class Desk:
    """One server process."""

    runs: Runs
    config: str = ""
    """Path of the policy as given by `--config`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    _orchestrator: "Orchestrator | None" = None

    @property
    def orchestrator(self) -> "Orchestrator":
        """The orchestrator; a refused policy is told at each call until it is mended.

        Raises:
            PolicyError: escalation.toml is refused.
        """
        if self._orchestrator is None:
            from orchestrator.config import load_config  # noqa: PLC0415 - a host waits for the list of tools
            from orchestrator.orchestrator import Orchestrator  # noqa: PLC0415 - the same

            folder = find_folder(self.environment)
            config = load_config(self.config, self.environment, folder)
            self._orchestrator = Orchestrator(config, self.environment, folder)
        return self._orchestrator

    @property
    def deadline_seconds(self) -> float:
        """How long a call waits; `ORCHESTRATOR_DEADLINE_SECONDS` overrides it."""
        given = self.environment.get("ORCHESTRATOR_DEADLINE_SECONDS", "")
        return float(given) if given.replace(".", "", 1).isdigit() else DEADLINE_SECONDS

    async def aclose(self) -> None:
        """Close what was opened."""
        if self._orchestrator is not None:
            await self._orchestrator.aclose()


def find_folder(environment: Mapping[str, str]) -> Path:
    """Name the host's project folder: `CLAUDE_PROJECT_DIR`, else the working folder."""
    return Path(environment.get("CLAUDE_PROJECT_DIR") or Path.cwd()).absolute()
