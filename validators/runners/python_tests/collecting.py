"""Find out what tests there are, without running anything."""

import ast

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def count_tests(tree: ast.Module) -> int:
    """Count what must be reported at least: checking statements, test functions and test methods."""
    return sum(_count(node) for node in tree.body)


def _count(node: ast.stmt) -> int:
    if isinstance(node, ast.ClassDef):
        return sum(map(is_test_function, node.body)) if is_test_class(node) else 0
    return is_test_function(node) or is_checking(node)


def is_test_function(node: ast.stmt) -> bool:
    """Say whether a statement defines a test function or method."""
    return isinstance(node, _FUNCTION) and node.name.startswith("test")


def is_test_class(node: ast.ClassDef) -> bool:
    """Say whether a class holds tests, of unittest or of pytest."""
    return is_test_case(node) or node.name.startswith("Test")


def is_test_case(node: ast.ClassDef) -> bool:
    """Say whether a class is a test case of unittest, as far as its own line tells."""
    return any(ast.unparse(parent).endswith("TestCase") for parent in node.bases)


def is_checking(node: ast.stmt) -> bool:
    """Say whether a top-level statement can fail a candidate: it asserts, raises or calls (but `print`)."""
    if isinstance(node, (*_FUNCTION, ast.ClassDef)) or _is_main_guard(node):
        return False
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.unparse(node.value.func) != "print"
    return any(isinstance(part, ast.Assert | ast.Raise) for part in ast.walk(node))


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def needs_pytest(tree: ast.Module) -> bool:
    """Say whether only pytest can run these tests: they import it, use fixtures or plain test classes."""
    return any(map(_imports_pytest, ast.walk(tree))) or any(map(_is_for_pytest, tree.body))


def _imports_pytest(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(name.name.partition(".")[0] == "pytest" for name in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "pytest"


def _is_for_pytest(node: ast.stmt) -> bool:
    if isinstance(node, _FUNCTION) and is_test_function(node):
        return len(node.args.args) > len(node.args.defaults)
    return isinstance(node, ast.ClassDef) and is_test_class(node) and not is_test_case(node)


def uncalled_check(tree: ast.Module) -> str:
    """Return the name of a HumanEval style `check(candidate)` when it is all there is; else nothing."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "check" and len(node.args.args) == 1:
            return "" if count_tests(tree) else node.name
    return ""
