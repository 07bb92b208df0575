"""Turn what a text shows into calls of what a candidate defines. Pure."""

import ast
import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from validators.parsers import ParserLimitError, parse_python
from validators.returning import FunctionNode
from validators.runners.example_texts import Shown, find_shown
from validators.runners.example_values import Value, read_value, value_of

_SCRIPT_FUNCTION = re.compile(
    r"^(?:export[ ]+)?(?:default[ ]+)?(?:async[ ]+)?(?:function[ ]+(?P<name>\w+)[ ]*|"
    r"(?:const|let|var)[ ]+(?P<other>\w+)[ ]*=[ ]*(?:async[ ]+)?(?:function[ ]*(?:\w{1,80}[ ]*)?)?)"
    r"\((?P<parameters>[^()]{0,400})\)",
    re.MULTILINE,
)
_SAID = frozenset({"true", "false", "null", "undefined", "NaN", "Infinity"})
_CLOCK = re.compile(r"(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})?[ T]?(?:\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?")
"""Finds times and dates; what is called with nothing and shows one shows that of the author."""
_KNOWN: Mapping[str, frozenset[str]] = {
    "python": frozenset(dir(builtins)) | _SAID,
    "javascript": _SAID | {"Array", "BigInt", "JSON", "Math", "Number", "Object", "String"},
}
"""Names that an example may use although nothing in the task or candidate binds them."""


@dataclass(frozen=True, slots=True)
class Callee:
    """A function or method that a candidate defines."""

    name: str
    call: str
    """What stands before the brackets: `f`, `Solution().f`."""
    parameters: tuple[str, ...]
    required: int
    """How many of them must be given, the first ones."""


@dataclass(frozen=True, slots=True)
class Definitions:
    """What the files of a candidate define."""

    callees: tuple[Callee, ...]
    own: frozenset[str]
    """The functions and classes at the top of a file, and the methods that can be called by name alone."""
    names: frozenset[str]
    """All that is bound at the top of a file."""


@dataclass(frozen=True, slots=True)
class Example:
    """One call that can be made, and what the task says comes of it."""

    call: str
    expected: Value
    line: int
    """In the task."""
    setup: tuple[str, ...] = ()


def read_python(files: Mapping[str, str]) -> Definitions:
    """Return the public functions, and the methods of classes that need nothing to be made."""
    callees: list[Callee] = []
    own: set[str] = set()
    names: set[str] = set()
    for text in files.values():
        with suppress(SyntaxError, ParserLimitError):
            module = parse_python(text)
            names |= bound_names(module.body)
            for node in module.body:
                if isinstance(node, FunctionNode):
                    own.add(node.name)
                    callees += _callee(node, node.name, method=False)
                elif isinstance(node, ast.ClassDef):
                    own.add(node.name)
                    callees += _methods(node)
    return Definitions(tuple(callees), frozenset(own | {one.name for one in callees}), frozenset(own | names))


def _methods(node: ast.ClassDef) -> Iterator[Callee]:
    methods = [one for one in node.body if isinstance(one, FunctionNode)]
    made = [found for one in methods if one.name == "__init__" for found in _callee(one, "", method=True)]
    if made and made[0].required:
        return
    for one in methods:
        if not one.name.startswith("_"):
            yield from _callee(one, f"{node.name}().{one.name}", method=True)


def _callee(node: FunctionNode, call: str, *, method: bool) -> Iterator[Callee]:
    """Yield how a function is called; nothing where an example cannot tell."""
    decorators = {ast.unparse(one) for one in node.decorator_list}
    if "property" in decorators or any(default is None for default in node.args.kw_defaults):
        return
    bound = int(method and "staticmethod" not in decorators)
    positional = [one.arg for one in (*node.args.posonlyargs, *node.args.args)][bound:]
    required = max(0, len(positional) - len(node.args.defaults))
    yield Callee(node.name, call, (*positional, *(one.arg for one in node.args.kwonlyargs)), required)


def read_javascript(text: str) -> Definitions:
    """Return the functions at the left margin."""
    callees = []
    for match in _SCRIPT_FUNCTION.finditer(text):
        name = match["name"] or match["other"]
        parameters = [one.strip() for one in match["parameters"].split(",") if one.strip()]
        required = sum("=" not in one and not one.startswith("...") for one in parameters)
        callees.append(
            Callee(name, name, tuple(one.partition("=")[0].strip() for one in parameters), required)
        )
    names = frozenset(one.name for one in callees)
    return Definitions(tuple(callees), names, names)


def find_examples(task: str, definitions: Definitions, language: str) -> tuple[Example, ...]:
    """Return the examples of a task that a candidate can be held against."""
    shown = find_shown(task, {one.name for one in definitions.callees})
    found: list[Example] = []
    for one in shown:
        found += (
            _of_call(one, definitions, language) if one.call else _of_inputs(one, task, definitions, language)
        )
    return tuple(found)


def _of_call(shown: Shown, definitions: Definitions, language: str) -> Iterator[Example]:
    """Yield the example if it is about the candidate, names nothing unknown and tells no time."""
    call = _read(shown.call)
    if len(call) != 1 or not isinstance(call[0], ast.Expr) or _tells_time(shown):
        return
    used = _used(call)
    before = [(source, body) for source in shown.setup if (body := _read(source))]
    bound = {name for _, body in before for name in bound_names(body)}
    setup = tuple(source for source, _ in before) if bound & used else ()
    about = used.union(*(_used(body) for _, body in before if setup)) & definitions.own
    known = definitions.own | definitions.names | bound | _KNOWN[language]
    if about and "print" not in used and used <= known:
        yield Example(
            _respelled(call[0].value, shown, definitions, language), shown.expected, shown.line, setup
        )


def _tells_time(shown: Shown) -> bool:
    return "()" in shown.call and isinstance(shown.expected, str) and bool(_CLOCK.fullmatch(shown.expected))


def _read(source: str) -> list[ast.stmt]:
    with suppress(SyntaxError, ParserLimitError):
        return parse_python(source).body
    return []


def _used(body: Sequence[ast.stmt]) -> set[str]:
    return {node.id for one in body for node in ast.walk(one) if isinstance(node, ast.Name)}


def bound_names(body: Sequence[ast.stmt]) -> set[str]:
    """Return the names that statements bind outside the functions and classes among them."""
    names: set[str] = set()
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
                continue
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.alias(name=name, asname=other):
                names.add(other or name.partition(".")[0])
            case _:
                pass
        waiting += ast.iter_child_nodes(node)
    return names


def _respelled(call: ast.expr, shown: Shown, definitions: Definitions, language: str) -> str:
    """Write a call of a function by its name as Python has it, through the class that it is a method of."""
    if language != "python" or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return shown.call
    found = [one for one in definitions.callees if one.name == call.func.id]
    try:
        given = [repr(value_of(one)) for one in call.args]
        named = [f"{one.arg}={value_of(one.value)!r}" for one in call.keywords if one.arg]
    except ValueError:
        return shown.call
    return f"{found[0].call}({', '.join((*given, *named))})" if len(found) == 1 else shown.call


def _of_inputs(shown: Shown, task: str, definitions: Definitions, language: str) -> Iterator[Example]:
    """Call the one function that can be meant with the inputs, by their names or in their order."""
    asked = [one for one in definitions.callees if re.search(rf"\b{re.escape(one.name)}\b", task)]
    if len(asked) != 1:
        return
    (callee,) = asked
    names = [name for name, _ in shown.inputs if name]
    if not callee.required <= len(shown.inputs) <= len(callee.parameters):
        return
    with suppress(ValueError):
        given = _arguments(shown, language)
        if names and language == "python" and set(names) <= set(callee.parameters):
            given = [f"{name}={value}" for name, value in zip(names, given, strict=True)]
        yield Example(f"{callee.call}({', '.join(given)})", shown.expected, shown.line)


def _arguments(shown: Shown, language: str) -> list[str]:
    if language != "python":
        return [source for _, source in shown.inputs]
    return [repr(read_value(source)) for _, source in shown.inputs]
