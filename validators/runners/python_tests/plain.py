"""Run top-level checks and test functions without any package."""

import __future__

import ast
import importlib
import linecache
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .asserting import EXPLAIN, explain, explaining
from .collecting import checking_names, is_checking, is_test_function, may_wait, mentions, uncalled_check
from .reporting import TESTS, Reporter


class Means(NamedTuple):
    """What only some tests need; imported before the candidate, which could replace it."""

    cases: types.ModuleType | None = None
    run_coroutine: Callable[[Any], object] | None = None


class Statement(NamedTuple):
    """One statement of the tests, compiled."""

    line: int
    checks: bool
    code: types.CodeType


class Plan(NamedTuple):
    """Tests made ready: nothing is parsed or compiled once the candidate is there."""

    source: str
    statements: Sequence[Statement]
    functions: Sequence[str]
    check: str
    """The name of a `check(candidate)` that nobody calls; empty where there is none."""
    means: Means


def prepare(source: str, tree: ast.Module) -> Plan:
    """Compile the tests, whose syntax tree is used up by that, and import what they need.

    Raises:
        SyntaxError: They cannot be compiled.
    """
    functions = [node.name for node in tree.body if is_test_function(node)]  # type: ignore[attr-defined]
    check, means = uncalled_check(source, tree), _find_means(source, tree)
    return Plan(source, list(_compile(tree)), functions, check, means)


def _find_means(source: str, tree: ast.Module) -> Means:
    cases = importlib.import_module(".cases", __package__) if mentions(source, tree, "unittest") else None
    waits = may_wait(tree) or mentions(source, tree, "asyncio")
    return Means(cases, importlib.import_module("asyncio").run if waits else None)


def _compile(tree: ast.Module) -> Iterator[Statement]:
    flags = compile(tree, TESTS, "exec", dont_inherit=True).co_flags & _future_flags()
    checks = checking_names(tree)
    for node in tree.body:
        checking = is_checking(node, checks)
        statement = explaining(ast.Module([node], []))
        yield Statement(
            node.lineno, checking, compile(statement, TESTS, "exec", flags=flags, dont_inherit=True)
        )


def _future_flags() -> int:
    return sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


def run_plain(plan: Plan, names: Mapping[str, object], report: Reporter) -> None:
    """Run the tests in a scope that knows the candidate's names; a failed top-level check ends them."""
    linecache.cache[TESTS] = (len(plan.source), None, plan.source.splitlines(keepends=True), TESTS)
    module = types.ModuleType(TESTS.removesuffix(".py"))
    sys.modules[module.__name__] = module
    scope = module.__dict__
    scope.update(names, __file__=TESTS)
    scope[EXPLAIN] = explain
    if not _run_statements(plan.statements, scope, report):
        return
    for name in plan.functions:
        _run_function(name, scope[name], plan.means, report)
    if plan.means.cases is not None:
        plan.means.cases.run_cases(list(scope.values()), module.__name__, report)
    if plan.check:
        _run_check(scope[plan.check], names, plan.means, report)


def _run_statements(statements: Sequence[Statement], scope: dict[str, Any], report: Reporter) -> bool:
    for statement in statements:
        try:
            exec(statement.code, scope)  # noqa: S102 - the point
        except BaseException as error:  # noqa: BLE001 - the untrusted program may raise anything
            report.failed(f"line {statement.line}", error)
            return False
        if statement.checks:
            report.passed(f"line {statement.line}")
    return True


def _run_function(name: str, test: Callable[[], object], means: Means, report: Reporter) -> None:
    try:
        outcome = test()
        if isinstance(outcome, types.CoroutineType) and means.run_coroutine is not None:
            means.run_coroutine(outcome)
    except BaseException as error:  # noqa: BLE001 - the untrusted program may raise anything
        if means.cases is not None and isinstance(error, means.cases.SkipTest):
            report.skipped(name, str(error), error)
        else:
            report.failed(name, error)
    else:
        report.passed(name)


def _run_check(
    check: Callable[[object], object], names: Mapping[str, object], means: Means, report: Reporter
) -> None:
    """Call a `check(candidate)` that nobody calls with the only function it can be meant for."""
    functions = [
        value for value in names.values() if isinstance(value, types.FunctionType) and not _is_standard(value)
    ]
    if len(functions) == 1:
        _run_function("check", lambda: check(functions[0]), means, report)
    else:
        message = (
            f"check(candidate) is never called, and could mean any of {len(functions)} functions. Call it."
        )
        report.record("unusable", message=message)


def _is_standard(function: types.FunctionType) -> bool:
    return function.__module__.partition(".")[0] in sys.stdlib_module_names
