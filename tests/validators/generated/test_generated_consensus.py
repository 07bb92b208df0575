"""Dual execution agreement, and what it is measured to be worth."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.generated.consensus import dual_execution_agreement
from validators.generated.measured import (
    COMPLETE,
    EDGES,
    PARTIAL,
    confidence_of,
)

matrices = st.integers(0, 6).flatmap(
    lambda tests: st.lists(st.lists(st.booleans(), min_size=tests, max_size=tests), max_size=8)
)


def test_many_candidates_that_pass_many_tests_alike_come_first():
    matrix = [[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]

    found = dual_execution_agreement(matrix)

    assert found.groups == ((1, 2, 3), (0,), (4,))
    assert found.scores == (6, 4, 0)
    assert found.passed[0] == {0, 1}
    assert found.share == 6 / 20
    assert not found.complete
    assert found.ranking == (1, 0, 4, 2, 3)


def test_the_share_of_one_candidate_is_that_of_its_tests():
    assert dual_execution_agreement([[True, True, False, True]]).share == 0.75


@pytest.mark.parametrize("matrix", [[], [[]], [[], []]])
def test_without_tests_nothing_is_agreed_on(matrix):
    found = dual_execution_agreement(matrix)

    assert (found.share, found.complete) == (0.0, False)


@given(matrices)
def test_every_candidate_is_in_one_group_and_ranked_once(matrix):
    found = dual_execution_agreement(matrix)

    assert sorted(found.ranking) == list(range(len(matrix)))
    assert sorted(itertools.chain(*found.groups)) == list(range(len(matrix)))
    assert list(found.scores) == sorted(found.scores, reverse=True)
    assert 0 <= found.share <= 1
    assert found.complete == (bool(matrix) and bool(matrix[0]) and len(found.passed[0]) == len(matrix[0]))


@given(matrices)
def test_confidence_is_a_probability(matrix):
    assert 0 <= confidence_of(dual_execution_agreement(matrix)) < 1


@given(matrices, st.data())
def test_one_more_test_that_all_pass_never_lowers_the_score(matrix, data):
    more = [[*row, True] for row in matrix]

    before, after = dual_execution_agreement(matrix), dual_execution_agreement(more)

    assert after.scores[:1] >= before.scores[:1]


@pytest.mark.parametrize("table", [COMPLETE, PARTIAL])
def test_more_agreement_is_never_worth_less(table):
    assert all(len(row) == len(EDGES) and list(row) == sorted(row) for row in table.values())


def test_a_test_that_fails_costs_more_confidence_than_a_candidate_that_is_missing():
    complete = confidence_of(dual_execution_agreement([[True] * 10]))
    partial = confidence_of(dual_execution_agreement([[True] * 9 + [False]]))

    assert complete > 0.75 > partial


def test_counts_between_those_that_were_measured_take_the_smaller_one():
    assert confidence_of(dual_execution_agreement([[True] * 3] * 7)) == COMPLETE[5][-1]
