import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import anyio
import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.errors import SandboxError, SandboxUnavailable
from sandbox.program import Limits, Program

USER = 65533
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")


async def test_a_missing_bubblewrap_is_named_with_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SandboxUnavailable, match=r"'bwrap' is not on PATH.*apt install bubblewrap"):
        await Bubblewrap().run(Program(("true",)))


async def test_what_bubblewrap_says_when_it_fails_is_handed_on_with_a_fix(monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(
        SandboxUnavailable, match=r"setting up uid map.*apparmor_restrict_unprivileged_userns"
    ):
        await Bubblewrap().check()


async def test_a_bubblewrap_that_cannot_be_started_is_said(monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(SandboxUnavailable, match="could not be started"):
        await Bubblewrap().run(Program(("true",)))


async def test_a_working_folder_has_room_for_its_files_whatever_the_limit():
    hundred = {f"f{number}": "x" * 4096 for number in range(100)}

    execution = await Bubblewrap().run(Program(("ls",), files=hundred, limits=Limits(file_bytes=8192)))

    assert len(execution.stdout.split()) == 100


async def test_a_working_folder_that_cannot_be_filled_is_no_fault_of_the_program(monkeypatch, tmp_path):
    """Here because the archive cannot be unpacked by a `tar` that fails."""
    deep = "/".join(["d" * 200] * 30)

    with pytest.raises(SandboxError, match="could not be filled"):
        await Bubblewrap().run(Program(("ls",), files={f"{deep}/f": ""}))


async def test_a_readable_path_can_be_read_and_not_written(tmp_path):
    (tmp_path / "tool").write_text("content")
    tmp_path.chmod(0o755)
    folder = str(tmp_path)

    read = await Bubblewrap().run(Program(("cat", f"{folder}/tool"), readable=(folder,)))
    written = await Bubblewrap().run(Program(("touch", f"{folder}/tool"), readable=(folder,)))

    assert read.stdout == "content"
    assert written.exit_code == 1


@pytest.mark.parametrize("path", ["/", str(Path.home())])
async def test_a_whole_home_is_never_shown(path):
    with pytest.raises(ValueError, match="too wide"):
        await Bubblewrap().run(Program(("ls",), readable=(path,)))


async def test_a_program_is_nobody_and_has_no_capabilities():
    execution = await Bubblewrap().run(Program(("cat", "/proc/self/status")))

    fields = dict(line.split(":\t", 1) for line in execution.stdout.splitlines() if ":\t" in line)
    assert int(fields["Uid"].split()[0]) >= 65534
    assert int(fields["CapEff"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"


async def test_two_runs_know_nothing_of_each_other():
    first = await Bubblewrap().run(Program(("touch", "/tmp/left", "left")))
    second = await Bubblewrap().run(Program(("ls", "-A", "/tmp", ".")))

    assert first.exit_code == 0
    assert "left" not in second.stdout


@pytest.fixture
def open_folder():
    """A folder that every user may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def as_user(open_folder):
    """Runs a program as an ordinary user and returns what its sandbox printed, or why it did not."""
    interpreter = shutil.which("python3", path="/usr/bin:/bin")
    if interpreter is None:
        pytest.skip("no interpreter that every user may read")
    for package in ("anyio", "idna"):
        shutil.copytree(Path(pytest.__file__).parents[1] / package, open_folder / package)
    shutil.copy(Path(pytest.__file__).parents[1] / "typing_extensions.py", open_folder)
    shutil.copytree(Path(__file__).parents[2] / "sandbox", open_folder / "sandbox")

    def run(program):
        (open_folder / "try.py").write_text(f"""
import anyio
from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Limits, Program
async def main():
    execution = await Bubblewrap().run({program})
    print(execution.stdout, execution.stderr)
anyio.run(main)
""")
        user = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "env", "-i")
        place = ("PATH=/usr/bin:/bin", f"PYTHONPATH={open_folder}")
        done = subprocess.run(
            [*user, *place, interpreter, "-B", str(open_folder / "try.py")],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    return run


@only_root
def test_an_ordinary_user_gets_the_same_sandbox(as_user):
    program = Program(("sh", "-c", "id -u; cat a; unshare -U true"), files={"a": "file"})

    shown = as_user(program)

    assert "65534\nfile" in shown
    assert "unshare failed" in shown


@only_root
def test_an_ordinary_user_gets_a_workspace_copy_on_write(as_user, open_folder):
    tree = open_folder / "project"
    (tree / "folder").mkdir(parents=True)
    (tree / "folder" / "secret").write_text("mine")
    (tree / "folder" / "secret").chmod(0o600)
    for path in (tree, *tree.rglob("*")):
        os.chown(path, USER, USER)
    changes = "cat folder/secret; rm -r folder; mkdir folder; ls folder; echo x > new; stat -f -c %T ."

    shown = as_user(Program(("sh", "-c", changes), tree=str(tree)))

    assert shown == "mineoverlayfs\n \n"
    assert (tree / "folder" / "secret").read_text() == "mine"
    assert not (tree / "new").exists()


@only_root
def test_an_ordinary_user_gets_a_copy_of_the_workspace_of_another(as_user, open_folder):
    tree = open_folder / "project"
    tree.mkdir()
    (tree / "shared").write_text("ours")

    shown = as_user(Program(("sh", "-c", "cat shared; echo x > shared; stat -f -c %T ."), tree=str(tree)))

    assert shown == "ourstmpfs\n \n"
    assert (tree / "shared").read_text() == "ours"


def test_importing_the_sandbox_starts_nothing():
    code = "import sys; import sandbox.choose; print('subprocess' in sys.modules, 'asyncio' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split()[1] == "False"


@pytest.mark.parametrize("folder", [".", "/tmp", "/dev/shm"])
async def test_a_program_that_makes_files_without_end_is_ended_and_told(folder):
    code = f"import itertools\nfor n in itertools.count(): open(f'{folder}/{{n}}', 'w').close()"

    with anyio.fail_after(20):
        execution = await Bubblewrap().run(
            Program((sys.executable, "-I", "-S", "-c", code), limits=Limits(files=5000))
        )

    assert execution.end == "killed"
    assert execution.stderr.endswith("The program was ended: it made over 5000 files.\n")


async def test_files_that_a_program_was_given_do_not_count_against_it(tmp_path):
    for number in range(300):
        (tmp_path / str(number)).touch()

    execution = await Bubblewrap().run(
        Program(("sh", "-c", "sleep 0.2; ls | wc -l"), tree=str(tmp_path), limits=Limits(files=100))
    )

    assert (execution.end, execution.stdout) == ("exited", "300\n")
