"""Which files an answer may touch, and which of them its patches may read."""

import pytest

from orchestrator.roots import Roots
from orchestrator.scope import find_overreach
from orchestrator.taking import read_patched, take_work
from orchestrator.task import Task


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "a.py").write_bytes(b"x = 1\r\n")
    (tmp_path / "secret.py").write_text("KEY = 1\n")
    (tmp_path / ".gitignore").write_text("build/\n")
    return tmp_path


def codes(workspace, files, removed=(), words="Change it.", shown=()):
    task = Task(words, workspace=str(workspace))
    return [one.code for one in find_overreach(Roots([workspace]), task, files, shown, removed)]


def take(workspace, reply, words="Change a.py.", **more):
    task = Task(words, language="python", workspace=str(workspace), **more)
    return take_work(Roots([workspace]), task, reply, {}, {"shown.py"})


def test_what_is_there_is_changed_or_removed_only_when_the_task_names_it(workspace):
    assert codes(workspace, {"a.py": "y\n", "new.py": "z\n"}) == ["not_named"]
    assert codes(workspace, {}, ["a.py"]) == ["not_named"]
    assert codes(workspace, {"a.py": "y\n"}, words="Change a.py.") == []
    assert codes(workspace, {}, ["a.py"], shown=["a.py"]) == []


def test_what_git_leaves_out_is_written_only_when_the_task_names_it(workspace):
    assert codes(workspace, {"build/a.py": "y\n"}) == ["ignored"]
    assert codes(workspace, {"build/a.py": "y\n"}, words="Write build/a.py") == []


def test_what_is_not_there_cannot_be_removed_and_what_leads_out_cannot_be_replaced(workspace):
    (workspace / "link").symlink_to("/etc/hosts")

    assert codes(workspace, {"link": "y\n"}, ["gone.py"]) == ["unsafe_path", "not_there"]


def test_a_task_without_a_workspace_has_no_scope(workspace):
    assert find_overreach(Roots([workspace]), Task("Do it."), {"a.py": "y\n"}, ()) == ()


DIFF = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"


def test_a_patch_of_a_file_that_the_task_names_applies_and_keeps_its_line_ends(workspace):
    made = take(workspace, DIFF)

    assert made.files == {"a.py": "x = 2\r\n"}
    assert made.flags == ("edits",)


def test_a_file_that_the_task_does_not_name_is_not_read_not_even_for_a_remark(workspace):
    made = take(workspace, "*** Update File: secret.py\n-KEY = 2\n+KEY = 3\n")

    assert made.files == {}
    assert [one.code for one in made.problems] == ["edit_no_file"]
    assert "KEY = 1" not in made.problems[0].message


def test_a_caller_who_validates_a_patch_may_see_all_it_is_about(workspace):
    assert read_patched(Roots([workspace]), str(workspace), DIFF) == {"a.py": "x = 1\r\n"}
    assert read_patched(Roots([workspace]), "", DIFF) == {}
    assert read_patched(Roots([workspace]), str(workspace), "*** Delete File: ../a") == {}


def test_a_whole_answer_is_written_as_the_file_was(workspace):
    made = take(workspace, "a.py\n```python\nx = 3\n```\n")

    assert made.files == {"a.py": "x = 3\r\n"}


def test_deletions_stand_beside_whole_files(workspace):
    made = take(workspace, "*** Delete File: a.py\n\nb.py\n```python\nx = 3\n```\n")

    assert (dict(made.files), made.removed) == ({"b.py": "x = 3\n"}, ("a.py",))


def test_a_rename_beside_a_whole_file_takes_its_text_along(workspace):
    made = take(workspace, "*** Rename File: a.py -> c.py\n\nb.py\n```python\nx = 3\n```\n")

    assert (dict(made.files), made.removed) == ({"c.py": "x = 1\r\n", "b.py": "x = 3\n"}, ("a.py",))


@pytest.mark.parametrize("order", ["*** Delete File: no.py", "*** Rename File: a.py -> conftest.py"])
def test_an_order_that_cannot_be_followed_spoils_the_whole_answer(workspace, order):
    made = take(workspace, f"{order}\n\nb.py\n```python\nx = 3\n```\n")

    assert made.files == {}
    assert made.problems


def test_a_deletion_alone_is_an_answer(workspace):
    made = take(workspace, "*** Delete File: a.py")

    assert (dict(made.files), made.removed, made.problems) == ({}, ("a.py",), ())


def test_a_patch_in_prose_that_names_no_file_there_is_an_example(workspace):
    text = f"Write it so:\n\n```diff\n{DIFF.replace('a.py', 'z.py')}```\n"

    task = Task("Explain diffs.", language="text", workspace=str(workspace))
    made = take_work(Roots([workspace]), task, text, {}, ())

    assert list(made.files) == ["answer.md"]
    assert made.problems == ()
