"""What is replaced is kept, and a delivery that was cut off is taken back."""

import json
import os
import stat
import sys

import pytest

from orchestrator.backups import put_with_backup, undo_interrupted
from orchestrator.roots import PathRefused

STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.chmod"}
CONTENTS = {"kept.py": b"new\n", "gone.py": None, "made/deep/new.py": b"new\n", "last.py": b"new\n"}
OLD = {"kept.py": "old\n", "gone.py": "old\n", "last.py": "old\n"}
NEW = {"kept.py": "new\n", "made/deep/new.py": "new\n", "last.py": "new\n"}


@pytest.fixture
def workspace(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    for path, text in OLD.items():
        (folder / path).write_text(text)
    (folder / "kept.py").chmod(0o750)
    return folder


@pytest.fixture
def backups(tmp_path):
    return tmp_path / "state" / "backups"


def texts(folder):
    return {str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*") if one.is_file()}


def test_what_is_replaced_and_what_goes_is_kept_with_its_mode(workspace, backups):
    kept = put_with_backup(backups, "t1", workspace, {"kept.py": b"new", "gone.py": None, "n.py": b"n"}, {})

    assert texts(workspace) == {"kept.py": "new", "n.py": "n", "last.py": "old\n"}
    assert kept == backups / "t1" / "files"
    assert texts(kept) == {"kept.py": "old\n", "gone.py": "old\n"}
    assert stat.S_IMODE((kept / "kept.py").stat().st_mode) == 0o750
    assert stat.S_IMODE(backups.stat().st_mode) == 0o700
    assert json.loads((backups / "t1/done.json").read_text())["workspace"] == str(workspace)


def test_new_files_leave_no_backup_and_a_second_delivery_gets_a_folder_of_its_own(workspace, backups):
    assert put_with_backup(backups, "t1", workspace, {"n.py": b"n"}, {}) is None
    assert put_with_backup(backups, "t1", workspace, {"n.py": b"m"}, {}) == backups / "t1/files"
    assert put_with_backup(backups, "t1", workspace, {"n.py": b"o"}, {}) == backups / "t1-2/files"


@pytest.mark.parametrize(
    ("contents", "expected"), [({"gone.py": b"x", "../a": b""}, {}), ({"gone.py": b"x"}, {"gone.py": "0"})]
)
def test_what_is_refused_leaves_neither_change_nor_backup(workspace, backups, contents, expected):
    with pytest.raises(PathRefused):
        put_with_backup(backups, "t1", workspace, contents, expected)

    assert texts(workspace) == OLD
    assert [one.name for one in backups.iterdir()] == [".lock"]


def die(step, workspace, backups):
    """Deliver in a process that ends, without any clean-up, where it touches the file system the nth time."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = step

    def count(event, _):
        nonlocal left
        left -= event in STEPS
        if left < 0:
            left = 1_000_000
            os._exit(9)

    sys.addaudithook(count)
    put_with_backup(backups, "t1", workspace, CONTENTS, {})
    left = 1_000_000
    os._exit(0)


@pytest.mark.slow
def test_a_process_killed_at_any_step_leaves_what_can_be_taken_back(tmp_path, backups):
    step, ended = 0, 9
    seen = set()
    while ended == 9:
        workspace = tmp_path / f"project{step}"
        workspace.mkdir()
        for path, text in OLD.items():
            (workspace / path).write_text(text)
        ended = die(step, workspace, backups / str(step))
        undo_interrupted(backups / str(step), workspace)
        seen.add(
            "new" if texts(workspace) == NEW else "old" if texts(workspace) == OLD else f"torn at {step}"
        )
        step += 1

    assert ended == 0
    assert step > 20
    assert seen == {"old", "new"}


def interrupted(workspace, backups):
    """Deliver, and make the note say that it was cut off."""
    put_with_backup(backups, "t1", workspace, {"kept.py": b"new\n", "gone.py": None, "made/new.py": b"n"}, {})
    (backups / "t1/done.json").rename(backups / "t1/writing.json")


def test_the_next_delivery_takes_back_what_was_cut_off(workspace, backups):
    interrupted(workspace, backups)

    put_with_backup(backups, "t2", workspace, {"other.py": b"x"}, {})

    assert texts(workspace) == {**OLD, "other.py": "x"}
    assert not (workspace / "made").exists()
    assert stat.S_IMODE((workspace / "kept.py").stat().st_mode) == 0o750
    assert (backups / "t1/undone.json").exists()


def test_what_somebody_changed_after_the_cut_is_left_and_named(workspace, backups):
    interrupted(workspace, backups)
    (workspace / "kept.py").write_text("mine\n")
    (workspace / "gone.py").mkdir()

    assert undo_interrupted(backups, workspace) == ["kept.py", "gone.py"]
    assert (workspace / "kept.py").read_text() == "mine\n"


def test_deliveries_to_other_workspaces_and_those_that_ended_are_left_alone(workspace, backups, tmp_path):
    interrupted(workspace, backups)

    assert undo_interrupted(backups, tmp_path) == []
    assert (workspace / "kept.py").read_text() == "new\n"
