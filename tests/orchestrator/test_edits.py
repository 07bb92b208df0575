"""SEARCH/REPLACE edits: where they apply, and where they must not; which file names are safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.edits import Edit, apply_edits, parse_edits
from orchestrator.labels import path_in_attributes, path_in_comment, path_in_label
from orchestrator.safe_paths import path_problem, safe_path

BLOCK = "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n"


@pytest.mark.parametrize(
    ("reply", "path"),
    [
        (BLOCK, ""),
        (f"src/a.py\n{BLOCK}", "src/a.py"),
        (f"**src/a.py**\n```python\n{BLOCK}```", "src/a.py"),
        (f"```python\nsrc/a.py\n{BLOCK}```", "src/a.py"),
        (f"```python:src/a.py\n{BLOCK}```", "src/a.py"),
        (BLOCK.replace("SEARCH", "SEARCH src/a.py"), "src/a.py"),
        (f"Change this:\n\n{BLOCK}", ""),
        (f"intro\n\n\n\n{BLOCK}", ""),
        (BLOCK.replace("<<<<<<<", "<<<<<").replace(">>>>>>>", ">>>>>>>>>").replace("=======", "====="), ""),
    ],
)
def test_an_edit_is_read_with_the_name_above_or_inside_its_fence(reply, path):
    assert parse_edits(reply) == (Edit(path, "old", "new"),)


def test_a_name_holds_for_the_edits_below_it():
    edits = parse_edits(f"a.py\n{BLOCK}\n{BLOCK}\nb.py\n{BLOCK}")

    assert [edit.path for edit in edits] == ["a.py", "a.py", "b.py"]


def test_an_edit_that_never_ends_is_none():
    assert parse_edits("<<<<<<< SEARCH\nold\n=======\nnew\n") == ()
    assert parse_edits("nothing here\n=======\n") == ()


def test_an_exact_match_is_replaced_and_nothing_else():
    edited = apply_edits({"a.py": "x = 1\ny = 2\nz = 3\n"}, [Edit("a.py", "y = 2", "y = 4\ny += 1")])

    assert edited.files == {"a.py": "x = 1\ny = 4\ny += 1\nz = 3\n"}
    assert edited.problems == ()


def test_whole_lines_are_matched():
    edited = apply_edits({"a.py": "max = 1\n"}, [Edit("a.py", "x = 1", "x = 2")])

    assert edited.files == {"a.py": "max = 1\n"}
    assert edited.problems


def test_an_empty_replacement_deletes_the_lines():
    assert apply_edits({"a.py": "a\nb\nc\n"}, [Edit("a.py", "b", "")]).files == {"a.py": "a\nc\n"}


def test_other_indentation_still_matches_and_the_new_lines_get_the_right_one():
    before = "class A:\n    def f(self):\n        return 1\n"

    edited = apply_edits(
        {"a.py": before}, [Edit("", "def f(self):\n    return 1", "def f(self):\n\n    return 2")]
    )

    assert edited.files == {"a.py": "class A:\n    def f(self):\n\n        return 2\n"}


def test_exact_lines_win_over_lines_that_differ_in_indentation():
    edited = apply_edits({"a.py": "x = 1\n    x = 1\n"}, [Edit("a.py", "x = 1", "x = 2")])

    assert edited.files == {"a.py": "x = 2\n    x = 1\n"}


@pytest.mark.parametrize("text", ["x = 1\nx = 1\n", "  x = 1\n    x = 1\n"])
def test_several_places_are_a_problem_and_never_a_guess(text):
    edited = apply_edits({"a.py": text}, [Edit("a.py", "x = 1", "x = 2")])

    assert edited.files == {"a.py": text}
    assert [problem.code for problem in edited.problems] == ["edit_ambiguous"]


def test_lines_that_do_not_occur_are_answered_with_the_nearest():
    edited = apply_edits(
        {"a.py": "one\n\ntotal = price * count\nend\n"}, [Edit("a.py", "total = price*count\nx", "")]
    )

    (problem,) = edited.problems
    assert (problem.code, problem.line) == ("edit_not_found", 3)
    assert "did you mean these?\ntotal = price * count\nend" in problem.message


def test_lines_like_nothing_in_the_file_are_a_problem():
    (problem,) = apply_edits({"a.py": "one\n"}, [Edit("a.py", "zzz()", "")]).problems

    assert problem.code == "edit_not_found"
    assert "copy them exactly" in problem.message


def test_an_empty_search_makes_a_new_file():
    assert apply_edits({}, [Edit("new.py", "", "x = 1")]).files == {"new.py": "x = 1\n"}


def test_an_empty_search_in_a_file_that_exists_is_a_problem():
    (problem,) = apply_edits({"a.py": "x\n"}, [Edit("a.py", "", "y")]).problems

    assert problem.code == "edit_empty_search"


@pytest.mark.parametrize("edit", [Edit("", "", "x"), Edit("", "x", "y"), Edit("c.py", "x", "y")])
def test_an_edit_of_no_known_file_is_a_problem(edit):
    (problem,) = apply_edits({"a.py": "x\n", "b.py": "x\n"}, [edit]).problems

    assert problem.code == "edit_no_file"


def test_a_file_is_found_by_the_end_of_its_path_or_by_its_lines():
    files = {"src/a.py": "x\n", "b.py": "y\n"}

    edited = apply_edits(files, [Edit("a.py", "x", "1"), Edit("", "y", "2")])

    assert edited.files == {"src/a.py": "1\n", "b.py": "2\n"}


def test_later_edits_see_what_earlier_ones_did():
    edited = apply_edits({"a.py": "a\n"}, [Edit("a.py", "a", "b"), Edit("a.py", "b", "c")])

    assert edited.files == {"a.py": "c\n"}


@given(
    st.lists(st.text("abcxyz ", min_size=1).filter(str.strip), min_size=3, max_size=12, unique_by=str.strip),
    st.data(),
)
def test_a_unique_line_is_always_replaced(lines, data):
    index = data.draw(st.integers(0, len(lines) - 1))

    edited = apply_edits({"a": "\n".join(lines)}, [Edit("a", lines[index], "NEW")])

    assert edited.problems == ()
    assert edited.files["a"].split("\n") == [*lines[:index], "NEW", *lines[index + 1 :]]


@pytest.mark.parametrize(
    "path",
    [
        "a.py",
        "src/app/[id]/page.tsx",
        "caf\u00e9.py",
        "notes/makefile.md",
        ".env.example",
        "a b.py",
        "git/x",
        "comments.py",
    ],
)
def test_ordinary_names_are_safe(path):
    assert safe_path(path) == path
    assert path_problem(path) == ""


def test_a_safe_path_comes_back_in_one_form():
    assert safe_path(" ./src/cafe\u0301.py ") == "src/caf\u00e9.py"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a" * 300,
        "/etc/passwd",
        "~/x",
        "C:/x",
        "c:x",
        "a\\b",
        "a:b",
        "a\x00b",
        "a\u202eb.py",
        "../a",
        "a/../b",
        "a//b",
        "a/./b",
        "a/",
        "nul",
        "src/con.py",
        "COM1.txt",
        "a./b",
        "a /b",
        ".git/config",
        "x/.git/hooks/pre-commit",
        ".GIT/config",
        "hooks/post-merge",
        ".github/workflows/ci.yml",
        ".vscode/tasks.json",
        ".idea/x.xml",
        ".envrc",
        ".mcp.json",
        ".claude/settings.json",
        ".bashrc",
        "home/.zshrc",
        "x/evil.pth",
        "sitecustomize.py",
        "tests/conftest.py",
        "pytest.ini",
        "tox.ini",
        "setup.cfg",
        "pyproject.toml",
        "package.json",
    ],
)
def test_names_that_escape_or_run_by_themselves_are_refused(path):
    assert safe_path(path) is None
    assert path_problem(path)


def test_a_file_the_user_named_may_be_written_but_never_outside():
    assert safe_path("pyproject.toml", allowed={"pyproject.toml"}) == "pyproject.toml"
    assert safe_path("../a", allowed={"../a"}) is None


@given(st.text(max_size=60))
def test_no_safe_path_leaves_its_folder(path):
    safe = safe_path(path)

    assert safe is None or not (safe.startswith("/") or ".." in safe.split("/") or "\\" in safe)


@pytest.mark.parametrize(
    "line", ["In `main.py` you can use it", "Version 1.2.3", "e.g.", "That is all.", "1.2.3", "x" * 300]
)
def test_a_sentence_is_no_label(line):
    assert path_in_label(line) == ""


def test_a_dot_at_the_start_of_a_path_stays():
    assert path_in_label("`.github/x.yml`:") == ".github/x.yml"
    assert path_in_label("../../x.sh") == "../../x.sh"


def test_a_comment_is_a_label_only_when_it_is_a_path():
    assert path_in_comment("<!-- index.html -->") == "index.html"
    assert path_in_comment("# uses a.py here") == ""
    assert path_in_attributes("{.python file='a b.py'}") == "a b.py"
    assert path_in_attributes("python") == ""


def test_at_most_twenty_edits_that_do_not_fit_are_told_and_three_with_their_nearest_lines():
    edits = [Edit("a.py", f"value_{number} = compute()", "x") for number in range(40)]

    edited = apply_edits({"a.py": "value = compute()\n"}, edits)

    assert len(edited.problems) == 20
    assert sum("did you mean" in problem.message for problem in edited.problems) == 3


def test_very_long_lines_are_not_searched_for_the_nearest():
    line = "var a=1;" * 20_000

    (problem,) = apply_edits({"a.js": f"{line}\nvar b = 1;\n"}, [Edit("a.js", f"x{line}", "y")]).problems
    (other,) = apply_edits({"a.js": f"{line}\nvar b = 1;\n"}, [Edit("a.js", "var b = 2;", "y")]).problems

    assert len(problem.message) < 1000
    assert other.line == 2


@pytest.mark.parametrize("path", ["é" * 130 + ".py", "src/" + "é" * 130 + "/a.py", "a\ud800.py"])
def test_a_name_that_disks_do_not_take_is_refused(path):
    assert path_problem(path)
