"""Hold work that passed against other authors' work that passed: do they behave alike?"""

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.confidence import CONTESTED, from_odds, to_odds
from orchestrator.gates import tell
from orchestrator.job import Job
from orchestrator.outcome import Attempt, Support
from validators.verdict import Verdict

MOST_AUTHORS = 8
"""Earlier works that a new one is compared with, the latest."""


async def hold_against(job: Job, attempt: Attempt, attempts: Sequence[Attempt]) -> Attempt:
    """Say how an attempt stands beside the earlier ones that passed; work that failed is left as it is.

    Work against which a majority stands is no longer approved.
    """
    if job.seeds is None or not attempt.approved:
        return attempt
    others = [one for one in attempts if one.approved][-MOST_AUTHORS:]
    if not others:
        return leave_alone(job, attempt)
    # A server must start without what makes and compares inputs.
    from validators.agreement.judging import judge_agreement  # noqa: PLC0415
    from validators.agreement.running import compare_candidates  # noqa: PLC0415

    everyone = (*others, attempt)
    comparison = await compare_candidates(
        job.bench.sandbox,
        job.bench.limits,
        [one.candidate for one in everyone],
        job.seeds,
        job.given.task,
    )
    verdict = judge_agreement(comparison, len(others), [one.model for one in everyone])
    await tell(job, verdict)
    verdicts = (*attempt.verdicts, verdict)
    approved, support = verdict.status != "failed", _read_support(verdict)
    confidence = job.trust(attempt, verdicts) if approved else 0.0
    if support == "contested" and approved:
        confidence = round(from_odds(CONTESTED * to_odds(confidence)), 3)
    return replace(
        attempt,
        verdicts=verdicts,
        approved=approved,
        confidence=confidence,
        support=support,
    )


def leave_alone(job: Job, attempt: Attempt) -> Attempt:
    """Mark work that passed as held against nobody's yet, where it is to be."""
    waits = job.seeds is not None and attempt.approved
    return replace(attempt, support="alone") if waits else attempt


def _read_support(verdict: Verdict) -> Support:
    if verdict.status == "passed":
        return "agreed"
    return "contested" if verdict.diagnostics else "alone"
