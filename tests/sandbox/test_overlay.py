"""What a program does to a workspace that it sees copy-on-write, and when it gets a copy instead."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

import sandbox.overlay
from sandbox.bubblewrap import Bubblewrap
from sandbox.errors import SandboxError
from sandbox.overlay import find_obstacle, overlay_words
from sandbox.program import Limits, Program

LAUNCHER = Path(sandbox.overlay.__file__).with_name("_overlay_child.py")


@pytest.fixture
def box():
    return Bubblewrap()


@pytest.fixture
def tree(tmp_path):
    """A project with a private file, a nested folder, links inside and links that lead out."""
    folder = tmp_path / "project"
    (folder / "package" / "deep").mkdir(parents=True)
    (folder / "package" / "module.py").write_text("value = 1\n")
    (folder / "package" / "deep" / "data").write_text("data")
    (folder / "secret").write_text("mine")
    (folder / "secret").chmod(0o600)
    (folder / "inner").symlink_to("package/module.py")
    (folder / "outer").symlink_to(tmp_path / "outside")
    (tmp_path / "outside").write_text("outside")
    os.link(folder / "package" / "module.py", folder / "hard")
    return folder


def state(folder):
    """Return everything about a folder that a program could have changed."""
    paths = (folder, *sorted(folder.rglob("*")))
    return {
        (path, *(getattr(path.lstat(), f"st_{name}") for name in ("mode", "uid", "gid", "nlink", "mtime_ns")))
        for path in paths
    } | {(path, path.read_bytes()) for path in paths if path.is_file()}


def find(program):
    return find_obstacle(program, lambda: None)


def shell(script, tree, **program):
    return Program(("sh", "-ec", script), tree=str(tree), **program)


CHANGES = {
    "writing in place": "echo new >> package/module.py; cat package/module.py",
    "writing through a link": "echo new >> inner; cat hard",
    "writing through a hard link": "echo new >> hard",
    "truncating": ": > secret",
    "renaming a file": "mv secret public; cat public",
    "renaming a folder": "mv package other; cat other/deep/data",
    "replacing": "echo new > fresh; mv fresh secret",
    "deleting": "rm -r package secret inner outer hard",
    "changing modes": "chmod -R 0777 . && chmod 0 secret",
    "linking": "ln secret again; echo new >> again; ln -s secret soft; echo new >> soft",
    "adding": "mkdir -p package/deep/deeper; touch package/deep/deeper/file",
    "changing times": "touch -d 2001-01-01 secret package",
}


@pytest.mark.parametrize("script", CHANGES.values(), ids=CHANGES.keys())
async def test_what_a_program_changes_is_gone_with_its_run(box, tree, script):
    before = state(tree)

    execution = await box.run(shell(script, tree))

    assert execution.exit_code == 0, execution.stderr
    assert state(tree) == before
    assert find(shell(script, tree)) is None


async def test_a_tree_is_mounted_and_not_copied(box, tree):
    execution = await box.run(shell("grep ' /sandbox ' /proc/self/mountinfo", tree))

    assert " overlay " in execution.stdout
    assert str(tree.parent) not in execution.stdout


async def test_a_private_file_can_be_read_and_written_by_the_program(box, tree):
    execution = await box.run(shell("echo more >> secret; cat secret; stat -c %a secret", tree))

    assert execution.stdout == "minemore\n600\n"


async def test_a_link_out_of_the_tree_leads_nowhere(box, tree):
    execution = await box.run(shell("cat outer || echo nowhere; echo x > outer || echo refused", tree))

    assert execution.stdout == "nowhere\nrefused\n"
    assert (tree.parent / "outside").read_text() == "outside"


async def test_a_folder_that_was_removed_and_made_again_is_empty(box, tree):
    execution = await box.run(shell("rm -r package; mkdir package; ls -A package; echo done", tree))

    assert execution.stdout == "done\n"


async def test_files_of_the_program_stand_over_those_of_the_tree(box, tree):
    files = {"package/module.py": "value = 2\n", "package/new.py": "", "outer": "here", "added/file": "x"}

    execution = await box.run(shell("cat package/module.py outer; ls package added", tree, files=files))

    assert execution.stdout == "value = 2\nhereadded:\nfile\n\npackage:\ndeep\nmodule.py\nnew.py\n"
    assert (tree / "package" / "module.py").read_text() == "value = 1\n"


async def test_what_is_written_over_a_tree_has_a_limit(box, tree):
    fill = "for n in 1 2 3 4 5 6; do head -c 1000000 /dev/zero > $n || break; done; du -sk . | cut -f1"

    execution = await box.run(shell(fill, tree, limits=Limits(file_bytes=4_000_000)))

    assert "No space left" in execution.stderr
    assert int(execution.stdout) < 4_200


async def test_two_runs_over_one_tree_know_nothing_of_each_other(box, tree):
    seen = []

    async def run(name):
        seen.append((await box.run(shell(f"echo {name} > note; sleep 0.1; cat note", tree))).stdout)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(run, "first")
            group.start_soon(run, "second")

    assert sorted(seen) == ["first\n", "second\n"]


async def test_nothing_is_left_where_a_tree_was_mounted(box, tree, monkeypatch, tmp_path):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

    await box.run(shell("echo x > file", tree))

    assert not list((tmp_path / "temporary").iterdir())


async def test_a_pipe_in_the_tree_is_left_out_of_its_copy(box, tree):
    os.mkfifo(tree / "pipe")

    with anyio.fail_after(30):
        execution = await box.run(shell("ls; cat secret", tree))

    assert "is neither a file nor a folder" in find(shell("", tree))
    assert "pipe" not in execution.stdout
    assert execution.stdout.endswith("mine")


async def test_a_socket_in_the_tree_is_not_reached(box, tree):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "s"))

        execution = await box.run(shell("ls", tree))

    assert "neither a file" in find(shell("", tree))
    assert "s\n" not in execution.stdout.split("secret")[1]


async def test_a_file_in_the_place_of_a_folder_makes_a_copy(box, tree):
    program = shell("cat package", tree, files={"package": "now a file"})

    execution = await box.run(program)

    assert "a folder there and a file here" in find(program)
    assert execution.stdout == "now a file"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(("user", "group"), [(1234, -1), (-1, 1234)])
async def test_a_tree_of_several_owners_is_copied(box, tree, user, group):
    os.chown(tree / "secret", user, group)

    execution = await box.run(shell("cat secret", tree))

    assert "another owner, group or file system" in find(shell("", tree))
    assert execution.stdout == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_a_tree_of_another_user_belongs_to_the_program_when_root_runs_it(box, tree):
    for path in (tree, *tree.rglob("*")):
        os.chown(path, 1234, 1235, follow_symlinks=False)

    execution = await box.run(shell("cat secret; echo x > package/new; stat -f -c %T .", tree))

    assert execution.stdout == "mineoverlayfs\n"


async def test_a_tree_that_is_none_is_said(box, tree):
    with pytest.raises(SandboxError, match=r"missing.*could not be copied"):
        await box.run(shell("ls", tree / "missing"))


def test_looking_at_a_tree_ends_when_the_checkpoint_raises(tree):
    def stop():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        find_obstacle(shell("", tree), stop)


@pytest.fixture
def no_overlay(monkeypatch, tmp_path):
    """A bubblewrap that cannot bind what was mounted for it."""
    refusing = tmp_path / "bin" / "bwrap"
    refusing.parent.mkdir()
    refuse = 'case "$*" in */merged*) echo refused >&2; exit 1;; esac'
    refusing.write_text(f'#!/bin/sh\n{refuse}\nexec {shutil.which("bwrap")} "$@"\n')
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{refusing.parent}:/usr/bin:/bin")


@pytest.mark.usefixtures("no_overlay")
async def test_where_mounting_fails_the_tree_is_copied_and_the_check_says_so(box, tree):
    before = state(tree)

    execution = await box.run(shell("echo more >> secret; cat secret; stat -f -c %T .", tree))
    again = await box.run(shell("cat secret", tree))

    assert execution.stdout == "minemore\ntmpfs\n"
    assert again.stdout == "mine"
    assert state(tree) == before
    assert "copied, because refused" in await box.check()


async def test_the_check_says_that_workspaces_are_copy_on_write(box):
    assert "workspaces are shown copy-on-write" in await box.check()


def test_a_launcher_that_may_not_mount_says_what_failed(tmp_path):
    words = overlay_words(str(tmp_path), str(tmp_path / "missing"), 4096, 0)

    done = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)

    assert words[0] == sys.executable
    assert str(LAUNCHER) in words
    assert done.returncode == 1
    assert done.stderr == "copy-on-write: [Errno 2] mount: No such file or directory\n"
