"""Read what the Python runner reported, and decide."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from validators.reading import number_in
from validators.runners.tampering import TAMPERING
from validators.sandboxed import Decision
from validators.verdict import Diagnostic

Record = Mapping[str, str]
_PLACE = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d{1,9}) in (?P<function>\S{1,200})')
_CRASH = re.compile(r"Fatal Python error: (?P<crash>[^\n]{1,300})")
_KEPT = 20


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """The records of one run, and the stack that Python dumped when it hung or crashed."""

    records: tuple[Record, ...]
    stack: str

    def of(self, kind: str) -> list[Record]:
        """Return the records of a kind."""
        return [record for record in self.records if record["kind"] == kind]

    def results(self, outcome: str) -> list[Record]:
        """Return the tests that ended so."""
        return [record for record in self.of("result") if record["outcome"] == outcome]


def read_report(report: str, secret: str) -> SuiteReport:
    """Take the lines that carry the secret as records; the rest can only be a stack."""
    records = tuple(_records(report, secret))
    return SuiteReport(records, "\n".join(line for line in report.splitlines() if not line.startswith("{")))


def _records(report: str, secret: str) -> Iterator[Record]:
    for line in report.splitlines():
        if line.startswith("{") and secret in line:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):  # cut off when the program was killed
                continue
            if record.get("secret") == secret:
                yield record


def missing_modules(report: SuiteReport) -> frozenset[str]:
    """Return the modules that are not installed and that a test, or what it tests, imports."""
    return frozenset(record["missing"] for record in report.results("failed") if record.get("missing"))


def decide_python(report: SuiteReport, limit: str, expected: Collection[str] = ()) -> Decision:
    """Decide from a report; a pass needs every collected test, none failed, and the last record.

    Args:
        report: What the runner said.
        limit: Which limit the run passed, empty when none.
        expected: The missing modules that the project asks for; the others are the candidate's fault.
    """
    failures = report.results("failed")
    if failures and (absent := sorted(missing_modules(report) & set(expected))):
        return "unavailable", (), f"Not installed beside the server: {', '.join(absent)}."
    if not failures and (unusable := report.of("unusable")):
        return "unavailable", (), unusable[0]["message"]
    if failures:
        return "failed", tuple(map(_diagnostic, failures[:_KEPT])), _counted(report)
    if limit or not report.of("end"):
        return _unfinished(report, limit)
    return _finished(report)


def _finished(report: SuiteReport) -> Decision:
    collected = sum(number_in(record["collected"]) for record in report.of("start"))
    reported = len(report.of("result"))
    if collected == 0 and reported == 0:
        return "unavailable", (), "No tests were found. Write asserts, test_* functions or a TestCase."
    if reported < collected:
        return "failed", (Diagnostic(f"Only {reported} of {collected} tests came to an end."),), ""
    if not report.results("passed"):
        return "unavailable", (), "All tests were skipped."
    return "passed", (), _counted(report)


def _unfinished(report: SuiteReport, limit: str) -> Decision:
    if not report.of("start"):
        return "unavailable", (), f"The tests could not be started. {limit}".strip()
    crash = _CRASH.search(report.stack)
    message = limit or (f"Python crashed: {crash['crash']}." if crash else "")
    place = next(
        (found for found in _PLACE.finditer(report.stack) if "/lib/python" not in found["file"]), None
    )
    if place is None or not message:
        message = message or "The program ended before its tests did: it may have called exit."
        return "failed", (Diagnostic(message),), _counted(report)
    return (
        "failed",
        (
            Diagnostic(
                f"{message} It was in {place['function']}.",
                file=place["file"].rpartition("/")[2] if place["file"].startswith("/") else place["file"],
                line=int(place["line"]),
            ),
        ),
        _counted(report),
    )


def _counted(report: SuiteReport) -> str:
    counts = {outcome: len(report.results(outcome)) for outcome in ("passed", "failed", "skipped")}
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count) or "no test ended"


def _diagnostic(failure: Record) -> Diagnostic:
    missing = failure.get("missing")
    message = f"imports {missing!r}, which is not installed" if missing else failure["message"]
    return Diagnostic(
        f"{failure['test']}: {message}",
        file=failure["file"],
        line=number_in(failure["line"]),
        code=TAMPERING if failure["code"] == "Tampered" else failure["code"],
    )
