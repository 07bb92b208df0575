"""A linter's new remarks are told and prove nothing; they fail a candidate only where the policy says so."""

import json

import pytest

from sandbox.choose import choose
from validators.compilers import CHECKS
from validators.lint import Lint, conclude_lint
from validators.linters import LINTERS, first_json, read_eslint, read_shellcheck
from validators.previous import keep_new, previous_candidate, read_previous
from validators.scanning import Scan, scan
from validators.toolchains import find_tool
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt

UNUSED = "import os\n\n\ndef f():\n    return 1\n"


def needs(tool):
    return pytest.mark.skipif(find_tool([tool]) is None, reason=f"{tool} is not installed")


async def judge(files, language="python", *, blocks=False, **given):
    return await Lint(choose(), blocks=blocks).judge(Candidate(files, language), Given(**given))


@needs("ruff")
async def test_a_remark_is_a_warning_and_the_candidate_passes():
    verdict = await judge({"a.py": UNUSED})

    assert verdict.status == "passed"
    assert [
        (one.file, one.line, one.severity, one.code) for one in verdict.diagnostics if one.code == "F401"
    ] == [("a.py", 1, "warning", "F401")]
    assert "ruff" in verdict.receipt.tool


@needs("ruff")
async def test_a_remark_fails_where_the_policy_lets_lint_block():
    verdict = await judge({"a.py": UNUSED}, blocks=True)

    assert verdict.status == "failed"
    assert {one.severity for one in verdict.diagnostics} == {"error"}


@needs("ruff")
async def test_what_the_workspace_already_had_is_not_new(tmp_path):
    (tmp_path / "a.py").write_text(UNUSED)

    same = await judge({"a.py": f"x = 1\n{UNUSED}"}, blocks=True, workspace=str(tmp_path))
    more = await judge({"a.py": f"import sys\n{UNUSED}"}, blocks=True, workspace=str(tmp_path))

    assert same.status == "passed"
    assert [one.message for one in more.diagnostics if one.code == "F401"] == ["`sys` imported but unused"]


@needs("ruff")
async def test_a_remark_that_is_new_is_found_among_any_number_of_old_ones(tmp_path):
    old = "".join(f"import unused_{number}\n" for number in range(40))
    (tmp_path / "a.py").write_text(old)

    more = await judge({"a.py": f"{old}import fresh\n"}, workspace=str(tmp_path))
    many = await judge({"b.py": old}, workspace=str(tmp_path))

    assert [one.line for one in more.diagnostics] == [41]
    assert len(many.diagnostics) == 20


@needs("ruff")
async def test_a_configuration_among_the_files_changes_nothing():
    verdict = await judge({"a.py": UNUSED, "ruff.toml": 'exclude = ["*"]\n'})

    assert "F401" in {one.code for one in verdict.diagnostics}


@needs("shellcheck")
async def test_a_shell_script_is_linted():
    verdict = await judge({"a.sh": "if [ $a = 1 ]; then echo; fi\n"}, "bash")

    assert "SC2154" in {one.code for one in verdict.diagnostics}


@needs("eslint")
async def test_javascript_is_linted():
    verdict = await judge({"a.js": "let a = 1;\nif (a = 2) { a(); }\n"}, "javascript")

    assert ("a.js", 2, "no-cond-assign") in {(one.file, one.line, one.code) for one in verdict.diagnostics}


@needs("gcc")
async def test_a_compilers_warnings_are_remarks_and_its_errors_are_not():
    verdict = await judge({"a.c": "int f(int a) { if (a = 1) return 2; return x; }\n"}, "c")

    assert verdict.status == "passed"
    assert [one.code for one in verdict.diagnostics] == ["parentheses"]


async def test_a_language_without_a_linter_is_unavailable():
    verdict = await judge({"a.go": "package a\n"}, "go")

    assert (verdict.status, verdict.confidence) == ("unavailable", 0.0)
    assert "No linter knows" in verdict.reason


async def test_a_linter_that_is_missing_is_named_with_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    verdict = await judge({"a.sh": "echo\n"}, "bash")

    assert verdict.status == "unavailable"
    assert "'shellcheck' is not installed here. Install it (`apt install shellcheck`" in verdict.reason


async def test_without_a_sandbox_nothing_is_linted():
    verdict = await Lint(choose("none")).judge(Candidate({"a.c": "int a;\n", "a.py": "x"}, "c"), Given())

    assert verdict.status == "unavailable"


@needs("gcc")
async def test_a_tool_that_breaks_down_says_nothing():
    broken = next(check for check in LINTERS if check.tool == "gcc")
    command = ("-c", "echo broken >&2; exit 3")

    found = await scan(
        choose(),
        type(broken)("sh", ("sh",), command, broken.read, "", ("c",)),
        Candidate({"a.c": ""}, "c"),
        "",
    )

    assert found.problem == "'sh' does not work here, it ended with 3: broken"


async def test_a_tool_that_does_not_end_says_nothing():
    broken = next(check for check in LINTERS if check.tool == "gcc")
    kill = type(broken)("sh", ("sh",), ("-c", "kill -9 $$"), broken.read, "", ("c",))

    found = await scan(choose(), kill, Candidate({"a.c": ""}, "c"), "")

    assert found.problem


async def test_a_tool_that_nobody_needs_is_not_missed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    ty = next(check for check in LINTERS if check.tool == "ty")

    assert await scan(choose(), ty, Candidate({"a.py": ""}, "python"), "") == Scan(concerns=False)


WARNING = Diagnostic("w", "a.py", 1, severity="warning")
NOTE = Diagnostic("n", "a.py", 2, severity="note")
DONE = Receipt(tool="ruff", command="ruff a.py", exit_code=1)


@pytest.mark.parametrize(
    ("remarks", "blocks", "status"),
    [
        ((), False, "passed"),
        ((WARNING,), False, "passed"),
        ((NOTE,), True, "passed"),
        ((WARNING, NOTE), True, "failed"),
    ],
)
def test_only_warnings_that_block_fail(remarks, blocks, status):
    assert conclude_lint([Scan(remarks, receipt=DONE)], blocks=blocks).status == status


def test_a_linter_that_did_not_run_is_named_beside_one_that_did():
    verdict = conclude_lint([Scan(receipt=DONE), Scan(problem="No eslint.")], blocks=False)

    assert (verdict.status, verdict.reason) == ("passed", "0 remarks that are new. No eslint.")


def test_remarks_of_eslint_and_shellcheck_are_read():
    eslint = [
        {"filePath": "/a.js", "messages": [{"ruleId": "x", "message": "m", "line": 1}, {"ruleId": None}]}
    ]
    shell = {"file": "a.sh", "line": 1, "column": 2, "level": "style", "code": 7, "message": "m"}

    assert list(read_eslint(json.dumps(eslint) + "\nwarning\n")) == [
        Diagnostic("m", "/a.js", 1, severity="warning", code="x")
    ]
    assert list(read_shellcheck(f"{json.dumps([shell])}\nnoise\n")) == [
        Diagnostic("m", "a.sh", 1, 2, severity="note", code="SC7")
    ]


@pytest.mark.parametrize("output", ["", "no", "{}", "[1"])
def test_what_is_no_json_of_the_kind_is_empty(output):
    assert first_json(output, list) == []


def test_a_remark_made_more_often_than_before_is_new_once():
    later = Diagnostic("w", "a.py", 9, severity="warning")

    assert keep_new([WARNING, later], [WARNING]) == (later,)
    assert keep_new([WARNING], [later]) == ()


async def test_only_text_inside_the_workspace_is_a_previous_version(tmp_path):
    (tmp_path / "a.py").write_text("x")
    (tmp_path / "b.py").write_bytes(b"\xff")
    (tmp_path / "c.py").mkdir()

    found = await previous_candidate(
        str(tmp_path), Candidate(dict.fromkeys(("a.py", "b.py", "c.py", "d.py"), ""), "python")
    )

    assert found.files == {"a.py": "x"}
    assert await read_previous(str(tmp_path), "../a.py") is None
    assert await read_previous(str(tmp_path), "a\0.py") is None
    assert (await previous_candidate("", Candidate({"a.py": ""}, "python"))).files == {}


def test_linters_of_c_are_its_compilers():
    assert {check.tool for check in LINTERS} >= {CHECKS["c"][0].tool, CHECKS["cpp"][0].tool}
