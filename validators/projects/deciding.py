"""Decide about a candidate from a run of its project's tests, and from a run without it.

What failed before does not count against a candidate, and what ran before must still run. A test that fails
in one run and passes in the next proves nothing either way: where only such tests fail, the verdict is
`unavailable`; beside one that fails twice they are named and do not count.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from validators.projects.results import (
    OwnFiles,
    Result,
    counted,
    explain_failures,
    first_place,
    places,
    trim,
)
from validators.projects.running import Ran
from validators.reading import excerpt
from validators.runners.counting import count_tests
from validators.runners.deciding import UNCOUNTED
from validators.sandboxed import Decision, tail
from validators.verdict import Diagnostic

_FILE = re.compile(r"(?:\(load\)|(?<=\.py))(?: \(\d+\))?$")
"""How the failure of a whole file ends; it is gone when a test of the file runs."""
_AROUND = re.compile(
    r"_FailedTest\b|\b(?:setUp|tearDown)(?:Class|Module)\b|\bhook\b|\.[cm]?[jt]sx?(?: \(\d+\))?$"
)
"""Failures around tests, whose names do not tell what runs once they are mended."""
_NAMED = 5
_LONGEST = 200
_COMPARED = 2000
_SAME = 0.9


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one command."""

    now: Ran
    before: Ran | None = None
    """Without the candidate; None where nobody needed to know."""
    again: Ran | None = None
    """The same once more."""
    removed: tuple[str, ...] = ()
    """Files that the candidate takes away, as the names of tests begin with them."""


def needs_repeat(now: Ran, before: Ran | None) -> bool:
    """Say whether a failure should be looked at twice; what took too long is not repeated."""
    if now.limit or is_hopeless(before):
        return False
    return bool(new_failures(now, before)) or (now.execution.exit_code != 0 and not now.report.results)


def new_failures(now: Ran, before: Ran | None) -> tuple[Result, ...]:
    """Return the failures that were none before."""
    known = before.report.names("failed") if before else frozenset()
    return tuple(
        result for result in now.report.results if result.outcome == "failed" and result.name not in known
    )


def decide_project(runs: Runs, paths: Collection[str], *, counts: bool, partial: bool) -> Decision:
    """Decide from the runs of one command.

    Args:
        runs: Of the command.
        paths: The project's own files.
        counts: Whether the runner reports single tests.
        partial: Whether only chosen tests were to run.
    """
    now, before = runs.now, runs.before
    if now.limit:
        return _decide_limit(now, before, paths)
    if fresh := new_failures(now, before):
        return _decide_failures(fresh, runs, paths)
    if now.execution.exit_code != 0 and not now.report.names("failed"):
        return _decide_broken(runs, paths)
    if not partial and (lost := _decide_lost(runs)):
        return lost
    if not counts:
        return _decide_printed(now)
    return _decide_passed(now, before)


def _decide_lost(runs: Runs) -> Decision | None:
    """Decide where tests did not run that ran before; to remove their file may have been the task."""
    now = runs.now
    passed, failed = _vanished(now, runs.before), _gone_failures(now, runs.before)
    left_out = [name for name in passed if not (runs.removed and name.startswith(runs.removed))]
    if left_out:
        said = f"Tests that passed before did not run: {_list(left_out)}."
        told = f"{said} Something ended the run or left them out.\n{tail(now.execution)}".strip()
        return "failed", (Diagnostic(told),), counted(now.report)
    if passed:
        said = f"tests that passed before are gone: {_list(passed)}"
        return "unavailable", (), f"{counted(now.report)}; {said}."
    if failed:
        said = f"tests that failed before did not run any more: {_list(failed)}"
        return "unavailable", (), f"{counted(now.report)}; {said}. Mend what they test, or keep them."
    return None


def _decide_failures(fresh: tuple[Result, ...], runs: Runs, paths: Collection[str]) -> Decision:
    flaky = frozenset(result.name for result in fresh) & (
        runs.again.report.names("passed") if runs.again else frozenset()
    )
    told = _flaky(flaky) + _known(runs)
    lasting = [result for result in fresh if result.name not in flaky]
    if not lasting:
        return (
            "unavailable",
            (),
            f"{counted(runs.now.report)}{told}; nothing is proven. Mend the flaky tests.",
        )
    return "failed", explain_failures(lasting, paths), f"{counted(runs.now.report)}{told}"


def _decide_limit(now: Ran, before: Ran | None, paths: Collection[str]) -> Decision:
    if before and before.limit:
        return (
            "unavailable",
            (),
            f"{before.limit} So it is without the candidate too. Give a test_command that ends.",
        )
    said = f"{now.dump}\n{now.execution.stderr}\n{now.execution.stdout}"
    file, line = _first_place(said, paths)
    hint = f" It was in {file}, line {line}." if file else _last_sign(now)
    return "failed", (Diagnostic(f"{now.limit}{hint}", file=file, line=line),), counted(now.report)


def _last_sign(now: Ran) -> str:
    """Say what a run that was cut off did last, as far as it told."""
    open_ones = [result.name for result in now.report.results if result.outcome == "failed"]
    if open_ones:
        return f" It was in the test {open_ones[-1]!r}."
    if now.report.results:
        return f" The last test that ended was {now.report.results[-1].name!r}."
    written = [text for text in now.execution.stdout.splitlines() if text.strip()]
    return f" It wrote last: {written[-1][:_LONGEST]}" if written else ""


def _decide_broken(runs: Runs, paths: Collection[str]) -> Decision:
    """Decide where the command failed without a test that did: it did not compile, or crashed."""
    said = tail(runs.now.execution) or trim(runs.now.dump)
    if is_hopeless(runs.before) and _says_the_same(runs.now, runs.before):
        return "unavailable", (), f"The project's tests cannot be run even without the candidate: {said}"
    if runs.again and runs.again.clean:
        return "unavailable", (), f"The tests failed once and passed once; nothing is proven: {said}"
    output = f"{runs.now.execution.stderr}\n{runs.now.execution.stdout}"
    file, line = _first_place(output, paths)
    code = runs.now.execution.exit_code
    return "failed", (Diagnostic(f"The tests ended with {code}.\n{said}".strip(), file=file, line=line),), ""


def _decide_printed(now: Ran) -> Decision:
    """Decide from printed counts, where there are any."""
    counts = count_tests(f"{now.execution.stdout}\n{now.execution.stderr}")
    if counts is None:
        return "passed", (), UNCOUNTED
    if counts.failed:
        return "failed", (Diagnostic(f"{counts.failed} tests failed.\n{tail(now.execution)}"),), ""
    return (
        ("passed", (), f"{counts.passed} passed")
        if counts.passed
        else ("unavailable", (), "No tests were run.")
    )


def _decide_passed(now: Ran, before: Ran | None) -> Decision:
    if not now.report.whole and (before is None or before.report.whole):
        said = "The tests did not come to their end: something ended the program that runs them."
        return "failed", (Diagnostic(f"{said}\n{tail(now.execution)}".strip()),), counted(now.report)
    if not now.report.names("passed"):
        return "unavailable", (), f"No test passed: {counted(now.report)}{_known(Runs(now, before))}."
    return "passed", (), f"{counted(now.report)}{_known(Runs(now, before))}"


def _vanished(now: Ran, before: Ran | None) -> frozenset[str]:
    """Return the tests that passed before and were not run now, or skipped."""
    if before is None or before.limit:
        return frozenset()
    return before.report.names("passed") - now.report.names("passed", "failed")


def _gone_failures(now: Ran, before: Ran | None) -> frozenset[str]:
    """Return the tests that failed before and were not run now, or skipped."""
    if before is None or before.limit:
        return frozenset()
    ran = now.report.names("passed", "failed")
    return frozenset(name for name in before.report.names("failed") - ran if not _is_mended(name, ran))


def _is_mended(name: str, ran: Collection[str]) -> bool:
    """Say whether a failure around tests made way for the tests that it kept from running."""
    if _AROUND.search(name):
        return True
    file = _FILE.search(name)
    return file is not None and any(other.startswith(name[: file.start()]) for other in ran)


def is_hopeless(before: Ran | None) -> bool:
    """Say whether the project's command fails by itself without that any test does."""
    if before is None:
        return False
    return bool(before.limit) or (before.execution.exit_code != 0 and not before.report.results)


def _says_the_same(now: Ran, before: Ran | None) -> bool:
    """Say whether the candidate changed nothing about what is wrong; names of temporary files may differ."""
    if before is None or before.limit:
        return True
    said, known = (_words(tail(ran.execution)[-_COMPARED:]) for ran in (now, before))
    return len(said & known) >= _SAME * len(said | known)


def _words(text: str) -> frozenset[str]:
    """Return the words but those with digits: times, lines and names of temporary files."""
    return frozenset(word for word in text.split() if not any(map(str.isdigit, word)))


def _known(runs: Runs) -> str:
    """Name the tests that failed before too."""
    before = runs.before.report.names("failed") if runs.before else frozenset()
    old = before & runs.now.report.names("failed")
    return f"; failed before too: {_list(old)}" if old else ""


def _flaky(names: Collection[str]) -> str:
    return f"; flaky, failed once and passed once: {_list(names)}" if names else ""


def _list(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(ordered[:_NAMED]) + more


def _first_place(text: str, paths: Collection[str]) -> tuple[str, int]:
    return first_place(places(excerpt(text)), OwnFiles(paths))
