from hypothesis import given
from hypothesis import strategies as st

from backends.turns import PATIENCE_SECONDS, Waiting, whose_turn

NOW = 1000.0


def turn(mine, *others, resident):
    waiting = sorted(others, key=lambda one: one.since)
    return whose_turn(mine, resident=resident, waiting=waiting, now=NOW)


def test_a_request_for_the_model_that_is_there_goes_first():
    assert turn(Waiting("a", NOW), Waiting("b", NOW - 5), resident=True) == "join"


def test_who_waits_too_long_for_another_model_stops_newcomers():
    starving = Waiting("b", NOW - PATIENCE_SECONDS - 1)

    assert turn(Waiting("a", NOW), starving, resident=True) == "wait"


def test_who_came_before_the_starving_one_is_not_stopped():
    starving = Waiting("b", NOW - PATIENCE_SECONDS - 1)

    assert turn(Waiting("a", NOW - PATIENCE_SECONDS - 2), starving, resident=True) == "join"


def test_the_longest_waiting_request_puts_its_model_in_place():
    first, second = Waiting("b", NOW - 2), Waiting("c", NOW - 1)

    assert turn(first, first, second, resident=False) == "switch"
    assert turn(second, first, second, resident=False) == "wait"


def test_others_for_the_same_model_are_in_nobodys_way():
    first, second = Waiting("b", NOW - 2), Waiting("b", NOW - 1)

    assert turn(second, first, second, resident=False) == "switch"


waitings = st.lists(
    st.builds(Waiting, st.sampled_from("abc"), st.floats(NOW - 60, NOW)),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one.since,
)


@given(waitings, st.sampled_from("abc"))
def test_somebody_may_always_go_on(line, resident):
    turns = [turn(one, *line, resident=one.model == resident) for one in line]

    assert set(turns) != {"wait"}


@given(waitings, st.sampled_from("abc"))
def test_the_one_that_waited_longest_is_never_told_to_wait(line, resident):
    oldest = min(line, key=lambda one: one.since)

    assert turn(oldest, *line, resident=oldest.model == resident) != "wait"
