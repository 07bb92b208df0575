"""Files of a tree that a candidate deletes are absent where the program runs, and stay in the tree."""

import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.errors import SandboxUnavailable, UnsafePath
from sandbox.landlock import Landlock
from sandbox.packing import check_files
from sandbox.program import Program
from sandbox.unsandboxed import Unsandboxed


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/gone.py").write_text("x = 1\n")
    (tmp_path / "src/kept.py").write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize("make", [Bubblewrap, Landlock, Unsandboxed])
async def test_a_removed_file_is_absent_inside_and_stays_outside(make, tree):
    program = Program(("ls", "src"), tree=str(tree), removed=("src/gone.py", "src/absent.py", "no/such.py"))
    try:
        execution = await make().run(program)
    except SandboxUnavailable as error:
        pytest.skip(str(error))

    assert execution.stdout.split() == ["kept.py"], execution.stderr
    assert (tree / "src/gone.py").exists()


@pytest.mark.parametrize("path", ["../a", "/etc/hosts", "a//b"])
def test_a_path_that_leads_out_is_refused(path):
    with pytest.raises(UnsafePath):
        check_files(Program(("true",), removed=(path,)))


def test_what_lies_behind_a_link_is_refused(tree):
    (tree / "link").symlink_to("/etc")

    with pytest.raises(UnsafePath, match="through the link"):
        check_files(Program(("true",), tree=str(tree), removed=("link/hosts",)))
