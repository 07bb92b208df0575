"""Count tests in what test frameworks print, so that a run without tests is no pass."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from validators.reading import excerpt


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tests ended how."""

    passed: int
    failed: int

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed)


def _words(text: str) -> Counts:
    """Read `3 passed, 1 failed, 2 errors in 0.1s`."""
    found = {
        word: int(number) for number, word in re.findall(r"(?<!\d)(\d{1,9}) (passed|failed|error)", text)
    }
    return Counts(found.get("passed", 0), found.get("failed", 0) + found.get("error", 0))


def _unittest(match: re.Match[str]) -> Counts:
    ran = int(match["ran"])
    wrong = sum(int(number) for number in re.findall(r"(?:failures|errors)=(\d{1,9})", match["result"]))
    skipped = sum(int(number) for number in re.findall(r"skipped=(\d{1,9})", match["result"]))
    return Counts(ran - wrong - skipped, wrong)


def _minitest(match: re.Match[str]) -> Counts:
    wrong = int(match["failures"]) + int(match["errors"])
    return Counts(int(match["runs"]) - wrong, wrong)


_MINITEST = (
    r"^(?P<runs>\d{1,9}) \w+, \d+ assertions, "
    r"(?P<failures>\d{1,9}) failures, (?P<errors>\d{1,9}) errors"
)
_FRAMEWORKS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Counts]], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), read)
    for pattern, read in (
        # pytest
        (
            r"^=*[ \t]*(?P<counts>\d{1,9} [a-z]+(?:,? \d{1,9} [a-z]+)*) in [\d.]+s.*$",
            lambda match: _words(match["counts"]),
        ),
        (r"^=*[ \t]*no tests (?:ran|collected).*$", lambda _: Counts(0, 0)),
        # unittest
        (r"^Ran (?P<ran>\d{1,9}) tests? in .*\n[ \t]*\n(?P<result>.*)$", _unittest),
        # node --test, as TAP and for people
        (r"^[#\u2139] pass (?P<passed>\d{1,9})$", lambda match: Counts(int(match["passed"]), 0)),
        (r"^[#\u2139] fail (?P<failed>\d{1,9})$", lambda match: Counts(0, int(match["failed"]))),
        # jest and vitest
        (r"^[ \t]*Tests:?[ \t]+(?P<counts>\S.*(?:passed|failed).*)$", lambda match: _words(match["counts"])),
        # go test
        (r"^[ \t]*--- PASS: .*$", lambda _: Counts(1, 0)),
        (r"^[ \t]*--- FAIL: .*$", lambda _: Counts(0, 1)),
        (r"^(?:\?[ \t].*\[no test files\]|ok[ \t].*\[no tests to run\])$", lambda _: Counts(0, 0)),
        # cargo test
        (r"^test result: \w+\. (?P<counts>.*)$", lambda match: _words(match["counts"])),
        # minitest
        (_MINITEST, _minitest),
    )
)
_GO_PACKAGE = re.compile(r"^ok[ \t]+\S+[ \t]+(?:[\d.]+s|\(cached\))$", re.MULTILINE)
"""All that `go test` says of a package unless it is asked for more."""


def count_tests(output: str) -> Counts | None:
    """Add up what the frameworks that are recognised say; None when there is none."""
    output = excerpt(output)
    found = [read(match) for pattern, read in _FRAMEWORKS for match in pattern.finditer(output)]
    total = sum(found, Counts(0, 0))
    if total == Counts(0, 0) and (packages := len(_GO_PACKAGE.findall(output))):
        return Counts(packages, 0)
    return total if found else None
