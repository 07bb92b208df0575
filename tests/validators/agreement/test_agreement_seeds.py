"""Which calls with literal arguments tests and texts show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.agreement.seeds import find_seeds

TWO = ((1, 2), (3, 4))


CASE = """
class Case(TestCase):
    def test(self):
        self.assertEqual(f(1, 2), 3)
        self.assertEqual(f(3, 4), 7)
"""
NAMED = """
def test_one():
    a, b = 1, 2
    assert f(a, b) == 3

def test_two():
    b = 4
    assert f(3, b) == 7
"""
LIBRARY = """
import math
from math import gcd
assert math.sqrt(9) == gcd(3, 6) == f(1, 2)
assert gcd(7, 7) == f(3, 4)
"""
CHECK = """
def check(candidate):
    assert candidate(1, 2) == 3
    assert candidate(3, 4) == 7

check(f)
"""


@pytest.mark.parametrize(
    "tests",
    [
        "assert f(1, 2) == 3\nassert f(3, 4) == 7\n",
        CASE,
        NAMED,
        CHECK,
        "import solution\nassert solution.f(1, 2) == 3\nassert solution.f(3, 4) == 7\n",
        LIBRARY,
        "assert abs(f(1, 2) - 3) < 1e-6\nassert sorted(f(3, 4)) == [7]\n",
        "for _ in range(2):\n    assert f(1, 2)\n    if True:\n        assert not f(3, 4)\n",
    ],
)
def test_calls_are_found_however_tests_are_written(tests):
    seeds = find_seeds("Write f.", tests)

    assert seeds is not None
    assert (seeds.call, seeds.names, seeds.rows) == ("f", (), TWO)


@pytest.mark.parametrize(
    "tests",
    [
        "assert Solution().add(a=1, b=2) == 3\nassert Solution().add(a=3, b=4) == 7\n",
        "s = Solution()\nassert s.add(a=1, b=2) == 3\nassert s.add(a=3, b=4) == 7\n",
    ],
)
def test_a_method_is_called_on_a_fresh_object_with_the_names_of_its_arguments(tests):
    seeds = find_seeds("Write add.", tests)

    assert seeds is not None
    assert (seeds.call, seeds.names, seeds.rows) == ("Solution().add", ("a", "b"), TWO)


def test_examples_of_the_text_are_enough_where_there_are_no_tests():
    text = (
        "Input: nums = [2,3], k = 1\nOutput: 5\n\nInput: nums = [4], k = 0\nOutput: 4\n"
        "```python\nclass Solution:\n    def total(self, nums: List[int], k: int) -> int:\n        pass\n```"
    )

    seeds = find_seeds(text, "")

    assert seeds is not None
    assert (seeds.call, seeds.names) == ("Solution().total", ("nums", "k"))
    assert seeds.rows == (([2, 3], 1), ([4], 0))


def test_doctests_of_the_text_add_to_the_calls_of_the_tests():
    text = '```python\ndef double(x):\n    """Double.\n    >>> double(5)\n    10\n    """\n```'

    seeds = find_seeds(text, "assert double(2) == 4\n")

    assert seeds is not None
    assert seeds.rows == ((2,), (5,))


@pytest.mark.parametrize(
    "tests", ["", "assert f(make()) == 1\n", "assert 1 == 1\n", "def (", "assert f() == 2\n"]
)
def test_without_a_call_with_literal_arguments_there_are_none(tests):
    assert find_seeds("Write something.", tests) is None


@pytest.mark.parametrize(
    ("text", "any_answer", "any_order"),
    [
        ("If there are multiple valid answers, return any of them.", True, False),
        ("You may return any valid solution.", True, False),
        ("Return the pairs in any order.", False, True),
        ("Return true if any of the numbers is odd.", False, False),
        ("You can choose any subarray of size k and decrease it.", False, False),
    ],
)
def test_a_free_answer_or_order_is_read_from_the_text(text, any_answer, any_order):
    seeds = find_seeds(text, "assert f(1) == 2\n")

    assert seeds is not None
    assert (seeds.any_answer, seeds.any_order) == (any_answer, any_order)


@pytest.mark.parametrize(
    "part", ["any ", "return any of ", "def f", "class A\n", "order of ", ">>> f(1)\n", "multiple "]
)
def test_long_texts_are_searched_to_their_end(part):
    find_seeds(part * 50_000, "assert f(1) == 2\n")


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_and_no_tests_break_the_search(text, tests):
    find_seeds(text, tests)
