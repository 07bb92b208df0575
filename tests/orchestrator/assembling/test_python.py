import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.assembling.python import IMPORTS
from orchestrator.assembling.python import assemble_python as assemble

PROMPT = '''Complete this function.
```python
from typing import List
import math as m


def double(x: int) -> int:
    """Twice."""
    return 2 * x


def total(xs: List[int]) -> int:
    """Add twice each."""
```
'''


def run(text, name, *arguments):
    scope = {}
    exec(compile(text, "assembled", "exec"), scope)  # noqa: S102 - written above
    return scope[name](*arguments)


def test_imports_and_helpers_of_the_task_are_put_before_an_answer_that_lacks_them():
    answer = "def total(xs: List[int]) -> int:\n    return m.floor(sum(double(x) for x in xs))\n"

    made = assemble(answer, PROMPT)

    assert run(made.text, "total", [1, 2]) == 6
    assert made.added == ("List", "double", "m")


def test_a_body_alone_is_put_under_its_signature():
    made = assemble("    return sum(double(x) for x in xs)\n", PROMPT)

    assert run(made.text, "total", [1, 2]) == 6
    assert made.added == ("signature",)


def test_a_body_without_indentation_is_put_under_its_signature():
    made = assemble("total = 0\nfor x in xs:\n    total += double(x)\nreturn total\n", PROMPT)

    assert run(made.text, "total", [1, 2]) == 6


def test_well_known_names_of_the_standard_library_are_imported():
    answer = (
        '"""Words."""\nfrom __future__ import annotations\n\n'
        "def most(words):\n    return Counter(words).most_common(1)[0][0] + re.escape('.')\n"
    )

    made = assemble(answer, "Write most(words)")

    assert run(made.text, "most", ["a", "a", "b"]) == "a\\."
    assert made.added == ("Counter", "re")
    assert ast.get_docstring(ast.parse(made.text)) == "Words."


def test_a_helper_brings_the_import_that_it_needs_itself():
    prompt = (
        '```python\nimport math\n\n\ndef root(x):\n    return math.sqrt(x)\n\n\ndef f(x):\n    """Do."""\n```'
    )

    made = assemble("def f(x):\n    return root(x) + 1\n", prompt)

    assert run(made.text, "f", 4) == 3
    assert made.added == ("root", "math")


def test_a_helper_that_only_the_tests_use_is_brought_along():
    tests = "assert total([double(1)]) == 2\n"

    made = assemble("def total(xs):\n    return sum(xs)\n", PROMPT, tests)

    assert run(made.text, "double", 2) == 4
    assert assemble("def total(xs):\n    return sum(xs)\n", PROMPT, "assert (").added == ()


@pytest.mark.parametrize(
    "answer",
    [
        "def f(x):\n    return x\n",
        "import math\n\ndef f(x):\n    return math.sqrt(x)\n",
        "from typing import *\n\ndef f(x: List):\n    return x\n",
        "def f(x):\n    return unknown_helper(x)\n",
        "def f(re):\n    return re\n",
        "def f():\n    math = 1\n    return math\n",
        "class A:\n    List = 1\n    x = List\n",
        "def f(:\n",
        "",
        "x = __name__\n",
    ],
)
def test_what_is_complete_or_beyond_help_stays_as_it_was(answer):
    assert assemble(answer, "Write f in Python").text == answer


def test_a_prompt_whose_code_does_not_parse_gives_nothing():
    assert assemble("def f(x):\n    return helper(x)\n", "```python\ndef helper(:\n```").added == ()


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_answer_and_no_prompt_breaks_it(answer, prompt):
    made = assemble(answer, prompt)

    assert made.added or made.text == answer


@pytest.mark.parametrize("name", sorted(IMPORTS))
def test_every_import_of_the_table_binds_its_name(name):
    scope = {}

    exec(IMPORTS[name], scope)  # noqa: S102 - our own table

    assert name in scope
