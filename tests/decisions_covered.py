"""Fail when a decision has a branch that no test takes: reads the coverage data of the run before."""

import io
import sys

import coverage

DECISIONS = (
    "orchestrator/conclude.py",
    "orchestrator/confidence.py",
    "orchestrator/decide.py",
    "orchestrator/judging.py",
    "orchestrator/budgets.py",
    "orchestrator/fallback.py",
    "orchestrator/learning/beliefs.py",
    "orchestrator/learning/calibration.py",
    "orchestrator/learning/counts.py",
    "orchestrator/learning/ladder.py",
    "orchestrator/learning/observing.py",
    "orchestrator/learning/starting.py",
    "orchestrator/learning/suggesting.py",
    "orchestrator/policy.py",
    "orchestrator/policy_parse.py",
    "orchestrator/prices.py",
    "orchestrator/prompting.py",
    "orchestrator/route.py",
    "orchestrator/trust.py",
    "orchestrator/voices.py",
    "validators/agreement/comparing.py",
    "validators/agreement/judging.py",
    "validators/generated/consensus.py",
    "validators/generated/deciding.py",
    "validators/goals.py",
    "validators/measuring.py",
    "validators/overreach.py",
    "validators/projects/affected.py",
    "validators/projects/deciding.py",
    "validators/projects/detecting.py",
    "validators/reviewing.py",
    "validators/runners/example_calls.py",
    "validators/runners/example_deciding.py",
    "validators/runners/example_texts.py",
    "validators/runners/example_values.py",
    "validators/voting.py",
)


def main() -> int:
    """Report the decisions alone; 1 when any is below 100 %."""
    data = coverage.Coverage()
    data.load()
    told = io.StringIO()
    covered = data.report(include=list(DECISIONS), file=told)
    if covered < 100:
        sys.stderr.write(f"Decisions must be covered whole, they are at {covered:.1f} %:\n{told.getvalue()}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
