import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.learning.counts import Count, Observation, fold, is_broken, touched

DAY = 86_400.0
KEY = ("m", "standard_dev", "code", "first")
WORKER = ("worker", KEY)


def seen(outcome, kind="worker", key=KEY, **sums):
    return Observation(kind, key, float(outcome), 1.0 - outcome, **sums)


def fold_all(outcomes, known=None, half_life_days=1e9):
    counts = dict(known or {})
    for outcome in outcomes:
        counts |= fold(counts, [seen(outcome)], 0.0, half_life_days)
    return counts


def flips(share, count, seed=1):
    chance = random.Random(seed)  # noqa: S311 - drawn the same way each time
    return [float(chance.random() < share) for _ in range(count)]


def test_observations_add_up_with_their_seconds_and_money():
    counts = fold({}, [seen(1, seconds=3, usd=0.5), seen(0, seconds=5, usd=0.5)], 7.0, 30)

    assert counts[WORKER] == Count(1, 1, 8, 1.0, 7.0)


def test_after_a_half_life_an_observation_counts_half():
    known = {WORKER: Count(8, 4, 60, 2, at=0.0)}

    faded = known[WORKER].faded(30 * DAY, 30)

    assert faded == Count(4, 2, 30, 1, at=30 * DAY)


def test_a_clock_that_was_set_back_forgets_nothing():
    count = Count(8, 4, at=1000.0)

    assert count.faded(500.0, 30) == count


def test_a_model_that_was_swapped_is_known_by_its_recent_work():
    old = fold_all(flips(0.9, 300))
    swapped = fold_all(flips(0.2, 40, seed=2), old)

    assert old[WORKER].share == pytest.approx(0.9, abs=0.05)
    assert swapped[WORKER].share < 0.45
    assert swapped[WORKER].total < 80


def test_a_slow_memory_would_not_have_noticed():
    yes = sum(flips(0.9, 300)) + sum(flips(0.2, 40, seed=2))

    assert yes / 340 > 0.75


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8, 0.95])
def test_a_model_that_stays_as_it_is_keeps_its_memory(share):
    kept = [fold_all(flips(share, 300, seed))[WORKER].total for seed in range(10)]

    assert sum(total == pytest.approx(300) for total in kept) >= 9


def test_what_else_is_believed_of_a_swapped_model_fades_as_much():
    others = {
        ("sound", KEY[:3]): Count(100, 0),
        ("retry", ("m", "standard_dev", "1")): Count(50, 50),
        ("sound", ("another", *KEY[1:3])): Count(100, 0),
    }

    counts = fold_all(flips(0.2, 40, seed=2), fold_all(flips(0.9, 300), others))

    assert counts["sound", KEY[:3]].total < 30
    assert counts["sound", KEY[:3]].share == 1
    assert counts["sound", ("another", *KEY[1:3])].total == 100


def test_a_handful_of_tasks_breaks_nothing():
    assert not is_broken(Count(0, 5), Count(100, 0))
    assert not is_broken(Count(0, 30), Count(3, 0))
    assert is_broken(Count(0, 30), Count(100, 0))
    assert not is_broken(Count(15, 15), Count(50, 50))


def test_a_correction_takes_back_what_was_said_but_never_more_than_there_is():
    counts = fold({}, [seen(1, "sound"), Observation("sound", KEY, yes=-3, no=1)], 0.0, 30)

    assert counts["sound", KEY] == Count(0, 1)


def test_only_the_rows_of_a_worker_reach_beyond_themselves():
    assert touched([seen(1, "gate", ("tests", "critical"))]) == (("gate", ("tests", "critical")),)
    assert {kind for kind, _ in touched([seen(1)])} == {"worker", "recent", "run", "told", "sound"}


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 90 * DAY)), max_size=60))
def test_counts_never_hold_more_than_was_seen_and_never_less_than_nothing(events):
    counts = {}
    now = 0.0
    for outcome, wait in events:
        now += wait
        counts |= fold(counts, [seen(outcome)], now, 30)

    assert all(count.yes >= 0 and count.no >= 0 for count in counts.values())
    assert all(count.total <= len(events) + 1e-9 for count in counts.values())
