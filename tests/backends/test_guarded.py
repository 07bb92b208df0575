import json
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest

from backends.backend import Message, Request
from backends.config import BackendConfig, Timeouts
from backends.connect import connect
from backends.errors import BackendBusy, BackendUnavailable, ModelLoading, NoConnection, RequestRefused
from backends.guarded import CircuitOpen, Guarded, Patience
from backends.scripted import Answer, Rule, Script, ScriptedBackend
from backends.wrappers import Limited
from tests.servers import apis
from tests.servers.stub import Answer as Reply
from tests.servers.stub import running

HELLO = Request(apis.MODEL, (Message("user", "hello"),))
BUSY = (
    Reply(('{"error": "slow down"}',), 429, headers={"retry-after-ms": "5"}),
    Reply(('{"error": "slow down"}',), 429, headers={"retry-after": "0.01"}),
    Reply(('{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}',), 529),
    Reply(('{"error": "server busy, please try again. maximum pending requests exceeded"}',), 503),
    Reply((json.dumps({"error": {"code": 503, "message": "Loading model"}}),), 503),
)


@asynccontextmanager
async def answering(*replies, config=None):
    """Give each reply once, then answer as a server that works."""
    left, good = list(replies), apis.openai()

    def answer(seen):
        return left.pop(0) if left else good(seen)

    async with running(answer) as stub:
        backend = connect(BackendConfig("lab", "openai", url=stub.url, **(config or {})), {})
        try:
            with anyio.fail_after(30):
                yield backend, stub
        finally:
            await backend.aclose()


@pytest.mark.parametrize("busy", BUSY, ids=["ms", "seconds", "overloaded", "queue full", "loading"])
async def test_a_server_without_room_is_asked_again_and_the_model_is_not_blamed(busy):
    async with answering(busy) as (backend, stub):
        completion = await backend.complete(HELLO)

    assert completion.text == apis.DEFAULT
    assert len(stub.seen) == 2


async def test_what_is_waited_for_is_told():
    told = []

    async def tell(message: str) -> None:
        told.append(message)

    busy = Reply(('{"error": "slow down"}',), 429, headers={"retry-after": "1"})
    async with answering(busy) as (backend, _):
        await backend.complete(HELLO, tell)

    assert told == ["lab has no room; asking again in 1 s"]


async def test_a_long_rest_is_not_waited_for_and_the_server_left_alone():
    busy = Reply(('{"error": "slow down"}',), 429, headers={"retry-after": "90"})
    async with answering(busy) as (backend, stub):
        with pytest.raises(BackendBusy):
            await backend.complete(HELLO)
        with pytest.raises(CircuitOpen, match="slow down.*It is asked again in 90 s") as refusal:
            await backend.complete(HELLO)

    assert len(stub.seen) == 1
    assert 89 < refusal.value.retry_after_seconds <= 90


async def test_another_server_to_ask_shortens_the_patience():
    busy = Reply(('{"error": "slow down"}',), 429, headers={"retry-after": "5"})
    async with answering(busy) as (backend, stub):
        with pytest.raises(BackendBusy):
            await backend.complete(HELLO, busy_seconds=2)

    assert len(stub.seen) == 1


async def test_a_call_that_is_cancelled_while_it_waits_ends_at_once():
    busy = Reply(('{"error": "slow down"}',), 429, headers={"retry-after": "15"})
    async with answering(busy) as (backend, stub):
        with anyio.move_on_after(0.3) as scope:
            await backend.complete(HELLO)

    assert scope.cancelled_caught
    assert len(stub.seen) == 1


async def test_what_is_wrong_with_the_request_is_asked_once():
    async with answering(Reply(('{"error": "bad key"}',), 401)) as (backend, stub):
        with pytest.raises(RequestRefused):
            await backend.complete(HELLO)

    assert len(stub.seen) == 1


async def test_a_dead_server_is_asked_once_and_then_left_alone(free_port):
    backend = connect(BackendConfig("down", "ollama", url=f"http://127.0.0.1:{free_port}"), {})

    with pytest.raises(BackendUnavailable, match="Start its server"):
        await backend.list_models()
    with pytest.raises(CircuitOpen, match=r"Start its server.*It is asked again in \d+ s"):
        await backend.list_models()
    with pytest.raises(CircuitOpen):
        [piece async for piece in backend.stream(HELLO)]
    health = await backend.health()

    assert not health.reachable
    await backend.aclose()


async def test_a_server_that_comes_back_is_found_by_a_look_at_its_health():
    cut = Reply(("{",), ending="cut")
    async with answering(cut, cut, cut) as (backend, _):
        for _ in range(3):
            with pytest.raises(BackendUnavailable):
                await backend.list_models()
        with pytest.raises(CircuitOpen):
            await backend.list_models()

        health = await backend.health()
        completion = await backend.complete(HELLO)

    assert health.reachable
    assert completion.text == apis.DEFAULT


async def test_a_server_that_only_stumbled_is_waited_for(free_port):
    backend = connect(BackendConfig("lab", "openai", url=f"http://127.0.0.1:{free_port}"), {})
    with pytest.raises(NoConnection):
        await backend.complete(HELLO)

    async with running(apis.openai(), port=free_port):
        with anyio.fail_after(20):
            completion = await backend.complete(HELLO)

    assert completion.text == apis.DEFAULT
    await backend.aclose()


@asynccontextmanager
async def back_after_a_stumble(answer, free_port):
    """Give a backend that was found down, at a server that answers again and may be asked."""
    backend = connect(BackendConfig("lab", "openai", url=f"http://127.0.0.1:{free_port}"), {})
    with pytest.raises(NoConnection) as refusal:
        await backend.complete(HELLO)
    assert not refusal.value.worked_on
    try:
        async with running(answer, port=free_port) as stub:
            with anyio.fail_after(20):
                yield backend, stub
    finally:
        await backend.aclose()


async def test_a_long_answer_of_a_server_that_is_back_keeps_nobody_out(free_port):
    release, good, texts = anyio.Event(), apis.openai(), []

    def answer(seen):
        if sum(one.method == "POST" for one in stub.seen) == 4:
            release.set()  # all four are at the server before the first is done
        return replace(good(seen), held=release if seen.method == "POST" else None)

    async with back_after_a_stumble(answer, free_port) as (backend, stub):

        async def ask():
            texts.append((await backend.complete(HELLO)).text)

        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(ask)

    assert texts == [apis.DEFAULT] * 4
    assert sum(seen.method == "GET" for seen in stub.seen) == 1


async def test_who_lists_waits_for_the_look_at_a_server_that_is_back(free_port):
    looking, release, good, listed = anyio.Event(), anyio.Event(), apis.openai(), []

    def answer(seen):
        looking.set()
        return replace(good(seen), held=release)

    async with back_after_a_stumble(answer, free_port) as (backend, _):

        async def look():
            listed.append(await backend.list_models())

        async with anyio.create_task_group() as group:
            group.start_soon(backend.complete, HELLO)
            await looking.wait()
            for _ in range(3):
                group.start_soon(look)
            release.set()

    assert [models[0].name for models in listed] == [apis.MODEL] * 3


@pytest.mark.parametrize("status", [404, 500])
async def test_a_server_that_cannot_list_its_models_is_tried_with_the_request(free_port, status):
    good = apis.openai()

    def answer(seen):
        return good(seen) if seen.method == "POST" else Reply(('{"error": "no such page"}',), status)

    async with back_after_a_stumble(answer, free_port) as (backend, _):
        completion = await backend.complete(HELLO)

    assert completion.text == apis.DEFAULT


async def test_a_server_that_runs_out_of_room_in_the_middle_of_an_answer_is_not_asked_again():
    begun = json.dumps({"choices": [{"delta": {"content": "I"}}]})
    overloaded = json.dumps({"error": {"code": 503, "message": "overloaded"}})
    async with answering(apis.sse(f"data: {begun}\n\n", f"data: {overloaded}\n\n")) as (backend, stub):
        with pytest.raises(BackendBusy) as error:
            await backend.complete(HELLO)

    assert error.value.worked_on
    assert len(stub.seen) == 1


async def test_a_server_that_stumbled_is_not_waited_for_where_another_can_be_asked(free_port):
    backend = connect(BackendConfig("lab", "openai", url=f"http://127.0.0.1:{free_port}"), {})
    with pytest.raises(NoConnection):
        await backend.complete(HELLO, busy_seconds=2)

    with pytest.raises(CircuitOpen):
        await backend.complete(HELLO, busy_seconds=2)

    await backend.aclose()


async def test_a_model_that_never_loads_is_given_up_in_the_end():
    loading = Reply((json.dumps({"error": {"code": 503, "message": "Loading model"}}),), 503)
    config = BackendConfig("lab", "openai", timeouts=Timeouts(first_token_seconds=0.7))
    async with running(lambda _: loading) as stub:
        backend = connect(replace(config, url=stub.url), {})
        with anyio.fail_after(20), pytest.raises(ModelLoading, match="Wait until the model is loaded"):
            await backend.complete(HELLO)
        await backend.aclose()


async def test_a_stream_passes_through():
    rules = {"m": Script(Answer("none"), (Rule("hello", (Answer("done"),)),))}
    backend = Guarded(Limited(ScriptedBackend("lab", rules), 1), Patience())

    *_, completion = [piece async for piece in backend.stream(Request("m", HELLO.messages))]

    assert completion.text == "done"
