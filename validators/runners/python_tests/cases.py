"""Run unittest cases; loaded, before the candidate is, where the tests use unittest."""

import sys
import unittest
import unittest.async_case
from collections.abc import Iterable
from types import TracebackType
from unittest import SkipTest

from .reporting import Reporter

__all__ = ["SkipTest", "run_cases"]
_Error = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


def run_cases(values: Iterable[object], module: str, report: Reporter) -> None:
    """Run the test cases among the values that were made in the module."""
    for case in values:
        if isinstance(case, type) and issubclass(case, unittest.TestCase) and case.__module__ == module:
            unittest.defaultTestLoader.loadTestsFromTestCase(case).run(_CaseResult(report))


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
