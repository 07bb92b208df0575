"""Read what test runners print where they have no report for programs."""

import re
from collections.abc import Iterator

from validators.projects.results import Outcome, Report, Result, distinct
from validators.reading import number_in
from validators.runners.python_report import SuiteReport

_CARGO_RUNNING = re.compile(r"^running (?P<count>\d{1,9}) tests?$", re.MULTILINE)
_CARGO_TEST = re.compile(r"^test (?P<name>.+?) \.\.\. (?P<end>ok|FAILED|ignored)", re.MULTILINE)
_CARGO_SUMMARY = re.compile(
    r"^test result: \w+\. (?P<counts>\d{1,9} passed; \d{1,9} failed; \d{1,9} ignored)", re.MULTILINE
)
_CARGO_FAILURE = re.compile(
    r"^---- (?P<name>[^\n]+?) stdout ----\n(?P<text>.*?)(?=^---- |^failures:|\Z)", re.MULTILINE | re.DOTALL
)
_CARGO_ENDS: dict[str, Outcome] = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}
_RUST_BACKTRACE = re.compile(r"^(?:stack backtrace:|note: ).*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_UNITTEST = re.compile(r"^(?P<name>\w+ \([\w.]+\))(?:\n[^\n]*)?? \.\.\. ", re.MULTILINE)
_UNITTEST_END = re.compile(r"(?:ok|FAIL|ERROR|skipped|expected failure|unexpected success)\b")
_UNITTEST_FAILURE = re.compile(
    r"^(?:FAIL|ERROR): (?P<name>[^\n]+)\n(?:[^\n=-][^\n]*\n){0,20}-{20,}\n"
    r"(?P<text>.*?)(?=^={20,}$|^-{20,}$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_UNITTEST_RAN = re.compile(r"^Ran (?P<count>\d{1,9}) tests? in ", re.MULTILINE)
_UNITTEST_ENDS: dict[str, Outcome] = {
    "FAIL": "failed",
    "ERROR": "failed",
    "unexpected success": "failed",
    "skipped": "skipped",
}
_GO_FAILURE = re.compile(
    r"^[ \t]*--- FAIL: (?P<name>\S+) .*\n(?P<text>(?:    [^\n-].*\n|\t.*\n)*)", re.MULTILINE
)
_GO_PASS = re.compile(r"^[ \t]*--- PASS: (?P<name>\S+) ", re.MULTILINE)
_FRAMES = re.compile(r'^  File "(?P<file>[^"\n]+)", line (?P<line>\d{1,9})', re.MULTILINE)


def read_cargo(text: str) -> Report:
    """Read what `cargo test` prints; whole only where every program of tests says how its tests ended."""
    told = {match["name"]: _RUST_BACKTRACE.sub("", match["text"]) for match in _CARGO_FAILURE.finditer(text)}
    results = [
        Result(match["name"], _CARGO_ENDS[match["end"]], told.get(match["name"], ""))
        for match in _CARGO_TEST.finditer(text)
    ]
    announced = [int(match["count"]) for match in _CARGO_RUNNING.finditer(text)]
    ended = [sum(map(int, re.findall(r"\d+", match["counts"]))) for match in _CARGO_SUMMARY.finditer(text)]
    return Report(distinct(results), whole=bool(ended) and announced == ended)


def read_unittest(text: str) -> Report:
    """Read what `python -m unittest -v` prints."""
    told = {match["name"].strip(): match["text"] for match in _UNITTEST_FAILURE.finditer(text)}
    results = {name: Result(name, _UNITTEST_ENDS.get(end, "passed")) for name, end in _unittest_ends(text)}
    for name, trace in told.items():
        results[name] = _of_unittest(name, trace)
    return Report(tuple(results.values()), whole=_UNITTEST_RAN.search(text) is not None)


def _unittest_ends(text: str) -> Iterator[tuple[str, str]]:
    """Yield tests and how they ended; what a test prints may stand before its end."""
    place = 0
    while (test := _UNITTEST.search(text, place)) and (end := _UNITTEST_END.search(text, test.end())):
        yield test["name"], end[0]
        place = end.end()


def read_go_text(text: str) -> Report:
    """Read what `go test` prints for people; without `-v` that is only what failed."""
    failed = [Result(match["name"], "failed", match["text"]) for match in _GO_FAILURE.finditer(text)]
    passed = [Result(match["name"], "passed") for match in _GO_PASS.finditer(text)]
    return Report(distinct([*(one for one in failed if one.text), *passed]))


def _of_unittest(name: str, trace: str) -> Result:
    """Return a failure with its last lines, and the deepest place that a trace names."""
    frames = list(_FRAMES.finditer(trace))
    last = trace[frames[-1].end() :].split("\n", 2)[-1] if frames else trace
    own = [frame for frame in frames if "/lib/python" not in frame["file"]]
    file, line = (own[-1]["file"], int(own[-1]["line"])) if own else ("", 0)
    return Result(name, "failed", re.sub(r"^[ \t~^]*\n", "", last, flags=re.MULTILINE), file, line)


def of_pytest(report: SuiteReport) -> Report:
    """Return what our own plugin reported over its private channel."""
    return Report(distinct(_pytest_results(report)), whole=bool(report.of("end")))


def _pytest_results(report: SuiteReport) -> Iterator[Result]:
    outcomes: dict[str, Outcome] = {"passed": "passed", "failed": "failed"}
    for record in report.of("result"):
        outcome = outcomes.get(record["outcome"], "skipped")
        line = number_in(record.get("line", "0"))
        yield Result(record["test"], outcome, record.get("message", ""), record.get("file", ""), line)
