"""Programs that try to get out, to see secrets, to take everything or to stay, in every sandbox.

What is expected: nothing gets out, at level `full` (bubblewrap, container) and at `strong` (landlock) alike.
`GAPS` names what is not promised; what honest programs can do stands at the end.
"""

import subprocess
import sys

import anyio
import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Limits, Program
from tests.sandbox import attempts, boxes
from tests.sandbox.attempts import python

SLOW = ("warm bubblewrap", "container", "landlock of Linux 5.13")


@pytest.fixture(params=boxes.params("bubblewrap", "warm bubblewrap", "landlock", "container", slow=SLOW))
def box(request):
    return boxes.make(request.param)


@pytest.fixture(
    params=boxes.params(
        "bubblewrap", "warm bubblewrap", "landlock", "landlock of Linux 5.13", "container", slow=SLOW
    )
)
def any_box(request):
    return boxes.make(request.param)


@pytest.fixture
def around(tmp_path):
    with attempts.surroundings(tmp_path) as found:
        yield found


@pytest.mark.parametrize("attempt", attempts.REACHING_OUT)
async def test_a_program_cannot_reach_out(any_box, around, attempt):
    escaped = await attempts.try_reaching_out(any_box, attempt, around)

    if escaped and (any_box.name, attempt) in attempts.GAPS:
        pytest.xfail(attempts.GAPS[any_box.name, attempt])
    assert not escaped


@pytest.mark.parametrize("search", attempts.SEARCHES)
async def test_a_program_finds_no_secret(box, around, search):
    assert not await attempts.try_searching(box, search, around)


@pytest.mark.parametrize("bomb", attempts.BOMBS)
async def test_a_bomb_is_ended_and_nothing_of_it_survives(box, bomb):
    with anyio.fail_after(30):
        assert not await attempts.try_bombing(box, bomb, {})


@pytest.mark.parametrize("filling", attempts.FILLINGS)
async def test_a_program_that_fills_the_disk_is_stopped(box, filling, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with anyio.fail_after(40):
        assert not await attempts.try_filling(box, filling, {})

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("survivor", attempts.SURVIVORS)
async def test_nothing_outlives_the_run(box, survivor):
    with anyio.fail_after(20):
        assert not await attempts.try_staying(box, survivor, {})


async def test_private_file_systems_are_limited_to_the_byte():
    code = """
import os
for folder in ("/tmp", "/dev/shm", os.getcwd()):
    written = 0
    try:
        for number in range(50):
            with open(f"{folder}/{number}", "wb", buffering=0) as file:
                written += file.write(bytes(1_000_000))
    except OSError:
        pass
    print(written)
"""

    execution = await Bubblewrap().run(python(code, limits=Limits(file_bytes=4_000_000)))

    written = [int(line) for line in execution.stdout.split()]
    assert len(written) == 3
    assert max(written) <= 4_000_000


async def test_links_that_a_program_leaves_do_not_reach_the_host(box, tmp_path):
    (tmp_path / "out").symlink_to("/etc")

    execution = await box.run(python("open('out/planted', 'w')", tree=str(tmp_path)))

    assert "Error" in execution.stderr
    assert subprocess.run(["test", "-e", "/etc/planted"], check=False).returncode == 1  # noqa: ASYNC221


async def test_honest_programs_may_use_loopback_and_semaphores_in_namespaces_of_their_own():
    code = """
import multiprocessing, socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
print(multiprocessing.Queue() and "queue")
"""

    execution = await Bubblewrap().run(Program(argv=(sys.executable, "-W", "ignore", "-c", code)))

    assert execution.stdout == "queue\n", execution.stderr


async def test_honest_programs_may_use_processes_threads_files_and_signals(box):
    code = """
import asyncio, os, shutil, signal, socket, subprocess, sys, tempfile, threading
thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()
print(subprocess.run(["echo", "process"], capture_output=True, text=True).stdout, end="")
print(asyncio.run(asyncio.sleep(0, "async")))
child = subprocess.Popen(["sleep", "99"]); child.terminate(); print(child.wait())
with tempfile.TemporaryDirectory() as folder:
    shutil.copy2(sys.executable, folder + "/copy"); os.chmod(folder + "/copy", 0o700); os.utime(folder)
    os.makedirs("a/b"); shutil.move(folder + "/copy", "a/b"); os.link("a/b/copy", "a/b/other")
print(subprocess.run(["a/b/other", "-c", "import os; os.abort()"], capture_output=True).returncode)
left, right = socket.socketpair(); left.sendall(b"pair"); print(right.recv(9).decode())
"""

    execution = await box.run(Program(argv=(sys.executable, "-W", "ignore", "-c", code)))

    assert execution.stdout == "thread\nprocess\nasync\n-15\n-6\npair\n", execution.stderr
