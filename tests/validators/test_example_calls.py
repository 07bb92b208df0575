"""How what a task shows becomes calls of what a candidate defines."""

import pytest

from validators.parsers import parse_python
from validators.runners.example_calls import Callee, bound_names, find_examples, read_javascript, read_python

F = "def f(x, y=1): return x\n"
METHOD = "class Solution:\n    def f(self, nums, k): return k\n    def _own(self): ...\n"


def found(task, source):
    return [one.call for one in find_examples(task, read_python({"solution.py": source}), "python")]


def test_functions_and_methods_of_classes_made_from_nothing_are_callees():
    source = (
        f"{F}{METHOD}async def g(*, a=1): ...\ndef needs(*, a): ...\n"
        "class Made:\n    def __init__(self, x=1): ...\n    @staticmethod\n    def s(x): ...\n"
        "    @property\n    def p(self): ...\n"
        "class Unmade:\n    def __init__(self, x): ...\n    def m(self): ...\n"
    )

    definitions = read_python({"a.py": source, "broken.py": "def h(:"})

    assert definitions.callees == (
        Callee("f", "f", ("x", "y"), 1),
        Callee("f", "Solution().f", ("nums", "k"), 2),
        Callee("g", "g", ("a",), 0),
        Callee("s", "Made().s", ("x",), 1),
    )
    assert definitions.own >= {"f", "needs", "Unmade", "s"}


def test_functions_of_a_script_are_callees():
    text = (
        "function f(a, b = 1) {}\nexport const g = async (x, ...rest) => 1\nlet h = function name(a) {}\n"
        "  function inner(a) {}\nconst n = 3\n"
    )

    assert read_javascript(text).callees == (
        Callee("f", "f", ("a", "b"), 1),
        Callee("g", "g", ("x", "...rest"), 1),
        Callee("h", "h", ("a",), 1),
    )


@pytest.mark.parametrize(
    ("task", "calls"),
    [
        ("f(1) == 1", ["f(1)"]),
        ("f(true, y=[null]) == 1", ["f(True, y=[None])"]),
        ("f(a) == 1", []),
        ("f(len([1])) == 1", ["f(len([1]))"]),
        (">>> sorted(f([2, 1]))\n[1, 2]\n", ["sorted(f([2, 1]))"]),
        (">>> x = 1\n>>> x\n1\n", []),
        (">>> x = 1\n>>> f(x)\n1\n", ["f(x)"]),
        (">>> x = (\n>>> f(x)\n1\n", []),
        (">>> print(f(1))\n1\n", []),
        (">>> f(1); f(2)\n1\n", []),
        (">>> x = f(1)\n1\n", []),
        (">>> f()\n'19:19:22'\n", []),
        (">>> f('x')\n'2026-11-20 19:19'\n", ["f('x')"]),
        (">>> f()\n'noon'\n", ["f()"]),
        (">>> g(1)\n1\n", []),
        ("f:\nInput: x = 3 Output: 3", ["f(x=3)"]),
        ("f:\nInput: 3 Output: 3", ["f(3)"]),
        ("f:\nInput: n = 3 Output: 3", ["f(3)"]),
        ("f:\nInput: 1, 2, 3 Output: 3", []),
        ("Input: x = 3 Output: 3", []),
    ],
)
def test_examples_become_calls_of_what_is_defined(task, calls):
    assert found(task, F) == calls


def test_a_method_is_called_on_a_new_object():
    assert found("f(nums=[1], k=2) == 2, f([1], 2) == 2", METHOD) == ["Solution().f(nums=[1], k=2)"]
    assert found("def f(self, nums, k):\nInput: nums = [1], k = 2\nOutput: 2", METHOD) == [
        "Solution().f(nums=[1], k=2)"
    ]


def test_inputs_without_a_call_need_a_single_function_that_is_meant():
    assert found("f and g. Input: 1\nOutput: 1", f"{F}def g(x): ...\n") == []
    assert found("f.\nInput: 1\nOutput: 1", f"{F}def g(x): ...\n") == ["f(1)"]


def test_a_name_that_two_things_have_is_called_as_it_stands():
    assert found("f(1) == 1", F + METHOD) == ["f(1)"]


def test_a_call_in_a_script_stays_as_it_is_written():
    definitions = read_javascript("function f(a) {}")
    task = "f([null, true]) == 1\nf('a, b, c', g(1)) == 1\nf(new Date()) == 1\nf(Math.PI) == 3\nf(x) => 1\n"
    task = f"{task}Input: true Output: 1"

    calls = [one.call for one in find_examples(task, definitions, "javascript")]

    assert calls == ["f([null, true])", "f(Math.PI)", "f(true)"]


def test_names_bound_inside_functions_and_classes_are_their_own():
    source = (
        "import a.b, c as d\nif (x := 1):\n    y = 2\nasync def f():\n    z = 1\n"
        "class C:\n    w = 1\ndef g(): ...\nprint(v)\n"
    )

    assert bound_names(parse_python(source).body) == {"a", "d", "x", "y", "f", "C", "g"}
