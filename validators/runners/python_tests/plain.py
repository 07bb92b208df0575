"""Run top-level checks, test functions and unittest cases without any package."""

import __future__

import ast
import inspect
import linecache
import sys
import types
import unittest
from asyncio import run as run_coroutine
from collections.abc import Callable, Mapping
from typing import Any

from .asserting import EXPLAIN, explain, explaining
from .collecting import checking_names, is_checking, is_test_function, uncalled_check
from .reporting import TESTS, Reporter

_Error = tuple[type[BaseException], BaseException, types.TracebackType] | tuple[None, None, None]


def run_plain(source: str, tree: ast.Module, names: Mapping[str, object], report: Reporter) -> None:
    """Run the tests in a scope that knows the candidate's names; a failed top-level check ends them."""
    linecache.cache[TESTS] = (len(source), None, source.splitlines(keepends=True), TESTS)
    module = types.ModuleType(TESTS.removesuffix(".py"))
    sys.modules[module.__name__] = module
    scope = module.__dict__
    scope.update(names, __file__=TESTS)
    scope[EXPLAIN] = explain
    check = uncalled_check(tree)
    functions = [node.name for node in tree.body if is_test_function(node)]  # type: ignore[attr-defined]
    if not _run_statements(tree, scope, report):
        return
    for name in functions:
        _run_function(name, scope[name], report)
    for case in list(scope.values()):
        if (
            inspect.isclass(case)
            and issubclass(case, unittest.TestCase)
            and case.__module__ == module.__name__
        ):
            unittest.defaultTestLoader.loadTestsFromTestCase(case).run(_CaseResult(report))
    if check:
        _run_check(scope[check], names, report)


def _run_statements(tree: ast.Module, scope: dict[str, Any], report: Reporter) -> bool:
    flags = compile(tree, TESTS, "exec", dont_inherit=True).co_flags & _future_flags()
    checks = checking_names(tree)
    for node in tree.body:
        checking = is_checking(node, checks)
        statement = explaining(ast.Module([node], []))
        try:
            exec(compile(statement, TESTS, "exec", flags=flags, dont_inherit=True), scope)  # noqa: S102 - the point
        except BaseException as error:  # noqa: BLE001 - the untrusted program may raise anything
            report.failed(f"line {node.lineno}", error)
            return False
        if checking:
            report.passed(f"line {node.lineno}")
    return True


def _future_flags() -> int:
    return sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


def _run_function(name: str, test: Callable[[], object], report: Reporter) -> None:
    try:
        outcome = test()
        if inspect.iscoroutine(outcome):
            run_coroutine(outcome)
    except unittest.SkipTest as skip:
        report.skipped(name, str(skip), skip)
    except BaseException as error:  # noqa: BLE001 - the untrusted program may raise anything
        report.failed(name, error)
    else:
        report.passed(name)


def _run_check(check: Callable[[object], object], names: Mapping[str, object], report: Reporter) -> None:
    """Call a `check(candidate)` that nobody calls with the only function it can be meant for."""
    functions = [value for value in names.values() if inspect.isfunction(value) and not _is_standard(value)]
    if len(functions) == 1:
        _run_function("check", lambda: check(functions[0]), report)
    else:
        message = (
            f"check(candidate) is never called, and could mean any of {len(functions)} functions. Call it."
        )
        report.record("unusable", message=message)


def _is_standard(function: types.FunctionType) -> bool:
    return function.__module__.partition(".")[0] in sys.stdlib_module_names


class _CaseResult(unittest.TestResult):
    """Reports what unittest finds."""

    def __init__(self, report: Reporter) -> None:
        super().__init__()
        self._report = report

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest calls it so
        self._report.passed(test.id())

    def addFailure(self, test: unittest.TestCase, err: _Error) -> None:  # noqa: N802
        self._fail(test, err)

    def addError(self, test: unittest.TestCase, err: _Error) -> None:  # noqa: N802
        self._fail(test, err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self._report.skipped(test.id(), reason, sys.exc_info()[1])  # None for what a decorator skips

    def addExpectedFailure(self, test: unittest.TestCase, err: _Error) -> None:  # noqa: N802, ARG002
        self._report.passed(test.id())

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        self._report.failed(test.id(), AssertionError("The test passed although it is expected to fail."))

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: _Error | None) -> None:  # noqa: N802, ARG002
        if err is not None:
            self._fail(subtest, err)

    def _fail(self, test: unittest.TestCase, err: _Error) -> None:
        if err[1] is not None:
            self._report.failed(test.id(), err[1])
