"""Decide about one candidate from what written tests showed of it, and of others. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from validators.generated.consensus import Consensus, dual_execution_agreement
from validators.generated.measured import ENOUGH, confidence_of
from validators.generated.results import Ran, find_usable
from validators.verdict import Diagnostic, Severity, Status

CODE = "generated_test"
FEWEST_TESTS = 3
OUTVOTED = 0.9
"""Trust in the failure of what stands against a sure group: 6-8 % of such candidates are right."""
_KEPT = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """What the tests come to."""

    status: Status
    confidence: float
    reason: str
    diagnostics: tuple[Diagnostic, ...] = ()


def decide(rows: Sequence[Sequence[Ran]]) -> Judged:
    """Judge the first row's candidate.

    It passes in a group of which the measured confidence is high enough, fails against one, and is otherwise
    in doubt: tests that a model wrote are wrong too often to prove anything alone.
    """
    usable = find_usable(rows)
    if len(usable) < FEWEST_TESTS:
        reason = f"Only {len(usable)} of the generated tests can be run, {FEWEST_TESTS} are needed."
        return Judged("unavailable", 0.0, reason)
    consensus = dual_execution_agreement([[row[one].outcome == "passed" for one in usable] for row in rows])
    confidence = confidence_of(consensus)
    agrees = 0 in consensus.groups[0]
    told = _tell(rows, usable, consensus)
    if agrees and confidence >= ENOUGH:
        return Judged("passed", confidence, told)
    if confidence >= ENOUGH:
        against = [usable[one] for one in sorted(consensus.passed[0])]
        return Judged("failed", OUTVOTED, told, _remarks(rows[0], against, "error"))
    return Judged("unavailable", 0.0, f"{told}: that is doubt, no proof.", _remarks(rows[0], usable, "note"))


def _tell(rows: Sequence[Sequence[Ran]], usable: Sequence[int], consensus: Consensus) -> str:
    passed = sum(rows[0][one].outcome == "passed" for one in usable)
    told = f"{passed} of {len(usable)} generated tests pass"
    if len(rows) == 1:
        return told
    best = consensus.groups[0]
    alike = f"{len(best)} of {len(rows)} candidates pass the same {len(consensus.passed[0])}"
    return f"{told}; {alike}, this one {'among them' if 0 in best else 'not'}"


def _remarks(row: Sequence[Ran], tests: Sequence[int], severity: Severity) -> tuple[Diagnostic, ...]:
    """Write the shortest of the tests that do not pass, which say most."""
    told = sorted((row[one].told for one in tests if row[one].told), key=len)[:_KEPT]
    return tuple(Diagnostic(one, severity=severity, code=CODE) for one in told)
