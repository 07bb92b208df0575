"""Have the pytest of a project's own command report each test over a private channel; a plugin of pytest."""

import functools
import json
import os
import unittest
from collections.abc import Collection
from pathlib import Path

import pytest

from .reporting import Record, describe, is_one_of, open_record, raised_within, shown

REPORT_FD = 3


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Take the secret and start to report, before anything of the project is imported.

    A second pytest of the same command, or a worker of pytest-xdist, finds no secret and reports nothing.
    """
    settings = Path(__file__).parents[1] / "settings.json"
    if settings.exists():
        taken = json.loads(settings.read_text("utf-8"))
        settings.unlink()
        record = open_record(taken["secret"], functools.partial(os.write, REPORT_FD))
        record("loaded")
        pluginmanager.register(_Reporting(record, taken["files"]))


class _Reporting:
    """Reports each test once."""

    def __init__(self, record: Record, candidate_files: Collection[str]) -> None:
        self._record = record
        self._candidate_files = frozenset(candidate_files)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Report how many tests there are."""
        self._record("start", collected=str(len(session.items)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Report what could not be collected."""
        if report.failed or (report.skipped and self._by_candidate(report)):
            self._failed(report)

    @pytest.hookimpl(tryfirst=True)  # before pytest makes an own skip out of that of unittest
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Report a skip that the candidate raised as unittest does."""
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, unittest.SkipTest) and raised_within(error, self._candidate_files):
            self._record("result", test=item.nodeid, outcome="failed", **describe(error))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Report the call, or what went wrong around it."""
        expected = hasattr(report, "wasxfail")
        if report.skipped and self._by_candidate(report):
            self._failed(report)
        elif report.skipped:
            self._record("result", test=report.nodeid, outcome="skipped")
        elif report.failed and not expected:
            self._failed(report)
        elif report.passed and report.when == "call":
            self._record("result", test=report.nodeid, outcome="passed")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Report that pytest came to its end."""
        self._record("end")

    def _by_candidate(self, report: pytest.TestReport | pytest.CollectReport) -> bool:
        return is_one_of(_place(report)[0], self._candidate_files)

    def _failed(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        path, line = _place(report)
        lines = report.longreprtext.splitlines()
        told = [line.removeprefix("E").strip() for line in lines if line.startswith("E ")] or lines[-1:]
        file = shown(path)
        self._record(
            "result",
            test=report.nodeid,
            outcome="failed",
            message=" ".join(told[:3]),
            file=report.nodeid.partition("::")[0] if file in {"", path} else file,
            line=str(line),
            code="",
        )


def _place(report: pytest.TestReport | pytest.CollectReport) -> tuple[str, int]:
    """Return the file and line where a test was skipped or failed."""
    told = report.longrepr
    if isinstance(told, tuple):
        return str(told[0]), int(told[1])
    crash = getattr(told, "reprcrash", None)  # a text has none
    return (str(crash.path), int(crash.lineno)) if crash else ("", 0)
