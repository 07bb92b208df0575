import json
import subprocess
import sys
import time
from contextlib import asynccontextmanager

import anyio
import pytest

from backends.backend import Message, Request
from backends.config import BackendConfig
from backends.connect import connect
from backends.errors import NoConnection
from backends.residence import OneModelLock
from tests.servers import apis
from tests.servers.lmstudio import Studio
from tests.servers.stub import Answer, running

HELLO = (Message("user", "hello"),)
WORKER = Request("worker", HELLO, context_tokens=32768)
CHECKER = Request("checker", HELLO, context_tokens=16384)


@asynccontextmanager
async def connected(studio, home, **config):
    """Connect to a stub as one process does; call the result for more processes."""
    async with running(studio) as stub:
        made = []

        def process():
            made.append(connect(BackendConfig("lab", "lmstudio", url=stub.url, **config), {}, home))
            return made[-1]

        try:
            with anyio.fail_after(30):
                yield process
        finally:
            for backend in made:
                await backend.aclose()


async def test_a_cold_model_is_loaded_once_with_the_context_that_is_needed(tmp_path):
    studio, told = Studio(), []

    async def tell(message: str) -> None:
        told.append(message)

    async with connected(studio, tmp_path) as process, anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(process().complete, WORKER, tell)

    assert studio.log == ["load worker", "chat worker", "chat worker"]
    assert studio.loaded == {"worker": 32768}
    assert told == ["loading worker, this can take tens of seconds"]


async def test_what_we_loaded_makes_room_for_the_next_and_what_a_person_loaded_stays(tmp_path):
    studio = Studio(models=("worker", "checker", "own"), loaded={"own": 8192})

    async with connected(studio, tmp_path) as process:
        await process().complete(WORKER)
        await process().complete(CHECKER)

    assert studio.log == ["load worker", "chat worker", "unload worker", "load checker", "chat checker"]
    assert studio.loaded == {"own": 8192, "checker": 16384}


async def test_a_running_answer_is_never_evicted(tmp_path):
    studio = Studio(held={"worker": anyio.Event()})
    waits = anyio.Event()

    async def tell(message: str) -> None:
        if "waits until the host is done with worker" in message:
            waits.set()

    async with connected(studio, tmp_path) as process, anyio.create_task_group() as group:
        stream = process().stream(WORKER)
        await anext(stream)
        group.start_soon(process().complete, CHECKER, tell)
        await waits.wait()
        studio.log.append("worker ends")
        studio.held["worker"].set()
        rest = [piece async for piece in stream]

    assert rest[-1].text == apis.DEFAULT
    assert studio.log == [
        "load worker",
        "chat worker",
        "worker ends",
        "unload worker",
        "load checker",
        "chat checker",
    ]


async def test_two_models_that_are_both_loaded_answer_side_by_side(tmp_path):
    studio = Studio(loaded={"worker": 8192, "checker": 8192}, held={"worker": anyio.Event()})

    async with connected(studio, tmp_path) as process:
        stream = process().stream(WORKER)
        await anext(stream)
        completion = await process().complete(CHECKER)
        studio.held["worker"].set()
        await stream.aclose()

    assert completion.text == apis.DEFAULT
    assert studio.log == ["chat worker", "chat checker"]


async def test_a_host_that_cannot_list_is_not_asked_for_its_list_by_all_who_wait(tmp_path):
    studio = Studio(held={"worker": anyio.Event()})
    waits, listings = anyio.Event(), []

    def answer(seen):
        if seen.method == "POST":
            return studio(seen)
        listings.append(seen.path)
        return Answer(('{"error": "it fell over"}',), 500)

    async def tell(message: str) -> None:
        if "waits until the host is done with worker" in message:
            waits.set()

    async with connected(answer, tmp_path) as process, anyio.create_task_group() as group:
        backend = process()
        stream = backend.stream(WORKER)
        await anext(stream)
        for _ in range(4):
            group.start_soon(backend.complete, CHECKER, tell)
        await waits.wait()
        listed = len(listings)
        studio.held["worker"].set()
        assert [piece async for piece in stream][-1].text == apis.DEFAULT

    assert listed <= 20


async def test_where_the_server_cannot_be_told_the_first_request_loads_alone(tmp_path):
    studio = Studio(can_load=False)

    async with connected(studio, tmp_path) as process, anyio.create_task_group() as group:
        for request in (WORKER, CHECKER, WORKER):
            group.start_soon(process().complete, request)

    evictions = [line for line in studio.log if line.startswith("evict")]
    assert len(studio.log) - len(evictions) == 3
    assert len(evictions) <= 3


async def test_a_cancelled_request_lets_the_next_model_in(tmp_path):
    studio = Studio(held={"worker": anyio.Event()})

    async with connected(studio, tmp_path) as process:
        async with anyio.create_task_group() as group:
            async for _ in process().stream(WORKER):
                group.cancel_scope.cancel()
        completion = await process().complete(CHECKER)

    assert completion.text == apis.DEFAULT


async def test_a_model_that_was_unloaded_meanwhile_is_loaded_once_again(tmp_path):
    studio = Studio()
    async with connected(studio, tmp_path) as process:
        await process().complete(WORKER)
        studio.loaded.clear()
        age_the_note(tmp_path)

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(process().complete, WORKER)

    assert studio.log.count("load worker") == 2
    assert not [line for line in studio.log if line.startswith("evict")]


def age_the_note(home) -> None:
    """Pretend that the last change of models was a while ago."""
    (note,) = home.glob("hosts/*/model/resident.json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "since": time.time() - 60}))


async def test_a_server_that_may_hold_several_models_is_left_to_itself(tmp_path):
    studio = Studio()

    async with connected(studio, tmp_path, one_model=False) as process:
        await process().complete(WORKER)

    assert studio.log == ["evict  for worker", "chat worker"]


async def test_any_server_can_be_said_to_hold_one_model(tmp_path):
    seen = []

    async def tell(message: str) -> None:
        seen.append(message)

    async with running(apis.openai()) as stub:
        backend = connect(BackendConfig("swap", "openai", url=stub.url, one_model=True), {}, tmp_path)
        await backend.complete(Request(apis.MODEL, HELLO), tell)
        await backend.complete(Request(apis.MODEL, HELLO), tell)
        await backend.aclose()

    assert seen == [f"loading {apis.MODEL}, this can take tens of seconds"]


async def test_a_server_that_is_down_is_not_waited_for(tmp_path, free_port):
    config = BackendConfig("lab", "lmstudio", url=f"http://127.0.0.1:{free_port}")
    backend = connect(config, {}, tmp_path)

    with pytest.raises(NoConnection):
        await backend.complete(WORKER)

    await backend.aclose()


async def test_whoever_leaves_without_loading_changes_nothing(tmp_path):
    lock = OneModelLock(tmp_path)

    async def unknown(_):
        return None

    async with lock.held("worker", unknown) as first:
        assert first.alone
    async with lock.held("worker", unknown) as second:
        assert second.alone
        await second.share()
        assert not second.alone
        async with lock.held("worker", unknown) as third:
            assert not third.alone


async def test_a_note_that_cannot_be_read_is_no_note(tmp_path):
    lock = OneModelLock(tmp_path)
    (tmp_path / "resident.json").write_text("{broken")

    async def unknown(_):
        return None

    async with lock.held("worker", unknown) as hold:
        assert hold.alone
        assert hold.previous() == ()


SWITCHER = """
import sys, random, anyio
from pathlib import Path
from backends.residence import OneModelLock

folder, draws = Path(sys.argv[1]), random.Random(sys.argv[2])
lock = OneModelLock(folder)

async def unknown(_):
    return None

async def one(number):
    model = draws.choice("ab")
    async with lock.held(model, unknown) as hold:
        mark = folder / f"in-{model}-{sys.argv[2]}-{number}"
        if hold.alone:
            assert not list(folder.glob("in-*")), "alone, and somebody is here"
        await hold.share()
        mark.touch()
        await anyio.sleep(draws.random() / 200)
        assert len({path.name[3] for path in folder.glob("in-*")}) == 1, "two models at once"
        mark.unlink()

async def many():
    async with anyio.create_task_group() as group:
        for number in range(12):
            group.start_soon(one, number)
    print("done", flush=True)

anyio.run(many)
"""


def test_no_two_models_are_used_at_once_by_any_process(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    arguments = [sys.executable, "-c", SWITCHER, str(folder)]
    children = [
        subprocess.Popen([*arguments, str(seed)], stdout=subprocess.PIPE, text=True) for seed in range(3)
    ]

    said = [child.communicate(timeout=50)[0] for child in children]

    assert said == ["done\n"] * 3


HOLDER = """
import sys, anyio
from pathlib import Path
from backends.residence import OneModelLock

async def unknown(_):
    return None

async def hold():
    async with OneModelLock(Path(sys.argv[1])).held("worker", unknown) as hold:
        await hold.share()
        print("held", flush=True)
        sys.stdin.read()

anyio.run(hold)
"""


def start_holder(folder) -> subprocess.Popen:
    """Use the host in another process until that is killed."""
    arguments = [sys.executable, "-c", HOLDER, str(folder)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def test_a_killed_process_leaves_the_host_to_others(tmp_path):
    async def unknown(_):
        return None

    with start_holder(tmp_path) as child, anyio.fail_after(20):
        assert child.stdout.readline() == "held\n"
        child.kill()
        async with OneModelLock(tmp_path).held("checker", unknown) as hold:
            assert hold.alone
