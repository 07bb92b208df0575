import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.roots import PathRefused, Roots, unified_diff


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


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


def test_a_difference_names_what_is_not_there():
    assert unified_diff(None, "a\n", "x").startswith("--- /dev/null\n+++ b/x\n")
    assert unified_diff("a\n", None, "x").startswith("--- a/x\n+++ /dev/null\n")


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
