"""Rewrite assert statements so that a failure says which values were compared."""

import ast
import linecache
from collections.abc import Sequence
from typing import TypedDict

from .reporting import TESTS

EXPLAIN = "@explain"
"""What the rewritten statements call; no source can have a name like this."""
_LONGEST = 200
_BODIES = ("body", "orelse", "finalbody")
_LOAD = ast.Load()
Place = tuple[int, int, int, int]
"""First line, first byte, last line and the byte after the last, as `ast` counts them."""


class _Place(TypedDict):
    lineno: int
    col_offset: int
    end_lineno: int
    end_col_offset: int


def explaining(tree: ast.Module) -> ast.Module:
    """Return the module, changed in place, with asserts that explain themselves through `EXPLAIN`.

    Only statements are looked at and only what is new gets a place: this runs before every candidate.
    """
    _rewrite(tree.body)
    return tree


def _rewrite(body: list[ast.stmt]) -> None:
    for statement in body:
        for name in _BODIES:
            _rewrite(getattr(statement, name, []))
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            _rewrite(part.body)
    body[:] = [part for one in body for part in (_explained(one) if isinstance(one, ast.Assert) else (one,))]


def _explained(node: ast.Assert) -> tuple[ast.If, ast.Assign]:
    """Return what an assert becomes: a condition that explains itself, and the end of what it noted."""
    at: _Place = {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno or node.lineno,
        "end_col_offset": node.end_col_offset or 0,
    }
    whole = node.test
    place = (whole.lineno, whole.col_offset, whole.end_lineno, whole.end_col_offset)
    test, names = _noted(whole, at)
    told = [
        ast.Tuple([ast.Constant(number, **at) for number in place], _LOAD, **at),
        ast.Tuple([ast.Name(name, _LOAD, **at) for name in names], _LOAD, **at),
        node.msg or ast.Constant(None, **at),
    ]
    explanation = ast.Call(ast.Name(EXPLAIN, _LOAD, **at), told, [], **at)
    failing = ast.If(ast.UnaryOp(ast.Not(), test, **at), [ast.Raise(explanation, None, **at)], [], **at)
    names_again: list[ast.expr] = [ast.Name(name, ast.Store(), **at) for name in names]
    return failing, ast.Assign(names_again, ast.Constant(None, **at), **at)


def _noted(test: ast.expr, at: _Place) -> tuple[ast.expr, tuple[str, ...]]:
    """Return the test with its operands noted under names, and the names."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, right = _note("@left", test.left, at), _note("@right", test.comparators[0], at)
        return ast.Compare(left, test.ops, [right], **at), ("@left", "@right")
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return ast.UnaryOp(ast.Not(), _note("@value", test.operand, at), **at), ("@value",)
    return _note("@value", test, at), ("@value",)


def _note(name: str, value: ast.expr, at: _Place) -> ast.NamedExpr:
    return ast.NamedExpr(ast.Name(name, ast.Store(), **at), value, **at)


def explain(place: Place, values: Sequence[object], message: object) -> AssertionError:
    """Return the error of a failed assert: its source, the values, and the author's own message."""
    names = ("left", "right") if len(values) > 1 else ("the value",)
    told = ", ".join(f"{name} is {_repr(value)}" for name, value in zip(names, values, strict=True))
    author = "" if message is None else f" ({message})"
    return AssertionError(f"assert {shorten(_source(place))}: {told}{author}")


def _source(place: Place) -> str:
    """Return what stands at a place of the tests, on one line."""
    first, start, last, end = place
    lines = [linecache.getline(TESTS, number).encode() for number in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    return " ".join(line.decode("utf-8", "replace").strip() for line in lines)


def _repr(value: object) -> str:
    try:
        return shorten(repr(value))
    except Exception as error:  # noqa: BLE001 - the candidate wrote this __repr__
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def shorten(text: str) -> str:
    """Cut a text in the middle when it is long."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"
