"""What strangers wrote takes no reader's time by the square, breaks none, and is safe to show."""

import json
import signal

import pytest

from sandbox.program import Execution, Limits
from validators.parsers import parse_python
from validators.projects import detecting, json_reports, text_reports, xml_reports
from validators.projects.results import OwnFiles, Report, Result, explain_failures, places, trim
from validators.reading import excerpt, number_in
from validators.returning import find_valueless
from validators.runners.counting import Counts, count_tests
from validators.runners.deciding import decide_suite
from validators.runners.example_calls import read_javascript
from validators.runners.python_report import SuiteReport, decide_python, read_report
from validators.runners.tampering import find_shadowing, find_tampering
from validators.sandboxed import tail
from validators.verdict import Candidate, Diagnostic, Receipt, Verdict

SIZE = 128 * 1024
LONG = "1" * 5000
ENDLESS = (
    "\n",
    " ",
    "\t",
    "a",
    "1",
    "=",
    "-",
    "a.",
    "a/",
    "a.py:",
    "/sandbox/",
    "1 11 ",
    "1 passed, ",
    "FAIL: a\n",
    "a (b) ... \n",
    "---- a\n",
    "--- FAIL: a b\n",
    "Ran 1 test in \n",
    "test a ... \n",
    "    x",
    '  File "',
    " {\n",
    "exit()\n",
    "operator==(",
    "function ",
    "const a =    ",
    "fatal error: a: ",
)
PATHS = frozenset(f"package{number}/module.py" for number in range(2000))


def wrote(text, code=1):
    return Execution("exited", code, f"x\n{text}x", "", 0.1)


def docstring(text):
    return find_valueless(parse_python(f'def f():\n    """{text}"""\n    print(1)\n'))


READERS = {
    "counts": count_tests,
    "places": lambda text: list(places(text)),
    "messages": trim,
    "the end of an output": lambda text: tail(wrote(text)),
    "failures": lambda text: explain_failures([Result(f"t{n}", "failed", text) for n in range(3)], PATHS),
    "a suite": lambda text: decide_suite(wrote(text), Candidate({"a.c": ""}, "c"), Limits(), whole=True),
    "a report of our own": lambda text: decide_python(read_report(text, "s"), "late"),
    "cargo": text_reports.read_cargo,
    "unittest": text_reports.read_unittest,
    "go for people": text_reports.read_go_text,
    "go": lambda text: json_reports.read_go(json.dumps({"Action": "output", "Test": "T", "Output": text})),
    "node": lambda text: xml_reports.read_node(f'<testcase name="a"><failure>{text}</failure></testcase>'),
    "bash": lambda text: find_tampering("a.sh", text, "bash"),
    "c": lambda text: find_tampering("a.c", text, "c"),
    "rust": lambda text: find_tampering("a.rs", text, "rust"),
    "names in javascript": lambda text: find_shadowing("a.js", text, "javascript", "expect(1)"),
    "names in bash": lambda text: find_shadowing("a.sh", text, "bash", "diff a b"),
    "functions in javascript": read_javascript,
    "a docstring": lambda text: docstring(text[: SIZE // 4].replace('"', "'")),
}


@pytest.fixture
def _in_time():
    """End the test by an exception when it has used ten seconds of the processor; `re` looks for signals."""

    def stop(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 10)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.usefixtures("_in_time")
@pytest.mark.parametrize("reader", READERS)
def test_no_text_keeps_a_reader_busy(reader):
    for part in ENDLESS:
        READERS[reader](part * (SIZE // len(part)))


@pytest.mark.usefixtures("_in_time")
def test_no_script_of_a_project_keeps_its_reader_busy():
    package = json.dumps({"scripts": {"test": f"node {'--a ' * 1000}x"}})

    found = detecting.find_runner(
        detecting.Layout(frozenset({"package.json", "a.test.js"}), {"package.json": package}),
        "javascript",
        {"a.js": ""},
    )

    assert found.runner.name == "npm test"


@pytest.mark.usefixtures("_in_time")
def test_very_many_failures_are_read_as_far_as_they_are_told():
    text = "".join(f"vendor/lib{number}.py:3\n" for number in range(50))
    failures = [Result(f"t{n}", "failed", f"x{n}.py:10\n{text}{n}") for n in range(20_000)]

    assert len(explain_failures(failures, PATHS)) == 10


@pytest.mark.usefixtures("_in_time")
def test_tests_of_go_inside_others_are_found_among_very_many():
    events = [f'{{"Action":"output","Package":"p","Test":"T{number}"}}' for number in range(30_000)]
    inner = '{"Action":"output","Package":"p","Test":"T1/a/b"}'

    report = json_reports.read_go("\n".join((*events, inner)))

    assert "p > T1/a/b" in report.names("failed")
    assert "p > T1" not in report.names("failed")


@pytest.mark.parametrize(
    "read",
    [
        lambda: json_reports.read_jest(
            '{"testResults":[{"name":"a","status":"passed","assertionResults":'
            '[{"status":"passed","fullName":"x","location":{"line":1e999}}]}]}'
        ),
        lambda: json_reports.read_rspec(
            '{"examples":[{"file_path":"a","line_number":1e999,"status":"passed","full_description":"d"}]}'
        ),
        lambda: xml_reports.read_junit(f'<testcase name="a" line="{LONG}"/>'),
        lambda: text_reports.read_cargo(f"running {LONG} tests\n"),
        lambda: json_reports.read_go(f'{{"Action":"output","Test":"T","Output":"a.go:{LONG}: x"}}'),
        lambda: json_reports.read_go('{"Action":"output","Test":"T","Output":"a.go:\u00b2: x"}'),
    ],
)
def test_a_number_beyond_all_others_breaks_no_report(read):
    assert isinstance(read(), Report)


def test_a_number_beyond_all_others_counts_nothing():
    assert count_tests(f"=== {LONG} passed in 0.1s ===") is None
    assert count_tests("=== 3 passed, 1 failed in 0.1s ===") == Counts(3, 1)
    assert [number_in(text) for text in ("12", LONG, "\u00b2", "")] == [12, 0, 0, 0]
    assert all(line < 10**9 for _, line in places(f"a.py:{LONG}"))


def test_a_dumped_stack_with_a_line_beyond_all_others_is_no_place():
    stack = f'Fatal Python error: x\nFile "solution.py", line {LONG} in f'

    status, (remark,), _ = decide_python(SuiteReport(({"kind": "start", "collected": "1"},), stack), "")

    assert status == "failed"
    assert remark.line == 0


def test_errors_outside_of_examples_are_told_once_however_many_a_report_claims():
    text = '{"examples":[],"summary":{"errors_outside_of_examples_count":1e15}}'

    assert len(json_reports.read_rspec(text).results) == 1


def test_what_a_stranger_says_is_safe_to_write_and_to_show():
    said = "\ud800 \x1b[2J\x1b]0;owned\x07\x9b"

    remark = Diagnostic(said, file=said, code=said)
    verdict = Verdict("tests", "failed", 1.0, (remark,), said, receipt=Receipt(tool=said, command=said))

    for text in (remark.message, remark.file, remark.code, verdict.reason, verdict.receipt.command):
        assert text == "\\ud800 [2J]0;owned"
    assert Diagnostic("two\n\tlines \u00e9").message == "two\n\tlines \u00e9"
    assert len(Candidate({said: said}, "text", removed=(said,)).digest) == 64


def test_an_excerpt_has_the_beginning_and_the_end():
    text = f"first{'x' * 10**6}last"

    assert excerpt("short") == "short"
    assert len(excerpt(text)) < 300_000
    assert excerpt(text).startswith("first")
    assert excerpt(text).endswith("last")


def test_the_end_of_an_output_has_short_lines_and_no_stack_of_the_language():
    told = tail(wrote(f"{'y' * 9000}\n  at async x (node:internal/process:1)\n at node:internal/y\n"))

    assert "node:internal" not in told
    assert len(told) < 2100


def test_a_place_is_found_behind_a_scheme_and_in_the_sandbox():
    own = OwnFiles({"a.c", "src/b.js"})
    failed = decide_suite(wrote("/sandbox/a.c:7: error\n"), Candidate({"a.c": ""}, "c"), Limits(), whole=True)

    assert (failed[1][0].file, failed[1][0].line) == ("a.c", 7)
    assert [(own.resolve(file), line) for file, line in places("at file:///w/src/b.js:3:1")] == [
        ("src/b.js", 3)
    ]
