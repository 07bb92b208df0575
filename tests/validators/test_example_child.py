"""What makes the calls inside the sandbox, here without one."""

import math
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from enum import IntEnum

import pytest

from validators.runners.example_child import call_python, describe, spell, tell

Point = namedtuple("Point", "x y")  # noqa: PYI024 - as candidates write it


class Small(IntEnum):
    ONE = 1


class Lying(str):
    __slots__ = ()

    def __repr__(self):
        return "'what was asked'"

    def __iter__(self):
        return iter("no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (Small.ONE, "1"),
        (1.5, "1.5"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        ("a'b", '"a\'b"'),
        (Lying("a"), "'a'"),
        ([], "[]"),
        ([1, (2,)], "[1, (2, ), ]"),
        (set(), "set()"),
        (frozenset({1}), "{1, }"),
        ({"a": {1: None}}, "{'a': {1: None, }, }"),
        (Counter("a"), "{'a': 1, }"),
        (OrderedDict(a=1), "{'a': 1, }"),
        (defaultdict(list, {1: []}), "{1: [], }"),
        (deque([1]), "[1, ]"),
        (Point(1, 2), "(1, 2, )"),
    ],
)
def test_plain_values_are_written_out_by_the_plain_classes_own_methods(value, text):
    assert spell(value) == text


@pytest.mark.parametrize(
    "value", [object(), [object()], {1: object()}, {object(): 1}, range(3), (n for n in "")]
)
def test_what_is_no_plain_value_is_not_written_out(value):
    assert spell(value) is None


def test_other_values_say_whose_they_are():
    assert tell(range(3), [])["foreign"] == ""
    assert tell(Point, [])["foreign"] == ""
    assert tell(deque, [])["foreign"] == ""
    assert tell(Foreign(), ["solution.py"])["foreign"] == "1"
    assert tell(Foreign(), [f"{Foreign.__module__.replace('.', '/')}.py"])["foreign"] == ""
    assert tell("a" * 30_000, [])["outcome"] == "other"


class Foreign:
    """Of a module that is neither the language's nor the candidate's."""


def test_setup_and_call_share_their_names():
    assert call_python({"setup": ["x = 2", "y = x + 1"], "call": "x * y"}, []) == {
        "outcome": "value",
        "text": "6",
    }


def test_an_error_in_the_example_itself_has_no_place_in_the_candidate():
    answer = call_python({"setup": [], "call": "nobody()"}, [])

    assert (answer["outcome"], answer["code"], answer["file"]) == ("error", "NameError", "")


def test_an_error_says_which_module_is_missing():
    assert describe(ModuleNotFoundError("no", name="numpy"), [])["missing"] == "numpy"
