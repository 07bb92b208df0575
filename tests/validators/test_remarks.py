"""What compilers print becomes diagnostics; no compiler is run."""

import json

from validators.remarks import by_pattern, own_remarks, read_rust
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
