from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.learning.ladder import (
    LEAST,
    MANY,
    UNSOLVED,
    WRONG,
    Rung,
    Stakes,
    loss,
    rows,
    set_stakes,
    standing,
    walk,
)

WEAK = Rung("weak", False, 0.5, 0.3, 0.8, 0.6, (), usd=0.1, seconds=10)
STRONG = Rung("strong", True, 0.9, 0.7, 0.95, 0.9, (), usd=1.0, seconds=2)

chances = st.floats(0.01, 0.99)
rungs = st.builds(
    Rung,
    tier=st.just("t"),
    paid=st.booleans(),
    first=chances,
    later=chances,
    sound=chances,
    mended=chances,
    retries=st.lists(chances, max_size=3).map(tuple),
    usd=st.floats(0, 10),
    seconds=st.floats(0, 100),
    told=chances,
)


def test_a_row_costs_what_its_tiers_cost_as_often_as_they_are_reached():
    prospect = walk([WEAK, STRONG])

    assert prospect.usd == pytest.approx(0.1 + 0.5 * 1.0)
    assert prospect.seconds == pytest.approx(10 + 0.5 * 2)
    assert prospect.right == pytest.approx(0.5 * 0.8 + 0.5 * 0.7 * 0.95)
    assert prospect.unsolved == pytest.approx(0.5 * 0.3)


def test_a_tier_that_is_asked_first_is_believed_as_such():
    assert walk([STRONG]).right == pytest.approx(0.9 * 0.95)


def test_retries_cost_what_is_asked_again_and_give_work_that_is_mended():
    prospect = walk([replace(WEAK, retries=(0.4, 0.2))])

    assert prospect.usd == pytest.approx(0.1 * (1 + 0.5 + 0.5 * 0.6))
    assert prospect.wrong == pytest.approx(0.5 * 0.2 + (0.5 * 0.4 + 0.3 * 0.2) * 0.4)
    assert prospect.unsolved == pytest.approx(0.5 * 0.6 * 0.8)


@given(row=st.lists(rungs, max_size=5), wanted=chances, compares=st.booleans())
def test_every_task_ends_right_wrong_or_unsolved(row, wanted, compares):
    prospect = walk(row, Stakes(0, 0, 0, wanted, compares))

    assert prospect.right + prospect.wrong + prospect.unsolved == pytest.approx(1)
    assert min(prospect.right, prospect.wrong, prospect.unsolved) >= -1e-9


COMPARED = Stakes(0, 0, 0, wanted=0.9, compares=True)


def test_work_that_is_less_sure_than_wanted_waits_for_another_author():
    plain, compared = walk([WEAK, STRONG]), walk([WEAK, STRONG], COMPARED)

    assert compared.usd == pytest.approx(0.1 + 1.0)
    assert compared.confidence > plain.confidence
    assert compared.unsolved == pytest.approx(plain.unsolved)


def test_work_that_is_sure_enough_waits_for_nobody():
    sure = replace(WEAK, told=0.95)

    assert walk([sure, STRONG], COMPARED) == walk([sure, STRONG])


def test_the_last_author_is_believed_where_nobody_confirms_it():
    assert walk([WEAK], COMPARED) == walk([WEAK])


def test_two_weak_authors_who_agree_are_better_than_either():
    second = replace(WEAK, tier="other", usd=0.0)

    both = walk([WEAK, second, STRONG], COMPARED)

    assert both.confidence > walk([WEAK, STRONG], COMPARED).confidence - 0.02
    assert both.usd < walk([WEAK, STRONG], COMPARED).usd


def test_stakes_are_measured_in_asks_of_the_strongest_tier_and_its_wait():
    stakes = set_stakes([WEAK, STRONG], usd_per_hour=360)

    assert stakes.usd_wrong == pytest.approx(WRONG * (1.0 + 2 * 0.1))
    assert stakes.usd_unsolved == pytest.approx(UNSOLVED * 1.2)


def test_free_tiers_leave_something_at_stake():
    free = replace(WEAK, usd=0.0)

    assert set_stakes([free], usd_per_hour=0).usd_wrong == WRONG * LEAST


def test_a_wanted_confidence_comes_before_money():
    stakes = Stakes(0, usd_wrong=1, usd_unsolved=1, wanted=0.9)

    assert standing([STRONG], stakes) < standing([WEAK, STRONG], stakes)
    assert standing([WEAK, STRONG], replace(stakes, wanted=0.5)) < standing(
        [STRONG], replace(stakes, wanted=0.5)
    )


def test_a_wrong_answer_costs_what_is_at_stake():
    cheap, dear = (Stakes(0, usd_wrong=usd, usd_unsolved=0) for usd in (0.0, 100.0))

    assert loss(walk([WEAK]), cheap) == pytest.approx(0.1)
    assert loss(walk([WEAK]), dear) == pytest.approx(0.1 + 100 * 0.1)


@given(st.integers(1, MANY + 3))
def test_the_last_tier_is_in_every_row_and_the_whole_route_is_one(count):
    found = list(rows(count))

    assert all(row[-1] == count - 1 and list(row) == sorted(set(row)) for row in found)
    assert tuple(range(count)) in found
    assert len(found) == (2 ** (count - 1) if count <= MANY else count)
