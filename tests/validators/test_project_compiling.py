"""A file of a project is compiled with its project; what was wrong before is not the candidate's fault."""

import json

import pytest

from sandbox.choose import choose
from sandbox.program import Execution
from validators.compiling import Compile, conclude
from validators.project_compilers import pick_checks
from validators.remarks import project_remarks, read_cargo
from validators.toolchains import find_tool
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic


def needs(tool):
    return pytest.mark.skipif(find_tool([tool]) is None, reason=f"{tool} is not installed")


async def judge(workspace, language, **files):
    candidate = Candidate({path.replace("__", "."): text for path, text in files.items()}, language)
    return await Compile(choose()).judge(candidate, Given(workspace=str(workspace)))


def lay_out(folder, files):
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def crate(tmp_path):
    manifest = "[package]\nname = 'x'\nversion = '0.1.0'\nedition = '2021'\n"
    files = {"src/lib.rs": "mod b;\npub fn a() -> i32 { b::b() }\n", "src/b.rs": "pub fn b() -> i32 { 1 }\n"}
    return lay_out(tmp_path, {"Cargo.toml": manifest, **files})


async def compile_crate(crate, path, text):
    return await Compile(choose()).judge(Candidate({path: text}, "rust"), Given(workspace=str(crate)))


@needs("cargo")
async def test_a_file_of_a_crate_is_compiled_with_the_others(crate):
    right = await compile_crate(crate, "src/lib.rs", "mod b;\npub fn a() -> i32 { b::b() + 1 }\n")
    wrong = await compile_crate(crate, "src/lib.rs", "mod b;\npub fn a() -> i32 { b::c() }\n")

    assert right.status == "passed"
    assert (wrong.status, wrong.diagnostics[0].file, wrong.diagnostics[0].line) == ("failed", "src/lib.rs", 2)


@needs("cargo")
async def test_what_a_change_breaks_elsewhere_in_the_project_is_told(crate):
    verdict = await compile_crate(crate, "src/b.rs", "pub fn c() -> i32 { 1 }\n")

    assert verdict.status == "failed"
    assert [(one.file, one.line) for one in verdict.diagnostics] == [("src/lib.rs", 2)]


@needs("cargo")
async def test_a_crate_that_is_not_here_is_not_the_candidates_fault(crate):
    with (crate / "Cargo.toml").open("a") as manifest:
        manifest.write("[dependencies]\nserde = '1'\n")

    verdict = await compile_crate(crate, "src/b.rs", "pub fn b() -> i32 { 1 }\n")

    assert verdict.status == "unavailable"
    assert "serde" in verdict.reason


@needs("go")
async def test_a_file_of_a_go_module_is_vetted_with_its_package(tmp_path):
    package = {
        "p/a.go": "package p\n\nfunc A() int { return B() }\n",
        "p/b.go": "package p\n\nfunc B() int { return 1 }\n",
    }
    workspace = lay_out(tmp_path, {"go.mod": "module x\n\ngo 1.19\n", **package})

    files = {"p/a.go": "package p\n\nfunc A() int { return B() + 1 }\n"}
    right = await Compile(choose()).judge(Candidate(files, "go"), Given(workspace=str(workspace)))
    files = {"p/a.go": "package p\n\nfunc A() int { return C() }\n"}
    wrong = await Compile(choose()).judge(Candidate(files, "go"), Given(workspace=str(workspace)))

    assert (right.status, wrong.status) == ("passed", "failed")


@needs("tsc")
@pytest.mark.slow
async def test_a_typescript_project_is_compiled_by_its_own_settings(tmp_path):
    settings = '{"compilerOptions": {"strict": false, "types": []}, "include": ["src"]}'
    workspace = lay_out(tmp_path, {"tsconfig.json": settings, "src/b.ts": "export const b = 1;\n"})
    files = {"src/a.ts": "import {b} from './b';\nexport const f = (x) => x + b;\n"}

    verdict = await Compile(choose()).judge(Candidate(files, "typescript"), Given(workspace=str(workspace)))

    assert verdict.status == "passed"


@needs("gcc")
async def test_an_error_that_was_there_before_is_a_warning(tmp_path):
    (tmp_path / "a.c").write_text("int f(void) { return nope; }\n")

    same = await judge(tmp_path, "c", a__c="int f(void) { return nope; }\nint g(void) { return 1; }\n")
    more = await judge(tmp_path, "c", a__c="int f(void) { return nope; }\nint g(void) { return also; }\n")

    assert (same.status, [one.severity for one in same.diagnostics]) == ("passed", ["warning"])
    assert more.status == "failed"
    assert ["also" in one.message for one in more.diagnostics] == [True]


@needs("gcc")
async def test_a_file_that_is_new_has_no_excuse(tmp_path):
    assert (await judge(tmp_path, "c", a__c="int f(void) { return nope; }\n")).status == "failed"


@needs("cargo")
async def test_a_tool_that_fails_on_the_workspace_itself_judges_nothing(crate):
    (crate / "Cargo.toml").write_text("[package]\nname = 'x'\nversion = 'nonsense'\n")

    verdict = await compile_crate(crate, "src/b.rs", "pub fn b() -> i32 { 2 }\n")

    assert verdict.status == "unavailable"
    assert "fails on the workspace as it is" in verdict.reason


def test_only_a_folder_with_the_manifest_is_a_project(tmp_path):
    assert pick_checks("rust", str(tmp_path))[0].tool == "rustc"
    (tmp_path / "Cargo.toml").touch()

    assert pick_checks("rust", str(tmp_path))[0].tool == "cargo"
    assert pick_checks("rust", "")[0].tool == "rustc"
    assert pick_checks("python", str(tmp_path))[0].tool == "python"
    assert pick_checks("cobol", str(tmp_path)) == ()


def test_remarks_of_cargo_are_those_of_its_compiler():
    span = {"is_primary": True, "label": None, "file_name": "src/a.rs", "line_start": 1, "column_start": 2}
    message = {"message": "m", "level": "error", "code": None, "spans": [span]}
    lines = [{"reason": "compiler-message", "message": message}, {"reason": "build-finished"}]

    assert list(read_cargo("\n".join(map(json.dumps, lines)))) == [Diagnostic("m", "src/a.rs", 1, 2)]


def test_of_other_files_only_errors_inside_the_project_are_kept():
    remarks = [
        Diagnostic("own", "./src/a.ts"),
        Diagnostic("secret", "/etc/passwd"),
        Diagnostic("secret", "src/../../x"),
        Diagnostic("late", "b.ts", severity="warning"),
        Diagnostic("nowhere"),
    ]

    assert project_remarks(remarks) == (Diagnostic("own", "src/a.ts"),)


def test_a_missing_dependency_is_found_in_words_too(tmp_path):
    (tmp_path / "Cargo.toml").touch()
    (check,) = pick_checks("rust", str(tmp_path))
    execution = Execution("exited", 101, "", "error: no matching package named `a` found\nmore\n", 0.1)

    status, _, reason = conclude(check, execution, {"a.rs": "a.rs"})

    assert (status, reason.endswith("named `a` found")) == ("unavailable", True)


OLD_ERRORS = "".join(f"int f{number}(void) {{ return old{number}; }}\n" for number in range(40))


@needs("gcc")
async def test_an_error_that_is_new_is_found_among_any_number_of_old_ones(tmp_path):
    (tmp_path / "a.c").write_text(f"{OLD_ERRORS}int good(void) {{ return 1; }}\n")

    verdict = await judge(tmp_path, "c", a__c=f"{OLD_ERRORS}int good(void) {{ return brand_new; }}\n")

    assert verdict.status == "failed"
    assert [("brand_new" in one.message, one.line) for one in verdict.diagnostics] == [(True, 41)]


@needs("gcc")
async def test_a_verdict_tells_the_first_errors_only(tmp_path):
    verdict = await judge(tmp_path, "c", a__c=OLD_ERRORS)

    assert (verdict.status, len(verdict.diagnostics)) == ("failed", 20)


@needs("javac")
async def test_a_new_error_in_java_is_found_behind_a_hundred_old_ones(tmp_path):
    old = "".join(f"int f{number}() {{ return old{number}; }}\n" for number in range(120))
    (tmp_path / "A.java").write_text(f"public class A {{\n{old}}}\n")

    verdict = await judge(
        tmp_path, "java", A__java=f"public class A {{\n{old}int good() {{ return fresh; }}}}\n"
    )

    assert verdict.status == "failed"
    assert [one.line for one in verdict.diagnostics] == [122]


@needs("go")
@pytest.mark.parametrize("body", ["return old", "return fresh"])
async def test_a_tool_that_stops_at_an_old_error_does_not_say_whether_there_are_new_ones(tmp_path, body):
    broken = "package x\n\nfunc A() int { return old }\n\nfunc B() int { %s }\n"
    workspace = lay_out(tmp_path, {"go.mod": "module x\n\ngo 1.19\n", "a.go": broken % "return 1"})

    verdict = await judge(workspace, "go", a__go=broken % body)

    assert verdict.status == "unavailable"
    assert "'go vet' fails on the workspace as it is: undeclared name: old" in verdict.reason


@pytest.fixture
def module(tmp_path):
    adds = "package x\n\nfunc Add(a, b int) int { return a + b }\n"
    return lay_out(tmp_path, {"go.mod": "module example.com/x\n\ngo 1.19\n", "old.go": adds})


async def compile_module(module, **files):
    named = {path.replace("__", "."): text for path, text in files.items()}
    candidate = Candidate(named, "go", ("old.go",))
    return await Compile(choose()).judge(candidate, Given(workspace=str(module)))


@needs("go")
async def test_a_renamed_file_is_compiled_without_its_old_name(module):
    verdict = await compile_module(module, new__go="package x\n\nfunc Add(a, b int) int { return b + a }\n")

    assert verdict.status == "passed", verdict


@needs("go")
async def test_a_removed_file_that_others_need_is_missed(module):
    (module / "use.go").write_text("package x\n\nfunc Two() int { return Add(1, 1) }\n")

    verdict = await compile_module(module, doc__go="// Package x adds.\npackage x\n")

    assert verdict.status == "failed"
    assert [one.file for one in verdict.diagnostics] == ["use.go"]


@needs("cargo")
async def test_what_is_wrong_elsewhere_is_not_held_against_an_edit_in_place(crate):
    (crate / "src/lib.rs").write_text("mod b;\npub fn a() -> i32 { b::missing() }\n")

    verdict = await compile_crate(crate, "src/b.rs", (crate / "src/b.rs").read_text())

    assert verdict.status == "unavailable"
    assert "elsewhere" in verdict.reason


@needs("cargo")
async def test_an_edit_in_place_is_not_excused_by_being_there(crate):
    (crate / "src/b.rs").write_text(wrong := "pub fn b() -> i32 { missing }\n")

    verdict = await compile_crate(crate, "src/b.rs", wrong)

    assert verdict.status == "failed"
