"""How far to trust an outcome: a number apart from approval. Pure."""

from collections.abc import Mapping, Sequence
from math import prod

from orchestrator.judging import has_failed
from validators.verdict import Verdict

PRIOR = 0.5
"""Of an answer about which nothing is known."""

CERTAIN = 0.99
"""Nothing that a validator says makes it more than that."""

EVIDENCE = {
    "syntax": 1.2,
    "compile": 1.4,
    "scope": 1.05,
    "examples": 6.0,
    "tests": 6.0,
    "generated_tests": 2.5,
    "benchmark": 1.5,
    "agreement": 6.0,
    "semantic": 2.0,
}
"""How much likelier a right answer passes than a wrong one (likelihood ratios).

Passing the visible tests leaves 5-14 % wrong answers of a 7B-32B worker on HumanEval and LeetCode tasks,
syntax and import alone 16-55 %, whichever the worker was right in 62-84 % of tasks; an answer that passed and
does the same as a second author's is wrong in 2.8 instead of 13.6 %. The ratios are set so that the numbers
here come out in these ranges; what the ledger has seen moves them (`learning.beliefs.ratios`).
"""

BEHAVIOUR = ("syntax", "compile", "examples", "tests", "generated_tests", "benchmark")
"""Gates that ask the same question, whether it does what it should: what passes one mostly passes others."""

OVERLAP = 0.3
"""The power that each gate of `BEHAVIOUR` besides the strongest one is raised to."""

REPAIRED = 0.45
"""What is left of the odds when an answer passed only after it was told what fails.

Of such answers 26-32 % are wrong, where 13-17 % of those are that passed at once (recorded repair loops).
"""


CONTESTED = 0.3
"""What is left of the odds when another author's work that passed as well does something else.

Of recorded answers that stand so, about two thirds of the stronger author's are right.
"""


def estimate_confidence(
    verdicts: Sequence[Verdict],
    *,
    prior: float = PRIOR,
    ratios: Mapping[str, float] = EVIDENCE,
    tries: int = 1,
) -> float:
    """Combine what passed into a probability that the work is right (Bayes, from `prior`).

    Args:
        verdicts: All of one attempt; a failed one leaves nothing.
        prior: How often this worker is right at such tasks, before anything judged it.
        ratios: Worth of each gate's pass; a gate that is not named proves nothing.
        tries: Which answer of its tier this is; from the second on it knows what failed.
    """
    if has_failed(verdicts):
        return 0.0
    passed = [verdict for verdict in verdicts if verdict.status == "passed"]
    weights = [(one.validator, 1 + (ratios.get(one.validator, 1.0) - 1) * one.confidence) for one in passed]
    same = sorted((weight for name, weight in weights if name in BEHAVIOUR), reverse=True)
    behaviour = prod([*same[:1], *(weight**OVERLAP for weight in same[1:])])
    if tries > 1:
        behaviour = max(1.0, behaviour * REPAIRED)
    others = prod(weight for name, weight in weights if name not in BEHAVIOUR)
    return round(min(CERTAIN, from_odds(to_odds(prior) * behaviour * others)), 3)


def strongest_gate(verdicts: Sequence[Verdict], ratios: Mapping[str, float] = EVIDENCE) -> str:
    """Name the passed gate that bears most of the confidence; empty when none bears any."""
    passed = [one.validator for one in verdicts if one.status == "passed" and one.validator in ratios]
    return max(passed, key=lambda name: ratios[name], default="")


def to_odds(probability: float) -> float:
    """Turn a probability below 1 into odds."""
    return probability / (1 - probability)


def from_odds(odds: float) -> float:
    """Turn odds into a probability."""
    return odds / (1 + odds)
