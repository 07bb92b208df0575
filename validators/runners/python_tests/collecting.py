"""Find out what tests there are, without running anything."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache

_CHANGING = re.compile(
    r"\b(?:monkeypatch|patch|setattr)\b|^[ \t]*(?!self\.)[A-Za-z_]\w*(?:\.\w+)+[ \t]*=[^=]", re.MULTILINE
)
"""Finds tests that may put something of their own in place of a module's."""
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_EXPECTING = frozenset({"raises", "warns"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def count_tests(source: str, tree: ast.Module) -> int:
    """Count what must be reported at least: test functions and methods, and statements that check.

    Statements are no tests to pytest: it fails when it cannot import them, and counts what they define.
    """
    checks = checking_names(tree)
    statements = 0 if needs_pytest(source, tree) else sum(is_checking(node, checks) for node in tree.body)
    return statements + sum(map(_count_defined, tree.body))


def _count_defined(node: ast.stmt) -> int:
    if isinstance(node, ast.ClassDef):
        return sum(map(is_test_function, node.body)) if is_test_class(node) else 0
    return is_test_function(node)


def is_test_function(node: ast.stmt) -> bool:
    """Say whether a statement defines a test function or method."""
    return isinstance(node, _FUNCTION) and node.name.startswith("test")


def is_test_class(node: ast.ClassDef) -> bool:
    """Say whether a class holds tests, of unittest or of pytest."""
    return is_test_case(node) or node.name.startswith("Test")


def is_test_case(node: ast.ClassDef) -> bool:
    """Say whether a class is a test case of unittest, as far as its own line tells."""
    return any(ast.unparse(parent).endswith("TestCase") for parent in node.bases)


@cache
def checking_names(tree: ast.Module) -> frozenset[str]:
    """Return the functions of the tests that check something, themselves or through one another."""
    functions = [node for node in ast.walk(tree) if isinstance(node, _FUNCTION)]
    checks: frozenset[str] = frozenset()
    while more := {node.name for node in functions if _checks(node, checks)} - checks:
        checks |= more
    return checks


def _checks(node: ast.AST, checks: frozenset[str]) -> bool:
    """Say whether something in a node can fail a candidate: an assert, a raise, a call of what checks."""
    return any(
        isinstance(part, ast.Assert | ast.Raise) or (isinstance(part, ast.Call) and _is_check(part, checks))
        for part in ast.walk(node)
    )


def _is_check(call: ast.Call, checks: frozenset[str]) -> bool:
    name = ast.unparse(call.func).rpartition(".")[2]
    return name in checks or name in _EXPECTING or name.startswith("assert")


def is_checking(node: ast.stmt, checks: frozenset[str]) -> bool:
    """Say whether a top-level statement checks: a bare call of the candidate proves nothing."""
    if isinstance(node, (*_FUNCTION, ast.ClassDef)) or _is_main_guard(node):
        return False
    return _checks(node, checks)


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def needs_pytest(source: str, tree: ast.Module) -> bool:
    """Say whether only pytest can run these tests: they import it, use fixtures or plain test classes."""
    if not any(map(_count_defined, tree.body)):
        return False
    return mentions(source, tree, "pytest") or any(map(_is_for_pytest, tree.body))


def _is_for_pytest(node: ast.stmt) -> bool:
    if isinstance(node, _FUNCTION) and is_test_function(node):
        return len(node.args.args) > len(node.args.defaults)
    return isinstance(node, ast.ClassDef) and is_test_class(node) and not is_test_case(node)


def uncalled_check(source: str, tree: ast.Module) -> str:
    """Return the name of a HumanEval style `check(candidate)` when it is all there is; else nothing."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "check" and len(node.args.args) == 1:
            return "" if count_tests(source, tree) else node.name
    return ""


def idle_test(tree: ast.Module) -> str:
    """Return the name of a test function that yields, so that nothing in it would ever run; else nothing."""
    bodies = [
        tree.body,
        *(node.body for node in tree.body if isinstance(node, ast.ClassDef) and is_test_class(node)),
    ]
    tests = (
        node for body in bodies for node in body if isinstance(node, _FUNCTION) and is_test_function(node)
    )
    return next((test.name for test in tests if any(map(_yields, _own_nodes(test)))), "")


def mentions(source: str, tree: ast.Module, module: str) -> bool:
    """Say whether the tests import a module, or some of it."""
    return module in source and any(module in _imported(node) for node in ast.walk(tree))


def _imported(node: ast.AST) -> set[str]:
    """Return the packages that a node imports from."""
    if isinstance(node, ast.Import):
        return {name.name.partition(".")[0] for name in node.names}
    return {(node.module or "").partition(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def used_modules(source: str, tree: ast.Module) -> frozenset[str]:
    """Return the modules of the standard library that the tests import and do not change themselves."""
    if _CHANGING.search(source):
        return frozenset()
    found = {name for node in ast.walk(tree) for name in _imported(node)} if "import" in source else set()
    return frozenset(found & sys.stdlib_module_names)


def may_wait(tree: ast.Module) -> bool:
    """Say whether a test function may be, or return, a coroutine."""
    return any(
        isinstance(test, ast.AsyncFunctionDef) or any(map(_returns, _own_nodes(test)))
        for test in tree.body
        if isinstance(test, _FUNCTION) and (is_test_function(test) or test.name == "check")
    )


def _returns(node: ast.AST) -> bool:
    return isinstance(node, ast.Return) and node.value is not None


def _yields(node: ast.AST) -> bool:
    return isinstance(node, ast.Yield | ast.YieldFrom)


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """Yield what is in a function, but not what is in functions inside of it."""
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*_FUNCTION, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(node))
