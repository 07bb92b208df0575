"""Read the tests that a model wrote into single calls with what is expected of them. Pure.

Nothing of a reply is run as it stands: a test is one assertion about calls with plain values, and only such
calls, with a few builtins around them, ever reach the sandbox.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from validators.parsers import ParserLimitError, parse_python
from validators.runners.example_calls import Callee, Definitions, Example
from validators.runners.example_values import Value, value_of

TESTS_SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {"tests": {"type": "array", "items": {"type": "string", "maxLength": 300}, "maxItems": 20}},
    "required": ["tests"],
}
"""What a model that writes tests is asked to answer by."""
_MAX_REPLY = 64_000
_MOST_TESTS = 60
_LONGEST = 600
_QUOTED = re.compile(r'[\[,]\s*"(assert\b(?:[^"\\\n]|\\.)*+)"')
_FENCED = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)^[ \t]*```", re.DOTALL | re.MULTILINE)
_AROUND = frozenset(
    {
        *("abs", "all", "any", "bool", "complex", "dict", "divmod", "enumerate", "float", "frozenset", "int"),
        *(
            "isinstance",
            "len",
            "list",
            "max",
            "min",
            "range",
            "reversed",
            "round",
            "set",
            "sorted",
            "str",
            "sum",
        ),
        *("tuple", "type", "zip"),
    }
)
"""Builtins that a test may call beside what it tests, or name."""
_PLAIN = (
    *(ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Starred, ast.Subscript, ast.Slice),
    *(ast.UnaryOp, ast.unaryop, ast.BinOp, ast.operator, ast.Compare, ast.cmpop, ast.BoolOp, ast.boolop),
    *(ast.Load, ast.keyword),
)


@dataclass(frozen=True, slots=True)
class WrittenTest:
    """One assertion, as an expression and the value that it should have."""

    call: str
    expected: Value
    names: frozenset[str]
    """The functions and classes that it calls and that Python does not bring."""
    source: str
    """The assertion as it was written, without its message."""


def read_tests(reply: str) -> tuple[WrittenTest, ...]:
    """Return the usable assertions of a reply, each once: JSON, even cut off, fenced code or plain lines."""
    text = reply[:_MAX_REPLY]
    quoted = [_unquoted(one[1]) for one in _QUOTED.finditer(text)]
    sources = quoted or [one[1] for one in _FENCED.finditer(text)] or [text]
    found: dict[str, WrittenTest] = {}
    for source in sources:
        for node in _assertions(source):
            test = _test(node)
            if test is not None and len(found) < _MOST_TESTS:
                found.setdefault(test.source, test)
    return tuple(found.values())


def _unquoted(text: str) -> str:
    with suppress(ValueError):
        return str(json.loads(f'"{text}"', strict=False))
    return ""


def _assertions(source: str) -> Iterator[ast.expr]:
    """Yield what is asserted; line by line where the whole is no Python."""
    lines = [line.strip() for line in source.splitlines()]
    for part in [source] if _parsed(source) else [line for line in lines if line.startswith("assert")]:
        for statement in _parsed(part):
            yield from (node.test for node in ast.walk(statement) if isinstance(node, ast.Assert))


def _parsed(source: str) -> list[ast.stmt]:
    with suppress(SyntaxError, ParserLimitError):
        return parse_python(source.strip()).body
    return []


def _test(node: ast.expr) -> WrittenTest | None:
    """Return a test; None for an assertion about anything but calls with plain values."""
    try:
        call, expected = _split(node)
        source = ast.unparse(node)
        names = _called(call)
    except (ValueError, RecursionError):
        return None
    return (
        WrittenTest(ast.unparse(call), expected, names, source) if names and len(source) <= _LONGEST else None
    )


def _split(node: ast.expr) -> tuple[ast.expr, Value]:
    """Return an expression and its value; the truth of the whole where no side is a plain value."""
    match node:
        case (
            ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right])
            | ast.Call(func=ast.Name(id="isclose") | ast.Attribute(attr="isclose"), args=[left, right])
            | ast.Compare(
                left=ast.Call(
                    func=ast.Name(id="abs"), args=[ast.BinOp(left=left, op=ast.Sub(), right=right)]
                ),
                ops=[ast.Lt() | ast.LtE()],
                comparators=[ast.Constant()],
            )
        ):
            for call, other in ((left, right), (right, left)):
                with suppress(ValueError):
                    return call, value_of(_exact(other))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _truth(operand), False
        case _:
            pass
    return _truth(node), True


def _exact(node: ast.expr) -> ast.expr:
    """Take the number out of `approx(1.5)`: results are compared with some tolerance anyway."""
    match node:
        case ast.Call(func=ast.Name(id="approx") | ast.Attribute(attr="approx"), args=[number, *_]):
            return number
        case _:
            return node


def _truth(node: ast.expr) -> ast.Call:
    return ast.Call(ast.Name("bool", ast.Load()), [node], [])


def _called(node: ast.AST) -> frozenset[str]:
    """Return the foreign names that an expression calls.

    Raises:
        ValueError: It has parts that are neither values nor calls by name.
    """
    own: frozenset[str] = frozenset()
    inner: Iterable[ast.AST] = ast.iter_child_nodes(node)
    match node:
        case ast.Call(func=ast.Name(id=name)):
            own = frozenset({name} - _AROUND)
            inner = (*node.args, *node.keywords)
        case ast.Call(func=ast.Attribute(value=ast.Call() as made, attr=name)) if not name.startswith("_"):
            inner = (made, *node.args, *node.keywords)
        case ast.Name(id=name) if name in _AROUND:
            inner = ()
        case ast.Call() | ast.Name():
            raise ValueError(f"{ast.unparse(node)} is neither a value nor a call by name")
        case _ if not isinstance(node, _PLAIN):
            raise ValueError(f"{type(node).__name__} is no plain value")
    return own.union(*map(_called, inner))


def fit_tests(
    tests: Sequence[WrittenTest], definitions: Definitions, examples: Sequence[Example]
) -> tuple[WrittenTest, ...]:
    """Return the tests of what a candidate defines.

    Left out are calls that the task shows with their result: what agrees says nothing new, and what
    contradicts the task is wrong.
    """
    by_name = _by_name(definitions)
    shown = {_key(one.call, by_name) for one in examples}
    return tuple(
        one for one in tests if one.names <= definitions.own and _key(one.call, by_name) not in shown
    )


def spell_test(test: WrittenTest, definitions: Definitions) -> Example:
    """Write a test as this candidate can be called: a method through its class."""
    tree = ast.parse(test.call, mode="eval")
    return Example(ast.unparse(_Spelled(_by_name(definitions)).visit(tree)), test.expected, line=0)


def _by_name(definitions: Definitions) -> dict[str, Callee]:
    return {one.name: one for one in definitions.callees}


class _Spelled(ast.NodeTransformer):
    """Calls methods through their class."""

    def __init__(self, by_name: Mapping[str, Callee]) -> None:
        self._by_name = by_name

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        callee = self._by_name.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if callee is not None and callee.call != callee.name:
            node.func = ast.parse(callee.call, mode="eval").body
        return node


def _key(call: str, by_name: Mapping[str, Callee]) -> tuple[str, ...]:
    """Return what is the same for two ways to write the same call: arguments by name and in order."""
    body = _parsed(call)
    node = body[0].value if body and isinstance(body[0], ast.Expr) else None
    if not isinstance(node, ast.Call):
        return (call,)
    name = ast.unparse(node.func).rpartition(".")[2]
    order = by_name[name].parameters if name in by_name else ()
    given = {one.arg or "": ast.unparse(one.value) for one in node.keywords}
    given.update(zip(order, map(ast.unparse, node.args), strict=False))
    return (
        name,
        *(f"{key}={value}" for key, value in sorted(given.items())),
        *map(ast.unparse, node.args[len(order) :]),
    )
