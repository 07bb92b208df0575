"""Which validators judge an attempt, and what their verdicts come to."""

from collections.abc import Sequence
from dataclasses import dataclass

from validators.validator import AskChecker
from validators.verdict import Verdict

STRONG = ("tests", "generated_tests")
"""Validators that run the work and count; where one of them passed, a checker's word is not needed.

A benchmark is none of them: what it measures prints beside it, and it need not look at what comes out.
"""

ASIDE = ("scope", "lint", "security")
"""Validators that say nothing of whether the work is right: alone they prove nothing, unless demanded."""

BETWEEN = ("agreement",)
"""Validators that hold one author's work against another's; the loop waits for them, no single attempt fails
for want of them."""


@dataclass(frozen=True, slots=True)
class Checker:
    """How to ask the model that judges."""

    ask: AskChecker
    name: str
    verdicts: Sequence[Verdict] = ()
    """What was judged before; where it is a list it may grow until the checker is asked."""
    more: Sequence[AskChecker] = ()
    """Ask for further votes."""


def has_failed(verdicts: Sequence[Verdict]) -> bool:
    """Tell whether one of them failed."""
    return any(verdict.status == "failed" for verdict in verdicts)


def needs_checker(verdicts: Sequence[Verdict], *, repaired: bool = False) -> bool:
    """Tell whether a checker should judge although `semantic` was not asked for.

    It should when nothing failed and nothing that runs the work has passed: syntax and compilers alone let
    most wrong answers through. So do tests that the work passed only after its author had seen them fail.
    """
    if has_failed(verdicts):
        return False
    return repaired or not was_run(verdicts)


def was_run(verdicts: Sequence[Verdict]) -> bool:
    """Tell whether something that runs the work has passed."""
    return any(verdict.status == "passed" and verdict.validator in STRONG for verdict in verdicts)


def find_unproven(verdicts: Sequence[Verdict], demanded: Sequence[str]) -> tuple[str, ...]:
    """Name what keeps an attempt without a failure from being approved; nothing when one failed.

    That is every demanded validator that did not pass, and `every validator` when none passed that says
    whether the work is right.
    """
    if has_failed(verdicts):
        return ()
    passed = {verdict.validator for verdict in verdicts if verdict.status == "passed"}
    missing = tuple(name for name in demanded if name not in passed)
    proofs = passed.difference(ASIDE) | passed.intersection(demanded)
    return missing or (() if proofs else ("every validator",))


def is_approved(verdicts: Sequence[Verdict], demanded: Sequence[str]) -> bool:
    """Tell whether nothing failed and all that had to pass did."""
    return not has_failed(verdicts) and not find_unproven(verdicts, demanded)
