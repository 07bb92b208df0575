"""Plain values as people write them, and when two of them are the same."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.runners.example_values import agree, agree_in_any_order, read_value, span_of

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.sets(st.integers())
    ),
    max_leaves=8,
)


@given(PLAIN)
def test_a_value_that_python_writes_is_read_as_itself(value):
    assert agree(read_value(repr(value)), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("[null, undefined]", [None, None]),
        ("-Infinity", -math.inf),
        ("1.0, [1.0]", (1.0, [1.0])),
        ("[1,\n 2]  # two", [1, 2]),
        ("+3", 3),
        ("set()", set()),
        ("{'a': {1, 2}}", {"a": {1, 2}}),
        ("'a' 'b'", "ab"),
    ],
)
def test_values_of_other_habits_are_read(text, value):
    assert read_value(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "...",
        "x",
        "1 + 1",
        "f(1)",
        "-'a'",
        "{[1]: 2}",
        "{[1]}",
        "{**{}}",
        "1)\n(2",
        "1)+(2",
        "set([1])",
        "hello world",
        "(" * 500,
        "\0",
        "-" * 5000 + "1",
    ],
)
def test_what_would_have_to_be_computed_is_no_value(text):
    with pytest.raises(ValueError, match="."):
        read_value(text)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (1, True),
        (2, 2.0),
        (0.1 + 0.2, 0.3),
        (3.33333, 3.33),
        ((1, [2]), [1, (2,)]),
        ({"a": (1,)}, {"a": [1]}),
        (math.nan, math.nan),
        (math.inf, math.inf),
        (1 + 1e-9j, 1),
        ({1, 2}, {2, 1}),
    ],
)
def test_results_agree_as_leniently_as_examples_are_written(got, expected):
    assert agree(got, expected)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (1, 2),
        ("1", 1),
        (b"a", "a"),
        ([1], [1, 2]),
        ([1], {1}),
        ({"a": 1}, {"b": 1}),
        (3.36, 3.3),
        (3.339, 3.33),
        (10**400, 1.5),
        (math.inf, 3.25),
        (1j, 3.25),
        (1.2, 1e-7),
        (None, 0),
        ("a ", "a"),
        (..., None),
    ],
)
def test_results_that_differ_do_not_agree(got, expected):
    assert not agree(got, expected)


def test_where_any_order_will_do_only_the_outermost_order_is_free():
    assert agree_in_any_order([[1, 2], [3]], [[3], [1, 2]])
    assert agree_in_any_order((2, 1), [1, 2])
    assert not agree_in_any_order([[1, 2]], [[2, 1]])
    assert not agree_in_any_order([1, 1, 2], [1, 2, 2])
    assert agree_in_any_order("ab", "ab")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("[1, ']', (2)] rest", 13),
        ("'a\\'b' rest", 6),
        ("-1.5e3.", 6),
        ("0x1F ", 4),
        ("true.", 4),
        ("trueish", 0),
        ("(1, 2", 0),
        ("x", 0),
        ("", 0),
        ("12abc", 0),
    ],
)
def test_a_value_ends_where_its_brackets_and_quotes_do(text, end):
    assert span_of(text, 0) == end


def test_a_value_without_end_is_given_up_after_four_thousand_characters():
    assert span_of("[" + "1, " * 100_000 + "]", 0) == 0


def test_an_integer_too_long_to_be_written_out_is_no_value():
    with pytest.raises(ValueError, match="too long"):
        read_value(f"[0x{'f' * 5000}, 1]")

    assert read_value(f"0x{'f' * 100}") == 16**100 - 1
