"""Programs that try to get out, to see secrets, to take everything or to stay."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Limits, Program

SECRET = "canary-3f9c1d"  # noqa: S105 - nobody uses it


@pytest.fixture
def box():
    return Bubblewrap()


@pytest.fixture
def surroundings(tmp_path, monkeypatch):
    """What a program would like to find: secrets and listeners on this machine."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_rsa").write_text(SECRET)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    leak = os.memfd_create("leak", 0)
    os.set_inheritable(leak, True)
    os.write(leak, SECRET.encode())
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "socket"))
        unix.listen()
        abstract.bind(f"\0{SECRET}-{os.getpid()}")
        abstract.listen()
        for listener in (tcp, udp, unix, abstract):
            listener.setblocking(False)
        yield {
            "HOME_FOLDER": str(tmp_path),
            "TCP": str(tcp.getsockname()[1]),
            "UDP": str(udp.getsockname()[1]),
            "ABSTRACT": f"{SECRET[:6]}",
            "SERVER": str(os.getpid()),
            "listeners": (tcp, udp, unix, abstract),
        }
    os.close(leak)


REACHING_OUT = {
    "tcp": "s = socket.create_connection(('127.0.0.1', int(os.environ['TCP'])), 2)",
    "unix socket": "s = socket.socket(socket.AF_UNIX); s.connect(os.environ['HOME_FOLDER'] + '/socket')",
    "abstract socket": "s = socket.socket(socket.AF_UNIX); s.connect('\\0' + os.environ['ABSTRACT_NAME'])",
    "the internet": "socket.create_connection(('1.1.1.1', 53), 2)",
    "udp to the internet": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53))",
    "vsock": "socket.socket(socket.AF_VSOCK)",
    "packet socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "write /usr": "open('/usr/share/planted', 'w')",
    "write /etc": "open('/etc/planted', 'w')",
    "write /": "open('/planted', 'w')",
    "write /dev": "open('/dev/planted', 'w')",
    "write the interpreter": "open(sys.prefix + '/planted', 'w')",
    "read shadow": "open('/etc/shadow').read()",
    "read the key": "open(os.environ['HOME_FOLDER'] + '/.ssh/id_rsa').read()",
    "list root's home": "os.stat('/root/.ssh'), os.listdir('/home')",
    "remount": "check(libc.mount(b'none', b'/usr', None, 32 | 4096, None))",
    "mount": "check(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))",
    "new user namespace": "check(libc.unshare(0x10000000))",
    "ptrace": "check(libc.ptrace(16, 1, 0, 0))",
    "kill pid 1": "os.kill(1, 9); time.sleep(0.2); os.kill(1, 0); raise OSError('immune')",
    "become root": "os.setuid(0)",
    "chroot": "os.chroot('/tmp')",
    "set the clock": "time.clock_settime(time.CLOCK_REALTIME, 0)",
    "host name": "socket.sethostname('x')",
    "bpf": "check(libc.syscall(321 if os.uname().machine == 'x86_64' else 280, 0, 0, 0))",
    "io_uring": "check(libc.syscall(425, 8, bytes(120)))",
    "raise the limit of processes": "resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999))",
    "device": "os.mknod('/tmp/sda', 0o60600, os.makedev(8, 0))",
}
TEMPLATE = """
import ctypes, os, resource, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def check(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "refused")
try:
    {attempt}
except (OSError, ValueError) as error:
    print("held:", error)
else:
    print("ESCAPED")
"""


def python(code, **program):
    return Program(argv=(sys.executable, "-I", "-S", "-c", code), **program)


@pytest.mark.parametrize("attempt", REACHING_OUT.values(), ids=REACHING_OUT.keys())
async def test_a_program_cannot_reach_out(box, surroundings, attempt):
    listeners = surroundings.pop("listeners")
    given = surroundings | {"ABSTRACT_NAME": f"{SECRET}-{surroundings['SERVER']}"}

    execution = await box.run(python(TEMPLATE.format(attempt=attempt), environment=given))

    assert execution.stdout.startswith("held:"), execution
    for listener in listeners:
        with pytest.raises(BlockingIOError):
            listener.recv(1) if listener.type == socket.SOCK_DGRAM else listener.accept()


SEARCHES = {
    "environments": "for p in glob.glob('/proc/*/environ'): show(p)",
    "command lines": "for p in glob.glob('/proc/*/cmdline'): show(p)",
    "open files": "for p in glob.glob('/proc/*/fd/*'): show(p) if os.path.isfile(p) else 0",
    "own descriptors": """
for n in range(3, 256):
    try: os.lseek(n, 0, 0); print(os.read(n, 999))
    except OSError: pass
""",
    "all of the disk": """
for folder, _, names in os.walk('/'):
    for name in names:
        if not folder.startswith(('/proc', '/usr')) and 'id_rsa' in name: show(folder + '/' + name)
""",
    "mounts": "show('/proc/self/mountinfo')",
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES.keys())
async def test_a_program_finds_no_secret(box, surroundings, search):
    code = f"""
import glob, os
def show(path):
    try: print(path, open(path, 'rb').read(99999))
    except OSError as error: print(path, error)
{search}
print("searched")
"""

    execution = await box.run(python(code))

    assert execution.stdout.endswith("searched\n"), execution.stderr
    assert SECRET not in execution.stdout


BOMBS = {
    "processes": "while True:\n    try: os.fork()\n    except OSError: pass",
    "threads": """
while True:
    try: threading.Thread(target=time.sleep, args=(99,)).start()
    except RuntimeError: time.sleep(1)
""",
    "memory of one": "block = []\nwhile True: block.append(b'x' * 5_000_000)",
    "memory of many": """
for _ in range(20):
    if os.fork() == 0:
        block = b'x' * 30_000_000
        time.sleep(99)
time.sleep(99)
""",
    "printing": "while True: os.write(1, b'x' * 65536)",
    "printing errors": "while True: os.write(2, b'x' * 65536)",
    "reporting": "while True: os.write(3, b'x' * 65536)",
    "ignoring SIGTERM": "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(9)",
    "computing": "while True: pass",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
async def test_a_bomb_is_ended_and_nothing_of_it_survives(box, tmp_path, bomb):
    marker = f"bomb-{tmp_path.name}"
    limits = Limits(seconds=1.5, memory_bytes=200 * 1024**2, processes=32, output_bytes=100_000)
    code = f"import os, signal, threading, time  # {marker}\n{bomb}"

    with anyio.fail_after(30):
        execution = await box.run(python(code, limits=limits, report_fd=True))

    assert execution.end in {"timed_out", "out_of_memory", "too_much_output", "killed"}
    assert not processes_with(marker)


async def test_the_disk_cannot_be_filled(box):
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

    execution = await box.run(python(code, limits=Limits(file_bytes=4_000_000)))

    written = [int(line) for line in execution.stdout.split()]
    assert len(written) == 3
    assert max(written) <= 4_000_000


SURVIVORS = {
    "daemon": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(300)
""",
    "detached from all output": """
if os.fork() == 0:
    os.setsid()
    os.closerange(0, 9)
    time.sleep(300)
""",
    "kill everybody": "if os.fork() == 0: time.sleep(300)\nos.kill(-1, 9)",
    "zombie": "if os.fork() == 0: os._exit(0)",
    "deaf": """
if os.fork() == 0:
    for number in {*range(1, 32)} - {9, 19}:
        signal.signal(number, signal.SIG_IGN)
    time.sleep(300)
""",
}


@pytest.mark.parametrize("code", SURVIVORS.values(), ids=SURVIVORS.keys())
async def test_nothing_outlives_the_run(box, tmp_path, code):
    marker = f"survivor-{tmp_path.name}"

    with anyio.fail_after(20):
        execution = await box.run(python(f"import os, signal, time  # {marker}\n{code}"))

    assert execution.end in {"exited", "killed"}
    assert not processes_with(marker)


async def test_links_that_a_program_leaves_do_not_reach_the_host(box, tmp_path):
    (tmp_path / "out").symlink_to("/etc")

    execution = await box.run(python("open('out/planted', 'w')", tree=str(tmp_path)))

    assert "Error" in execution.stderr
    assert subprocess.run(["test", "-e", "/etc/planted"], check=False).returncode == 1  # noqa: ASYNC221


async def test_honest_programs_may_use_loopback_processes_and_threads(box):
    code = """
import socket, subprocess, sys, threading, asyncio, multiprocessing
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()
print(subprocess.run(["echo", "process"], capture_output=True, text=True).stdout, end="")
print(asyncio.run(asyncio.sleep(0, "async")))
print(multiprocessing.Queue() and "queue")
"""

    execution = await box.run(Program(argv=(sys.executable, "-W", "ignore", "-c", code)))

    assert execution.stdout == "thread\nprocess\nasync\nqueue\n", execution.stderr


def processes_with(marker):
    """Return the processes of this machine whose command line contains the marker."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes():
                found.append(path)
        except OSError:
            continue
    return found
