"""Whatever literals a task shows, and however its tests are built: the search ends, and nothing breaks."""

import ast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Limits
from validators.agreement.calls import find_calls
from validators.agreement.inputs import make_inputs
from validators.agreement.judging import judge_agreement
from validators.agreement.running import compare_candidates
from validators.agreement.seeds import Seeds, find_seeds
from validators.verdict import Candidate

pytestmark = pytest.mark.slow

NUMBERS = (
    st.integers()
    | st.sampled_from([10**309, -(10**400), 10**4000, 2**13_999, 0])
    | st.floats()
    | st.sampled_from([1e308, -1.7e308, 5e-324, float("inf"), float("nan")])
    | st.complex_numbers()
)
KEYS = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=4) | st.binary(max_size=3),
    lambda inner: st.tuples(inner, inner) | st.tuples(inner) | st.just(()),
    max_leaves=4,
)
LITERALS = st.recursive(
    KEYS | st.sets(KEYS, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.sets(KEYS, min_size=2, max_size=2)
    ),
    max_leaves=8,
)
ALIKE = st.sampled_from(
    [
        NUMBERS,
        st.lists(NUMBERS, max_size=4),
        st.lists(st.sets(st.integers(), min_size=2, max_size=2), min_size=3, max_size=3),
        st.lists(st.lists(NUMBERS, max_size=3) | NUMBERS, max_size=4),
        st.dictionaries(st.text(max_size=2), st.lists(NUMBERS, max_size=2), max_size=3),
        st.text(max_size=40),
        LITERALS,
    ]
)
ROWS = st.tuples(ALIKE, ALIKE).flatmap(
    lambda kinds: st.lists(st.tuples(*kinds), min_size=1, max_size=4).map(tuple)
)
STATED = "1 <= a.length <= 300\n0 <= a[i] <= 10^40\n1 <= a[i].length <= 300\n-5 <= b <= 10^18\nb is sorted.\n"


@settings(deadline=None, max_examples=60)
@given(ROWS, st.sampled_from(["", STATED]))
@example(((1e308, 1), (1.5e308, 2)), "")
@example(((float("nan"), 1), (1.5, 2)), "")
@example(((10**400, 1), (1.5, 2)), "")
@example((([{1, 2}, {3, 4}, {5, 6}], 1),), "")
def test_any_literals_can_be_varied_and_come_out_the_same_each_time(rows, text):
    seeds = Seeds("f", ("a", "b"), rows)

    made = make_inputs(seeds, text)

    assert [repr(one.args) for one in made] == [repr(one.args) for one in make_inputs(seeds, text)]
    assert all(len(one.args) == 2 for one in made)
    assert all(isinstance(ast.parse(repr(one.args)), ast.Module) for one in made)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.lists(LITERALS, max_size=3), min_size=1, max_size=4))
def test_calls_with_any_literals_are_read_or_passed_over(rows):
    tests = "".join(f"assert f({', '.join(map(repr, row))}) == 1\n" for row in rows)

    seeds = find_seeds("Write f.", tests)

    assert repr(find_seeds("Write f.", tests)) == repr(seeds)
    assert seeds is None or {len(row) for row in seeds.rows} == {len(seeds.rows[0])}


def nested(depth, leaf="1"):
    return "[" * depth + leaf + "]" * depth


LONG = {
    "many arguments": f"f({', '.join(map(str, range(300)))})",
    "deep": f"f({nested(199)})",
    "a long name": f"data = [{'1,' * 20_000}]\n" + "f(data)\n" * 2_000,
    "functions that call each other": "".join(f"def a{n}(x):\n    a{n - 1}(x)\n" for n in range(900))
    + "a899(1)\n",
    "many forms": "".join(f"f(a{n}=1)\n" for n in range(8_000)),
    "many names": "".join(f"a{n} = 1\n" for n in range(3_000)) + "if 1:\n    f(1)\n" * 3_000,
    "many branches": "if a:\n    f(0)\n" + "".join(f"elif a:\n    f({n})\n" for n in range(900)),
    "too much": "f(1)\n" * 100_000,
}


@pytest.mark.parametrize("name", LONG)
def test_tests_built_to_be_slow_are_read_to_their_end(name):
    seeds = find_seeds("Write f.", LONG[name])

    assert seeds is None or len(seeds.rows) <= 60


def test_a_function_of_very_many_arguments_is_not_varied():
    twelve, thirteen = (f"f({', '.join(map(str, range(count)))})" for count in (12, 13))

    assert find_seeds("", twelve) is not None
    assert find_seeds("", thirteen) is None


@pytest.mark.parametrize(("depth", "count"), [(30, 1), (31, 0), (150, 0)])
def test_values_that_nest_very_deep_are_passed_over(depth, count):
    assert len(find_calls(f"f({nested(depth - 1)})")) == count


@pytest.mark.parametrize(
    "text",
    ["order of" + " " * 50_000, "order of " + "x " * 40_000, "if" + " " * 90_000 + "order" + "\n" * 9_000],
)
def test_texts_built_to_be_slow_are_searched_to_their_end(text):
    assert find_seeds(text, "f(1)") == Seeds("f", (), ((1,),))


NESTED_LISTS = tuple((ast.literal_eval(nested(20, str(n))),) for n in range(3))
LONG_LISTS = tuple((list(range(n, n + 500)), list(range(n, n + 600))) for n in range(5))
LONG_CHAINS = tuple(([[n, n + 1] for n in range(size)],) for size in (350, 340, 330))
MIXED = (([[1], [2]], [[1], [2], 5]), ([[3]], [[3], 5, 6]), ([[3], [4]], [[3], 5, 6, [4]]))
GRIDS = "".join(f"1 <= a{'[i]' * depth}.length <= 1000\n" for depth in range(4))


@pytest.mark.parametrize("rows", [NESTED_LISTS, LONG_LISTS, LONG_CHAINS, MIXED])
@pytest.mark.parametrize("text", ["", GRIDS])
def test_arguments_built_to_be_slow_are_varied_in_bounded_work(rows, text):
    made = make_inputs(Seeds("f", ("a", "b")[: len(rows[0])], rows), text)

    assert all(len(repr(one.args)) <= 12_000 for one in made)


def test_inner_sets_of_one_size_are_varied_as_sets():
    rows = tuple(([{n, n + 1}, {n, n + 2}, {n, n + 3}],) for n in range(3))

    made = make_inputs(Seeds("f", (), rows), "")

    assert made
    assert all(type(inner) is set for one in made for inner in one.args[0])


async def compared(*rows, call="f"):
    tests = "".join(f"assert f({row}) == 1\n" for row in rows)
    seeds = find_seeds("Write f.", tests)
    candidate = Candidate({"solution.py": f"def {call}(*args):\n    return repr(args)\n"}, "python")
    return await compare_candidates(Bubblewrap(), Limits(seconds=30), [candidate] * 2, seeds, "Write f.")


async def test_where_nothing_can_be_varied_the_reason_is_told():
    comparison = await compared("1e308", "1.5e308", "float")

    verdict = judge_agreement(comparison, 1, ("a", "b"))

    assert verdict.status == "unavailable"
    assert verdict.reason == "The arguments that the task shows leave nothing to vary."


async def test_numbers_that_are_none_reach_the_programs_too():
    comparison = await compared("[1e999, 1.0, 2.0]", "[nan, 4.0, 8.0, 1e999j]", "[-1e999j, 3.0, 1e308]")

    assert judge_agreement(comparison, 1, ("a", "b")).status == "passed"
