"""Files are put and taken away all together or not at all, and no link is followed."""

import os
import stat
from pathlib import Path

import pytest

from orchestrator.roots import PathRefused
from orchestrator.writing import digest_bytes, put_files, read_below


def write_files(workspace, files):
    put_files(workspace, {path: text.encode() for path, text in files.items()})


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def names_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_files_are_written_with_the_folders_they_need(root):
    write_files(root, {"a.py": "x = 1\n", "deep/er/b.py": "ü\r\n"})

    assert names_below(root) == ["a.py", "deep", "deep/er", "deep/er/b.py"]
    assert (root / "deep/er/b.py").read_bytes() == "ü\r\n".encode()


def test_a_replaced_file_keeps_its_mode(root):
    script = root / "run.sh"
    script.write_text("old")
    script.chmod(0o750)

    write_files(root, {"run.sh": "new"})

    assert script.read_text() == "new"
    assert stat.S_IMODE(script.stat().st_mode) == 0o750


@pytest.mark.parametrize("path", ["../x", "/tmp/x", "", ".", "a/../../x", "a\0b"])
def test_nothing_is_written_when_one_path_leads_out(root, path):
    with pytest.raises(PathRefused, match="no path inside"):
        write_files(root, {"fine.py": "1", path: "2"})

    assert names_below(root) == []


@pytest.mark.parametrize("path", [".git/hooks/pre-commit", "sub/.GIT/config"])
def test_nothing_is_written_into_the_folder_of_git(root, path):
    with pytest.raises(PathRefused, match="git's own"):
        write_files(root, {path: "#!/bin/sh"})


def test_no_linked_folder_is_written_through(root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(PathRefused, match="no folder or a link"):
        write_files(root, {"new/fine.py": "1", "link/x.py": "2"})

    assert names_below(tmp_path / "elsewhere") == []
    assert names_below(root) == ["link"]


def test_no_linked_file_is_replaced(root, tmp_path):
    target = tmp_path / "target"
    target.write_text("kept")
    (root / "link").symlink_to(target)

    with pytest.raises(PathRefused, match="is a link"):
        write_files(root, {"link": "2"})

    assert target.read_text() == "kept"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_only_regular_files_are_replaced(root, make):
    make(root / "special")

    with pytest.raises(PathRefused, match="not replaced"):
        write_files(root, {"special": "2"})


def test_everything_is_undone_when_one_file_cannot_be_put(root):
    (root / "old.py").write_text("old")
    (root / "old.py").chmod(0o640)

    with pytest.raises(OSError, match="directory"):
        write_files(
            root, {"old.py": "new", "fresh/one.py": "1", "both": "a file", "both/too.py": "and a folder"}
        )

    assert names_below(root) == ["old.py"]
    assert (root / "old.py").read_text() == "old"
    assert stat.S_IMODE((root / "old.py").stat().st_mode) == 0o640


def test_a_text_that_cannot_be_encoded_leaves_nothing_behind(root):
    with pytest.raises(UnicodeEncodeError):
        write_files(root, {"a.py": "1", "b.py": "\ud800"})

    assert names_below(root) == []


def test_a_file_is_taken_away_and_comes_back_when_another_cannot_be_put(root):
    (root / "old.py").write_text("old")
    (root / "folder").mkdir()

    with pytest.raises(PathRefused, match="not replaced"):
        put_files(root, {"old.py": None, "folder": b"x"})
    assert (root / "old.py").read_text() == "old"

    put_files(root, {"old.py": None, "absent.py": None, "new.py": b"x"})
    assert names_below(root) == ["folder", "new.py"]


def test_a_file_that_went_comes_back_when_a_later_step_fails(root):
    (root / "old.py").write_text("old")

    with pytest.raises(OSError, match="directory"):
        put_files(root, {"old.py": None, "both": b"a file", "both/too.py": b"and a folder"})

    assert names_below(root) == ["old.py"]


@pytest.mark.parametrize("data", [b"new", None])
def test_a_read_only_file_stays_and_so_do_the_others(root, data):
    (root / "a.py").write_text("old")
    (root / "locked.py").write_text("old")
    (root / "locked.py").chmod(0o444)

    with pytest.raises(PathRefused, match="'locked.py' is read-only"):
        put_files(root, {"a.py": b"new", "locked.py": data})

    assert (root / "a.py").read_text() == (root / "locked.py").read_text() == "old"


@pytest.mark.parametrize("there", ["other", None])
def test_a_file_that_is_another_than_expected_stays(root, there):
    if there:
        (root / "a.py").write_text(there)

    with pytest.raises(PathRefused, match="'a.py' changed since"):
        put_files(root, {"new.py": b"x", "a.py": b"new"}, {"a.py": digest_bytes(b"old")})

    assert names_below(root) == (["a.py"] if there else [])


def test_a_file_is_read_with_its_mode_and_never_through_a_link(root, tmp_path):
    (root / "a.py").write_bytes(b"x")
    (root / "a.py").chmod(0o640)
    (root / "link").symlink_to(tmp_path)

    assert read_below(root, "a.py") == (b"x", stat.S_IFREG | 0o640)
    assert read_below(root, "absent/b.py") is None
    with pytest.raises(PathRefused, match="a link"):
        read_below(root, "link/project")
