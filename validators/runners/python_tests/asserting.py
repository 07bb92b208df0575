"""Rewrite assert statements so that a failure says which values were compared."""

import ast
from collections.abc import Sequence

EXPLAIN = "@explain"
"""What the rewritten statements call; no source can have a name like this."""
_LONGEST = 200


def explaining(tree: ast.Module) -> ast.Module:
    """Return the module with asserts that explain themselves through `EXPLAIN`."""
    _Explaining().visit(tree)  # changes the module in place
    return ast.fix_missing_locations(tree)


class _Explaining(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.If:
        test, names = _noted(node.test)
        explanation = ast.Call(
            ast.Name(EXPLAIN, ast.Load()),
            [
                ast.Constant(shorten(ast.unparse(node.test))),
                ast.Tuple([ast.Name(name, ast.Load()) for name in names], ast.Load()),
                node.msg or ast.Constant(None),
            ],
            [],
        )
        return ast.copy_location(
            ast.If(ast.UnaryOp(ast.Not(), test), [ast.Raise(explanation, None)], []), node
        )


def _noted(test: ast.expr) -> tuple[ast.expr, tuple[str, ...]]:
    """Return the test with its operands noted under names, and the names."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        noted = ast.Compare(_note("@left", test.left), test.ops, [_note("@right", test.comparators[0])])
        return noted, ("@left", "@right")
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return ast.UnaryOp(ast.Not(), _note("@value", test.operand)), ("@value",)
    return _note("@value", test), ("@value",)


def _note(name: str, value: ast.expr) -> ast.NamedExpr:
    return ast.NamedExpr(ast.Name(name, ast.Store()), value)


def explain(source: str, values: Sequence[object], message: object) -> AssertionError:
    """Return the error of a failed assert: its source, the values, and the author's own message."""
    names = ("left", "right") if len(values) > 1 else ("the value",)
    shown = ", ".join(f"{name} is {_repr(value)}" for name, value in zip(names, values, strict=True))
    author = "" if message is None else f" ({message})"
    return AssertionError(f"assert {source}: {shown}{author}")


def _repr(value: object) -> str:
    try:
        return shorten(repr(value))
    except Exception as error:  # noqa: BLE001 - the candidate wrote this __repr__
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def shorten(text: str) -> str:
    """Cut a text in the middle when it is long."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"
