"""Find what several candidates and several doubtful tests agree on: dual execution agreement. Pure.

CodeT, Chen et al. 2022 (arXiv 2207.10397): wrong candidates and wrong tests are wrong in ways of their own,
so the candidates that pass the same tests, many of both, are the likeliest to be right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

Matrix = Sequence[Sequence[bool]]
"""A row a candidate, a column a test: whether it passes. All rows are equally long."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """Groups of candidates that pass exactly the same tests, the best first."""

    groups: tuple[tuple[int, ...], ...]
    """Rows of the matrix, in their order."""
    passed: tuple[frozenset[int], ...]
    """The tests that each group passes, as columns."""
    scores: tuple[int, ...]
    """Candidates times tests, as in the paper; its variant with a square root picks worse among few."""
    share: float
    """The best score as a share of all candidates times all tests: 1 where all pass all."""
    complete: bool
    """Whether the best group passes all tests, and there are any."""
    ranking: tuple[int, ...]
    """The candidates in the order to be tried: the first of each group, then the second ones."""


def dual_execution_agreement(matrix: Matrix) -> Consensus:
    """Group candidates by the tests that they pass, and rank the groups by candidates times tests.

    Groups of the same score keep the order of their first candidates. With one candidate the share is that of
    the tests it passes.
    """
    found: dict[frozenset[int], list[int]] = {}
    for number, row in enumerate(matrix):
        found.setdefault(frozenset(test for test, passes in enumerate(row) if passes), []).append(number)
    ordered = sorted(found.items(), key=lambda one: len(one[0]) * len(one[1]), reverse=True)
    groups = tuple(tuple(members) for _, members in ordered)
    scores = tuple(len(tests) * len(members) for tests, members in ordered)
    tests = len(matrix[0]) if matrix else 0
    return Consensus(
        groups=groups,
        passed=tuple(tests for tests, _ in ordered),
        scores=scores,
        share=scores[0] / (tests * len(matrix)) if tests else 0.0,
        complete=tests > 0 and len(ordered[0][0]) == tests,
        ranking=tuple(one for turn in zip_longest(*groups) for one in turn if one is not None),
    )
