import os
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError, UnsafePath
from sandbox.packing import LARGEST_BYTES, check_path, pack
from sandbox.program import Program


def nothing():
    """Go on."""


def packed_names(program):
    packed = pack(program, nothing)
    with packed.archive, tarfile.open(fileobj=packed.archive) as tar:
        return {entry.name: entry for entry in tar}


@given(st.text(max_size=40))
def test_a_path_is_refused_or_stays_below_the_folder(path):
    try:
        check_path(path)
    except UnsafePath:
        return

    whole = os.path.normpath(f"/folder/{path}")

    assert whole == f"/folder/{path}"
    assert path.isprintable()


@given(
    st.lists(
        st.from_regex(r"[a-z_.-]{1,8}", fullmatch=True).filter(lambda p: p not in {".", ".."}), min_size=1
    )
)
def test_plain_relative_paths_are_taken(parts):
    check_path("/".join(parts))


def test_a_program_without_files_and_tree_packs_nothing():
    packed = pack(Program(("true",)), nothing)

    with packed.archive:
        assert packed.empty
        assert packed.size_bytes == 0


def test_an_empty_file_is_something():
    packed = pack(Program(("true",), files={"a": ""}), nothing)

    with packed.archive:
        assert not packed.empty


def test_sizes_are_counted_in_pages():
    packed = pack(Program(("true",), files={"a": "x", "b": "x" * 4097}), nothing)

    with packed.archive:
        assert packed.size_bytes == 3 * 4096


def test_text_that_is_no_unicode_is_packed_all_the_same():
    entries = packed_names(Program(("true",), files={"a": "\ud800"}))

    assert entries["a"].size == 3


def test_a_tree_keeps_modes_and_links_and_nested_folders(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "run").write_text("x")
    (tmp_path / "a" / "b" / "run").chmod(0o755)
    (tmp_path / "link").symlink_to("a/b")

    entries = packed_names(Program(("true",), tree=str(tmp_path)))

    assert entries["a/b/run"].mode == 0o755
    assert entries["link"].issym()
    assert set(entries) == {"a", "a/b", "a/b/run", "link"}


def test_a_tree_that_is_too_large_is_refused(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)
    (tmp_path / "large").rename(tmp_path / "zzz")

    with pytest.raises(SandboxError, match="hold over 1024 MiB"):
        pack(Program(("true",), tree=str(tmp_path)), nothing)


def test_packing_ends_when_the_checkpoint_raises(tmp_path):
    (tmp_path / "a").touch()

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        pack(Program(("true",), tree=str(tmp_path)), stop)
