"""What stays the same over the attempts of a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.asking import Asking
from orchestrator.bench import Bench
from orchestrator.events import Report
from orchestrator.learning.beliefs import NOTHING, Beliefs, Worker, trust
from orchestrator.outcome import Attempt
from orchestrator.prompting import Brief
from orchestrator.roots import Roots
from orchestrator.route import Route, Survey
from validators.validator import Given
from validators.verdict import Verdict

if TYPE_CHECKING:
    from validators.agreement.seeds import Seeds


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that stays the same over the attempts of a task."""

    brief: Brief
    given: Given
    route: Route
    survey: Survey
    files: Mapping[str, str]
    """What the workspace holds at `write_to` now; the first edits apply to it."""
    roots: Roots
    asking: Asking
    bench: Bench
    report: Report
    seeds: "Seeds | None" = None
    """Inputs to compare authors on; None where they are not to be compared, or cannot be."""
    beliefs: Beliefs = NOTHING

    def trust(self, attempt: Attempt, verdicts: Sequence[Verdict]) -> float:
        """Estimate how likely work of an attempt is right that these verdicts let pass."""
        model = next((one.model for one in self.route.tiers if one.tier == attempt.tier), attempt.model)
        worker = Worker(model, self.route.task_type, self.route.domain)
        return trust(self.beliefs, worker, verdicts, 2 if attempt.repaired else 1)
