"""What counts as an example in the words of a task, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.runners.example_texts import find_shown


def calls(text, *names):
    return [(one.call, one.expected) for one in find_shown(text, names or ("f",))]


@pytest.mark.parametrize(
    "text",
    [
        "f(1, 2) == 3",
        "assert f(1, 2) == 3",
        "f(1, 2) ➞ 3",
        "f(1, 2) => 3",
        "f(1, 2) ==> 3",
        "f(1, 2) -> 3",
        "f(1, 2) # 3",
        "f(1, 2)   # returns 3",
        "f(1, 2) // => 3",
        "f(1, 2) = 3",
        "f(1, 2) returns 3",
        "f(1, 2) should return 3.",
        "f(1, 2) gives 3, because",
        "f(1, 2) evaluates to 3",
        "result = f(1, 2)  # 3",
        "* `f(1, 2)` returns `3`",
        "e.g. f(1, 2) is 3 (a sum).",
        "For example, f(1, 2) == 3; f(x) is left open",
        "    >>> f(1, 2)\n    3\n",
        "// >>> f(1, 2)\n// 3\nfunction f(a, b) {",
        " * >>> f(1, 2)\n * 3\n */",
        '    """>>> f(1, 2)\n    3"""',
        ">>> f(1, 2)\n3\nThree is the sum.",
    ],
)
def test_a_call_with_its_result_is_an_example(text):
    assert calls(text) == [("f(1, 2)", 3)]


@pytest.mark.parametrize(
    "text",
    [
        "def f(a=1):  # 3",
        "function f(a) // 3",
        "g.f(1) == 3",
        "not f(1) == 3",
        "2 * f(1) == 3",
        "g(f(1)) == 3",
        "f(1) == 3 + 1",
        "f(1) == 3 or 4",
        "f(1) == 3 and 4",
        "f(1) returns 3 items",
        "f(1) == g(2)",
        "f(1) is not None",
        "f(1) < 3",
        "f(1) and 3",
        "f(1",
        "f(1) returns 4 instead of 3",
        "Currently f(1) == 3",
        "f(1) returns 3 but should return 4",
        "f(1) doesn't work: f(1) == 3",
        "abs(f(1) - 3) < 1",
        ">>> f(1)",
        ">>> f(1)\nTraceback (most recent call last):\n",
        ">>> f(1)\n1\n2\n",
        ">>> f(1)\n\n3",
        "ff(1) == 3",
    ],
)
def test_what_is_doubted_unfinished_or_part_of_more_is_none(text):
    assert calls(text) == []


def test_a_doctest_knows_the_statements_before_it_in_the_same_docstring():
    text = '''
class A:
    """
    >>> a = A()
    >>> for x in [1, 2]:
    ...     a.add(x)
    >>> a.total()
    3
    """
    def total(self):
        """
        >>> a.total()
        0
        """
'''
    first, second = find_shown(text, ())

    assert first.call == "a.total()"
    assert first.setup == ("a = A()", "for x in [1, 2]:\n    a.add(x)")
    assert (second.expected, second.setup, second.line) == (0, (), 12)


def test_a_result_may_take_several_lines():
    assert calls(">>> f(1)\n[[1, 2],\n [3, 4]]\n") == [("f(1)", [[1, 2], [3, 4]])]


def test_a_call_may_take_several_lines():
    assert calls("f([\n  [1],\n  [2]\n], 1) == [1]") == [("f([\n  [1],\n  [2]\n], 1)", [1])]


@pytest.mark.parametrize(
    ("text", "inputs", "expected"),
    [
        ("Input: nums = [1,2], k = 3\nOutput: 4", (("nums", "[1,2]"), ("k", "3")), 4),
        ("Input:\n  nums : [1]\n  k : 3\nOutput: true\nExplanation: 5", (("nums", "[1]"), ("k", "3")), True),
        ("    Input: [4,2,3]\n    Output: [2, 1]\n", (("", "[4,2,3]"),), [2, 1]),
        ("**Input:** n = 1 **Output:** 2", (("n", "1"),), 2),
        ('input: s = "a, b" Output: ""', (("s", '"a, b"'),), ""),
        ("For n = 3 the output should be 4.", (("n", "3"),), 4),
        (
            "For s = 'a', c = 'b', the result should be ('c', False)",
            (("s", "'a'"), ("c", "'b'")),
            ("c", False),
        ),
        ("Given n = 3, return 4", (("n", "3"),), 4),
    ],
)
def test_inputs_with_their_output_are_an_example(text, inputs, expected):
    (found,) = find_shown(text, ())

    assert (found.inputs, found.expected) == (inputs, expected)


@pytest.mark.parametrize(
    "text",
    [
        "Input: a number\nOutput: 4",
        "Input: n = 3\nOutput: a number",
        "Input: n = 3, 4\nOutput: 5",
        "Input: n = 3\n\nand much later\nOutput: 5",
        "Output: 5",
        "For n = x the output should be 4",
    ],
)
def test_inputs_or_outputs_that_are_no_values_are_none(text):
    assert find_shown(text, ()) == ()


def test_one_line_is_one_example():
    assert calls(">>> f(1) == 2\nTrue\n") == [("f(1) == 2", True)]


def test_no_more_than_twenty_examples_are_taken():
    assert len(calls("f(1) == 2\n" * 100)) == 20


@given(st.text(), st.sets(st.text(min_size=1), max_size=3))
def test_no_text_breaks_the_search(text, names):
    find_shown(f"{text}\n>>> {text}\n{text}\nInput: {text} Output: {text}", names)


HOSTILE = [
    "f(",
    "f(1) == ",
    "Input: a = 1, ",
    ">>> f(\n",
    "For a = 1 ",
    "[",
    "'",
    "f(1) - ",
    "\n",
    "Input: ",
    "=",
    "f(1)#",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_megabyte_of_hostile_text_is_read_to_its_end(text):
    assert len(find_shown(text * (1_000_000 // len(text)), ("f",))) <= 20


def test_the_cases_of_a_formula_are_no_examples():
    formula = "f(1) = 3\nf(n) = f(n - 1) + 2, if n is even\n"

    assert calls(f"{formula}\nf(3) => 4") == [("f(3)", 4)]
    assert calls(f"{formula}\ng(1) = 2", "f", "g") == [("g(1)", 2)]


def test_no_more_than_twelve_inputs_are_read():
    inputs = ", ".join(f"a{number} = {number}" for number in range(13))

    assert find_shown(f"Input: {inputs}\nOutput: 1", ()) == ()
