"""Find Python names that nobody binds, and functions that were asked for and are not there. Pure."""

import ast
import builtins
import re
import symtable
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from validators.parsers import ParserLimitError, parse_python
from validators.returning import FunctionNode
from validators.verdict import Diagnostic

_OF_A_MODULE = re.compile(r"__\w+__|_|WindowsError")
"""Names that the interpreter, `gettext` or another system binds."""
_BINDS_UNSEEN = frozenset({"exec", "globals", "locals", "vars", "NameError"})
"""Who mentions one of these may bind names in ways that cannot be seen, or ask whether one is bound."""
_FUNCTION = re.compile(r"^(?:async[ ]+)?def[ ]\w+[^\n]*(?:\n(?:[ \t]+[^\n]*|\)[^\n]*|))*", re.MULTILINE)
"""Finds a function at the left margin with all lines that are indented, empty, or close its signature."""


def find_naming_flaws(files: Mapping[str, str], task: str) -> tuple[Diagnostic, ...]:
    """Report names that Python files use and nobody binds, and functions asked for that are not there.

    Files that do not parse are left to the compiler.
    """
    found: list[Diagnostic] = []
    for path, text in files.items():
        if path.endswith(".py"):
            with suppress(SyntaxError, ParserLimitError):
                found += [replace(one, file=path) for one in find_unbound(text, parse_python(text))]
    return (*found, *find_missing(task, files))


def find_unbound(text: str, module: ast.Module) -> tuple[Diagnostic, ...]:
    """Report the first use of each name that nothing in the text binds; code `unbound`.

    Nothing is reported where names may be bound unseen: star imports, `exec`, `globals()`, `NameError`.
    """
    names = unbound_names(text, module)
    uses = [node for node in ast.walk(module) if isinstance(node, ast.Name) and node.id in names]
    uses.sort(key=lambda use: (use.lineno, use.col_offset), reverse=True)
    first = {use.id: use for use in uses}
    return tuple(
        Diagnostic(
            f"nothing binds the name {use.id!r}", line=use.lineno, column=use.col_offset + 1, code="unbound"
        )
        for use in reversed(first.values())
    )


def unbound_names(text: str, module: ast.Module) -> frozenset[str]:
    """Return the names that the text uses and nothing in it binds.

    Raises:
        SyntaxError: The text parses, but its scopes contradict each other.
    """
    nodes = list(ast.walk(module))
    stars = any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in nodes)
    if stars or any(isinstance(node, ast.Name) and node.id in _BINDS_UNSEEN for node in nodes):
        return frozenset()
    top = _read_symbols(text)
    scopes = _scopes(top)
    bound = {
        symbol.get_name()
        for scope in scopes
        for symbol in scope.get_symbols()
        if _binds(symbol) and (scope is top or symbol.is_declared_global())
    }
    used = {
        symbol.get_name()
        for scope in scopes
        for symbol in scope.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or scope is top)
    }
    unbound = used - bound - set(dir(builtins))
    return frozenset(name for name in unbound if not _OF_A_MODULE.fullmatch(name))


def _read_symbols(text: str) -> symtable.SymbolTable:
    with warnings.catch_warnings(action="ignore"):  # an invalid escape is for a linter
        return symtable.symtable(text, "candidate", "exec")


def _scopes(top: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    scopes = [top]
    for scope in scopes:  # grows as it goes
        scopes += scope.get_children()
    return scopes


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def find_missing(task: str, files: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Report that none of the functions whose body the task leaves open is there; code `missing_name`.

    A function counts as there when any file so much as mentions it: the task may have shown it to be called,
    tested or wrapped.
    """
    wanted = open_functions(task)
    if not wanted or any(re.search(rf"\b{name}\b", text) for name in wanted for text in files.values()):
        return ()
    listed = ", ".join(f"{name!r}" for name in wanted)
    return (Diagnostic(f"the task asks for {listed}, which no file defines", code="missing_name"),)


def open_functions(task: str) -> tuple[str, ...]:
    """Name the functions that stand in the task's words with a signature and no body."""
    found = [_parse_function(match[0]) for match in _FUNCTION.finditer(task)]
    return tuple(dict.fromkeys(function.name for function in found if function and _is_open(function)))


def _parse_function(source: str) -> FunctionNode | None:
    """Parse one function; a signature may stand without a body."""
    for text in (source, f"{source.rstrip()}\n    pass\n"):
        with suppress(SyntaxError, ParserLimitError):
            first = parse_python(text).body[0]
            return first if isinstance(first, FunctionNode) else None
    return None


def _is_open(function: FunctionNode) -> bool:
    return all(
        isinstance(one, ast.Pass | ast.Import | ast.ImportFrom | ast.Raise)
        or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        for one in function.body
    )
