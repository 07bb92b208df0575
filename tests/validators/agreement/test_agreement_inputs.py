"""Which arguments are made from those that were seen."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validators.agreement.inputs import COUNTS, make_inputs
from validators.agreement.seeds import Seeds

PLAIN = Seeds("f", (), (([3, 1, 2], 2), ([5, 9, 5, 1], 4), ([7, 2, 2, 8, 1], 1)))


def rows(seeds, text=""):
    return [one.args for one in make_inputs(seeds, text)]


def test_inputs_are_the_same_for_the_same_task_and_new():
    first, second = make_inputs(PLAIN, ""), make_inputs(PLAIN, "")

    assert first == second
    assert len(first) == COUNTS["near"]
    assert not {repr(one.args) for one in first} & {repr(row) for row in PLAIN.rows}
    assert len({repr(one.args) for one in first}) == len(first)


@pytest.mark.parametrize(
    ("seen", "holds"),
    [
        ((([1, 2, 3], [4, 5, 6]), ([1], [2]), ([3, 2], [0, 4])), lambda a, b: len(a) == len(b)),
        ((([1, 2, 5, 9],), ([2, 2, 3],), ([0, 4, 4],)), lambda a: a == sorted(a)),
        ((([2, 1, 3],), ([1, 2],), ([3, 1, 2, 4],)), lambda a: sorted(a) == list(range(1, len(a) + 1))),
        ((([[1, 2], [3, 4]],), ([[1, 2, 3], [4, 5, 6]],)), lambda a: len({len(row) for row in a}) == 1),
        (((2, [1, 2]), (1, [7]), (3, [1, 1, 2, 5])), lambda k, a: 1 <= k <= len(a)),
        (
            ((3, [[0, 1], [1, 2]]), (2, [[1, 0]]), (4, [[0, 3]])),
            lambda n, e: all(0 <= v < n for p in e for v in p),
        ),
        (
            (("(())",), ("()()",), ("((()))()",)),
            lambda s: s.count("(") == s.count(")") and s[:1] in ("(", ""),
        ),
        ((("0110",), ("1",), ("111000",)), lambda s: set(s) <= set("01")),
    ],
)
def test_what_holds_of_all_seeds_holds_of_what_is_made(seen, holds):
    made = rows(Seeds("f", (), seen))

    assert len(made) > 5
    assert all(holds(*row) for row in made)


def test_a_tree_stays_a_tree():
    seen = ((4, [[0, 1], [1, 2], [1, 3]]), (2, [[0, 1]]), (3, [[2, 0], [0, 1]]))

    made = rows(Seeds("f", (), seen))

    assert made
    assert all(
        len(edges) == n - 1 and {v for edge in edges for v in edge} == set(range(n)) for n, edges in made
    )


def test_stated_bounds_are_kept_and_reached():
    text = "1 <= nums.length <= 50\n0 <= nums[i] <= 9\n1 <= k <= 1000\n"
    seeds = replace(PLAIN, names=("nums", "k"))

    made = make_inputs(seeds, text)

    assert all(
        1 <= len(nums) <= 50 and set(nums) <= set(range(10)) and 1 <= k <= 1000
        for nums, k in (m.args for m in made)
    )
    assert {one.kind for one in made} == {"near", "edge", "large"}
    assert max(len(one.args[0]) for one in made) > 20


def test_without_stated_bounds_nothing_is_made_far_from_the_seeds():
    assert {one.kind for one in make_inputs(PLAIN, "Take the list and the number.")} == {"near"}


LITERALS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(LITERALS, LITERALS), min_size=1, max_size=4), st.integers(0, 3))
def test_any_literals_can_be_varied_without_changing_them(seen, seed):
    before = repr(seen)

    made = make_inputs(Seeds("f", (), tuple(seen)), "1 <= a.length <= 9", seed=seed)

    assert repr(seen) == before
    assert all(len(one.args) == 2 for one in made)
    assert all(eval(repr(one.args)) == one.args for one in made)  # noqa: S307 - literals survive the way into the sandbox


def test_two_numbers_that_are_equal_once_need_not_be_again():
    made = rows(Seeds("add", (), ((0, 0),)))

    assert any(first != second for first, second in made)
