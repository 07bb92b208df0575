"""Programs that try to get out, to find secrets, to take everything or to stay, for tests and a benchmark.

Each `try_` function runs one program and returns what went wrong, empty where the sandbox held.
"""

import ctypes
import os
import socket
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sandbox.program import Limits, Program

SECRET = "canary-3f9c1d"  # noqa: S105 - nobody uses it
GAPS = {
    ("landlock", "see whether a hidden file exists"): "Landlock does not decide about stat()",
}
"""What a sandbox does not promise, by its name and the program's."""
SHARED_MEMORY_KEY = 0x0C0FFEE1
CREATE, REMOVE = 0o1000, 0

REACHING_OUT = {
    "tcp": "s = socket.create_connection(('127.0.0.1', int(os.environ['TCP'])), 2)",
    "unix socket": "s = socket.socket(socket.AF_UNIX); s.connect(os.environ['HOME_FOLDER'] + '/socket')",
    "abstract socket": "s = socket.socket(socket.AF_UNIX); s.connect('\\0' + os.environ['ABSTRACT_NAME'])",
    "the internet": "socket.create_connection(('1.1.1.1', 53), 2)",
    "udp to the internet": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53))",
    "tcp 6": "socket.create_connection(('::1', int(os.environ['TCP'])), 2)",
    "udp": "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('127.0.0.1', 9)); raise OSError",
    "udp to the host": "udp(('127.0.0.1', int(os.environ['UDP'])))",
    "unix datagram": "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', LOG)",
    "send from a pair": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', LOG)",
    "turn a pair": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].connect(LOG)",
    "turn a stream": "socket.socketpair()[0].connect(os.environ['HOME_FOLDER'] + '/socket')",
    "raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "resolve a name": "socket.getaddrinfo('example.com', 80)",
    "vsock": "socket.socket(socket.AF_VSOCK)",
    "packet socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "write /usr": "open('/usr/share/planted', 'w')",
    "write /etc": "open('/etc/planted', 'w')",
    "write /": "open('/planted', 'w')",
    "write /dev": "open('/dev/planted', 'w')",
    "write the interpreter": "open(sys.prefix + '/planted', 'w')",
    "read shadow": "open('/etc/shadow').read()",
    "read the key": "open(os.environ['HOME_FOLDER'] + '/.ssh/id_rsa').read()",
    "read what all may read": "open(os.environ['HOME_FOLDER'] + '/open').read()",
    "read through a link": "os.symlink(os.environ['HOME_FOLDER'] + '/open', 'l'); open('l').read()",
    "read through dots": "open('../' * 20 + os.environ['HOME_FOLDER'][1:] + '/open').read()",
    "read through its own root": "open('/proc/self/root' + os.environ['HOME_FOLDER'] + '/open').read()",
    "read shared memory": "open(os.environ['SHARED']).read()",
    "see whether a hidden file exists": "os.stat(os.environ['HOME_FOLDER'] + '/open')",
    "hard link": "os.link(os.environ['HOME_FOLDER'] + '/open', 'mine')",
    "move out": "open('f', 'w').close(); os.rename('f', os.environ['HOME_FOLDER'] + '/f')",
    "delete": "os.unlink(os.environ['HOME_FOLDER'] + '/open')",
    "overwrite": "open(os.environ['HOME_FOLDER'] + '/open', 'w')",
    "truncate": "os.truncate(os.environ['HOME_FOLDER'] + '/open', 0)",
    "empty while reading": "os.open(os.environ['HOME_FOLDER'] + '/open', os.O_RDONLY | os.O_TRUNC)",
    "change the mode": "os.chmod(os.environ['HOME_FOLDER'] + '/open', 0o777)",
    "change the mode of a tool": "os.chmod(sys.executable, 0o777)",
    "change the owner": "os.chown(os.environ['HOME_FOLDER'] + '/open', os.getuid(), -1)",
    "change the time": "os.utime(os.environ['HOME_FOLDER'] + '/open', (1, 1))",
    "extended attribute": "os.setxattr(os.environ['HOME_FOLDER'] + '/open', 'user.x', b'x')",
    "pipe outside": "os.mkfifo(os.environ['HOME_FOLDER'] + '/pipe')",
    "pipe in the shared folder": "os.mkfifo('/usr/pipe')",
    "disk": "open('/dev/vda', 'rb'), open('/dev/sda', 'rb')",
    "physical memory": "open('/dev/mem', 'rb')",
    "terminal": "open('/dev/tty', 'w')",
    "kernel settings": "open('/proc/sys/kernel/core_pattern', 'w').write('|/x')",
    "oom score of others": "open(f'/proc/{SERVER}/oom_score_adj', 'w').write('1000')",
    "memory of the server": "open(f'/proc/{SERVER}/mem', 'rb').read(1)",
    "environment of the server": "open(f'/proc/{SERVER}/environ').read()",
    "watch a folder": "check(libc.inotify_add_watch(libc.inotify_init(), LOG[:-4].encode(), 4095))",
    "list root's home": "os.stat('/root/.ssh'), os.listdir('/home')",
    "remount": "check(libc.mount(b'none', b'/usr', None, 32 | 4096, None))",
    "mount": "check(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))",
    "new user namespace": "check(libc.unshare(0x10000000))",
    "ptrace": "check(libc.ptrace(16, 1, 0, 0))",
    "kill the server": "os.kill(SERVER, 9)",
    "kill the parent": "os.kill(os.getppid() or 1, 9); time.sleep(0.2); raise OSError('immune')",
    "signal the server's thread": "check(call(200, 130, SERVER, 15))",
    "queue a signal": "check(call(129, 138, SERVER, 15, bytes(128)))",
    "signal by descriptor": "signal.pidfd_send_signal(os.pidfd_open(SERVER), 15)",
    "limit the server": "resource.prlimit(SERVER, resource.RLIMIT_CPU, (1, 1))",
    "slow the server": "os.setpriority(os.PRIO_PROCESS, SERVER, 19)",
    "pin the server": "os.sched_setaffinity(SERVER, {0})",
    "memory by process_vm_readv": "check(libc.process_vm_readv(SERVER, bytes(16), 1, bytes(16), 1, 0))",
    "trace the server": "check(libc.ptrace(16, SERVER, 0, 0))",
    "take a descriptor": "check(call(438, 438, os.pidfd_open(SERVER), 0, 0))",
    "memory by number": f"check(libc.shmget({SHARED_MEMORY_KEY}, 0, 0))",
    "key ring": "check(call(250, 219, 0, -3, 1))",
    "userfaultfd": "check(call(323, 282, 0))",
    "performance counters": "check(call(298, 241, bytes(128), 0, -1, -1, 0))",
    "fanotify": "check(call(300, 262, 0, 0))",
    "open by handle": "check(call(304, 265, -100, bytes(64), 0))",
    "kernel module": "check(call(175, 105, bytes(8), 8, b''))",
    "swap": "check(call(167, 224, b'/dev/vda', 0))",
    "reboot": "check(libc.reboot(0))",
    "enter a namespace": "check(libc.setns(3, 0))",
    "clone into a namespace": "check(call(56, 220, 0x10000000 | 17, 0, 0, 0, 0))",
    "clone3": "check(call(435, 435, bytes(88), 88))",
    "new file system": "check(call(430, 430, b'tmpfs', 0))",
    "system log": "check(call(103, 116, 3, bytes(64), 64))",
    "kill pid 1": "os.kill(1, 9); time.sleep(0.2); os.kill(1, 0); raise OSError('immune')",
    "become root": "os.setuid(0)",
    "chroot": "os.chroot('/tmp')",
    "set the clock": "time.clock_settime(time.CLOCK_REALTIME, 0)",
    "host name": "socket.sethostname('x')",
    "bpf": "check(call(321, 280, 0, 0, 0))",
    "io_uring": "check(libc.syscall(425, 8, bytes(120)))",
    "raise the limit of processes": "resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999))",
    "device": "os.mknod('sda', 0o60600, os.makedev(8, 0))",
}
TEMPLATE = """
import ctypes, os, resource, signal, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
SERVER, LOG = int(os.environ["SERVER"]), os.environ["HOME_FOLDER"] + "/log"
def call(x86, arm, *arguments):
    return libc.syscall(x86 if os.uname().machine == "x86_64" else arm, *arguments)
def udp(address):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", address)
    raise OSError("sent; the listener knows better")
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

FILLINGS = {
    "bytes": "open(str(number), 'wb').write(bytes(1_000_000))",
    "links": "os.symlink('x' * 4000, str(number))",
    "temporary files": "open(os.environ['TMPDIR'] + '/' + str(number), 'wb').write(bytes(1_000_000))",
    "files without names": """
    held.append(open('f', 'wb', buffering=0)); os.unlink('f'); held[-1].write(bytes(1_000_000))
""",
    "empty files": "open(str(number), 'w').close()",
    "empty folders": "os.mkdir(str(number))",
    "deep folders": "os.mkdir('d' * 200); os.chdir('d' * 200)",
}

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


@contextmanager
def surroundings(folder):
    """Give a program what it would like to find on this machine: secrets and listeners."""
    libc = ctypes.CDLL(None)
    (folder / ".ssh").mkdir()
    (folder / ".ssh" / "id_rsa").write_text(SECRET)
    (folder / "open").write_text(SECRET)
    (folder / "open").chmod(0o666)
    shared = Path("/dev/shm", f"{SECRET}-{os.getpid()}")
    shared.write_text(SECRET)
    shared.chmod(0o666)
    leak = os.memfd_create("leak", 0)
    os.set_inheritable(leak, True)
    os.write(leak, SECRET.encode())
    number = libc.shmget(SHARED_MEMORY_KEY, 4096, CREATE | 0o666)
    with ExitStack() as opened, _environment(HOME=str(folder), ANTHROPIC_API_KEY=SECRET):
        opened.callback(os.close, leak)
        opened.callback(shared.unlink)
        opened.callback(libc.shmctl, number, REMOVE, None)
        listeners = [opened.enter_context(each) for each in _listeners(folder)]
        yield {
            "HOME_FOLDER": str(folder),
            "TCP": str(listeners[0].getsockname()[1]),
            "UDP": str(listeners[1].getsockname()[1]),
            "ABSTRACT_NAME": f"{SECRET}-{os.getpid()}",
            "SERVER": str(os.getpid()),
            "SHARED": str(shared),
            "listeners": listeners,
        }


def _listeners(folder) -> Iterator[socket.socket]:
    for family, kind, address in (
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "socket")),
        (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{SECRET}-{os.getpid()}"),
        (socket.AF_UNIX, socket.SOCK_DGRAM, str(folder / "log")),
    ):
        listener = socket.socket(family, kind)
        listener.bind(address)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        listener.setblocking(False)
        yield listener
    (folder / "log").chmod(0o666)


@contextmanager
def _environment(**given):
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def python(code, **program):
    """Return a program that runs code."""
    return Program(argv=(sys.executable, "-I", "-S", "-c", code), **program)


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


async def try_reaching_out(box, attempt, around):
    """Run a program that reaches for something outside; it has to say that it could not, and nobody hears."""
    code = TEMPLATE.replace("{attempt}", REACHING_OUT[attempt])
    given = {name: value for name, value in around.items() if isinstance(value, str)}
    execution = await box.run(python(code, environment=given))
    if not execution.stdout.startswith("held:"):
        return f"{execution}"
    heard = [listener for listener in around["listeners"] if _hears(listener)]
    return f"heard by {heard}" if heard else ""


def _hears(listener):
    try:
        listener.recv(1) if listener.type == socket.SOCK_DGRAM else listener.accept()
    except BlockingIOError:
        return False
    return True


async def try_searching(box, search, around):
    """Run a program that looks everywhere and prints what it finds."""
    code = f"""
import glob, os
def show(path):
    try: print(path, open(path, 'rb').read(99999))
    except OSError as error: print(path, error)
{SEARCHES[search]}
print("searched")
"""
    execution = await box.run(python(code))
    if not execution.stdout.endswith("searched\n"):
        return f"{execution}"
    return "the secret was printed" if SECRET in execution.stdout else ""


async def try_bombing(box, bomb, around):
    """Run a program that takes all it can get."""
    marker = f"bomb-{uuid.uuid4()}"
    limits = Limits(seconds=1.5, memory_bytes=200 * 1024**2, processes=32, output_bytes=100_000)
    code = f"import os, signal, threading, time  # {marker}\n{BOMBS[bomb]}"
    execution = await box.run(python(code, limits=limits, report_fd=True))
    if execution.end not in {"timed_out", "out_of_memory", "too_much_output", "killed"}:
        return f"{execution}"
    return f"{processes_with(marker)} survived" if processes_with(marker) else ""


async def try_filling(box, filling, around):
    """Run a program that writes without end."""
    limits = Limits(seconds=20, file_bytes=4_000_000, memory_bytes=256 * 1024**2)
    code = (
        f"import itertools, os\nheld = []\nfor number in itertools.count():\n    {FILLINGS[filling].strip()}"
    )
    execution = await box.run(python(code, limits=limits))
    left = [*Path(tempfile.gettempdir()).glob("*/work/*")]
    stopped = execution.end in {"killed", "out_of_memory"} or "No space left" in execution.stderr
    return "" if stopped and not left else f"{execution} {left}"


async def try_staying(box, survivor, around):
    """Run a program that leaves a process behind."""
    marker = f"survivor-{uuid.uuid4()}"
    execution = await box.run(python(f"import os, signal, time  # {marker}\n{SURVIVORS[survivor]}"))
    if execution.end not in {"exited", "killed"}:
        return f"{execution}"
    return f"{processes_with(marker)} survived" if processes_with(marker) else ""


GROUPS = {
    "reach out": (REACHING_OUT, try_reaching_out),
    "find secrets": (SEARCHES, try_searching),
    "take everything": (BOMBS, try_bombing),
    "fill the disk": (FILLINGS, try_filling),
    "stay": (SURVIVORS, try_staying),
}
