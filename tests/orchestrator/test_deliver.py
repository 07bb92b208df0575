"""An outcome is shown as differences, and written when that was asked for and nobody was in the way."""

import json
from dataclasses import asdict, replace

import pytest

from orchestrator.backups import Delivery
from orchestrator.deliver import deliver, digest_of, read_present, write
from orchestrator.outcome import Attempt, Outcome
from orchestrator.roots import PathRefused, Roots
from orchestrator.task import Task

BEST = Attempt(
    1,
    "t",
    "m",
    "b",
    files={"a.py": "new\n", "n.py": "n\n"},
    removed=("gone.py",),
    language="python",
    approved=True,
)


@pytest.fixture
def workspace(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.py").write_text("old\n")
    (folder / "gone.py").write_text("gone\n")
    return folder


def run(workspace, *, apply=True, status="accepted", backups=True, best=BEST):
    roots = Roots([workspace], workspace.parent / "state" if backups else None)
    task = Task("Do it.", workspace=str(workspace), write_to="a.py", apply=apply)
    return deliver(roots, task, Outcome("t1", status, best=best, message="2 tests"))


def test_each_file_is_compared_with_what_is_there(workspace):
    outcome = run(workspace, apply=False)

    diffs = {one.path: one.diff for one in outcome.files}
    assert diffs["a.py"] == "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-old\n+new\n"
    assert diffs["n.py"].startswith("--- /dev/null\n+++ b/n.py\n")
    assert diffs["gone.py"].startswith("--- a/gone.py\n+++ /dev/null\n")
    assert [one.removed for one in outcome.files] == [False, False, True]
    assert (workspace / "a.py").read_text() == "old\n"


def test_what_is_accepted_is_written_and_the_message_names_the_backup(workspace):
    outcome = run(workspace)

    kept = workspace.parent / "state/t1/files"
    assert outcome.status == "accepted"
    assert outcome.message == f"2 tests; what was there before is kept in {str(kept)!r}"
    assert all(one.applied for one in outcome.files)
    assert sorted(one.name for one in workspace.iterdir()) == ["a.py", "n.py"]
    assert (kept / "a.py").read_text() == "old\n"
    assert (kept / "gone.py").read_text() == "gone\n"


def test_without_a_place_for_backups_nothing_is_kept(workspace):
    outcome = run(workspace, backups=False)

    assert outcome.message == "2 tests"
    assert (workspace / "a.py").read_text() == "new\n"


@pytest.mark.parametrize("status", ["needs_review", "skipped"])
def test_what_is_not_accepted_is_not_written(workspace, status):
    run(workspace, status=status)

    assert (workspace / "a.py").read_text() == "old\n"


@pytest.mark.parametrize("edited", ["a.py", "n.py", "gone.py"])
def test_a_file_that_was_edited_meanwhile_needs_a_person(workspace, edited):
    read = {
        path: digest_of(text) for path, text in (("a.py", "old\n"), ("n.py", None), ("gone.py", "gone\n"))
    }
    (workspace / edited).write_text("mine\n")

    outcome = run(workspace, best=replace(BEST, read=read))

    assert outcome.status == "needs_review"
    assert f"but {edited} changed while the task ran" in outcome.message
    assert (workspace / edited).read_text() == "mine\n"
    assert (workspace / "gone.py").exists()


def test_files_that_are_as_they_were_read_are_written(workspace):
    read = {"a.py": digest_of("old\n"), "n.py": "", "gone.py": digest_of("gone\n")}

    assert run(workspace, best=replace(BEST, read=read)).status == "accepted"


def test_a_delivery_that_was_cut_off_is_taken_back_and_made_again(workspace):
    cut_off = workspace.parent / "state/t0"
    (cut_off / "files").mkdir(parents=True)
    (cut_off / "files/a.py").write_text("old\n")
    (workspace / "a.py").write_text("new\n")
    before, after = {"a.py": digest_of("old\n")}, {"a.py": digest_of("new\n")}
    (cut_off / "writing.json").write_text(json.dumps(asdict(Delivery(str(workspace), "x", before, after))))

    outcome = run(workspace, best=replace(BEST, read=before))

    assert outcome.status == "accepted"
    assert "-old\n+new\n" in outcome.files[0].diff
    assert (workspace / "a.py").read_text() == "new\n"


@pytest.mark.parametrize(("status", "told"), [("accepted", "needs_review"), ("skipped", "skipped")])
def test_a_name_that_the_disk_does_not_take_needs_a_person(workspace, status, told):
    outcome = run(workspace, status=status, best=replace(BEST, files={"n" * 300: "x\n"}))

    assert outcome.status == told
    assert (workspace / "a.py").read_text() == "old\n"


def test_what_cannot_be_looked_at_is_refused_and_what_lies_below_a_file_is_not_there(workspace):
    with pytest.raises(PathRefused, match="cannot be read: File name too long"):
        read_present(Roots([workspace]), workspace, "n" * 300)

    assert read_present(Roots([workspace]), workspace, "a.py/b.py") is None


def test_a_read_only_file_needs_a_person_and_nothing_is_written(workspace):
    (workspace / "gone.py").chmod(0o444)

    outcome = run(workspace)

    assert outcome.status == "needs_review"
    assert "'gone.py' is read-only" in outcome.message
    assert not (workspace / "n.py").exists()


def test_a_file_that_changed_after_it_was_compared_is_not_written(workspace):
    outcome = run(workspace, apply=False)
    (workspace / "a.py").write_text("mine\n")

    with pytest.raises(PathRefused, match="'a.py' changed"):
        write(Roots([workspace], workspace.parent / "state"), workspace, outcome)

    assert (workspace / "a.py").read_text() == "mine\n"


def test_an_outcome_without_work_is_returned_as_it_is(workspace):
    outcome = run(workspace, best=None)

    assert outcome.files == ()
    assert write(Roots([workspace]), workspace, outcome) is outcome
