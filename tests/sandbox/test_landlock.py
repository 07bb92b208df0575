import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest

from sandbox.errors import SandboxError, SandboxUnavailable
from sandbox.landlock import Landlock
from sandbox.program import Limits, Program


async def test_checking_tries_what_must_be_refused():
    said = await Landlock(newest_abi=3).check()

    assert said.startswith("landlock holds (version 3)")


async def test_a_kernel_without_landlock_is_named_with_what_is_needed():
    with pytest.raises(SandboxUnavailable, match=r"has no Landlock\. Take Linux 5\.13"):
        await Landlock(newest_abi=0).run(Program(("true",)))


async def test_a_program_is_confined_for_good():
    code = """
import ctypes, os
libc = ctypes.CDLL(None)
print(libc.prctl(39, 0, 0, 0, 0), libc.prctl(21, 0, 0, 0, 0), os.getpid() == os.getsid(0))
"""

    execution = await Landlock().run(Program((sys.executable, "-I", "-S", "-c", code)))

    assert execution.stdout == "1 2 True\n"


async def test_a_readable_path_can_be_read_and_not_written(tmp_path):
    (tmp_path / "tool").write_text("content")
    (tmp_path / "tool").chmod(0o666)
    folder = str(tmp_path)

    read = await Landlock().run(Program(("cat", f"{folder}/tool"), readable=(folder,)))
    written = await Landlock().run(Program(("sh", "-c", f"echo x > {folder}/tool"), readable=(folder,)))

    assert read.stdout == "content"
    assert "Permission denied" in written.stderr
    assert (tmp_path / "tool").read_text() == "content"


@pytest.mark.parametrize("path", ["/", str(Path.home())])
async def test_a_whole_home_is_never_shown(path):
    with pytest.raises(ValueError, match="too wide"):
        await Landlock().run(Program(("ls",), readable=(path,)))


async def test_two_runs_know_nothing_of_each_other():
    """The first leaves a file where the second, at the same time, looks for it."""
    found: list[str] = []

    async def look(code):
        found.append((await Landlock().run(Program(("sh", "-c", code)))).stdout)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(look, "touch left; sleep 0.3; pwd")
            group.start_soon(look, f"sleep 0.1; cat {tempfile.gettempdir()}/*/work/left && echo found; ls -A")

    assert "found" not in "".join(found)


async def test_a_file_that_may_not_be_executed_is_a_failed_program():
    execution = await Landlock().run(Program(("./plain",), files={"plain": "text"}))

    assert execution.exit_code == 126


async def test_a_working_folder_that_cannot_be_filled_is_no_fault_of_the_program():
    deep = "/".join(["d" * 200] * 30)

    with pytest.raises(SandboxError, match="could not be filled"):
        await Landlock().run(Program(("ls",), files={f"{deep}/f": ""}))


async def test_what_a_program_leaves_is_removed_without_following_it(tmp_path, monkeypatch):
    (tmp_path / "kept").write_text("kept")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = f"""
import os
os.symlink({str(tmp_path)!r}, "link")
os.mkfifo("pipe")
os.mkdir("closed", 0)
for _ in range(1500):
    os.mkdir("d")
    os.chdir("d")
"""

    execution = await Landlock().run(Program((sys.executable, "-I", "-S", "-c", code)))

    assert execution.exit_code == 0, execution.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


async def test_a_program_that_stored_too_much_is_told_so():
    code = """
import os, time
unnamed = open("a", "wb")
os.unlink("a")
for file in (unnamed, open("b", "wb"), open("c", "wb")):
    file.write(bytes(9_000_000))
    file.flush()
time.sleep(60)
"""
    program = Program(
        (sys.executable, "-c", code), files={"given": "x"}, limits=Limits(file_bytes=10_000_000)
    )

    with anyio.fail_after(20):
        execution = await Landlock().run(program)

    assert execution.end == "killed"
    assert execution.stderr == "The program was ended: it stored over 20004096 bytes.\n"


SERVER = """
import anyio, sys
from sandbox.landlock import Landlock
from sandbox.program import Program
code = "import os, sys, time; os.write(1, b'.'); os.fork() or os.setsid(); os.fork(); time.sleep(300)"
async def main():
    await Landlock().run(Program((sys.executable, "-I", "-S", "-c", code, sys.argv[1])))
anyio.run(main)
"""


async def test_the_program_ends_when_its_server_is_killed(tmp_path):
    marker = f"orphan-{tmp_path.name}-{os.getpid()}"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    async with await anyio.open_process([sys.executable, "-c", SERVER, marker], env=environment) as server:
        with anyio.fail_after(20), ExitStack() as opened:
            while len(begun := processes_with(marker)) < 4:
                await anyio.lowlevel.checkpoint()
            handles = [os.pidfd_open(int(path.parent.name)) for path in begun]
            for handle in handles:
                opened.callback(os.close, handle)
            server.send_signal(signal.SIGKILL)
            for handle in handles:
                await anyio.wait_readable(handle)

    assert not processes_with(marker)


ORDINARY = """
import anyio, os, sys
from sandbox.landlock import Landlock
from sandbox.program import Program
attempts = '''
import os, resource, signal, sys, time
mine, server = sys.argv[1], int(sys.argv[2])
def attempt(what):
    try: what()
    except OSError as error: print("held")
    else: print("ESCAPED")
attempt(lambda: os.kill(server, 9))
attempt(lambda: os.kill(os.getppid(), 9))
try: os.kill(-1, 9)  # where it hits nobody it may not fail
except OSError: pass
attempt(lambda: resource.prlimit(server, resource.RLIMIT_CPU, (1, 1)))
attempt(lambda: os.setpriority(os.PRIO_PROCESS, server, 19))
attempt(lambda: os.chmod(mine, 0o777))
attempt(lambda: os.utime(mine))
attempt(lambda: os.truncate(mine, 0))
attempt(lambda: os.open(mine, os.O_RDONLY | os.O_TRUNC))
attempt(lambda: open(mine, "w"))
attempt(lambda: open(f"/proc/{server}/mem"))
try:
    for _ in range(199):
        if os.fork() == 0: time.sleep(99)
except OSError: print("held")
os.kill(os.getpid(), signal.SIGUSR1)
'''
async def main():
    for abi in (1, 7):
        box = Landlock(newest_abi=abi)
        print(await box.check())
        argv = (sys.executable, "-u", "-I", "-S", "-c", attempts, sys.argv[1], str(os.getpid()))
        print(await box.run(Program(argv, readable=(sys.argv[1],))))
anyio.run(main)
"""


@pytest.fixture
def open_folder():
    """A folder that every user may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_an_ordinary_users_own_files_and_processes_are_safe_on_every_kernel(open_folder):
    interpreter = shutil.which("python3", path="/usr/bin:/bin")
    if interpreter is None:
        pytest.skip("no interpreter that every user may read")
    packages = Path(pytest.__file__).parents[1]
    for package in ("anyio", "idna"):
        shutil.copytree(packages / package, open_folder / package)
    shutil.copy(packages / "typing_extensions.py", open_folder)
    shutil.copytree(Path(__file__).parents[2] / "sandbox", open_folder / "sandbox")
    (open_folder / "try.py").write_text(ORDINARY)
    mine = open_folder / "mine"
    mine.write_text("kept")
    os.chown(mine, 65532, 65532)

    done = subprocess.run(
        [
            *("setpriv", "--reuid=65532", "--regid=65532", "--clear-groups"),
            *("env", "-i", "PATH=/usr/bin:/bin", f"PYTHONPATH={open_folder}"),
            *(interpreter, "-B", str(open_folder / "try.py"), str(mine)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.count("held\\n") == 2 * 11, done
    assert "ESCAPED" not in done.stdout
    assert done.stdout.count("exit_code=138") == 2
    assert (mine.read_text(), mine.stat().st_mode & 0o777) == ("kept", 0o644)


def processes_with(marker):
    """Return the confined processes of this machine whose command line contains the marker."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if marker.encode() in line and b"anyio" not in line:
            found.append(path)
    return found
