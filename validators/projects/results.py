"""What a runner of tests reported, each test with its outcome and, where it failed, its place and reason."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Literal

from validators.verdict import Diagnostic

Outcome = Literal["passed", "failed", "skipped"]
LONGEST = 600
KEPT = 10
_MOST_FAILURES = 200
_MOST_NAMES = 1000
_PLACE = re.compile(
    r"(?:file://|(?<![\w./@+-]))(?P<file>[\w./@+-]*[\w@+-]\.\w+)(?::|\(|\", line )(?P<line>\d{1,9})"
)
"""A path is tried from its first character only, or a long word takes time by the square of its length."""
_STACK = re.compile(
    r"^\s*(?:at |\.\.\. \d+ more|#\d+ |goroutine \d|stack backtrace|\d+: 0x|note: run with|\d+:\s+\S+::)"
)
_BLANKS = re.compile(r"\n\s*\n+")
_FOREIGN = ("node_modules/", "site-packages/", "vendor/", ".cargo/", ".venv/", "venv/")


@dataclass(frozen=True, slots=True)
class Result:
    """How one test ended. The name is what the same test has in another run."""

    name: str
    outcome: Outcome
    text: str = ""
    """What the runner says of a failure, stack and all."""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What a runner said in all."""

    results: tuple[Result, ...] = ()
    whole: bool = False
    """Whether it came to its end: a run that was cut off proves nothing."""

    def names(self, *outcomes: Outcome) -> frozenset[str]:
        """Return the names of the tests that ended so."""
        return frozenset(result.name for result in self.results if result.outcome in outcomes)


class OwnFiles:
    """The project's own files, to be found by what runners call them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._named: dict[str, list[str]] = {}
        for path in paths:
            self._named.setdefault(path.rpartition("/")[2], []).append(path)
        self._known: dict[str, str] = {}

    def resolve(self, file: str) -> str:
        """Return the file that a runner means, which may print it absolute or by its name alone.

        Of very many that are asked for, the last are taken for none: no stack names so many.
        """
        if file not in self._known and len(self._known) < _MOST_NAMES:
            self._known[file] = self._find(file)
        return self._known.get(file, "")

    def _find(self, file: str) -> str:
        if not file or any(part in f"/{file}" for part in _FOREIGN):
            return ""
        paths = self._named.get(file.rpartition("/")[2], [])
        inside = [path for path in paths if f"/{file}".endswith(f"/{path}")]
        if inside:
            return max(inside, key=len)
        return (
            "" if file[0] == "/" else min((path for path in paths if path.endswith(f"/{file}")), default="")
        )


def distinct(results: Iterable[Result]) -> tuple[Result, ...]:
    """Return the results with a number behind each name that was there before."""
    seen: dict[str, int] = {}
    named = []
    for result in results:
        seen[result.name] = seen.get(result.name, 0) + 1
        number = seen[result.name]
        named.append(result if number == 1 else replace(result, name=f"{result.name} ({number})"))
    return tuple(named)


def counted(report: Report) -> str:
    """Say how many tests ended how."""
    counts = {
        outcome: sum(result.outcome == outcome for result in report.results)
        for outcome in ("passed", "failed", "skipped")
    }
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count) or "no test ended"


def explain_failures(failures: Iterable[Result], paths: Collection[str]) -> tuple[Diagnostic, ...]:
    """Return the first failures as remarks, once each, with places in the project's own files only.

    Args:
        failures: In the order in which they happened.
        paths: The project's own files.
    """
    own = OwnFiles(paths)
    remarks: dict[tuple[str, int, str], Diagnostic] = {}
    for failure in islice(failures, _MOST_FAILURES):
        file, line = locate(failure, own)
        told = trim(failure.text)
        remark = Diagnostic(f"{failure.name}: {told}" if told else failure.name, file=file, line=line)
        remarks.setdefault((file, line, told) if told else (file, line, failure.name), remark)
        if len(remarks) == KEPT:
            break
    return tuple(remarks.values())


def locate(failure: Result, own: OwnFiles) -> tuple[str, int]:
    """Return where a test failed: the first place in the project's own files that its text names."""
    return first_place(chain(places(failure.text), [(failure.file, failure.line)]), own)


def first_place(named: Iterable[tuple[str, int]], own: OwnFiles) -> tuple[str, int]:
    """Return the first of the places that is in one of the project's own files."""
    return next(((path, line) for file, line in named if (path := own.resolve(file))), ("", 0))


def places(text: str) -> Iterator[tuple[str, int]]:
    """Yield the files and lines that a text names."""
    for match in _PLACE.finditer(text):
        yield match["file"].removeprefix("./"), int(match["line"])


def trim(text: str) -> str:
    """Return a message without stacks and blank lines, cut where it is long."""
    told = text.partition("\ngoroutine ")[0].strip()
    lines = [line.rstrip() for line in told.splitlines() if not _STACK.match(line)]
    short = _BLANKS.sub("\n", "\n".join(lines)).strip()
    return short if len(short) <= LONGEST else f"{short[:LONGEST]} ..."
