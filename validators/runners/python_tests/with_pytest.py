"""Run tests that need pytest, and report each through a plugin."""

import builtins
import inspect
import os
import unittest
from asyncio import run as run_coroutine
from collections.abc import Mapping
from pathlib import Path

import pytest

from .reporting import TESTS, Reporter


def run_pytest(source: str, names: Mapping[str, object], report: Reporter) -> None:
    """Run the tests with pytest, without plugins, settings and conftest files of the candidate.

    The file that pytest needs is there only until it has been imported.
    """
    Path(TESTS).write_text(source, "utf-8")
    # pytest imports the tests itself, so names can reach their scope only as builtins
    for name, value in names.items():
        if not hasattr(builtins, name):
            setattr(builtins, name, value)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = [
        "-q",
        "-c",
        os.devnull,
        "--rootdir=.",
        "--noconftest",
        "-p",
        "no:cacheprovider",
        "--tb=short",
    ]
    pytest.main([*arguments, TESTS], plugins=[_Reporting(report)])


class _Reporting:
    """A plugin that reports each test once, and runs coroutine functions."""

    def __init__(self, report: Reporter) -> None:
        self._report = report

    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Run a coroutine function to its end; leave others to pytest."""
        if not inspect.iscoroutinefunction(pyfuncitem.obj):
            return None
        wanted = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 - pytest's own plugins for this do the same
        run_coroutine(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
        return True

    def pytest_collection_finish(self) -> None:
        """Remove the tests, which the candidate could read."""
        Path(TESTS).unlink(missing_ok=True)

    @pytest.hookimpl(tryfirst=True)  # before pytest makes an own skip out of that of unittest
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Report the call, or what went wrong around it."""
        raised = call.excinfo
        if raised is None:
            if call.when == "call":
                self._report.passed(item.name)
        elif raised.errisinstance((pytest.skip.Exception, unittest.SkipTest)):
            self._report.skipped(item.name, str(raised.value), raised.value)
        elif item.get_closest_marker("xfail") is not None:
            self._report.skipped(item.name, "expected to fail")
        else:
            self._report.failed(item.name, raised.value)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Report tests that skip themselves as a whole."""
        if report.skipped:
            self._report.record("unusable", message=f"The tests skip themselves: {report.longreprtext}")

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[None]
    ) -> None:
        """Report that the tests could not even be imported, with the reason that pytest wraps."""
        if isinstance(node, pytest.Collector) and call.excinfo is not None:
            error = call.excinfo.value
            self._report.failed("import of the tests", error.__cause__ or error)
