"""Programs in forks of a warm Python: none finds anything of another, and none is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.errors import SandboxUnavailable, UnsafePath
from sandbox.landlock import Landlock
from sandbox.processes import descendants
from sandbox.program import Limits, Program
from sandbox.warm import Warm
from sandbox.zygote import START, Preload, Zygote
from tests.sandbox import boxes
from tests.sandbox.attempts import processes_with

IS_FORKED = "import sys; print('json' in sys.modules)"


def python(code, *arguments, **program):
    return Program(argv=(*START, code, *arguments), **program)


@pytest.fixture
async def box():
    """What has run one program already, so that the next are forked."""
    if reason := boxes.obstacle("bubblewrap"):
        pytest.skip(reason)
    box = Warm(Bubblewrap(), lambda: Preload(("library.part",), {"library/part.py": "loaded = []"}))
    await box.run(python("pass"))
    yield box
    await box.aclose()


async def said(box, code, **program):
    execution = await box.run(python(code, **program))
    assert execution.stderr == ""
    return execution.stdout.strip()


async def test_the_first_program_starts_python_and_later_ones_are_forked():
    box = Warm(Bubblewrap())

    answers = [await said(box, IS_FORKED) for _ in range(3)]
    await box.aclose()

    assert answers == ["False", "True", "True"]


async def test_programs_of_other_kinds_go_to_the_sandbox_itself(box, tmp_path):
    (tmp_path / "file").write_text("of the tree")

    in_tree = await box.run(python("print(open('file').read())", tree=str(tmp_path)))
    other = await box.run(Program(("echo", "hello")))

    assert (in_tree.stdout, other.stdout) == ("of the tree\n", "hello\n")


async def test_nothing_is_forked_where_another_sandbox_holds():
    box = Warm(Landlock())

    assert [await said(box, "print(1)") for _ in range(2)] == ["1", "1"]
    assert (box.name, box.level) == ("landlock", "strong")
    assert "landlock holds" in await box.check()


async def test_a_program_finds_nothing_of_the_one_before(box):
    leave = """
import ctypes, os, subprocess, sys, library.part
library.part.loaded.append(1)
sys.modules['planted'] = sys
os.environ['PLANTED'] = 'x'
for folder in ('.', '/tmp', '/dev/shm'):
    open(folder + '/planted', 'w').close()
print(ctypes.CDLL(None).shmget(77, 4096, 0o1666) >= 0)
subprocess.Popen(['sleep', '1000'], start_new_session=True)
"""
    look = """
import ctypes, os, sys, library.part
print(library.part.loaded, 'planted' in sys.modules, 'PLANTED' in os.environ)
print([os.listdir(folder) for folder in ('.', '/tmp', '/dev/shm')])
others = {p for p in os.listdir('/proc') if p.isdigit()} - {'1', str(os.getpid())}
print(ctypes.CDLL(None).shmget(77, 4096, 0o600), others)
"""

    assert await said(box, leave) == "True"

    assert await said(box, look) == "[] False False\n[[], [], []]\n-1 set()"


async def test_each_program_has_its_own_files_arguments_and_environment(box):
    code = "import os, sys; print(sys.argv, open('a/b.txt').read(), os.environ['MINE'])"

    execution = await box.run(
        python(code, "one", files={"a/b.txt": "grüß"}, environment={"MINE": "yes"}, report_fd=True)
    )

    assert execution.stdout == "['-c', 'one'] grüß yes\n"


async def test_the_library_is_loaded_and_not_written_again(box):
    code = "import os, library.part; print(library.part.loaded, os.listdir('.'))"

    answers = await said(box, code, files={"x/library/part.py": "loaded = []", "x/other.py": ""})

    assert answers == "[] ['x']"
    assert (
        await said(box, "import os; print(os.listdir('x'))", files={"x/library/part.py": "changed"})
        == "['library']"
    )


async def test_programs_at_once_each_give_their_own_answer(box):
    answers = {}

    async def run(number):
        answers[number] = await said(box, f"print({number})")

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(run, number)

    assert answers == {number: str(number) for number in range(20)}


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("import time; time.sleep(100)", "timed_out"),
        (
            "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 15)]; time.sleep(100)",
            "timed_out",
        ),
        ("while True: print('x' * 100000)", "too_much_output"),
        ("import os; os.kill(os.getpid(), 9)", "killed"),
        ("x = []\nwhile True: x.append('x' * 1000000)", "out_of_memory"),
    ],
)
async def test_after_a_program_that_was_ended_the_next_one_runs(box, code, end):
    limits = Limits(seconds=1.5, memory_bytes=200 * 2**20)

    assert (await box.run(python(code, limits=limits))).end == end

    assert await said(box, IS_FORKED) == "True"


async def test_a_cancelled_program_is_gone(box):
    marker = f"marker-{os.getpid()}"
    with anyio.move_on_after(0.5):
        await box.run(python("import subprocess, sys; subprocess.run(['sleep', '1000'])", marker))

    assert processes_with(marker) == []
    assert await said(box, "print('still')") == "still"


async def test_what_was_ended_from_outside_while_idle_is_replaced(box):
    await said(box, "pass")
    for pid in descendants(os.getpid()):
        os.kill(pid, signal.SIGKILL)

    assert await said(box, IS_FORKED) == "True"


async def test_an_unsafe_path_is_refused_and_harms_nobody(box):
    with pytest.raises(UnsafePath):
        await box.run(python("pass", files={"../a": ""}))

    assert await said(box, IS_FORKED) == "True"


async def test_without_a_warm_python_programs_are_started_one_by_one():
    box = Warm(Bubblewrap(), lambda: Preload(("no_such_module",)))

    answers = [await said(box, IS_FORKED) for _ in range(2)]
    await box.aclose()

    assert answers == ["False", "False"]


async def test_a_program_has_no_rights_that_its_parent_has(box):
    code = """
import ctypes, os
libc = ctypes.CDLL(None)
print([libc.unshare(flag) for flag in (0x20000, 0x8000000, 0x10000000)])
print(libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None), libc.setuid(0))
wanted = ('CapEff', 'CapPrm', 'NoNewPrivs', 'Seccomp:')
print([line.split()[1] for line in open('/proc/self/status') if line.startswith(wanted)])
for path in ('/proc/1/environ', '/proc/1/mem', '/proc/1/fd/3'):
    try:
        open(path).read()
        print(path)
    except OSError:
        pass
os.kill(1, 9)
"""
    execution = await box.run(python(code))

    assert execution.stdout.splitlines() == [
        "[-1, -1, -1]",
        "-1 -1",
        "['0000000000000000', '0000000000000000', '1', '2']",
    ]
    assert await said(box, IS_FORKED) == "True"


SERVER = """
import anyio, sys
from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Program
from sandbox.warm import Warm
from sandbox.zygote import START
async def main():
    box = Warm(Bubblewrap())
    await box.run(Program((*START, "pass")))
    async with anyio.create_task_group() as group:
        group.start_soon(box.run, Program((*START, "import time; time.sleep(1000)")))
        await box.run(Program((*START, "pass")))
        print("ready", flush=True)
anyio.run(main)
"""


def test_a_killed_server_leaves_no_warm_python():
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, cwd=root) as server:
        assert server.stdout.readline() == b"ready\n"
        warm = [pid for pid in descendants(server.pid) if "_zygote_child" in command(pid)]
        server.kill()

    assert len(warm) >= 2
    for pid in warm:
        while command(pid):
            os.sched_yield()


def command(pid):
    """The command line of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


LISTENING = """
import socket
with socket.create_server(("127.0.0.1", 8765)) as server:
    client = socket.create_connection(("127.0.0.1", 8765))
    served, _ = server.accept()
    served.close()
    client.close()
print("served")
"""


async def test_a_port_that_one_program_used_is_free_for_the_next(box):
    assert [await said(box, LISTENING) for _ in range(3)] == ["served"] * 3


async def test_what_all_programs_share_cannot_be_written(box):
    code = "import os; print(bool(os.statvfs('/zygote/library').f_flag & os.ST_RDONLY))"

    assert await said(box, code) == "True"


async def test_a_cancelled_start_leaves_nothing_open():
    box = Warm(Bubblewrap())
    await box.run(python("pass"))
    before = len(list(Path("/proc/self/fd").iterdir()))

    for delay in (0, 0.005, 0.02):
        with anyio.move_on_after(delay):
            await box.run(python("pass"))
        await box.aclose()

    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert [pid for pid in descendants(os.getpid()) if "_zygote_child" in command(pid)] == []


async def test_a_bubblewrap_that_refuses_is_told_at_once(tmp_path, monkeypatch):
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho refused >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with anyio.fail_after(10), pytest.raises(SandboxUnavailable, match="refused"):
        await Zygote.start(Preload())


async def test_what_ends_after_the_sandbox_was_closed_is_not_kept_warm():
    box = Warm(Bubblewrap())
    await box.run(python("pass"))

    async with anyio.create_task_group() as group:
        group.start_soon(box.run, python("import time; time.sleep(0.5)"))
        await anyio.lowlevel.checkpoint()
        await box.aclose()

    assert [pid for pid in descendants(os.getpid()) if "_zygote_child" in command(pid)] == []
