"""What parses, what does not, what was left out, and how far that is to be believed."""

import os
import sys
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.languages import LANGUAGES
from validators.parsers import MAX_BYTES, MAX_REMARKS, ParserLimitError, parse, parse_python, parses
from validators.syntax import Syntax, balances
from validators.unfinished import find_unfinished
from validators.validator import Given
from validators.verdict import Candidate

GOOD = {
    "python": "def f(a):\n    return a\n",
    "javascript": "export const f = (a) => <b>{a}</b>;\n",
    "typescript": "export function f<T>(a: T): T { return a; }\n",
    "tsx": "export const F = (p: { a: string }) => <b>{p.a}</b>;\n",
    "go": "package main\n\nfunc main() {}\n",
    "rust": "fn main() { let _x = 1; }\n",
    "java": "class A { int f() { return 1; } }\n",
    "c": "int main(void) { return 0; }\n",
    "cpp": "template <class T> T f(T a) { return a; }\n",
    "csharp": "class A { int F() => 1; }\n",
    "ruby": "def f(a)\n  a\nend\n",
    "php": "<?php\nfunction f($a) { return $a; }\n",
    "bash": 'for f in *; do\n  echo "$f"\ndone\n',
    "sql": "SELECT a FROM b WHERE c = 1;\n",
    "json": '{"a": [1, null]}\n',
    "toml": "[a]\nb = 1\n",
    "yaml": "a:\n  - b\n  - c: 1\n",
    "html": "<!DOCTYPE html>\n<html><body><p>a</p></body></html>\n",
    "css": "a { color: red; }\n",
    "markdown": "# A\n\ntext\n",
}

BROKEN = {
    "python": ("def f(a:\n    return a\n", 1),
    "javascript": ("function f() {\n  return [1, 2;\n}\n", 2),
    "typescript": ("const a: = 1;\n", 1),
    "tsx": ("const F = () => <b>{a</b>;\n", 1),
    "go": ("package main\n\nfunc main() {\n", 3),
    "rust": ("fn main() {\n    let x = ;\n}\n", 2),
    "java": ("class A {\n  int f( { return 1; }\n}\n", 2),
    "c": ("int main(void) {\n  return 0;\n", 0),
    "cpp": ("int f() { return (1; }\n", 1),
    "csharp": ("class A { int F( => 1; }\n", 1),
    "ruby": ("def f(a)\n  a\n", 0),
    "php": ("<?php\nfunction f( { return 1; }\n", 2),
    "bash": ("if true; then\n  echo\n", 0),
    "json": ('{"a": [1,]}\n', 1),
    "toml": ("a = 1\nb =\n", 2),
    "yaml": ("a: b: c\n", 1),
    "css": ("a { color: red;\n", 1),
}


async def judge(text, language, path="", workspace=""):
    path = path or f"solution.{LANGUAGES[language].endings[0]}"
    return await Syntax().judge(Candidate({path: text}, language), Given(workspace=workspace))


@pytest.mark.parametrize("language", GOOD)
async def test_right_code_passes_in_every_language(language):
    verdict = await judge(GOOD[language], language)

    assert (verdict.status, verdict.diagnostics) == ("passed", ())
    assert verdict.confidence >= 0.5
    assert verdict.receipt.tool
    assert len(verdict.receipt.digest) == 64


@pytest.mark.parametrize(("language", "line"), [(name, line) for name, (_, line) in BROKEN.items()])
async def test_broken_code_fails_with_its_place(language, line):
    verdict = await judge(BROKEN[language][0], language)

    assert verdict.status == "failed"
    assert verdict.confidence >= 0.8
    assert verdict.diagnostics[0].code == "syntax"
    assert verdict.diagnostics[0].file.startswith("solution.")
    assert verdict.diagnostics[0].line == line or not line


def test_every_language_is_tried_both_ways_except_those_that_cannot_fail():
    assert GOOD.keys() == LANGUAGES.keys()
    assert LANGUAGES.keys() - BROKEN.keys() == {"sql", "html", "markdown"}


async def test_python_errors_carry_the_interpreters_own_words():
    (error,) = (await judge("def f():\nreturn (1\n", "python")).diagnostics

    assert (error.line, error.column) == (2, 1)
    assert "expected an indented block" in error.message


@pytest.mark.parametrize(
    ("text", "column"),
    [("function f( { return 1 }\n", 11), ("f(a) { (\n", 8), ("function f(a, {b}) (\n", 20)],
)
async def test_a_bracket_that_is_never_closed_is_named(text, column):
    error = (await judge(text, "javascript")).diagnostics[0]

    assert (error.message, error.line, error.column) == ("'(' is never closed", 1, column)


async def test_columns_count_characters_not_bytes():
    (error,) = (await judge('x = "äöü"; let y = ;\n', "javascript")).diagnostics

    assert (error.message, error.column) == ("unexpected '='", 18)


def test_remarks_are_few_and_short():
    parsed = parse("let = = " * 500, "javascript")

    assert len(parsed.errors) <= MAX_REMARKS
    assert all(len(remark.message) < 80 for remark in parsed.errors)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("c", "DECLARE_THING(a, b)\nint x = SOME MACRO;\n#define X (\n"),
        ("c", "#ifdef A\nint f(int a) {\n#else\nint f(long a) {\n#endif\n  return 1;\n}\n"),
        ("cpp", "BEGIN_NAMESPACE(a)\nclass EXPORT A FINAL { };\n"),
        ("sql", "SELEKT a FROM b"),
        ("html", "<div"),
        ("bash", "echo ${(f)a}\n"),
        ("csharp", "class A {\n#if X\n  int F() {\n#else\n  int F(int a) {\n#endif\n  return 1; } }\n"),
        ("typescript", "interface A {\n  <B>(b: B): (c: B) => C<B>\n  <B>(b: B): (c: B) => C<B>\n}\n= 1"),
    ],
)
async def test_errors_of_doubtful_grammars_are_warnings_and_little_trusted(language, text):
    verdict = await judge(text, language)

    assert verdict.status == "passed"
    assert verdict.confidence == 0.3
    assert {remark.severity for remark in verdict.diagnostics} == {"warning"}


@pytest.mark.parametrize(
    "text",
    [
        "interface A<in out K, out V = never> extends B {}\n",
        'declare const a: import("./b").C<D>;\n',
        "declare global {\n  var a: string;\n}\n",
        "export default function (): {\n  a: string;\n};\n",
        "export type * from './a';\n",
    ],
)
async def test_typescript_that_is_newer_than_its_grammar_passes(text):
    assert (await judge(text, "typescript")).diagnostics == ()
    assert (await judge(f"{text}const a: = 1;\n", "typescript")).status == "failed"


async def test_functions_of_a_stub_file_need_no_body():
    text = "def f(a: int) -> int: ...\n"

    assert (await judge(text, "python", "a.pyi")).status == "passed"
    assert (await judge(text, "python", "a.py")).status == "failed"


async def test_a_doubtful_grammar_does_not_excuse_what_was_left_out():
    verdict = await judge("MACRO(a) int f();\nint x = SOME MACRO;\n// ... rest of the code ...\n", "c")

    assert verdict.status == "failed"
    assert verdict.diagnostics[0].code == "elided"
    assert verdict.diagnostics[-1].severity == "warning"


@pytest.mark.parametrize(
    ("text", "is_balanced"),
    [
        ("int f() { return a[1]; }", True),
        ("char *a = \"}\"; char b = '('; // )\n/* { */", True),
        ('auto a = R"x(}}})x";', True),
        ("int f() { return (1; }", False),
        ("}", False),
        ("#ifndef A_H\n#define A_H\nint f() {\n#endif", False),
        ("#if A\n{\n#else\n{\n#endif\n}", True),
    ],
)
def test_brackets_are_balanced_outside_strings_and_comments(text, is_balanced):
    assert balances(text) is is_balanced


@pytest.mark.parametrize("text", ["", "  \n\t\n"])
async def test_an_empty_file_fails(text):
    verdict = await judge(text, "python")

    assert verdict.status == "failed"
    assert verdict.diagnostics[0].code == "empty"


async def test_no_file_at_all_fails():
    verdict = await Syntax().judge(Candidate({}, "python"), Given())

    assert (verdict.status, verdict.diagnostics[0].code) == ("failed", "empty")


async def test_a_candidate_that_only_removes_files_leaves_nothing_to_parse():
    verdict = await Syntax().judge(Candidate({}, "python", ("old.py",)), Given())

    assert (verdict.status, verdict.confidence) == ("unavailable", 0.0)
    assert verdict.reason == "There is nothing to parse: files are only removed."


@pytest.mark.parametrize(
    ("path", "language"), [("answer.md2", "text"), ("a.cob", "cobol"), ("notes.txt", "python")]
)
async def test_what_no_parser_knows_is_unavailable(path, language):
    verdict = await Syntax().judge(Candidate({path: "hello"}, language), Given())

    assert (verdict.status, verdict.confidence) == ("unavailable", 0.0)
    assert repr(path) in verdict.reason


async def test_a_file_without_an_ending_is_of_the_candidates_language():
    verdict = await Syntax().judge(Candidate({"run": "def f(:"}, "python"), Given())

    assert verdict.status == "failed"


async def test_each_file_is_parsed_in_its_own_language():
    files = {"a.py": GOOD["python"], "b.go": GOOD["go"], "Makefile": "all:\n\techo\n"}

    verdict = await Syntax().judge(Candidate(files, "python"), Given())

    assert (verdict.status, verdict.confidence) == ("passed", 0.97)
    assert "2 files parsed" in verdict.reason
    assert "'Makefile'" in verdict.reason
    assert "tree-sitter-go 0." in verdict.receipt.tool


async def test_one_broken_file_fails_the_candidate():
    verdict = await Syntax().judge(Candidate({"a.py": GOOD["python"], "b.json": "{"}, "python"), Given())

    assert verdict.status == "failed"
    assert {remark.file for remark in verdict.diagnostics} == {"b.json"}


async def test_a_large_file_is_parsed_beside_the_event_loop():
    verdict = await judge(GOOD["go"] + "var x = 1\n" * 2_000, "go")

    assert verdict.status == "passed"


async def test_a_file_beyond_the_size_limit_is_unavailable():
    verdict = await judge("x = 1\n" * (MAX_BYTES // 6 + 1), "python")

    assert verdict.status == "unavailable"
    assert "bytes are more than" in verdict.reason


@pytest.mark.parametrize(
    ("language", "text", "word"),
    [
        ("typescript", "a<b," * 16_000, "'<'"),
        ("tsx", "a<b," * 16_000, "'<'"),
        ("yaml", "- " * 100_000, "levels"),
        ("yaml", "".join(" " * level + "a:\n" for level in range(300)), "levels"),
        ("python", "-" * 100_000, "deeper"),
        ("json", "[" * 100_000, "deeper"),
        ("toml", "a = " + "[" * 100_000, "deeper"),
    ],
)
async def test_inputs_that_break_a_parser_are_refused_before(language, text, word):
    verdict = await judge(text, language)

    assert verdict.status == "unavailable"
    assert word in verdict.reason


def test_a_parse_that_takes_too_long_is_cut_off():
    with pytest.raises(ParserLimitError, match=r"longer than 0\.05 s"):
        parse("<" * 100_000, "bash", deadline_seconds=0.05)

    assert not parses("<" * 200_000 + "\n" * 70_000, "bash")


def test_ordinary_generics_and_comparisons_are_not_refused():
    text = "for (let i = 0; i < n; i++) { const a: Map<string, Set<number>> = f<x>(i < 3); }\n" * 400

    assert parse(text, "typescript").errors == ()


@pytest.mark.parametrize(
    ("text", "language", "word"),
    [
        ("x = '\ud800'\n", "python", "surrogate"),
        ("x = 1\x00", "python", "null"),
        ('{"a": NaN}', "json", "NaN"),
        ("1" * 5_000, "json", "digits"),
        ("a = ", "toml", "value"),
    ],
)
def test_odd_characters_and_numbers_are_errors_not_crashes(text, language, word):
    (error,) = parse(text, language).errors

    assert word in error.message.lower() or word in error.message


def test_php_without_its_tag_is_parsed_as_code():
    assert parse("function f( { }", "php").errors
    assert not parse("function f() { }", "php").errors


def test_an_invalid_escape_warns_nobody():
    assert isinstance(parse_python("x = '\\d'"), object)


@given(st.sampled_from(sorted(LANGUAGES)), st.text(alphabet="(){}[]<>\"'`;:=,.#/*\\ \nabc$-", max_size=200))
def test_no_short_text_breaks_a_parser(language, text):
    parsed = parse(text, language)

    assert 0 <= parsed.broken_share <= 1
    assert all(remark.line >= 0 and remark.message for remark in parsed.errors)


STUBS = {
    "pass that promises a value": "def f(a: int) -> int:\n    pass\n",
    "docstring and ellipsis": 'def f(a) -> str:\n    """Make it."""\n    ...\n',
    "not implemented": "def f(a):\n    raise NotImplementedError\n\ndef g():\n    return 1\n",
    "not implemented, called": "def f(a):\n    raise NotImplementedError('later')\n",
    "nothing but a stub": "def f(a):\n    pass\n",
    "to do": "x = 1\n\ndef f(a) -> None:\n    # TODO: implement\n    pass\n",
    "async": "async def f(a) -> int:\n    ...\n",
    "method to do": "class A:\n    def f(self):\n        # your code here\n        pass\n",
}


@pytest.mark.parametrize("text", STUBS.values(), ids=STUBS.keys())
async def test_a_function_without_a_body_fails(text):
    verdict = await judge(text, "python")

    assert verdict.status == "failed"
    assert {remark.code for remark in verdict.diagnostics} == {"stub"}


NO_STUBS = {
    "protocol": "from typing import Protocol\n\nclass P(Protocol):\n    def f(self) -> int:\n        ...\n",
    "abstract": "class A(ABC):\n    @abstractmethod\n    def f(self):\n        raise NotImplementedError\n",
    "template method": "class A:\n    def f(self):\n        raise NotImplementedError\n",
    "overload": "@overload\ndef f(a: int) -> int: ...\ndef f(a):\n    return a\n",
    "exception": "class MyError(Exception):\n    pass\n",
    "override": "class A(B):\n    def on_close(self):\n        pass\n",
    "no-op by annotation": "def callback(*args) -> None:\n    pass\n\nx = callback\n",
    "no-op by docstring": 'def callback(*args):\n    """Do nothing."""\n',
    "no-op among others": "def noop(x):\n    pass\n\ndef f(x):\n    return x\n",
    "click group": "@click.group()\ndef cli():\n    pass\n",
    "not supported": "def f(a) -> int:\n    raise NotImplementedError('not supported here')\n",
    "optional": "def hook(a) -> str | None:\n    ...\n",
    "defined again": "def f(a) -> int:\n    ...\n\ndef f(a) -> int:\n    return 1\n",
    "no function": "x = 1\n",
    "raises another error": "def f(a) -> int:\n    raise ValueError\n",
    "dunder": "class A:\n    def __init__(self):\n        pass  # TODO\n",
    "to do above real code": "def f(a):\n    # TODO: your code here\n    return a\n",
}


@pytest.mark.parametrize("text", NO_STUBS.values(), ids=NO_STUBS.keys())
async def test_what_is_empty_on_purpose_passes(text):
    assert (await judge(text, "python")).status == "passed"


ELISIONS = [
    ("python", "# ... existing code ...\nx = 1\n"),
    ("python", "x = 1\n# rest of the code remains the same\n"),
    ("python", "x = 1\n# ... (rest of the function)\n"),
    ("python", "x = 1\n# Remaining methods unchanged\n"),
    ("javascript", "// ... other methods\nlet x = 1;\n"),
    ("javascript", "let x = 1;\n// The rest of your code goes here\n"),
    ("go", "package a\n\n// rest of the file\n"),
    ("css", "/* ... existing code ... */\na { color: red; }\n"),
    ("html", "<!-- ... rest of the page unchanged -->\n<p>a</p>\n"),
    ("sql", "-- ... existing code\nSELECT 1;\n"),
]


@pytest.mark.parametrize(("language", "text"), ELISIONS)
async def test_code_that_is_left_out_fails(language, text):
    verdict = await judge(text, language)

    assert verdict.status == "failed"
    assert verdict.diagnostics[0].code == "elided"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "# the rest of the test runs in WAL mode\nx = 1\n"),
        ("python", "# ...\nx = 1\n"),
        ("python", "# keep the existing order\nx = 1\n"),
        ("python", 'PROMPT = """\n# ... existing code ...\n"""\n'),
        ("python", 'x = f"""\n# ... existing code ...\n{1}"""\n'),
        ("javascript", "// consume the rest of the arguments\nlet x = 1;\n"),
        ("javascript", "function f() {\n  // your code here\n  return 1;\n}\n"),
    ],
)
async def test_ordinary_comments_and_strings_pass(language, text):
    assert (await judge(text, language)).status == "passed"


def test_a_block_with_nothing_but_a_placeholder_is_a_stub():
    (stub,) = find_unfinished("function f() {\n  // TODO: implement this\n}\n", "javascript")

    assert (stub.code, stub.line) == ("stub", 2)


def test_broken_python_is_only_looked_over_for_elisions():
    assert [remark.code for remark in find_unfinished("def f(:\n# ... existing code ...\n", "python")] == [
        "elided"
    ]
    assert find_unfinished("-" * 100_000, "python") == ()


STUB = "def todo(a) -> int:\n    pass\n\n\n"


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "a.py").write_text(STUB + "def f():\n    return 1\n")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe")
    (tmp_path / "deep.py").write_text("-" * 100_000)
    return str(tmp_path)


async def test_what_already_stood_in_the_workspace_is_not_held_against_the_candidate(workspace):
    same = await judge(STUB + "def f():\n    return 2\n", "python", "a.py", workspace)
    worse = await judge(STUB + "def f() -> int:\n    pass\n", "python", "a.py", workspace)

    assert same.status == "passed"
    assert [remark.message for remark in worse.diagnostics] == ["function 'f' has no body"]


async def test_an_error_that_already_stood_there_is_no_excuse_where_the_parser_is_exact(tmp_path):
    broken = "def f(:\n    return 1\n"
    (tmp_path / "a.py").write_text(broken)

    verdict = await judge(broken, "python", "a.py", str(tmp_path))

    assert verdict.status == "failed"


async def test_a_pipe_in_the_workspace_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.py")

    with anyio.fail_after(10):
        verdict = await judge("def f() -> int:\n    pass\n", "python", "a.py", str(tmp_path))

    assert verdict.status == "failed"


@pytest.mark.parametrize("path", ["missing.py", "../a.py", "folder.py", "binary.py", "deep.py"])
async def test_a_previous_version_that_cannot_be_read_excuses_nothing(workspace, path):
    verdict = await judge("def f() -> int:\n    pass\n", "python", path, workspace)

    assert verdict.status == "failed"


@pytest.fixture
def standard_library():
    folder = Path(sys.base_prefix, "lib", f"python3.{sys.version_info.minor}")
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("[a-d]*.py")}


async def test_the_standard_library_passes(standard_library):
    verdict = await Syntax().judge(Candidate(standard_library, "python"), Given())

    assert verdict.status == "passed", verdict.diagnostics
    assert len(standard_library) > 20
