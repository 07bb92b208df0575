import json

import pytest

from backends.anthropic import AnthropicBackend, grammar_schema, message_body
from backends.backend import Message, ModelInfo, Request, Sampling, TokenLogprob, Usage
from backends.config import BackendConfig, Timeouts
from backends.errors import BackendTimeout, MalformedReply, ModelNotFound, RequestRefused
from backends.lmstudio import LMStudioBackend
from backends.ollama import OllamaBackend
from backends.openai import OpenAIBackend, chat_body, dialect_of
from tests.servers import apis
from tests.servers.stub import Answer, running

SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}}
SAMPLING = Sampling(temperature=0.2, top_p=0.9, top_k=20, seed=7)
REQUEST = Request(
    apis.MODEL,
    (Message("system", "Be short."), Message("user", "hello")),
    max_tokens=99,
    sampling=SAMPLING,
    schema=SCHEMA,
    context_tokens=16384,
)


async def ask(kind, answering, request=REQUEST, path=""):
    """Ask a stub once; return the completion and the stub."""
    async with running(answering) as stub:
        backend = kind(BackendConfig("stub", "", url=stub.url + path), "sk-key")
        try:
            return await backend.complete(request), stub
        finally:
            await backend.aclose()


async def listed(kind, answering, path=""):
    async with running(answering) as stub:
        backend = kind(BackendConfig("stub", "", url=stub.url + path), "")
        try:
            return await backend.list_models(), await backend.health()
        finally:
            await backend.aclose()


JSON_RULES = (("hello", '{"ok": true}'),)


async def test_openai_servers_get_all_sampling_and_the_schema():
    _, stub = await ask(OpenAIBackend, apis.openai(JSON_RULES))

    (seen,) = stub.seen
    assert seen.path == "/v1/chat/completions"
    assert seen.headers["authorization"] == "Bearer sk-key"
    assert seen.json == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "hello"}],
        "max_tokens": 99,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.2,
        "top_p": 0.9,
        "top_k": 20,
        "seed": 7,
        "response_format": {"type": "json_schema", "json_schema": {"name": "reply", "schema": SCHEMA}},
    }


@pytest.mark.parametrize(
    ("url", "present", "absent"),
    [
        ("https://api.openai.com/v1", {"max_completion_tokens", "seed"}, {"max_tokens", "top_k"}),
        ("https://generativelanguage.googleapis.com/v1beta/openai", {"max_tokens"}, {"top_k", "seed"}),
        ("http://127.0.0.1:8080", {"max_tokens", "top_k", "seed"}, {"max_completion_tokens"}),
    ],
)
def test_each_cloud_gets_only_what_it_takes(url, present, absent):
    body = chat_body(REQUEST, dialect_of(url))

    assert present <= body.keys()
    assert not absent & body.keys()


async def test_an_address_with_a_path_is_taken_as_it_is():
    _, stub = await ask(OpenAIBackend, apis.openai(JSON_RULES), path="/v1beta/openai/")

    assert stub.seen[0].path == "/v1beta/openai/chat/completions"


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_reasoning_is_read_under_both_of_its_names(field):
    chunks = [
        {"choices": [{"delta": {field: "hm"}}]},
        {"choices": [{"delta": {"content": '{"ok": true}'}, "finish_reason": "stop"}]},
    ]
    events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]

    completion, _ = await ask(OpenAIBackend, lambda _: apis.sse(": ping\n\n", *events, "data: [DONE]\n\n"))

    assert completion.reasoning == "hm"
    assert completion.model == "tiny"


SURE = Request(apis.MODEL, (Message("user", "hello"),), logprobs=True)
TOKENS = [
    {"token": "a", "logprob": -0.1, "top_logprobs": [{"token": "a", "logprob": -0.1}, {"token": "b"}]},
    {"token": "b", "logprob": None},
]
READ = (TokenLogprob("a", -0.1, (("a", -0.1), ("b", -9999.0))), TokenLogprob("b", -9999.0))


async def test_openai_servers_tell_how_probable_the_tokens_were():
    choice = {"delta": {"content": "ab"}, "finish_reason": "stop", "logprobs": {"content": TOKENS}}
    events = (f"data: {json.dumps({'choices': [choice]})}\n\n", "data: [DONE]\n\n")

    completion, stub = await ask(OpenAIBackend, lambda _: apis.sse(*events), SURE)

    assert completion.logprobs == READ
    assert (stub.seen[0].json["logprobs"], stub.seen[0].json["top_logprobs"]) == (True, 5)


async def test_ollama_tells_how_probable_the_tokens_were():
    line = {"model": "tiny", "message": {"content": "ab"}, "done": True, "logprobs": TOKENS}

    completion, stub = await ask(OllamaBackend, lambda _: Answer((json.dumps(line),)), SURE)

    assert completion.logprobs == READ
    assert (stub.seen[0].json["logprobs"], stub.seen[0].json["top_logprobs"]) == (True, 5)


async def test_a_server_that_answers_null_tells_nothing():
    choice = {"delta": {"content": "ab"}, "finish_reason": "stop", "logprobs": None}
    events = (f"data: {json.dumps({'choices': [choice]})}\n\n", "data: [DONE]\n\n")

    completion, _ = await ask(OpenAIBackend, lambda _: apis.sse(*events), SURE)

    assert completion.logprobs == ()


def strict(*unknown, status=422):
    """Refuse a body with fields that the server does not know, naming the first."""

    def answer(seen):
        present = [field for field in unknown if field in seen.json]
        if present:
            return Answer((json.dumps({"error": {"message": f"Unexpected field: '{present[0]}'"}}),), status)
        return apis.openai()(seen)

    return answer


async def test_what_a_server_refuses_to_be_told_is_left_out_from_then_on():
    request = Request(apis.MODEL, SURE.messages, sampling=SAMPLING, logprobs=True)
    async with running(strict("logprobs", "top_k")) as stub:
        backend = OpenAIBackend(BackendConfig("strict", "", url=stub.url), "")
        first = await backend.complete(request)
        second = await backend.complete(request)
        await backend.aclose()

    assert first.text == second.text == apis.DEFAULT
    assert first.logprobs == ()
    assert len(stub.seen) == 4
    assert not {"logprobs", "top_logprobs", "top_k"} & stub.seen[-1].json.keys()
    assert {"temperature", "top_p", "seed"} <= stub.seen[-1].json.keys()


async def test_what_an_answer_cannot_do_without_is_never_left_out():
    async with running(strict("messages", status=400)) as stub:
        backend = OpenAIBackend(BackendConfig("strict", "", url=stub.url), "")
        with pytest.raises(RequestRefused):
            await backend.complete(SURE)
        await backend.aclose()

    assert len(stub.seen) == 1


async def test_a_refusal_after_the_first_word_is_not_answered_by_asking_again():
    chunk = {"choices": [{"delta": {"content": "half"}}]}
    events = [f"data: {json.dumps(one)}\n\n" for one in (chunk, {"error": "invalid_request: logprobs"})]
    async with running(lambda _: apis.sse(*events)) as stub:
        backend = OpenAIBackend(BackendConfig("strict", "", url=stub.url), "")
        with pytest.raises(RequestRefused):
            await backend.complete(SURE)
        await backend.aclose()

    assert len(stub.seen) == 1


async def test_a_stream_without_usage_counts_nothing_and_suspects_nothing():
    choice = {"delta": {"content": "done"}, "finish_reason": "stop"}
    events = (f"data: {json.dumps({'choices': [choice]})}\n\n", "data: [DONE]\n\n")
    request = Request(apis.MODEL, (Message("user", "hello " * 1000),))

    completion, _ = await ask(OpenAIBackend, lambda _: apis.sse(*events), request)

    assert completion.usage == Usage()
    assert completion.warnings == ()


async def test_a_prompt_of_which_half_was_dropped_with_status_200_is_suspected():
    line = {"model": "tiny", "message": {"content": "done"}, "done": True, "prompt_eval_count": 100}
    request = Request(apis.MODEL, (Message("user", "hello " * 1000),))

    completion, _ = await ask(OllamaBackend, lambda _: Answer((json.dumps(line),)), request)

    assert completion.warnings == ("the prompt may have been cut: the server read only 100 tokens",)


async def test_a_model_that_thought_until_its_tokens_were_used_up_was_cut_off():
    chunk = {"choices": [{"delta": {"reasoning_content": "hm " * 20}, "finish_reason": "length"}]}

    completion, _ = await ask(
        OpenAIBackend, lambda _: apis.sse(f"data: {json.dumps(chunk)}\n\n", "data: [DONE]\n\n"), SURE
    )

    assert (completion.text, completion.finish) == ("", "length")


async def test_json_that_landed_in_the_reasoning_is_found_there():
    choice = {"delta": {"content": None, "reasoning_content": '{"ok": true}'}, "finish_reason": "stop"}
    events = (f"data: {json.dumps({'choices': [choice]})}\n\n", "data: [DONE]\n\n")

    completion, _ = await ask(OpenAIBackend, lambda _: apis.sse(*events))

    assert completion.text == '{"ok": true}'
    assert completion.warnings == ("the answer stood in the reasoning",)


@pytest.mark.parametrize("status", [200, 400, 404])
async def test_lm_studio_without_a_loaded_model_has_none(status):
    reply = {"error": {"message": "No models loaded. Please load a model in the developer page."}}

    with pytest.raises(ModelNotFound):
        await ask(LMStudioBackend, lambda _: Answer((json.dumps(reply),), status))


async def test_lm_studio_is_told_which_model_to_load_with_which_context_and_what_to_unload():
    reply = {"type": "llm", "instance_id": "tiny:2", "load_time_seconds": 9.1, "status": "loaded"}
    async with running(lambda _: Answer((json.dumps(reply),))) as stub:
        backend = LMStudioBackend(BackendConfig("stub", "", url=stub.url + "/v1"), "")
        instance = await backend.load("tiny", 16384)
        await backend.unload(instance)
        await backend.aclose()

    load, unload = stub.seen
    assert (load.path, load.json) == ("/api/v1/models/load", {"model": "tiny", "context_length": 16384})
    assert (unload.path, unload.json) == ("/api/v1/models/unload", {"instance_id": "tiny:2"})


async def test_a_model_that_does_not_get_loaded_in_time_is_a_timeout():
    async with running(lambda _: Answer(ending="silence")) as stub:
        timeouts = Timeouts(first_token_seconds=0.2)
        backend = LMStudioBackend(BackendConfig("stub", "", url=stub.url, timeouts=timeouts), "")
        with pytest.raises(BackendTimeout, match="no reply to POST /api/v1/models/load in 0.2 s"):
            await backend.load("tiny", None)
        await backend.aclose()


async def test_a_refusal_by_openai_is_a_refusal():
    chunk = {"choices": [{"delta": {"refusal": "I cannot"}, "finish_reason": "stop"}]}

    with pytest.raises(RequestRefused):
        await ask(OpenAIBackend, lambda _: apis.sse(f"data: {json.dumps(chunk)}\n\n", "data: [DONE]"))


async def test_cached_tokens_are_counted():
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    chunk = {"choices": [{"delta": {"content": '{"ok": true}'}, "finish_reason": "stop"}], "usage": usage}

    completion, _ = await ask(
        OpenAIBackend, lambda _: apis.sse(f"data: {json.dumps(chunk)}\n\n", "data: [DONE]")
    )

    assert completion.usage == Usage(10, 2, 4)


async def test_a_whole_reply_where_a_stream_was_asked_is_malformed():
    reply = {"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]}

    with pytest.raises(MalformedReply):
        await ask(OpenAIBackend, lambda _: Answer((json.dumps(reply),)))


@pytest.mark.parametrize(
    ("generation", "model"),
    [
        (1, ModelInfo("tiny", loaded=True, context_tokens=8192, quantization="Q4_K_M", size_bytes=4_000_000)),
        (0, ModelInfo("tiny", loaded=True, context_tokens=8192, quantization="Q4_K_M")),
        (-1, ModelInfo("tiny")),
    ],
)
async def test_lm_studio_tells_what_its_version_knows_of_language_models(generation, model):
    models, health = await listed(LMStudioBackend, apis.lmstudio(generation=generation), path="/v1")

    assert models == (model,)
    assert health.detail.startswith("LM Studio answers with 1 models")


async def test_ollama_gets_the_same_context_every_time_and_may_not_cut_the_prompt():
    _, stub = await ask(OllamaBackend, apis.ollama(JSON_RULES), path="/v1")

    (seen,) = stub.seen
    assert seen.path == "/api/chat"
    assert seen.json["options"] == {
        "num_ctx": 16384,
        "num_predict": 99,
        "temperature": 0.2,
        "top_p": 0.9,
        "top_k": 20,
        "seed": 7,
    }
    assert (seen.json["truncate"], seen.json["shift"], seen.json["format"]) == (False, False, SCHEMA)


async def test_ollama_tells_the_context_of_loaded_models():
    models, health = await listed(OllamaBackend, apis.ollama())

    assert models[0] == ModelInfo("tiny", True, 8192, "Q4_K_M", 4_000_000)
    assert models[1] == ModelInfo("cold:7b", False, None, "Q4_K_M", 4_000_000)
    assert health.detail == "Ollama 0.20.1 answers."


async def test_ollama_that_only_loaded_the_model_has_not_answered():
    line = {"model": "tiny", "message": {"content": ""}, "done": True, "done_reason": "load"}

    with pytest.raises(MalformedReply):
        await ask(
            OllamaBackend, lambda _: Answer((json.dumps(line) + "\n\n",), content_type="application/x-ndjson")
        )


def test_claude_gets_the_system_prompt_apart_and_one_way_of_sampling():
    body = message_body(REQUEST)

    assert body["system"] == "Be short."
    assert body["messages"] == [{"role": "user", "content": "hello"}]
    assert body["temperature"] == 0.2
    assert not {"top_p", "top_k", "seed"} & body.keys()


def test_claude_gets_nothing_that_was_not_asked_for():
    body = message_body(Request("m", (Message("user", "hello"),), sampling=Sampling(top_p=0.5)))

    assert body.keys() == {"model", "max_tokens", "messages", "stream", "top_p"}


def test_a_schema_for_claude_is_closed_and_has_no_limits():
    item = {"type": "object", "properties": {"minimum": {"type": "integer", "minimum": 3}}}
    schema = {
        "type": "object",
        "properties": {"items": {"type": "array", "minItems": 1, "items": item}},
        "anyOf": [item],
    }

    closed = {
        "type": "object",
        "properties": {"minimum": {"type": "integer"}},
        "additionalProperties": False,
    }
    assert grammar_schema(schema) == {
        "type": "object",
        "properties": {"items": {"type": "array", "items": closed}},
        "anyOf": [closed],
        "additionalProperties": False,
    }


def claude_says(*, stop_reason, text="half an answer"):
    return apis.anthropic_events(
        {"type": "message_start", "message": {"model": "tiny", "usage": {"input_tokens": 3}}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}},
        {"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    )


PLAIN = Request(apis.MODEL, (Message("user", "hello"),))


@pytest.mark.parametrize(
    ("stop_reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
async def test_every_way_in_which_claude_stops_is_understood(stop_reason, finish):
    completion, _ = await ask(AnthropicBackend, lambda _: claude_says(stop_reason=stop_reason), PLAIN)

    assert completion.finish == finish
    assert bool(completion.warnings) is (stop_reason == "model_context_window_exceeded")


async def test_a_paused_turn_is_not_a_whole_answer():
    with pytest.raises(MalformedReply, match="cut off"):
        await ask(AnthropicBackend, lambda _: claude_says(stop_reason="pause_turn"), PLAIN)


async def test_claudes_cached_tokens_are_part_of_what_was_read():
    completion, stub = await ask(AnthropicBackend, apis.anthropic(), PLAIN)

    assert completion.usage.tokens_in == completion.usage.tokens_cached + 1
    assert stub.seen[0].headers["x-api-key"] == "sk-key"
    assert stub.seen[0].headers["anthropic-version"] == "2023-06-01"
