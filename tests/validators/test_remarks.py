"""What compilers print becomes diagnostics; no compiler is run."""

import json

import pytest

from validators.remarks import by_pattern, keep_first, own_remarks, read_cargo, read_rust
from validators.verdict import Diagnostic

SPAN = {"is_primary": True, "label": None, "file_name": "a.rs", "line_start": 3, "column_start": 5}


def rust(level, **span):
    said = {"message": "unused", "level": level, "code": None, "spans": [{**SPAN, **span}]}
    return next(read_rust(json.dumps(said)))


def test_a_label_follows_its_message_where_there_is_one():
    assert rust("error").message == "unused"
    assert rust("error", label="here").message == "unused: here"


def test_severities_are_kept_and_anything_else_is_an_error():
    assert [rust(level).severity for level in ("warning", "note", "help", "failure-note")] == [
        "warning",
        "note",
        "note",
        "error",
    ]


def test_a_caret_tells_the_column_where_no_number_does():
    read = by_pattern(r"(?P<message>bad)\n(?P<caret> *)\^")

    assert [one.column for one in read("bad\n   ^")] == [4]


def test_errors_come_before_other_remarks_and_foreign_files_are_left_out():
    remarks = [
        Diagnostic("a note", "./x/a.c", severity="note"),
        Diagnostic("secret", "/etc/passwd"),
        Diagnostic("an error", "/work/x/a.c"),
        Diagnostic("an error", "/work/x/a.c"),
    ]

    assert own_remarks(remarks, {"x/a.c": "a.c"}) == (
        Diagnostic("an error", "a.c"),
        Diagnostic("a note", "a.c", severity="note"),
    )


def test_what_a_verdict_tells_is_cut_only_when_it_is_asked_for():
    many = [Diagnostic(str(number), "a.c") for number in range(99)]

    assert len(own_remarks(many, {"a.c": "a.c"})) == 99
    assert keep_first(many) == tuple(many[:20])


STRANGE = [
    {"reason": "compiler-message"},
    {"reason": "compiler-message", "message": [1]},
    {"reason": "compiler-message", "message": {"spans": 7}},
    {"reason": "compiler-message", "message": {"spans": [{}]}},
    {"reason": "compiler-message", "message": {"spans": [SPAN], "message": 1, "level": [], "code": None}},
    {"reason": "compiler-message", "message": {"spans": [SPAN], "message": 1, "level": "", "code": "E1"}},
    {
        "reason": "compiler-message",
        "message": {
            "spans": [{**SPAN, "line_start": float("inf")}],
            "message": "m",
            "level": "error",
            "code": None,
        },
    },
]


@pytest.mark.parametrize("line", [*map(json.dumps, STRANGE), "[" * 100_000])
def test_lines_that_a_macro_prints_are_no_remarks_and_break_nothing(line):
    assert list(read_cargo(line)) == []
    assert list(read_rust(line)) == []
