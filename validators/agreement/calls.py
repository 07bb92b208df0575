"""Find the calls with literal arguments that Python source makes. Pure.

Whatever the source holds, the search ends soon: values that nest deep, or are long, are passed over, each is
read once however often a name stands for it, and bodies are followed to a fixed depth.
"""

import ast
import builtins
import sys
from collections import ChainMap, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from validators.parsed import MAX_BYTES
from validators.parsers import ParserLimitError, parse_python
from validators.returning import FunctionNode
from validators.runners.example_values import Value, value_of

Args = tuple[Value, ...]
_MOST_CHARS = 4000
"""Of one call; what is longer is there to be slow."""
_DEEPEST = 30
"""A value nests no deeper, nor does a body in which a call is looked for."""
_MOST_CALLS = 2000
_NO_ENTRY = frozenset(dir(builtins)) | {"isclose", "approx", "raises", "check", "deepcopy", "copy"}
"""Called by tests, and never what they are about."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call with plain values."""

    callee: str
    names: tuple[str, ...]
    """Of the last arguments, those given by keyword."""
    args: Args


def find_calls(source: str) -> tuple[Call, ...]:
    """Return the first calls in the order of the source; none where it is no Python, or very long."""
    if len(source) > MAX_BYTES:
        return ()
    try:
        module = parse_python(source)
    except (SyntaxError, ParserLimitError):
        return ()
    reader = _Reader(*_imported(module))
    calls = reader.read(module.body, ChainMap())
    return tuple(call for call, _ in zip(calls, range(_MOST_CALLS), strict=False))


def _imported(module: ast.Module) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that stand for modules of the task, and those that come from libraries."""
    own: set[str] = set()
    foreign: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                (foreign if _is_library(alias.name) else own).add(alias.asname or alias.name)
        elif isinstance(node, ast.ImportFrom) and _is_library(node.module or ""):
            foreign |= {alias.asname or alias.name for alias in node.names}
    return frozenset(own), frozenset(foreign)


def _is_library(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names | {"numpy", "pytest"}


Known = ChainMap[str, ast.expr]


class _Reader:
    """Reads statements in order, with the literals that names stand for at each place."""

    def __init__(self, modules: frozenset[str], foreign: frozenset[str]) -> None:
        self._modules = modules
        self._foreign = foreign | _NO_ENTRY
        self._functions: dict[str, FunctionNode] = {}
        self._values: dict[int, tuple[Value, int] | None] = {}
        """By the identity of the expression: what it is and how long to write; None for no plain value."""

    def read(self, body: list[ast.stmt], known: Known) -> Iterator[Call]:
        """Yield the calls with literal arguments."""
        names = known.new_child()
        if len(names.maps) > _DEEPEST:
            return
        for statement in body:
            if isinstance(statement, FunctionNode):
                yield from self._read_function(statement, names)
                continue
            own = [node for node in _outside_bodies(statement) if isinstance(node, ast.Call)]
            for node in own:
                yield from self._read_call(node, names)
            if isinstance(statement, ast.Assign):
                for target in statement.targets:
                    names.update(_bound(target, statement.value))
            for inner in _bodies(statement):
                yield from self.read(inner, names)

    def _read_function(self, function: FunctionNode, names: Known) -> Iterator[Call]:
        """Read a test at once; a `check(candidate)` when it is called with what it checks."""
        self._functions[function.name] = function
        if not function.args.args or function.args.args[0].arg == "self":
            yield from self.read(function.body, names)

    def _read_call(self, node: ast.Call, names: Known) -> Iterator[Call]:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        inner = self._functions.get(name)
        if inner and len(node.args) == len(inner.args.args) and not node.keywords:
            checked = dict(zip((one.arg for one in inner.args.args), node.args, strict=True))
            del self._functions[name]
            yield from self.read(inner.body, names.new_child(checked))
            return
        callee = self._callee(node.func, names)
        if callee and all(keyword.arg for keyword in node.keywords):
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            found = [self._value(one, names) for one in given]
            values = [one for one in found if one]
            if len(values) == len(given) and sum(length for _, length in values) <= _MOST_CHARS:
                keywords = tuple(keyword.arg or "" for keyword in node.keywords)
                yield Call(callee, keywords, tuple(value for value, _ in values))

    def _value(self, node: ast.expr, names: Known) -> tuple[Value, int] | None:
        meant = names.get(node.id, node) if isinstance(node, ast.Name) else node
        if id(meant) not in self._values:
            self._values[id(meant)] = _measured(meant)
        return self._values[id(meant)]

    def _callee(self, node: ast.expr, names: Known) -> str:
        """Spell what is called: a function, or a method of what is made from nothing."""
        nothing: Known = ChainMap()
        match node:
            case ast.Name(id=name) if name in names:
                meant = names[name]
                return self._callee(meant, nothing) if isinstance(meant, ast.Name | ast.Attribute) else ""
            case ast.Name(id=name):
                return "" if name in self._foreign else name
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in self._modules:
                return "" if name in self._foreign else name
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in names:
                return self._callee(ast.Attribute(names[owner], name), nothing)
            case ast.Attribute(value=ast.Call(func=ast.Name(id=kind), args=[], keywords=[]), attr=name):
                return f"{kind}().{name}"
            case _:
                return ""


def _measured(node: ast.expr) -> tuple[Value, int] | None:
    """Return a plain value and the length of its spelling; None for what is computed, or nests too deep."""
    level = [node]
    for _ in range(_DEEPEST):
        level = [part for one in level for part in _parts(one)]
    with suppress(ValueError):
        return None if level else _with_length(value_of(node))
    return None


def _parts(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return parts
        case ast.Dict(keys=keys, values=values):
            return [*filter(None, keys), *values]
        case _:
            return []


def _with_length(value: Value) -> tuple[Value, int]:
    return value, len(repr(value))


def _outside_bodies(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement but those of the statements in it."""
    waiting: deque[ast.AST] = deque([statement])
    while waiting:
        node = waiting.popleft()
        yield node
        waiting += [one for one in ast.iter_child_nodes(node) if not isinstance(one, ast.stmt)]


def _bodies(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        if inner := getattr(statement, field, None):
            yield inner


def _bound(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif (
        isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts)
    ):
        for one, part in zip(target.elts, value.elts, strict=True):
            yield from _bound(one, part)
