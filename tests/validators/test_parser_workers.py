"""What a text does to a parser stays in a process that can do nothing else, and ends there."""

import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from validators.grammars import load_all, parse_text
from validators.parsed import ParserLimitError
from validators.parser_workers import ParserWorker, ParserWorkers, understand
from validators.syntax import Syntax
from validators.validator import Given
from validators.verdict import Candidate

GO = b"package main\n"
HOG = b"List<" * 40_000
SLOW = b"<" * 200_000
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells how a process is confined")


@pytest.fixture
def worker():
    started = ParserWorker()
    yield started
    started.end()


@pytest.fixture
def workers():
    made = ParserWorkers(most=2)
    yield made
    made.close()


def is_running(pid):
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


async def ended(pid):
    with anyio.fail_after(30):
        while is_running(pid):  # noqa: ASYNC110 - no event tells that another's child has ended
            await anyio.sleep(0.01)


@contextmanager
def no_descriptors_left():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_worker_that_cannot_be_started_is_a_limit_of_the_parser(workers):
    with no_descriptors_left(), pytest.raises(ParserLimitError, match="does not start: Too many open files"):
        workers.parse(GO, "go", 2.0)

    assert workers.parse(GO, "go", 2.0).errors == ()


def test_a_worker_answers_one_text_after_the_other(worker):
    broken = worker.ask(b"package main\nfunc f( {\n", "go", 2.0)

    assert worker.ask(GO, "go", 2.0).errors == ()
    assert [(error.line, error.code) for error in broken.errors] == [(2, "syntax")]
    assert worker.ask(b"a = ", "toml", 2.0).tool.startswith("tomllib")


@needs_proc
def test_a_worker_has_no_environment_and_hardly_a_system_call(worker):
    status = Path(f"/proc/{worker.pid}/status").read_text()

    assert Path(f"/proc/{worker.pid}/environ").read_bytes() == b""
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status
    limits = Path(f"/proc/{worker.pid}/limits").read_text()
    assert f"{512 * 1024**2}" in next(line for line in limits.splitlines() if "address space" in line)


def test_a_text_that_eats_memory_ends_the_worker_alone(workers):
    with pytest.raises(ParserLimitError, match="ran out of memory or broke down"):
        workers.parse(HOG, "java", 5.0)

    assert workers.parse(GO, "go", 2.0).errors == ()


def test_a_text_that_takes_long_is_given_up_and_the_worker_stays(worker):
    with pytest.raises(ParserLimitError, match=r"longer than 0\.1 s"):
        worker.ask(SLOW, "bash", 0.1)

    assert worker.lives


def test_a_worker_that_hangs_is_ended(workers):
    dots = b"a" + b".a" * 120_000 + b"=1"

    with pytest.raises(ParserLimitError, match=r"longer than 0\.1 s"):
        workers.parse(dots, "toml", 0.1)

    assert workers.parse(GO, "go", 2.0).errors == ()


async def test_a_worker_that_was_killed_is_replaced(workers):
    workers.parse(GO, "go", 2.0)
    (first,) = workers.idle
    os.kill(first.pid, signal.SIGKILL)
    await ended(first.pid)

    assert workers.parse(GO, "go", 2.0).errors == ()
    assert workers.idle[0].pid != first.pid


async def test_many_texts_at_once_share_a_few_workers(workers):
    found = []

    async def parse_one():
        found.append(await anyio.to_thread.run_sync(workers.parse, GO, "go", 5.0))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(parse_one)

    assert len(found) == 20
    assert 1 <= len(workers.idle) <= 2


async def test_closing_ends_those_that_are_free(workers):
    workers.parse(GO, "go", 2.0)
    (one,) = workers.idle

    workers.close()

    assert workers.idle == ()
    assert not one.lives


def worker_of_a_killed_server():
    code = (
        "import sys\nfrom validators.parser_workers import ParserWorkers\n"
        "workers = ParserWorkers()\nworkers.parse(b'package main', 'go', 2.0)\n"
        "print(workers.idle[0].pid, flush=True)\nsys.stdin.read()\n"
    )
    command = (sys.executable, "-c", code)
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as server:
        pid = int(server.stdout.readline())
        server.kill()
    return pid


@needs_proc
async def test_no_worker_outlives_a_server_that_is_killed():
    await ended(worker_of_a_killed_server())


async def test_a_judgement_can_be_cancelled_in_the_midst_of_a_parse():
    with anyio.fail_after(30), anyio.move_on_after(0.05) as scope:
        await Syntax().judge(Candidate({"a.sh": SLOW.decode()}, "bash"), Given())

    assert scope.cancelled_caught


@pytest.mark.parametrize(
    "reply",
    [b"", b"[]", b"nonsense", b'{"errors": [[1, 2]]}', b'{"errors": [["a", "b", 1]]}', b'{"share": null}'],
)
def test_an_answer_that_is_none_is_not_believed(reply):
    with pytest.raises(ParserLimitError, match="broke down"):
        understand(reply)


def test_the_share_that_is_broken_stays_a_share():
    assert understand(b'{"share": 7}').broken_share == 1.0


@pytest.mark.parametrize(
    ("source", "language", "said"),
    [
        (b"a = " + b"[" * 100_000, "toml", "TOML nests deeper"),
        (b"a<b," * 500, "typescript", "'<' are open"),
        (b"- " * 300, "yaml", "200 levels"),
        (SLOW, "bash", r"longer than 0\.05 s"),
    ],
)
def test_what_a_parser_cannot_do_is_told(source, language, said):
    load_all()

    with pytest.raises(ParserLimitError, match=said):
        parse_text(source, language, 0.05)
