"""Recognise the runner that a user's own command starts, and have it write a report beside what it prints."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from sandbox.program import Execution
from validators.projects.json_reports import read_jest, read_rspec
from validators.projects.results import OwnFiles, Report, Result, explain_failures
from validators.projects.text_reports import read_cargo, read_go_text, read_unittest
from validators.projects.xml_reports import read_junit, read_node, read_trx
from validators.sandboxed import Decision

_SIMPLE = re.compile(r"[\w./ :=,@%+'\"*-]+")
"""One command without anything that a shell would do more with."""
_NPX = (
    r"^(?:npx (?:--no-install |--no )?|yarn (?:run )?|pnpm (?:exec )?|"
    r"(?:node )?(?:\./)?node_modules/(?:\.bin/|\w+/bin/))?"
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A command that a report can be had of."""

    command: str
    """With the words added that have it write to `$REPORT`; as it was where what it prints is read."""
    read: Callable[[str], Report]
    printed: bool
    """Whether the report is what it prints."""


_JSON, _XML = '"$REPORT/report.json"', '"$REPORT/report.xml"'
_ADDED: tuple[tuple[str, str, Callable[[str], Report]], ...] = (
    (
        rf"{_NPX}jest(?:\.js)?\b(?!.*--(?:json|outputFile))",
        f" --json --testLocationInResults --outputFile={_JSON}",
        read_jest,
    ),
    (
        rf"{_NPX}vitest run\b(?!.*--reporter)",
        f" --reporter=default --reporter=json --outputFile.json={_JSON}",
        read_jest,
    ),
    (r"^(?:php )?(?:\./)?(?:vendor/bin/)?phpunit\b(?!.*--log-junit)", f" --log-junit {_XML}", read_junit),
    (
        r"^(?:bundle exec )?rspec\b(?!.*(?:--format|-f))",
        f" --format progress --format json --out {_JSON}",
        read_rspec,
    ),
    (r"^ctest\b(?!.*--output-junit)", f" --output-junit {_XML}", read_junit),
    (
        r"^dotnet test\b(?!.*(?:--logger|-l ))",
        ' --logger "trx;LogFileName=report.trx" --results-directory "$REPORT"',
        read_trx,
    ),
)
_NODE_TEST = re.compile(r"^node (?:\S+ )*?--test(?= |$)(?!.*--test-reporter)")
_NODE_WORDS = (
    " --test-reporter=spec --test-reporter-destination=stdout"
    f" --test-reporter=junit --test-reporter-destination={_XML}"
)
_PRINTED: tuple[tuple[str, Callable[[str], Report]], ...] = (
    (r"^cargo (?:\+\S+ )?test\b", read_cargo),
    (r"^go test\b(?!.*-json)", read_go_text),
    (r"^(?:\S*/)?python[\d.]* -m unittest\b", read_unittest),
)


def recognise(command: str) -> Recognised | None:
    """Return how to get a report of a command; None for one that is not simple, or of no runner we know."""
    words = command.strip()
    if not _SIMPLE.fullmatch(words):
        return None
    if (node := _NODE_TEST.match(words)) is not None:
        return Recognised(f"{node[0]}{_NODE_WORDS}{words[node.end() :]}", read_node, printed=False)
    for pattern, added, read in _ADDED:
        if re.search(pattern, words):
            return Recognised(f"{words}{added}", read, printed=False)
    readers = (read for pattern, read in _PRINTED if re.search(pattern, words))
    return next((Recognised(command, read, printed=True) for read in readers), None)


def with_report(
    decision: Decision, recognised: Recognised, execution: Execution, paths: Collection[str]
) -> Decision:
    """Return a decision with the failures of the report, which can take a pass away and never give one."""
    text = execution.stdout + execution.stderr if recognised.printed else execution.report
    results = recognised.read(text).results
    own = OwnFiles(paths)
    failures = [_named(result, own) for result in results if result.outcome == "failed"]
    if not failures or decision[0] == "unavailable":
        return decision
    return "failed", explain_failures(failures, paths), decision[2] if decision[0] == "failed" else ""


def _named(result: Result, files: OwnFiles) -> Result:
    """Return a result whose name begins with the project's own path where it begins with a file."""
    own = files.resolve(result.file)
    name = result.name
    return (
        replace(result, name=f"{own}{name.removeprefix(result.file)}")
        if own and result.file in name
        else result
    )
