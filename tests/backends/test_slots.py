import signal
import subprocess
import sys
from contextlib import contextmanager

import anyio
import pytest

from backends.backend import Message, Request
from backends.config import BackendConfig
from backends.connect import connect, host_folder
from backends.errors import BackendUnavailable
from backends.scripted import Answer, Script, ScriptedBackend
from backends.slots import SharedSlots
from backends.tickets import Queue, try_lock
from backends.wrappers import Limited

HELLO = Request("m", (Message("user", "hello"),))
HOLDER = """
import sys, anyio
from pathlib import Path
from backends.slots import SharedSlots

async def hold():
    async with SharedSlots(Path(sys.argv[1]), int(sys.argv[2])).taken():
        print("held", flush=True)
        sys.stdin.read()

anyio.run(hold)
"""
COUNTER = """
import sys, anyio
from pathlib import Path
from backends.slots import SharedSlots

folder, slots = Path(sys.argv[1]), SharedSlots(Path(sys.argv[1]), int(sys.argv[2]))

async def one():
    async with slots.taken():
        mark = folder / f"inside-{id(anyio.get_current_task())}-{anyio.get_current_task().id}"
        mark.touch()
        print(len(list(folder.glob("inside-*"))), flush=True)
        await anyio.sleep(0.01)
        mark.unlink()

async def many():
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(one)

anyio.run(many)
"""


@contextmanager
def holder(folder, count=1):
    """Hold a slot in another process until it is killed."""
    arguments = [sys.executable, "-c", HOLDER, str(folder), str(count)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "held\n"
            yield child
        finally:
            child.kill()


async def test_a_slot_that_another_process_holds_is_waited_for(tmp_path):
    slots = SharedSlots(tmp_path, 1)
    order = []

    async def take() -> None:
        async with slots.taken():
            order.append("taken")

    with anyio.fail_after(20), holder(tmp_path) as other:
        async with anyio.create_task_group() as group:
            group.start_soon(take)
            while Queue(tmp_path / "waiting").is_empty():
                await anyio.lowlevel.checkpoint()
            order.append("released")
            other.stdin.close()

    assert order == ["released", "taken"]


async def test_a_killed_process_frees_its_slot(tmp_path):
    with anyio.fail_after(20), holder(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
        async with SharedSlots(tmp_path, 1).taken():
            pass


def test_all_processes_together_never_exceed_the_limit(tmp_path):
    arguments = [sys.executable, "-c", COUNTER, str(tmp_path), "3"]
    children = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(3)]

    counts = [int(line) for child in children for line in child.communicate(timeout=50)[0].split()]

    assert len(counts) == 30
    assert max(counts) <= 3
    assert [child.returncode for child in children] == [0, 0, 0]


async def test_who_came_first_is_served_first(tmp_path):
    slots, served = SharedSlots(tmp_path, 1), []
    queue = Queue(tmp_path / "waiting")

    async def take(number: int) -> None:
        async with slots.taken():
            served.append(number)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group, slots.taken():
            for number in range(4):
                group.start_soon(take, number)
                while len(queue.waiting()) <= number:
                    await anyio.lowlevel.checkpoint()

    assert served == [0, 1, 2, 3]


async def test_a_cancelled_wait_leaves_nothing_behind(tmp_path):
    slots = SharedSlots(tmp_path, 1)

    async with slots.taken():
        with anyio.move_on_after(0.05) as scope:
            async with slots.taken():
                raise AssertionError("there is only one slot")

    assert scope.cancelled_caught
    assert Queue(tmp_path / "waiting").is_empty()
    with anyio.fail_after(5):
        async with slots.taken():
            pass


async def test_a_wait_that_lasts_is_told_once(tmp_path):
    slots, told, heard = SharedSlots(tmp_path, 1), [], anyio.Event()

    async def tell(message: str) -> None:
        told.append(message)
        heard.set()

    async def take() -> None:
        async with slots.taken(tell):
            pass

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group, slots.taken():
            group.start_soon(take)
            await heard.wait()

    assert len(told) == 1
    assert "waiting in line" in told[0]


def test_the_ticket_of_a_dead_process_is_removed(tmp_path):
    (tmp_path / "00000000000000000001-1-dead").touch()

    assert Queue(tmp_path).waiting() == ()
    assert list(tmp_path.iterdir()) == []


def test_tickets_are_listed_by_age_with_what_they_wait_for(tmp_path):
    queue = Queue(tmp_path)

    with queue.draw("first") as first, queue.draw("second") as second:
        assert queue.waiting() == (first, second)
        assert [ticket.label for ticket in queue.waiting()] == ["first", "second"]
        assert first.since <= second.since

    assert queue.waiting() == ()


def test_a_shared_lock_is_shared_and_an_exclusive_one_is_not(tmp_path):
    path = tmp_path / "lock"

    one, other = try_lock(path, shared=True), try_lock(path, shared=True)

    assert one is not None
    assert other is not None
    assert try_lock(path) is None


async def test_a_state_folder_that_cannot_be_written_is_said_so(tmp_path):
    (tmp_path / "file").touch()
    backend = Limited(
        ScriptedBackend("lab", {"m": Script(Answer("done"))}), 1, SharedSlots(tmp_path / "file" / "x", 1)
    )

    with pytest.raises(BackendUnavailable, match="ORCHESTRATOR_HOME"):
        await backend.complete(HELLO)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"url": "http://localhost:1234"}, {"url": "http://127.0.0.1:1234/v1"}),
        ({"url": "http://lab:1", "name": "a"}, {"url": "http://lab:1", "name": "b"}),
    ],
)
def test_one_host_has_one_limit_whatever_it_is_called(one, other, tmp_path):
    folders = {
        host_folder(BackendConfig(**{"name": "lab", "kind": "openai", **fields}), tmp_path)
        for fields in (one, other)
    }

    assert len(folders) == 1


def test_hosts_are_counted_apart(tmp_path):
    urls = ("http://a:1", "http://a:2", "http://b:1", "https://a")

    assert len({host_folder(BackendConfig("lab", "openai", url=url), tmp_path) for url in urls}) == 4


@pytest.mark.parametrize("config", [BackendConfig("s", "scripted"), BackendConfig("e", "embedded")])
def test_what_belongs_to_one_process_needs_no_lock_files(config, tmp_path):
    assert host_folder(config, tmp_path) is None


async def test_a_script_with_a_limit_shares_it(tmp_path):
    script = tmp_path / "script.json"
    script.write_text('{"models": {"m": {"default": "done"}}}')
    config = BackendConfig("lab", "scripted", path=str(script), max_concurrent=1)
    told = anyio.Event()

    async def tell(message: str) -> None:
        told.set()

    slots = SharedSlots(host_folder(config, tmp_path), 1)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group, slots.taken():
            group.start_soon(connect(config, {}, tmp_path).complete, HELLO, tell)
            await told.wait()
            group.cancel_scope.cancel()
