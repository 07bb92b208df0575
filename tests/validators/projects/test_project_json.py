import json

import pytest

from validators.projects.json_reports import read_go, read_jest, read_mocha, read_rspec
from validators.projects.results import explain_failures

TOLD = (
    "Error: expect(received).toBe(expected)\n\nExpected: 5\nReceived: -1\n"
    "    at Object.toBe (t/sum.test.js:2:37)\n    at x (node_modules/jest-circus/a.js:1:2)"
)
JEST = {
    "testResults": [
        {
            "name": "t/sum.test.js",
            "status": "failed",
            "message": "",
            "assertionResults": [
                {
                    "fullName": "adds",
                    "status": "failed",
                    "failureMessages": [TOLD],
                    "location": {"line": 1},
                },
                {"fullName": "ok", "status": "passed", "failureMessages": [], "location": None},
                {"fullName": "later", "status": "pending"},
            ],
        },
        {"name": "t/b.test.js", "status": "failed", "message": "SyntaxError: x", "assertionResults": []},
    ]
}
ADDS = {"title": "adds", "fullTitle": "grp adds", "file": "m.spec.js"}
ERROR = {
    "stack": "AssertionError: no\n    at Context.<anonymous> (m.spec.js:2:46)",
    "expected": "5",
    "actual": "-1",
}
MOCHA = {
    "tests": [
        {**ADDS, "err": ERROR},
        {"fullTitle": "ok", "file": "m.spec.js", "err": {}},
        {"fullTitle": "later", "err": {}},
    ],
    "pending": [{"fullTitle": "later"}],
    "failures": [{**ADDS, "err": ERROR}, {"fullTitle": "before all", "err": {"stack": "boom"}}],
}
RSPEC = {
    "examples": [
        {
            "full_description": "add adds",
            "status": "failed",
            "file_path": "./spec/sum_spec.rb",
            "line_number": 2,
            "exception": {
                "message": "\nexpected: 5\n     got: -1\n",
                "backtrace": ["/usr/share/rspec/x.rb:1:in `y'", "spec/sum_spec.rb:3:in `block'"],
            },
        },
        {"full_description": "ok", "status": "passed", "file_path": "./spec/sum_spec.rb", "line_number": 4},
        {
            "full_description": "later",
            "status": "pending",
            "file_path": "./spec/sum_spec.rb",
            "line_number": 5,
        },
    ],
    "summary": {"errors_outside_of_examples_count": 1},
}


def go_event(action, test="", output=""):
    return json.dumps({"Action": action, "Package": "x.com/sum", "Test": test, "Output": output})


GO = "\n".join(
    [
        go_event("run", "TestAdd"),
        go_event("output", "TestAdd", "=== RUN   TestAdd\n"),
        go_event("output", "TestAdd", "    sum_test.go:4: Add(2,3) = -1; want 5\n"),
        go_event("fail", "TestAdd"),
        go_event("run", "TestSub"),
        go_event("run", "TestSub/a"),
        go_event("output", "TestSub/a", "no place\n"),
        go_event("fail", "TestSub/a"),
        go_event("fail", "TestSub"),
        go_event("pass", "TestOk"),
        go_event("run", "TestOk"),
        go_event("skip", "TestLater"),
        go_event("run", "TestLater"),
        "FAIL",
        go_event("fail"),
        go_event("output", "", "FAIL"),
    ]
)


def test_a_failure_of_jest_has_the_place_of_the_expectation():
    report = read_jest(json.dumps(JEST))

    remarks = explain_failures(
        [one for one in report.results if one.outcome == "failed"], {"t/sum.test.js", "t/b.test.js"}
    )

    assert (remarks[0].file, remarks[0].line) == ("t/sum.test.js", 2)
    assert remarks[0].message.endswith("Expected: 5\nReceived: -1")
    assert (remarks[1].file, remarks[1].message) == ("t/b.test.js", "t/b.test.js > (load): SyntaxError: x")
    assert report.names("passed", "skipped") == {"t/sum.test.js > ok", "t/sum.test.js > later"}


def test_a_failure_of_mocha_says_what_was_expected():
    report = read_mocha(json.dumps(MOCHA))

    (remark,) = explain_failures(report.results[:1], {"m.spec.js"})

    assert (remark.file, remark.line) == ("m.spec.js", 2)
    assert "expected: 5, got: -1" in remark.message
    assert report.names("failed") == {"m.spec.js > grp adds", "before all"}
    assert report.names("skipped") == {" > later"}


def test_a_failure_of_rspec_has_the_line_of_the_expectation():
    report = read_rspec(json.dumps(RSPEC))

    (remark,) = explain_failures(report.results[:1], {"spec/sum_spec.rb"})

    assert (remark.file, remark.line) == ("spec/sum_spec.rb", 3)
    assert "expected: 5" in remark.message
    assert "got: -1" in remark.message
    assert "(load)" in report.names("failed")


def test_events_of_go_become_tests_with_their_places():
    report = read_go(GO)

    failures = [one for one in report.results if one.outcome == "failed"]
    remarks = explain_failures(failures, {"sum_test.go"})

    assert report.whole
    assert [one.name for one in failures] == ["x.com/sum > TestAdd", "x.com/sum > TestSub/a"]
    assert (remarks[0].file, remarks[0].line) == ("sum_test.go", 4)
    assert "want 5" in remarks[0].message
    assert report.names("skipped") == {"x.com/sum > TestLater"}


def test_a_test_of_go_that_never_ended_has_failed_and_the_report_is_not_whole():
    report = read_go(go_event("run", "TestAdd") + '\n{"Action": "out')

    assert report.names("failed") == {"x.com/sum > TestAdd"}
    assert not report.whole


@pytest.mark.parametrize("read", [read_jest, read_mocha, read_rspec, read_go])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"testResults": 3}',
        "[" * 100_000,
        '{"tests": [1], "pending": [], "examples": 1}',
    ],
)
def test_a_document_of_another_shape_is_no_report(read, text):
    report = read(text)

    assert not report.whole
    assert not report.results
