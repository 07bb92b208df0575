"""What grammars say of broken texts: where, and in which words."""

import pytest

from validators.grammars import parse_text
from validators.parsed import MAX_REMARKS


@pytest.mark.parametrize(
    ("language", "text", "place", "message"),
    [
        ("javascript", "function f( { return 1 }\n", (1, 11), "'(' is never closed"),
        ("javascript", "f(a) { (\n", (1, 8), "'(' is never closed"),
        ("javascript", 'x = "äöü"; let y = ;', (1, 18), "unexpected '='"),
        ("javascript", "let = = a;\n", (1, 7), "unexpected '='"),
        ("c", "int f() { return 1 }\n", (1, 19), "missing ';'"),
        ("php", "function f( { }", (1, 12), "missing ')'"),
        ("go", "package main\n\nfunc main() {\n", (3, 13), "'{' is never closed"),
        ("toml", "a = 1\nb =\n", (2, 4), "Invalid value (at line 2, column 4)"),
        ("toml", "a = ", (1, 0), "Invalid value (at end of document)"),
    ],
)
def test_an_error_has_its_place_and_says_what_is_wrong(language, text, place, message):
    first = parse_text(text.encode(), language, 5.0).errors[0]

    assert ((first.line, first.column), first.message) == (place, message)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("php", "<?php\nfunction f() { }\n"),
        ("php", "function f() { }"),
        ("yaml", "a:\n  - b\n"),
        ("toml", "a = 1\n"),
    ],
)
def test_what_is_right_has_no_error(language, text):
    parsed = parse_text(text.encode(), language, 5.0)

    assert (parsed.errors, parsed.broken_share) == ((), 0.0)


def test_remarks_are_few_and_their_snippets_short():
    parsed = parse_text(b"let = = \n" * 200 + b"= " * 90 + b"\n", "javascript", 5.0)

    assert len(parsed.errors) <= MAX_REMARKS
    assert all(len(remark.message) < 80 for remark in parsed.errors)
    assert 0 < parsed.broken_share <= 1


def test_a_long_piece_is_shown_by_its_beginning():
    remark = parse_text(f"let x = #{'b' * 90} + * 2 2;\n".encode(), "python", 5.0).errors[-1]

    assert len(remark.message) < 80


def test_ordinary_generics_are_not_refused():
    text = "for (let i = 0; i < n; i++) { const a: Map<string, Set<number>> = f<x>(i < 3); }\n" * 400

    assert parse_text(text.encode(), "typescript", 5.0).errors == ()
