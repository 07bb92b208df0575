"""The language's own parser, where it is installed, has the last word about what a grammar refuses."""

import pytest

from sandbox.choose import choose
from sandbox.program import Execution
from validators.appeals import appeal, rule
from validators.compilers import CHECKS
from validators.languages import LANGUAGES
from validators.parsed import Parse
from validators.syntax import Syntax
from validators.toolchains import find_tool
from validators.validator import Given
from validators.verdict import Candidate


def needs(tool):
    return pytest.mark.skipif(find_tool([tool]) is None, reason=f"{tool} is not installed")


async def judge(text, language):
    path = f"solution.{LANGUAGES[language].endings[0]}"
    return await Syntax(choose()).judge(Candidate({path: text}, language), Given())


async def test_what_the_own_parser_accepts_passes_whatever_the_grammar_says():
    text = "for i do echo $i; done\n"

    alone = await Syntax().judge(Candidate({"a.sh": text}, "bash"), Given())
    heard = await judge(text, "bash")

    assert (alone.status, alone.confidence) == ("passed", 0.3)
    assert (heard.status, heard.confidence, heard.diagnostics) == ("passed", 1.0, ())


@pytest.mark.parametrize(
    ("language", "text", "line"),
    [
        ("bash", "f() {\n  echo ) \n}\n", 2),
        pytest.param("javascript", "const a = 1;\nconst b = = 2;\n", 2, marks=needs("node")),
        pytest.param("go", "package a\n\nfunc f( {\n}\n", 3, marks=needs("gofmt")),
        pytest.param("rust", "fn f() {\n    let a = ;\n}\n", 2, marks=needs("rustc")),
        pytest.param("php", "<?php\nfunction f( { }\n", 2, marks=needs("php")),
        pytest.param("ruby", "def f(a\n  a = = 1\nend\n", 2, marks=needs("ruby")),
        pytest.param("typescript", "const a: = 1;\n", 1, marks=[needs("tsc"), pytest.mark.slow]),
    ],
)
async def test_what_the_own_parser_refuses_fails_in_its_own_words(language, text, line):
    verdict = await judge(text, language)

    assert (verdict.status, verdict.confidence) == ("failed", 1.0)
    assert (verdict.diagnostics[0].line, verdict.diagnostics[0].code) == (line, "syntax")


@pytest.mark.parametrize("language", ["c", "css", "yaml"])
async def test_without_a_parser_of_its_own_the_grammar_is_left_alone(language):
    assert await appeal(choose(), "a.x", "{", language) is None


async def test_without_a_sandbox_the_grammar_is_left_alone():
    assert await appeal(choose("none"), "a.sh", "if\n", "bash") is None


async def test_a_file_that_the_tool_does_not_take_is_left_to_the_grammar():
    assert await appeal(choose(), "a.jsx", "<", "javascript") is None


DONE = Execution("exited", 0, "", "", 0.1)


@pytest.mark.parametrize(
    ("language", "execution", "ruling"),
    [
        ("bash", DONE, Parse((), "bash")),
        ("bash", Execution("timed_out", 0, "", "", 0.1), None),
        ("bash", Execution("exited", 127, "", "bash: not found", 0.1), None),
        ("typescript", Execution("exited", 2, "a.x(1,1): error TS2307: no\n", "", 0.1), Parse((), "tsc")),
        ("typescript", Execution("exited", 2, "killed\n", "", 0.1), None),
    ],
)
def test_a_ruling_needs_a_clear_answer(language, execution, ruling):
    assert rule(language, execution, {"a.x": "a.x"}) == ruling


def test_an_error_of_another_kind_is_no_error_of_syntax():
    output = "a.ts(1,1): error TS1005: ',' expected.\na.ts(2,1): error TS2322: wrong type\n"
    found = rule("typescript", Execution("exited", 2, output, "", 0.1), {"a.ts": "a.ts"})

    assert [error.message for error in found.errors] == ["',' expected."]
    assert found.broken_share == 1.0
    assert CHECKS["typescript"][0].tool == found.tool
