"""Read the XML reports of test runners, written by a process that nobody trusts.

The standard library's expat is used event by event; a document type, and with it every entity, is refused.
"""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from validators.projects.results import Outcome, Report, Result, distinct
from validators.reading import number_in

LARGEST = 4 * 1024**2
"""Characters of a report that are read; more is no report."""
_DEEPEST = 64
_LONGEST_NAME = 1000
_MOST_DOCUMENTS = 5000
_OF_NODE = "test"
"""What `node --test` says for the class of every test."""
_FAILING = frozenset({"failure", "error"})
_NODE_VALUES = re.compile(r"^[ \t]*actual: (?P<actual>.*),\n[ \t]*expected: (?P<expected>.*),$", re.MULTILINE)
_NODE_CAUSE = "\n  cause: "
_NODE_TAIL = re.compile(r" \{\n\s+generatedMessage:.*", re.DOTALL)
_TRX_OUTCOMES: dict[str, Outcome] = {"Passed": "passed", "Failed": "failed"}


class Refused(Exception):
    """A document that is no report of a test runner."""


@dataclass(slots=True)
class _Case:
    """One test that is being read."""

    name: str
    file: str
    line: int
    outcome: Outcome = "passed"
    texts: list[str] = field(default_factory=list)


def read_junit(text: str) -> Report:
    """Read what Surefire, Gradle, PHPUnit, ctest and `node --test` write; several documents may follow."""
    return _read_all(text, _JunitReader)


def read_trx(text: str) -> Report:
    """Read what `dotnet test --logger trx` writes."""
    return _read_all(text, _TrxReader)


def read_node(text: str) -> Report:
    """Read the JUnit report of `node --test`.

    A test with the name of a file is that file: nothing in it was a test, or it ended before its tests did.
    """
    report = read_junit(text)
    return Report(tuple(map(_of_node, report.results)), report.whole)


def _of_node(result: Result) -> Result:
    if result.outcome == "passed" and re.search(r"\.[cm]?[jt]sx?$", result.name):
        told = "The file ended without a test of its own: none in it, or it ended the run."
        return Result(result.name, "failed", told, result.name, 1)
    if result.outcome != "failed":
        return result
    values = _NODE_VALUES.search(result.text)
    shown = f"expected: {values['expected']}, got: {values['actual']}\n" if values else ""
    told = result.text.partition(_NODE_CAUSE)[2] or result.text
    return Result(result.name, "failed", shown + _NODE_TAIL.sub("", told))


def _read_all(text: str, reader: type["_JunitReader"]) -> Report:
    results: list[Result] = []
    documents = [part for part in re.split(r"(?=<\?xml)", text[:LARGEST]) if part.strip()]
    whole = 0 < len(documents) <= _MOST_DOCUMENTS and len(text) <= LARGEST
    for document in documents[:_MOST_DOCUMENTS]:
        read = reader()
        whole = read.parse(document) and whole
        results.extend(read.results)
    return Report(distinct(results), whole)


class _JunitReader:
    """Collects the tests of one document."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self._depth = 0
        self._suites: list[str] = []
        self._case: _Case | None = None
        self._inside = ""
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = _refuse
        self._parser.EntityDeclHandler = _refuse

    def parse(self, document: str) -> bool:
        """Read a document as far as it goes, and say whether it was whole."""
        try:
            self._parser.Parse(document.encode("utf-8", "replace"), True)
        except (expat.ExpatError, Refused):
            return False
        return True

    def _start(self, tag: str, given: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Refused
        self.open(tag.rpartition(":")[2], given)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self.close(tag.rpartition(":")[2])

    def _characters(self, text: str) -> None:
        if self._case is not None and self._inside:
            self._case.texts.append(text)

    def open(self, tag: str, given: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if tag == "testsuite":
            self._suites.append(given.get("name", "")[:_LONGEST_NAME])
        elif tag == "testcase":
            self._begin(given)
        elif self._case is not None and tag in _FAILING:
            self._case.outcome, self._inside = "failed", tag
            self._case.texts.append(_unless_repeated(given.get("message", "")))
        elif self._case is not None and tag == "skipped" and self._case.outcome != "failed":
            self._case.outcome = "skipped"
        elif self._case is not None and tag == "system-out" and self._case.outcome == "failed":
            self._inside = tag

    def close(self, tag: str) -> None:
        """Take the end of an element."""
        if tag == self._inside:
            self._inside = ""
        if tag == "testsuite" and self._suites:
            self._suites.pop()
        elif tag == "testcase" and self._case is not None:
            case, self._case = self._case, None
            self.results.append(Result(case.name, case.outcome, "".join(case.texts), case.file, case.line))

    def _begin(self, given: dict[str, str]) -> None:
        group = given.get("classname", "")
        title = given.get("name", "")
        around = self._suites if group in {"", _OF_NODE} else [group]
        self._case = _Case(
            name=" > ".join((*(name for name in around if name not in {"", title}), title)),
            file=given.get("file", ""),
            line=number_in(given.get("line", "")),
            outcome="failed" if given.get("status") == "fail" else "passed",
        )


class _TrxReader(_JunitReader):
    """Collects the tests of one document of Visual Studio."""

    def open(self, tag: str, given: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if tag == "UnitTestResult":
            outcome = _TRX_OUTCOMES.get(given.get("outcome", ""), "skipped")
            self._case = _Case(given.get("testName", ""), "", 0, outcome)
        elif self._case is not None and tag in {"Message", "StackTrace"}:
            self._inside = tag

    def close(self, tag: str) -> None:
        """Take the end of an element."""
        if tag == "Message" and self._case is not None:
            self._case.texts.append("\n")
        super().close("testcase" if tag == "UnitTestResult" else tag)


def _unless_repeated(message: str) -> str:
    """Return what an attribute says where it may be all there is; most repeat it as text."""
    return f"{message}\n" if message else ""


def _refuse(*_: object) -> None:
    raise Refused
