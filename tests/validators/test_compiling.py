from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.bubblewrap import Bubblewrap
from sandbox.choose import choose
from sandbox.program import Execution
from validators.compilers import CHECKS, place_java, place_javascript
from validators.compiling import Compile, conclude
from validators.plans import make_plan
from validators.remarks import by_pattern, own_remarks
from validators.toolchains import Tool, find_tool
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic


async def judge(language, text, path=None, **given):
    ending = {"python": "py", "javascript": "js", "rust": "rs", "cpp": "cpp", "bash": "sh"}.get(
        language, language
    )
    candidate = Candidate({path or f"solution.{ending}": text}, language)
    return await Compile(Bubblewrap()).judge(candidate, Given(**given))


def needs(tool):
    return pytest.mark.skipif(find_tool([tool]) is None, reason=f"{tool} is not installed")


GOOD = [
    ("python", "def f():\n    return 1\n"),
    pytest.param("javascript", "const a = require('fs');\nmodule.exports = {a};\n", marks=needs("node")),
    pytest.param("javascript", "import fs from 'fs';\nexport const a = fs;\n", marks=needs("node")),
    pytest.param("rust", "pub fn f() -> i32 { 1 }\nfn main() {}\n", marks=needs("rustc")),
    pytest.param("java", "public class Foo { int f() { return 1; } }", marks=needs("javac")),
    pytest.param("c", '#include <stdio.h>\nint main(void) { return puts("x"); }\n', marks=needs("gcc")),
    pytest.param(
        "cpp", "#include <vector>\nint f() { return std::vector<int>{1}.size(); }\n", marks=needs("g++")
    ),
    ("bash", "for i in 1 2; do echo $i; done\n"),
]


@pytest.mark.parametrize(("language", "text"), GOOD)
async def test_what_the_tool_accepts_passes(language, text):
    verdict = await judge(language, text)

    assert (verdict.status, verdict.confidence) == ("passed", 0.9), verdict
    assert verdict.receipt.tool
    assert verdict.receipt.exit_code == 0
    assert verdict.receipt.digest


BAD = [
    ("python", "def f(:\n  pass\n", (1, 7, "SyntaxError")),
    ("python", "def f():\n    return g()\n", (2, 12, "F821")),
    ("python", "x = 1\n\0\n", (0, 0, "SyntaxError")),
    pytest.param("javascript", "const b = 1;\nconst a = ;\n", (2, 11, "SyntaxError"), marks=needs("node")),
    pytest.param(
        "javascript", "import f from 'fs';\nconst a = ;\n", (2, 11, "SyntaxError"), marks=needs("node")
    ),
    pytest.param("javascript", "function f( {\n", (2, 0, "SyntaxError"), marks=needs("node")),
    pytest.param("rust", 'pub fn f() -> i32 { "a" }\n', (1, 21, "E0308"), marks=needs("rustc")),
    pytest.param("rust", "use std::nope::A;\npub fn f(_: A) {}\n", (1, 10, "E0432"), marks=needs("rustc")),
    pytest.param("java", "public class Foo { int f() { return 1 } }", (1, 38, ""), marks=needs("javac")),
    pytest.param("java", 'public class Foo { int f() { return "a"; } }', (1, 37, ""), marks=needs("javac")),
    pytest.param("c", "int f(void) { return x; }\n", (1, 22, ""), marks=needs("gcc")),
    pytest.param(
        "c", "int f(void) { return g(); }\n", (1, 22, "implicit-function-declaration"), marks=needs("gcc")
    ),
    pytest.param("cpp", "int f() { return x; }\n", (1, 18, ""), marks=needs("g++")),
    ("bash", "if true; then\n echo\n", (3, 0, "")),
]


@pytest.mark.parametrize(("language", "text", "place"), BAD)
async def test_what_the_tool_refuses_fails_with_the_place_in_the_candidates_own_file(language, text, place):
    verdict = await judge(language, text)

    first = verdict.diagnostics[0]
    assert verdict.status == "failed"
    assert (first.line, first.column, first.code) == place
    assert first.file.startswith("solution.")
    assert first.message


MISSING = [
    pytest.param("rust", "use serde::Serialize;\npub fn f() {}\n", "serde", marks=needs("rustc")),
    pytest.param("java", "import org.junit.Test;\npublic class Foo {}\n", "org.junit", marks=needs("javac")),
    pytest.param("c", '#include "nope.h"\n', "nope.h", marks=needs("gcc")),
]


@pytest.mark.parametrize(("language", "text", "name"), MISSING)
async def test_a_dependency_that_is_not_installed_is_not_the_candidates_fault(language, text, name):
    verdict = await judge(language, text)

    assert (verdict.status, verdict.confidence) == ("unavailable", 0.0)
    assert name in verdict.reason


@needs("gcc")
async def test_headers_are_found_in_the_workspace(tmp_path):
    (tmp_path / "own.h").write_text("int g(void);\n")

    verdict = await judge("c", '#include "own.h"\nint f(void) { return g(); }\n', workspace=str(tmp_path))

    assert verdict.status == "passed"


@needs("gcc")
async def test_what_a_compiler_says_of_other_files_is_not_shown():
    verdict = await judge("c", '#include "/etc/ld.so.cache"\n')

    assert all(remark.file == "solution.c" for remark in verdict.diagnostics)


async def test_nothing_of_the_candidate_is_run():
    verdict = await judge("python", "raise SystemExit(7)\n")

    assert verdict.status == "passed"


async def test_warnings_are_told_and_do_not_fail():
    verdict = await judge("python", "x = 1 is 1\n")

    assert verdict.status == "passed"
    assert [remark.severity for remark in verdict.diagnostics] == ["warning"]


@pytest.mark.parametrize(
    ("language", "reason"),
    [("json", "nothing to compile in 'json'"), ("sql", "no compiler"), ("csharp", "dotnet build")],
)
async def test_a_language_without_a_compiler_is_unavailable(language, reason):
    verdict = await judge(language, "x")

    assert verdict.status == "unavailable"
    assert reason in verdict.reason


async def test_a_tool_that_is_missing_is_named_with_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    verdict = await judge("go", "package a\n")

    assert verdict.status == "unavailable"
    assert verdict.reason.startswith("'go' is not installed here. Install Go (`apt install golang-go`")


async def test_files_of_another_language_are_not_compiled():
    verdict = await judge("python", "x", path="notes.txt")

    assert verdict.status == "unavailable"


async def test_without_a_sandbox_nothing_is_compiled():
    verdict = await Compile(choose("none")).judge(Candidate({"a.py": "x"}, "python"), Given())

    assert verdict.status == "unavailable"
    assert "allow_unsandboxed" in verdict.reason


async def test_a_path_that_leaves_the_folder_fails_the_candidate():
    verdict = await judge("python", "x = 1", path="../a.py")

    assert verdict.status == "failed"
    assert "may leave the working folder" in verdict.diagnostics[0].message


GCC = CHECKS["c"][0]
DONE = Execution("exited", 0, "", "", 0.1)


def test_silence_and_exit_code_zero_pass():
    assert conclude(GCC, DONE, {"a.c": "a.c"})[0] == "passed"


def test_an_error_fails_even_with_exit_code_zero():
    execution = replace(DONE, stderr="a.c:1:2: error: no\n")

    assert conclude(GCC, execution, {"a.c": "a.c"})[0] == "failed"


def test_an_exit_code_fails_even_without_an_error_that_can_be_read():
    status, diagnostics, _ = conclude(GCC, replace(DONE, exit_code=1, stderr="strange\n"), {"a.c": "a.c"})

    assert (status, diagnostics) == ("failed", (Diagnostic("strange"),))


def test_a_tool_that_fails_in_silence_is_said():
    _, diagnostics, _ = conclude(GCC, replace(DONE, exit_code=1), {"a.c": "a.c"})

    assert diagnostics[0].message == "'gcc' failed without a word."


@pytest.mark.parametrize("end", ["timed_out", "out_of_memory", "too_much_output", "killed"])
def test_a_tool_that_does_not_end_judges_nothing(end):
    status, _, reason = conclude(GCC, replace(DONE, end=end), {"a.c": "a.c"})

    assert status == "unavailable"
    assert reason.startswith("'gcc' gave no answer. The program")


READINGS = {
    "typescript": (
        "a.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.\n",
        Diagnostic("Type 'string' is not assignable to type 'number'.", "a.ts", 3, 5, code="TS2322"),
    ),
    "go": (
        "# command-line-arguments\nvet: ./a.go:3:2: undefined: x\n",
        Diagnostic("undefined: x", "./a.go", 3, 2),
    ),
    "ruby": (
        "a.rb:2: warning: unused literal ignored\n",
        Diagnostic("unused literal ignored", "a.rb", 2, severity="warning"),
    ),
    "php": (
        'Parse error: syntax error, unexpected token "}" in a.php on line 3\n',
        Diagnostic('syntax error, unexpected token "}"', "a.php", 3, code="Parse error"),
    ),
}


@pytest.mark.parametrize("language", READINGS)
def test_what_tools_print_is_read(language):
    output, expected = READINGS[language]

    assert list(CHECKS[language][0].read(output)) == [expected]


def test_typescript_modules_that_are_not_installed_are_told_apart():
    execution = replace(DONE, exit_code=2, stdout="a.ts(1,1): error TS2307: Cannot find module 'x'.\n")

    assert conclude(CHECKS["typescript"][0], execution, {"a.ts": "a.ts"})[0] == "unavailable"


def test_files_are_compiled_under_the_names_the_tool_wants():
    candidate = Candidate({"solution.java": "public final class Foo {}", "notes.md": "x"}, "java")

    plan = make_plan(CHECKS["java"][0], Tool("/usr/bin/javac", ()), candidate)

    assert plan.originals == {"Foo.java": "solution.java"}
    assert set(plan.files) == {"Foo.java", "notes.md"}
    assert plan.argv[-1] == "./Foo.java"


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("import x from 'x'", "mjs"),
        ("export default 1", "mjs"),
        ("export {a}", "mjs"),
        ("const a = await b()", "mjs"),
        ("const a = require('a')", "cjs"),
        ("import('x')", "cjs"),
        ("async () => { await x }", "cjs"),
    ],
)
def test_javascript_is_named_by_the_syntax_it_uses(text, ending):
    assert place_javascript("a.js", text) == f"a.js.{ending}"


def test_a_name_that_says_the_kind_is_kept():
    assert place_javascript("a.mjs", "x") == "a.mjs"
    assert place_java("b/a.java", "class A {}") == "b/a.java"
    assert place_java("b/a.java", "@X\npublic record A() {}") == "b/A.java"


def test_remarks_are_kept_once_and_errors_first():
    remarks = [
        Diagnostic("w", "./a.c", 1, severity="warning"),
        *[Diagnostic("e", "/box/a.c", n) for n in (1, 1, 2)],
    ]

    assert [(r.message, r.line) for r in own_remarks(remarks, {"a.c": "b.c"})] == [
        ("e", 1),
        ("e", 2),
        ("w", 1),
    ]


def test_the_longest_name_that_fits_is_meant():
    remarks = own_remarks([Diagnostic("e", "/box/lib/a.c")], {"a.c": "short", "lib/a.c": "long"})

    assert remarks[0].file == "long"


@given(st.text())
def test_no_output_breaks_a_reader_of_text(output):
    for checks in CHECKS.values():
        if checks[0].tool != "python":
            list(checks[0].read(output))


def test_a_pattern_may_lack_everything_but_a_message():
    assert list(by_pattern(r"^!(?P<message>.*)$")("!x")) == [Diagnostic("x")]
