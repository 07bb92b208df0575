"""How far to trust an outcome: a number apart from approval. Pure."""

from collections.abc import Sequence

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
    "benchmark": 1.5,
    "semantic": 2.0,
}
"""How much likelier a right answer passes than a wrong one (likelihood ratios).

Passing the visible tests leaves 5-14 % wrong answers of a 7B-32B worker on HumanEval and LeetCode tasks,
syntax and import alone 16-55 %, whichever the worker was right in 62-84 % of tasks; the ratios are set so
that the numbers here come out in these ranges. The ledger will replace them by what it has seen.
"""


def estimate_confidence(verdicts: Sequence[Verdict]) -> float:
    """Combine what passed into a probability that the work is right (Bayes, naively independent)."""
    if any(verdict.status == "failed" for verdict in verdicts):
        return 0.0
    odds = PRIOR / (1 - PRIOR)
    for verdict in verdicts:
        if verdict.status == "passed":
            odds *= 1 + (EVIDENCE.get(verdict.validator, 1.0) - 1) * verdict.confidence
    return round(min(CERTAIN, odds / (1 + odds)), 3)
