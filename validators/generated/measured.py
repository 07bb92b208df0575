"""What agreement on written tests is worth, as measured on recorded candidates and tests. Pure.

From 100 answers each of a 16B model to 164 tasks, of which 22 % are right, with the tests that the same model
wrote, mixed so that 35, 60, 80, 90 or 100 % of them are right: nobody knows how good the tests at hand are.
`benchmarks/generated.py` derives the table. Better workers are right more often behind the same gate (83 to
100 % where the table says 76), but their wrong answers are wrong more finely: right answers pass five times
as often as wrong ones, twice as often once other tests have passed (`benchmarks/generated_workers.py`).
"""

from bisect import bisect_right
from collections.abc import Mapping

from validators.generated.consensus import Consensus

ENOUGH = 0.75
"""From this confidence on the gate passes: the answer is right at least three times out of four."""
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Of the share of candidates times tests; each bucket reaches up to the next edge."""
COMPLETE: Mapping[int, tuple[float, ...]] = {
    1: (0.22, 0.22, 0.22, 0.22, 0.22, 0.76),
    2: (0.22, 0.22, 0.65, 0.65, 0.65, 0.84),
    3: (0.22, 0.57, 0.57, 0.76, 0.76, 0.83),
    5: (0.22, 0.51, 0.66, 0.74, 0.81, 0.84),
    10: (0.49, 0.6, 0.7, 0.7, 0.84, 0.84),
}
"""Number of candidates to confidence by share, where the best group passes all tests."""
PARTIAL: Mapping[int, tuple[float, ...]] = {
    1: (0.01, 0.23, 0.23, 0.33, 0.6, 0.6),
    2: (0.06, 0.19, 0.46, 0.64, 0.73, 0.73),
    3: (0.07, 0.32, 0.51, 0.63, 0.81, 0.81),
    5: (0.16, 0.41, 0.58, 0.75, 0.81, 0.81),
    10: (0.19, 0.46, 0.62, 0.76, 0.82, 0.82),
}
"""The same where it passes only a part of them: the tests are wrong then, or the candidates."""


def bucket_of(share: float) -> int:
    """Return the place of a share in the table."""
    return bisect_right(EDGES, share + 1e-9) - 1


def confidence_of(consensus: Consensus) -> float:
    """Return how often the best group was right where agreement was like this."""
    candidates = len(consensus.ranking)
    table = COMPLETE if consensus.complete else PARTIAL
    row = max((count for count in table if count <= candidates), default=0)
    return table[row][bucket_of(consensus.share)] if row else 0.0
