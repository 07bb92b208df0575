"""What the gate refuses without running anything, and what it must not refuse."""

import ast
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.bubblewrap import Bubblewrap
from validators.compiling import Compile
from validators.naming import find_missing, find_naming_flaws, find_unbound, open_functions
from validators.returning import find_valueless
from validators.unfinished import find_unfinished
from validators.validator import Given
from validators.verdict import Candidate

VALUELESS = {
    "an annotated function without a return": "def f(x) -> int:\n    y = x\n",
    "one that only ever returns None": "def f(x) -> int:\n    if x:\n        return\n    return_it(x)\n",
    "one whose return stands in a function inside it": (
        "def f() -> int:\n    def g():\n        return 1\n    g()\n"
    ),
    "one that ends in binding a name": (
        "def f(x) -> list:\n    if not x:\n        return []\n    result = []\n"
    ),
    "a coroutine": "async def f() -> int:\n    await g()\n",
    "a method by its annotation": "class A:\n    def f(self) -> int:\n        self.x = 1\n",
    "a docstring that says Return": 'def f(x):\n    """Return the sum."""\n    x.sort()\n',
    "a docstring that says so after a condition": (
        'def f(x):\n    """Given a list,\n    return the sum."""\n    x = 1\n'
    ),
    "a docstring that says should": 'def f(x):\n    """The function should return -1 then."""\n    x = 1\n',
    "a section Returns": (
        'def f(x):\n    """Sum.\n\n    Returns:\n        int: The sum.\n    """\n    x = 1\n'
    ),
    "an example": 'def f(x):\n    """Add.\n\n    >>> f(1)\n    2\n    """\n    x += 1\n',
    "an example with ==": 'def f(x):\n    """Add: f(1) == 2"""\n    x += 1\n',
    "an example with an arrow": 'def f(x):\n    """Add: f([1]) ➞ [2]"""\n    x += 1\n',
    "imports and a docstring": 'def f(x):\n    import math\n    """Return the sum."""\n',
    "a loop that is left": "def f() -> int:\n    while True:\n        if g():\n            break\n",
    "an error that is swallowed": (
        "def f() -> int:\n    try:\n        g()\n    except OSError:\n        raise\n"
    ),
    "a branch that raises": "def f(x) -> int:\n    if x:\n        raise ValueError\n    else:\n        g()\n",
    "a loop with else": "def f(x) -> int:\n    for y in x:\n        g()\n    else:\n        h()\n",
}


@pytest.mark.parametrize("text", VALUELESS.values(), ids=VALUELESS.keys())
def test_a_function_that_promises_a_value_and_has_none_is_named(text):
    found = find_valueless(ast.parse(text))

    assert [remark.code for remark in found] == ["never_returns"]
    assert "'f'" in found[0].message


IN_ORDER = {
    "a value": "def f() -> int:\n    return 1\n",
    "a generator": "def f() -> Iterator[int]:\n    for x in y:\n        yield x\n",
    "a generator that delegates": "def f() -> Iterator[int]:\n    yield from g()\n",
    "a property": "@property\ndef f(self) -> int:\n    self.g()\n",
    "an overload": "@overload\ndef f(x: int) -> int: ...\n",
    "an abstract method": "@abstractmethod\ndef f(self) -> int:\n    g()\n",
    "a context manager": "class A:\n    def __exit__(self, *_) -> bool:\n        self.close()\n",
    "a protocol's method": (
        'class A(Protocol):\n    def f(self) -> int:\n        """Return the size."""\n        ...\n'
    ),
    "a docstring alone": 'def f() -> int:\n    """Return the size."""\n',
    "a base class": "class A:\n    def f(self) -> int:\n        raise NotImplementedError\n",
    "a base class that says so by a call": (
        "class A:\n    def f(self) -> int:\n        _not_implemented(self)\n"
    ),
    "a callback": 'def f(x) -> None:\n    """Return the book to its shelf."""\n    x.y = 1\n',
    "an optional value": "def f(x) -> int | None:\n    g()\n",
    "a value of any kind": "def f(x) -> object:\n    g()\n",
    "a search whose hit is certain": (
        "def f(x) -> int:\n    for y in x:\n        if y:\n            return y\n"
    ),
    "a loop without end": "def f() -> int:\n    while True:\n        for x in g():\n            break\n",
    "a loop that ends in raise": (
        "def f() -> int:\n    for x in g():\n        h()\n    else:\n        raise E\n"
    ),
    "an end": "def f() -> int:\n    g()\n    sys.exit(1)\n",
    "an end that is awaited": "async def f() -> int:\n    await raise_later()\n",
    "an impossible end": "def f(x) -> int:\n    g()\n    assert False\n",
    "a match": "def f(x) -> int:\n    match x:\n        case 1:\n            raise E\n",
    "a block that raises": "def f(x) -> int:\n    with x:\n        raise E\n",
    "a finally that raises": "def f(x) -> int:\n    try:\n        g()\n    finally:\n        raise E\n",
    "a docstring that says None": (
        'def f(x):\n    """Sort.\n\n    Returns:\n        None\n    """\n    x.sort()\n'
    ),
    "a docstring about others": 'def f(g):\n    """Register g, which returns the size."""\n    h[g] = 1\n',
    "no docstring": "def f(x):\n    x.sort()\n",
    "a method that may return early": (
        'class A:\n    def f(self):\n        """Return the book."""\n        self.x = 1\n'
    ),
    "an example that prints": 'def f(x):\n    """Show.\n\n    >>> f(1)\n    1\n    """\n    print(x)\n',
    "an example without a value": (
        'def f(x):\n    """Sort.\n\n    >>> f(x)\n    >>> x\n    [1]\n    """\n    x.sort()\n'
    ),
}


@pytest.mark.parametrize("text", IN_ORDER.values(), ids=IN_ORDER.keys())
def test_a_function_that_may_be_meant_so_is_left_alone(text):
    assert find_valueless(ast.parse(text)) == ()


def test_a_stub_is_told_once():
    text = 'def f(x) -> int:\n    import math\n    """Return the root."""\n    # TODO: implement\n    pass\n'

    assert [remark.code for remark in find_unfinished(text, "python")] == ["stub"]


def test_a_function_of_imports_alone_is_no_stub():
    assert find_unfinished("def register():\n    import plugins\n", "python") == ()


BOUND = {
    "an import": "import a.b as c\nfrom d import e\nc, e, [c for c in e]\n",
    "a parameter": "def f(a, *b, c=1, **d): return a, b, c, d\n",
    "a later definition": "def f(): return g()\ndef g(): return f\n",
    "a global of another function": "def f():\n    global a\n    a = 1\ndef g(): return a\n",
    "a closure": "def f():\n    a = 1\n    def g():\n        nonlocal a\n        a += 1\n    return g\n",
    "a walrus": "if (a := 1): a\n",
    "a class": "class A:\n    x = 1\n    y = x\n    def f(self): return __class__, A\n",
    "builtins": "print(__name__, __file__, len, _('x'))\n",
    "a star import": "from a import *\nb\n",
    "exec": "exec('a = 1')\na\n",
    "a question": "try:\n    unicode\nexcept NameError:\n    pass\n",
    "an annotation to come": "from __future__ import annotations\ndef f(x: Later) -> Later: ...\n",
    "a caught error": "try:\n    pass\nexcept OSError as error:\n    error\n",
    "a pattern": "match 1:\n    case [a, *b] | {'c': a, **b}:\n        a, b\n",
}


@pytest.mark.parametrize("text", BOUND.values(), ids=BOUND.keys())
def test_names_that_something_binds_are_left_alone(text):
    assert find_unbound(text, ast.parse(text)) == ()


def test_a_name_that_nothing_binds_is_told_once_at_its_first_use():
    text = "def f(a):\n    return total(a)\n\nprint(total, f, other)\n"

    found = find_unbound(text, ast.parse(text))

    assert [(one.line, one.column, one.code) for one in found] == [(2, 12, "unbound"), (4, 17, "unbound")]
    assert "'total'" in found[0].message


def test_a_name_bound_in_another_scope_is_unbound_here():
    text = "class A:\n    x = 1\n    def f(self): return x\n"

    assert len(find_unbound(text, ast.parse(text))) == 1


ASKED = '''Complete:

```python
from typing import List


def add(a: int,
        b: int
) -> int:
    """Add."""
```
'''


@pytest.mark.parametrize(
    ("task", "names"),
    [
        (ASKED, ("add",)),
        ("Write `add`:\n\ndef add(a, b):\n\nIt adds.", ("add",)),
        ("async def add(a): ...\ndef sub(a):\n    raise NotImplementedError\n", ("add", "sub")),
        ("Mend this:\n```\ndef add(a, b):\n    return a - b\n```", ()),
        ("```\nclass A:\n    def add(self): ...\n```", ()),
        ("def inition of a sum", ()),
        ("Write a function add.", ()),
        ("Mend this:\n```\ndef add(a, b):\n    print(a + b)\n```", ()),
    ],
)
def test_functions_that_a_task_leaves_open_are_found(task, names):
    assert open_functions(task) == names


def test_an_answer_to_another_task_lacks_the_name():
    found = find_missing(ASKED, {"solution.py": "def sub(a, b):\n    return a - b\n"})

    assert [(one.code, one.severity) for one in found] == [("missing_name", "error")]
    assert "'add'" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        "def add(a, b): return a + b",
        "class A:\n    def add(self): return 1",
        "import add\nassert add(1, 2) == 3",
    ],
)
def test_an_answer_that_mentions_the_name_may_be_what_was_meant(text):
    assert find_missing(ASKED, {"a.py": "x = 1", "b.py": text}) == ()


def test_a_longer_name_is_not_the_one_that_was_asked_for():
    assert len(find_missing(ASKED, {"a.py": "def add_all(a): return sum(a)"})) == 1


def test_flaws_name_their_file_and_leave_broken_files_to_the_compiler():
    files = {"a.py": "def f(:\n", "b.py": "nobody\n", "c.md": "nobody"}

    assert [(one.file, one.line, one.code) for one in find_naming_flaws(files, "")] == [
        ("b.py", 1, "unbound")
    ]


SCOPES_AT_ODDS = "[x := 1 for x in y]\n"


@pytest.mark.parametrize("text", [SCOPES_AT_ODDS, "x = '\\d'\n", f"x = {'-' * 20_000}1\n", "x = '\0'\n"])
def test_what_the_symbol_table_refuses_or_warns_of_is_no_flaw(text):
    assert find_naming_flaws({"a.py": text}, "") == ()


@pytest.mark.parametrize("depth", [80, 1_000, 1_500, 50_000])
def test_code_that_nests_deeply_is_no_flaw(depth):
    text = f"x = {'lambda: ' * depth}1\n"

    assert find_naming_flaws({"a.py": text}, "") == ()


def test_a_chain_too_long_to_follow_is_left_alone():
    chain = "        raise E\n    elif x:\n" * 2_500

    assert find_valueless(ast.parse(f"def f(x) -> int:\n    if x:\n{chain}        raise E\n")) == ()


@given(st.text())
def test_no_task_breaks_the_search_for_open_functions(words):
    assert all(name.isidentifier() for name in open_functions(f"def {words}\ndef f(x): ...\n"))


async def test_an_answer_to_another_task_does_not_pass_the_compiler():
    candidate = Candidate({"solution.py": "def sub(a, b):\n    return a - b\n"}, "python")

    verdict = await Compile(Bubblewrap()).judge(candidate, Given(task=ASKED))

    assert verdict.status == "failed"
    assert [remark.code for remark in verdict.diagnostics] == ["missing_name"]
    assert verdict.receipt.digest == candidate.digest


FOLDERS = [
    "asyncio",
    "concurrent",
    "email",
    "http",
    "importlib",
    "json",
    "logging",
    "multiprocessing",
    "urllib",
]


@pytest.mark.slow
def test_the_standard_library_raises_no_alarm():
    root = Path(sysconfig.get_paths()["stdlib"])
    texts = [path.read_text("utf-8") for name in FOLDERS for path in sorted((root / name).rglob("*.py"))]
    modules = [(text, ast.parse(text)) for text in texts]
    functions = [
        node for _, module in modules for node in ast.walk(module) if isinstance(node, ast.FunctionDef)
    ]

    alarms = [one for text, module in modules for one in find_unbound(text, module) + find_valueless(module)]

    assert len(functions) > 2000
    assert alarms == []
