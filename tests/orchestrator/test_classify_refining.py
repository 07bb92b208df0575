"""What happened to earlier tasks moves a complexity a little."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.classifying.classification import TYPES, Classification, type_index
from orchestrator.classifying.refining import MOST, Seen, refine

STANDARD = Classification(4.0, "code", "python", ("describes a bug",), 0.6, (0.2, 0.6, 0.1, 0.1))
counts = st.floats(0, 1e6)
seen_types = st.dictionaries(st.sampled_from(TYPES), st.builds(Seen, counts, counts))


@given(st.floats(0, 10), st.sampled_from([0.0, 3.0, 9.0]), seen_types)
def test_a_complexity_moves_by_at_most_a_half_and_never_below_its_floor(complexity, floor, seen):
    before = replace(STANDARD, complexity=max(complexity, floor), floor=floor)

    after = refine(before, seen)

    assert abs(after.complexity - before.complexity) <= MOST + 0.01
    assert after.complexity >= floor
    assert 0 <= after.complexity <= 10


@given(st.floats(0, 10), seen_types)
def test_learning_makes_nothing_critical_and_leaves_what_is(complexity, seen):
    before = replace(STANDARD, complexity=complexity)

    after = refine(before, seen)

    assert (type_index(after.complexity) == 3) == (type_index(complexity) == 3)


def test_what_was_never_seen_moves_nothing():
    assert refine(STANDARD, {}) is STANDARD


def test_a_type_whose_first_tier_keeps_failing_is_taken_to_be_harder():
    refined = refine(STANDARD, {"standard_dev": Seen(passed=10, escalated=90)})

    assert refined.complexity > STANDARD.complexity
    assert refined.reasons[-1] == "tasks of type standard_dev turned out harder than they look"


def test_a_type_whose_first_tier_always_passes_is_taken_to_be_easier():
    assert refine(STANDARD, {"standard_dev": Seen(passed=100)}).complexity < STANDARD.complexity


def test_a_task_is_not_pushed_towards_a_tier_that_fails():
    seen = {"standard_dev": Seen(passed=100), "quick_edit": Seen(passed=10, escalated=90)}

    assert refine(STANDARD, seen) is STANDARD


def test_little_experience_moves_less_than_much():
    little = refine(STANDARD, {"standard_dev": Seen(escalated=5)})
    much = refine(STANDARD, {"standard_dev": Seen(escalated=500)})

    assert STANDARD.complexity < little.complexity < much.complexity
