"""Find what a task calls and with which literal arguments, in its tests and in its text. Pure."""

import ast
import builtins
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from validators.parsers import ParserLimitError, parse_python
from validators.returning import FunctionNode
from validators.runners.example_texts import Shown, find_shown
from validators.runners.example_values import Value, read_value, value_of

Args = tuple[Value, ...]
_MOST_SEEDS = 60
_MOST_TEXT = 100_000
_MOST_CHARS = 4000
"""Of one call; what is longer is there to be slow."""
_NO_ENTRY = frozenset(dir(builtins)) | {"isclose", "approx", "raises", "check", "deepcopy", "copy"}
"""Called by tests, and never what they are about."""
_CLASS = re.compile(r"^[ \t]*class[ \t]+(?P<name>\w+)", re.MULTILINE)
_FUNCTION = re.compile(r"^(?P<margin>[ \t]*)(?:async[ \t]+)?def[ \t]+(?P<name>\w+)[ \t]*\(", re.MULTILINE)
_ANY_ANSWER = re.compile(
    r"\b(?:return|output|print|find|give|choose)\s+any(?:\s+(?:one|of|valid|such|possible|correct|answer|solution)\b|\.)"
    r"|\bany\s+(?:valid|possible|correct|of\s+(?:them|these|the\s+(?:valid|possible|correct)))\b"
    r"[^.\n]{0,40}\b(?:answers?|solutions?|is\s+(?:accepted|fine|ok))"
    r"|\b(?:there\s+(?:are|may\s+be|can\s+be)|if)\s+(?:multiple|several|more\s+than\s+one)\s+"
    r"(?:valid\s+|possible\s+|correct\s+)?(?:answers|solutions|such)[^.\n]{0,60}\bany\b",
    re.IGNORECASE,
)
_ANY_ORDER = re.compile(
    r"\bin\s+any\s+order\b|\border\s+(?:of\s+[^.\n]{1,60}\s+)?(?:does\s+not|doesn't)\s+matter\b|\bany\s+order\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Seeds:
    """What is called, and the arguments it was seen to be called with."""

    call: str
    """What stands before the brackets: `f`, `Solution().f`."""
    names: tuple[str, ...]
    """Of the last arguments, those given by keyword."""
    rows: tuple[Args, ...]
    """All of one length, no two alike, in the order seen."""
    any_order: bool = False
    """The text leaves the order of what a result lists free."""
    any_answer: bool = False
    """The text accepts one of several right results: differing ones say nothing."""


@dataclass(frozen=True, slots=True)
class _Call:
    callee: str
    names: tuple[str, ...]
    args: Args


def find_seeds(text: str, tests: str) -> Seeds | None:
    """Return the callee and the arguments that tests and examples show; None when they show none.

    Args:
        text: The words of the task.
        tests: Python source; what it asserts is not used, only what it calls.
    """
    text = text[:_MOST_TEXT]
    calls = [*_calls_of(tests)]
    entry = _most_called(calls) or _defined(text)
    if not entry:
        return None
    calls += _shown(text, entry)
    kept = _alike([call for call in calls if call.callee == entry])
    if not kept:
        return None
    rows = tuple({repr(call.args): call.args for call in kept}.values())[:_MOST_SEEDS]
    if not rows[0]:
        return None
    return Seeds(entry, kept[0].names, rows, bool(_ANY_ORDER.search(text)), bool(_ANY_ANSWER.search(text)))


def _alike(calls: list[_Call]) -> list[_Call]:
    """Return the calls of the commonest form; the first of equally common ones."""
    forms = Counter((len(call.args), call.names) for call in calls)
    return [call for call in calls if (len(call.args), call.names) == forms.most_common(1)[0][0]]


def _most_called(calls: list[_Call]) -> str:
    counts = Counter(call.callee for call in calls)
    return counts.most_common(1)[0][0] if counts else ""


def _calls_of(tests: str) -> Iterator[_Call]:
    try:
        module = parse_python(tests)
    except (SyntaxError, ParserLimitError):
        return
    reader = _Reader(*_imported(module))
    yield from reader.read(module.body, {})


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


Known = Mapping[str, ast.expr]


class _Reader:
    """Reads statements in order, with the literals that names stand for at each place."""

    def __init__(self, modules: frozenset[str], foreign: frozenset[str]) -> None:
        self._modules = modules
        self._foreign = foreign | _NO_ENTRY
        self._functions: dict[str, FunctionNode] = {}

    def read(self, body: list[ast.stmt], known: Known) -> Iterator[_Call]:
        """Yield the calls with literal arguments."""
        names = dict(known)
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

    def _read_function(self, function: FunctionNode, names: Known) -> Iterator[_Call]:
        """Read a test at once; a `check(candidate)` when it is called with what it checks."""
        self._functions[function.name] = function
        if not function.args.args or function.args.args[0].arg == "self":
            yield from self.read(function.body, names)

    def _read_call(self, node: ast.Call, names: Known) -> Iterator[_Call]:
        inner = self._functions.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if inner and len(node.args) == len(inner.args.args) and not node.keywords:
            checked = dict(zip((one.arg for one in inner.args.args), node.args, strict=True))
            self._functions = {key: one for key, one in self._functions.items() if one is not inner}
            yield from self.read(inner.body, {**names, **checked})
            return
        callee = self._callee(node.func, names)
        if callee and all(keyword.arg for keyword in node.keywords):
            with suppress(ValueError):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                args = tuple(
                    value_of(names.get(one.id, one) if isinstance(one, ast.Name) else one) for one in given
                )
                if len(repr(args)) <= _MOST_CHARS:
                    yield _Call(callee, tuple(keyword.arg or "" for keyword in node.keywords), args)

    def _callee(self, node: ast.expr, names: Known) -> str:
        """Spell what is called: a function, or a method of what is made from nothing."""
        match node:
            case ast.Name(id=name) if name in names:
                meant = names[name]
                return self._callee(meant, {}) if isinstance(meant, ast.Name | ast.Attribute) else ""
            case ast.Name(id=name):
                return "" if name in self._foreign else name
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in self._modules:
                return "" if name in self._foreign else name
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in names:
                return self._callee(ast.Attribute(names[owner], name), {})
            case ast.Attribute(value=ast.Call(func=ast.Name(id=kind), args=[], keywords=[]), attr=name):
                return f"{kind}().{name}"
            case _:
                return ""


def _outside_bodies(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement but those of the statements in it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
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


def _defined(text: str) -> str:
    """Return the one function, or the first method of a class, whose head the text shows."""
    found = [match for match in _FUNCTION.finditer(text) if not match["name"].startswith("_")]
    if not found:
        return ""
    last = found[-1]
    if not last["margin"]:
        return last["name"]
    kinds = [match["name"] for match in _CLASS.finditer(text, 0, found[0].start())]
    return f"{kinds[-1]}().{found[0]['name']}" if kinds else found[0]["name"]


def _shown(text: str, entry: str) -> Iterator[_Call]:
    """Yield the calls that the examples of a text make."""
    name = entry.rpartition(".")[2]
    for shown in find_shown(text, {name}):
        for call in _calls_of(shown.call) if shown.call else _of_inputs(shown, entry):
            if call.callee.rpartition(".")[2] == name:
                yield _Call(entry, call.names, call.args)


def _of_inputs(shown: Shown, entry: str) -> Iterator[_Call]:
    with suppress(ValueError):
        args = tuple(read_value(source) for _, source in shown.inputs)
        names = tuple(name for name, _ in shown.inputs)
        yield _Call(entry, names if all(names) else (), args)
