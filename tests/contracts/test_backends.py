"""What every backend must do, run against each of them; real servers where they can run here."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from backends.backend import Backend, Completion, Delta, Message, Request
from backends.connect import BackendConfig, Timeouts, connect
from backends.errors import (
    BackendBusy,
    BackendError,
    BackendTimeout,
    BackendUnavailable,
    ContextTooLong,
    MalformedReply,
    ModelNotFound,
    NoConnection,
    RequestRefused,
)
from backends.guarded import CircuitOpen
from backends.scripted import Answer, Rule, Script, ScriptedBackend
from backends.wrappers import Limited
from tests.servers import apis
from tests.servers.fixtures import LlamaServer
from tests.servers.stub import Answer as Reply
from tests.servers.stub import Answering, Seen, Stub, running

VERDICT = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean"},
        "confidence": {"type": "number"},
        "reason": {"type": "string", "maxLength": 40},
    },
    "required": ["approved", "confidence", "reason"],
    "additionalProperties": False,
}
STUBS = {"lmstudio": apis.lmstudio, "ollama": apis.ollama, "anthropic": apis.anthropic, "openai": apis.openai}


def request_for(text: str, **more) -> Request:
    return Request(apis.MODEL, (Message("system", "You work."), Message("user", text)), **more)


@asynccontextmanager
async def connected(config: BackendConfig, environment: dict[str, str]) -> AsyncIterator[Backend]:
    backend = connect(config, environment)
    try:
        yield backend
    finally:
        await backend.aclose()


@asynccontextmanager
async def stubbed(
    kind: str, answering: Answering, timeouts: Timeouts | None = None
) -> AsyncIterator[tuple[Backend, Stub]]:
    config = BackendConfig("stubbed", kind, api_key_env="KEY", timeouts=timeouts or Timeouts())
    async with (
        running(answering) as stub,
        connected(replace(config, url=stub.url), {"KEY": "sk-very-secret"}) as backend,
    ):
        yield backend, stub


@pytest.fixture(
    params=[
        "scripted",
        "embedded",
        "openai on llama.cpp",
        "anthropic on llama.cpp",
        *(f"{kind} stub" for kind in STUBS),
    ]
)
async def backend(request, llama_server: LlamaServer, handwired_model: Path) -> AsyncIterator[Backend]:
    kind, _, where = request.param.partition(" ")
    if kind == "scripted":
        yield scripted_backend()
    elif kind == "embedded":
        async with connected(BackendConfig("embedded", kind, path=str(handwired_model)), {}) as backend:
            yield backend
    elif where == "stub":
        async with (
            running(STUBS[kind]()) as stub,
            connected(BackendConfig(kind, kind, url=stub.url), {}) as backend,
        ):
            yield backend
    else:
        config = BackendConfig(kind, kind, url=llama_server.url, api_key_env="LLAMA_KEY")
        async with connected(config, {"LLAMA_KEY": llama_server.api_key}) as backend:
            yield backend


def scripted_backend() -> Backend:
    rules = tuple(Rule(keyword, (Answer(text),)) for keyword, text in apis.RULES)
    return Limited(ScriptedBackend("scripted", {apis.MODEL: Script(Answer(apis.DEFAULT), rules)}), 4)


async def test_an_answer_comes_whole_with_its_model_and_usage(backend):
    completion = await backend.complete(request_for("hello"))

    assert completion.text == apis.DEFAULT
    assert completion.model == apis.MODEL
    assert completion.finish == "stop"
    assert completion.usage.tokens_in > 0
    assert completion.usage.tokens_out > 0
    assert completion.seconds > 0
    assert completion.warnings == ()


async def test_a_keyword_anywhere_in_the_prompt_decides_the_answer(backend):
    completion = await backend.complete(request_for("please " * 20 + "TOOL_CALL and more"))

    assert completion.text == apis.said("TOOL_CALL")


async def test_a_stream_ends_with_what_complete_returns_and_its_pieces_add_up(backend):
    whole = await backend.complete(request_for("LONG_ANSWER"))

    *pieces, last = [piece async for piece in backend.stream(request_for("LONG_ANSWER"))]

    assert isinstance(last, Completion)
    assert all(isinstance(piece, Delta) for piece in pieces)
    assert (last.text, last.finish) == (whole.text, whole.finish)
    assert "".join(piece.text for piece in pieces) == last.text


async def test_thinking_is_kept_apart_from_the_answer(backend):
    *pieces, completion = [piece async for piece in backend.stream(request_for("THINK_FIRST"))]

    assert completion.text == "The answer is 42."
    assert completion.reasoning == "Let me consider this."
    assert "".join(piece.text for piece in pieces) == completion.text
    assert "".join(piece.reasoning for piece in pieces) == completion.reasoning


async def test_json_that_fits_the_schema_comes_back(backend):
    completion = await backend.complete(request_for("VERDICT_JSON", schema=VERDICT))

    assert completion.text == apis.said("VERDICT_JSON")


async def test_log_probabilities_are_those_of_the_answer_or_none(backend):
    completion = await backend.complete(request_for("hello", logprobs=True))

    assert completion.text == apis.DEFAULT
    assert all(token.logprob <= 0 for token in completion.logprobs)
    assert "".join(token.token for token in completion.logprobs) in {"", apis.DEFAULT}


@pytest.mark.parametrize("backend", ["embedded", "openai on llama.cpp"], indirect=True)
async def test_llama_cpp_tells_how_probable_each_token_was_and_the_others(backend):
    completion = await backend.complete(request_for("hello", logprobs=True))

    assert completion.logprobs
    assert all(len(token.top) == 5 for token in completion.logprobs)


async def test_an_answer_that_reaches_max_tokens_says_so(backend):
    completion = await backend.complete(request_for("LONG_ANSWER", max_tokens=5))

    assert completion.finish == "length"
    assert completion.text
    assert apis.said("LONG_ANSWER").startswith(completion.text)


async def test_models_are_listed_by_the_name_to_ask_for(backend):
    models = await backend.list_models()

    assert apis.MODEL in [model.name for model in models]


async def test_a_server_that_runs_is_healthy(backend):
    health = await backend.health()

    assert health.reachable
    assert health.detail


async def test_several_requests_at_once_all_get_their_own_answer(backend):
    texts: dict[str, str] = {}

    async def ask(prompt: str) -> None:
        texts[prompt] = (await backend.complete(request_for(prompt))).text

    async with anyio.create_task_group() as group:
        for keyword in ["hello", "TOOL_CALL", "VERDICT_JSON", "LONG_ANSWER"] * 2:
            group.start_soon(ask, keyword)

    assert texts == {keyword: apis.said(keyword) for keyword in texts}


async def test_a_stream_that_is_left_early_frees_its_place(backend):
    async with anyio.create_task_group() as group:
        async for _ in backend.stream(request_for("LONG_ANSWER")):
            group.cancel_scope.cancel()

    with anyio.fail_after(10):
        completion = await backend.complete(request_for("hello"))

    assert completion.text == apis.DEFAULT


@pytest.mark.parametrize(
    "backend", ["scripted", "embedded", *(f"{kind} stub" for kind in STUBS)], indirect=True
)
async def test_an_unknown_model_is_refused_with_the_names_of_those_there_are(backend):
    with pytest.raises(ModelNotFound, match=repr(apis.MODEL)) as refusal:
        await backend.complete(replace(request_for("hello"), model="no-such-model"))

    assert refusal.value.model == "no-such-model"
    assert not refusal.value.retryable


@pytest.mark.parametrize("backend", ["openai on llama.cpp"], indirect=True)
async def test_a_model_that_stands_in_for_an_unknown_one_is_named(backend):
    completion = await backend.complete(replace(request_for("hello"), model="no-such-model"))

    assert completion.model == apis.MODEL
    assert completion.warnings == ("another model answered: 'tiny' instead of 'no-such-model'",)


@pytest.mark.parametrize(
    "backend", ["embedded", "openai on llama.cpp", "anthropic on llama.cpp"], indirect=True
)
async def test_a_prompt_longer_than_the_context_is_refused_as_such(backend):
    with pytest.raises(ContextTooLong, match="tokens"):
        await backend.complete(request_for("word " * 20_000))


# What goes wrong with servers, on a socket each.

TINY = Timeouts(connect_seconds=1, first_token_seconds=0.2, stall_seconds=0.2, listing_seconds=0.2)
ERRORS_INSIDE = {
    "openai": 'data: {"error": {"message": "it fell over", "code": 500}}\n\n',
    "lmstudio": 'event: error\ndata: {"error": {"message": "The model has crashed. Exit code: 6"}}\n\n',
    "ollama": '{"error": "model runner has unexpectedly stopped"}\n',
    "anthropic": 'data: {"type": "error", "error": {"type": "overloaded_error", "message": "!"}}\n\n',
}
OVERFLOWS = {
    "openai": {
        "error": {"code": "context_length_exceeded", "message": "This model's maximum context length is 8"}
    },
    "lmstudio": {
        "error": "Trying to keep the first 9 tokens when context the overflows (n_keep: 9 >= n_ctx: 8)"
    },
    "ollama": {"error": "the input length exceeds the context length"},
    "anthropic": {
        "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum"}
    },
}


def beginning(kind: str, chunks: int = 8) -> Reply:
    """Take the first chunks of a long answer as this kind of server sends it."""
    body = {"model": apis.MODEL, "messages": [{"content": "LONG_ANSWER"}], "max_tokens": 99}
    seen = Seen("POST", "/api/chat", {}, json.dumps({**body, "options": {"num_predict": 99}}))
    whole = STUBS[kind]()(seen)
    return replace(whole, chunks=whole.chunks[:chunks])


async def error_of(kind: str, reply: Reply) -> BackendError:
    async with stubbed(kind, lambda _: reply) as (backend, _):
        with pytest.raises(BackendError) as error:
            await backend.complete(request_for("hello"))
    assert "sk-very-secret" not in str(error.value)
    return error.value


@pytest.fixture(params=list(STUBS))
def kind(request) -> str:
    return request.param


async def test_a_server_that_does_not_run_is_unavailable_and_said_so(kind, free_port):
    async with connected(BackendConfig("down", kind, url=f"http://127.0.0.1:{free_port}"), {}) as backend:
        with pytest.raises(BackendUnavailable, match=r"'down' at http://127.0.0.1:\d+.*Start its server"):
            await backend.complete(request_for("hello"))
        health = await backend.health()

    assert not health.reachable
    assert "does not answer" in health.detail


async def test_a_server_that_dies_in_the_middle_of_an_answer_is_unavailable(kind):
    error = await error_of(kind, replace(beginning(kind), ending="cut"))

    assert isinstance(error, BackendUnavailable)
    assert error.retryable


async def test_an_answer_that_just_ends_is_malformed(kind):
    error = await error_of(kind, beginning(kind))

    assert isinstance(error, MalformedReply)
    assert "cut off after" in str(error)


async def test_an_empty_reply_is_malformed(kind):
    assert isinstance(await error_of(kind, replace(beginning(kind), chunks=())), MalformedReply)


async def test_a_web_page_is_malformed_and_the_address_is_doubted(kind):
    error = await error_of(kind, Reply(("<html>Welcome</html>",), content_type="text/html"))

    assert isinstance(error, MalformedReply)
    assert "correct `url`" in str(error)


async def test_an_error_inside_an_answer_with_status_200_is_no_answer(kind):
    good = beginning(kind)

    error = await error_of(kind, replace(good, chunks=(*good.chunks, ERRORS_INSIDE[kind])))

    assert isinstance(error, BackendUnavailable)
    assert error.worked_on


async def test_a_request_that_a_server_has_no_room_for_was_not_worked_on(kind):
    error = await error_of(
        kind, Reply(('{"error": "slow down"}',), status=429, headers={"retry-after": "99"})
    )

    assert not error.worked_on


async def test_too_many_requests_tell_how_long_to_wait(kind):
    error = await error_of(
        kind, Reply(('{"error": "slow down"}',), status=429, headers={"retry-after": "70"})
    )

    assert isinstance(error, BackendUnavailable)
    assert error.retry_after_seconds == 70  # longer than anybody waits, so it is told at once


async def test_a_rate_limit_is_told_from_a_server_that_is_down(kind):
    busy = await error_of(kind, Reply(('{"error": "slow down"}',), status=529, headers={"retry-after": "90"}))
    crashed = await error_of(kind, Reply(('{"error": "the model has crashed"}',), status=500))

    assert isinstance(busy, BackendBusy)
    assert not isinstance(crashed, BackendBusy)


async def test_a_server_without_room_is_asked_again_when_it_said(kind):
    left = [Reply(('{"error": "slow down"}',), status=429, headers={"retry-after-ms": "5"})]

    def answer(seen: Seen) -> Reply:
        return left.pop() if left and seen.method == "POST" else STUBS[kind]()(seen)

    async with stubbed(kind, answer) as (backend, _):
        completion = await backend.complete(request_for("hello"))

    assert completion.text == apis.DEFAULT
    assert left == []


async def test_a_server_that_is_down_is_not_asked_at_every_call(kind, free_port):
    async with connected(BackendConfig("down", kind, url=f"http://127.0.0.1:{free_port}"), {}) as backend:
        with pytest.raises(NoConnection):
            await backend.list_models()
        with pytest.raises(CircuitOpen, match="It is asked again in"):
            await backend.list_models()


async def test_all_processes_of_a_machine_share_a_servers_slots(kind, tmp_path):
    release, waits = anyio.Event(), anyio.Event()

    def answer(seen: Seen) -> Reply:
        held = release if seen.method == "POST" else None
        return replace(STUBS[kind]()(seen), held=held)

    async def tell(message: str) -> None:
        waits.set()

    async with running(answer) as stub:
        config = BackendConfig("lab", kind, url=stub.url, max_concurrent=1)
        first, second = connect(config, {}, tmp_path), connect(config, {}, tmp_path)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(first.complete, request_for("hello"))
                group.start_soon(second.complete, request_for("hello"), tell)
                await waits.wait()
                asked_while_full = sum(seen.method == "POST" for seen in stub.seen)
                release.set()
        await first.aclose()
        await second.aclose()

    assert asked_while_full == 1
    assert sum(seen.method == "POST" for seen in stub.seen) == 2


async def test_a_cancelled_call_gives_its_slot_to_another_process(kind, tmp_path):
    hung = replace(beginning(kind), ending="silence")

    def answer(seen: Seen) -> Reply:
        return hung if "HANG" in seen.body else STUBS[kind]()(seen)

    async with running(answer) as stub:
        config = BackendConfig("lab", kind, url=stub.url, max_concurrent=1)
        first, second = connect(config, {}, tmp_path), connect(config, {}, tmp_path)
        async with anyio.create_task_group() as group:
            async for _ in first.stream(request_for("HANG")):
                group.cancel_scope.cancel()
        with anyio.fail_after(10):
            completion = await second.complete(request_for("hello"))
            await stub.client_left.wait()
        await first.aclose()
        await second.aclose()

    assert completion.text == apis.DEFAULT


async def test_a_prompt_that_does_not_fit_is_told_from_other_refusals(kind):
    error = await error_of(kind, Reply((json.dumps(OVERFLOWS[kind]),), status=400))

    assert isinstance(error, ContextTooLong)
    assert not error.retryable


async def test_a_missing_model_stays_one_when_the_server_cannot_list_the_others(kind):
    error = await error_of(kind, Reply(('{"error": "model \'tiny\' not found"}',), status=404))

    assert isinstance(error, ModelNotFound)
    assert "It serves" not in str(error)


async def test_a_bad_key_names_the_variable_and_never_the_key(kind):
    error = await error_of(kind, Reply(('{"error": "key sk-very-secret is wrong"}',), status=401))

    assert isinstance(error, RequestRefused)
    assert "'KEY'" in str(error)


async def test_a_redirect_is_not_followed(kind):
    error = await error_of(kind, Reply(status=307, headers={"location": "http://127.0.0.1:9/elsewhere"}))

    assert isinstance(error, RequestRefused)
    assert "url" in str(error)


@pytest.mark.parametrize("chunks", [0, 8], ids=["before the first word", "in the middle"])
async def test_silence_is_a_timeout_and_ends_the_request(kind, chunks):
    silent = replace(beginning(kind, chunks), ending="silence")
    async with stubbed(kind, lambda _: silent, TINY) as (backend, stub):
        with pytest.raises(BackendTimeout, match="silent"):
            await backend.complete(request_for("hello"))

        with anyio.fail_after(5):
            await stub.client_left.wait()


async def test_cancelling_closes_the_request(kind):
    slow = replace(beginning(kind), ending="silence")
    async with stubbed(kind, lambda _: slow) as (backend, stub):
        async with anyio.create_task_group() as group:
            async for _ in backend.stream(request_for("hello")):
                group.cancel_scope.cancel()

        with anyio.fail_after(5):
            await stub.client_left.wait()


async def test_a_stream_that_is_closed_early_closes_the_request(kind):
    slow = replace(beginning(kind), ending="silence")
    async with stubbed(kind, lambda _: slow) as (backend, stub):
        stream = backend.stream(request_for("hello"))
        await anext(stream)

        await stream.aclose()

        with anyio.fail_after(5):
            await stub.client_left.wait()


async def test_a_listing_that_never_comes_is_a_timeout(kind):
    async with stubbed(kind, lambda _: Reply(ending="silence"), TINY) as (backend, _):
        with pytest.raises(BackendTimeout):
            await backend.list_models()
        health = await backend.health()

    assert not health.reachable


async def test_an_answer_that_does_not_fit_the_schema_is_malformed_with_the_place(kind):
    rules = (("VERDICT_JSON", '{"approved": "yes", "confidence": 1, "reason": ""}'),)
    async with stubbed(kind, STUBS[kind](rules)) as (backend, _):
        with pytest.raises(MalformedReply, match=r"\$\.approved"):
            await backend.complete(request_for("VERDICT_JSON", schema=VERDICT))
