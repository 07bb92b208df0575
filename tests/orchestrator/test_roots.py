import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.roots import PathRefused, Roots, unified_diff, write_files


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def names_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_relative_path_counts_from_the_first_root(root):
    resolved = Roots([root]).resolve("src/a.py")

    assert resolved == root / "src/a.py"


def test_a_relative_path_counts_from_the_base_that_is_given(root):
    resolved = Roots([root]).resolve("a.py", base=root / "src")

    assert resolved == root / "src/a.py"


@pytest.mark.parametrize("path", ["../other", "/etc/passwd", "a/../../b", "~nobody-of-this-name/x", "a\0b"])
def test_a_path_that_leads_out_is_refused(root, path):
    with pytest.raises(PathRefused):
        Roots([root]).resolve(path)


def test_a_refusal_says_what_leads_where_and_what_to_do(root):
    with pytest.raises(PathRefused, match=r"'/etc/hosts'.*project.*\[guards\] roots"):
        Roots([root]).resolve("/etc/hosts")


def test_without_roots_everything_is_refused():
    with pytest.raises(PathRefused, match="none"):
        Roots([]).resolve("a.py")


@pytest.mark.parametrize("path", ["", "  "])
def test_an_empty_path_is_refused(root, path):
    with pytest.raises(PathRefused, match="empty"):
        Roots([root]).resolve(path)


def test_a_link_out_of_the_root_is_refused(root, tmp_path):
    (root / "way_out").symlink_to(tmp_path)

    with pytest.raises(PathRefused, match="outside"):
        Roots([root]).resolve("way_out/secret")


def test_a_loop_of_links_is_refused(root):
    (root / "loop").symlink_to(root / "loop")

    with pytest.raises(PathRefused):
        Roots([root]).resolve("loop/x")


def test_a_root_that_is_a_link_stands_for_its_target(root, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(root)

    assert Roots([link]).resolve(str(root / "a.py")) == root / "a.py"


def test_a_text_is_read_as_it_is_with_its_line_ends(root):
    (root / "a.txt").write_bytes("eins\r\nzwei €\n".encode())

    found = Roots([root]).read_text("a.txt")

    assert found.text == "eins\r\nzwei €\n"
    assert found.path == root / "a.txt"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"ab\0cd", "binary"), (b"caf\xe9", "not UTF-8"), (b"x" * (2 * 1024**2 + 1), "bytes, more than")],
)
def test_what_is_no_small_text_is_refused(root, content, message):
    (root / "a.dat").write_bytes(content)

    with pytest.raises(PathRefused, match=message):
        Roots([root]).read_text("a.dat")


@pytest.mark.parametrize(("path", "message"), [(".", "not a file"), ("absent.txt", "No such file")])
def test_a_folder_and_a_missing_file_cannot_be_read(root, path, message):
    with pytest.raises(PathRefused, match=message):
        Roots([root]).read_text(path)


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


def test_equal_texts_have_no_difference():
    assert unified_diff("a\n", "a\n", "x") == ""


lines = st.lists(st.sampled_from(["a", "b", "", "c\f", "d\r"]), max_size=6).map("\n".join)


@given(old=lines, new=lines)
def test_a_difference_has_one_header_and_ends_with_a_line(old, new):
    diff = unified_diff(old, new, "x.py")

    assert diff == "" if old == new else diff.startswith("--- a/x.py\n+++ b/x.py\n") and diff.endswith("\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\nb\n", "a\nc\n"),
        ("a\nb", "a\nb\n"),
        ("a\n", "a\nb"),
        ("x\fy\nz\n", "x\fy\nw\n"),
        ("a\r\nb\n", "b\n"),
    ],
)
def test_git_applies_a_difference(root, old, new):
    (root / "x.py").write_bytes(old.encode())

    subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        input=unified_diff(old, new, "x.py").encode(),
        cwd=root,
        check=True,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(root)},
    )

    assert (root / "x.py").read_bytes() == new.encode()
