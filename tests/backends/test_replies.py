import json
from datetime import UTC, datetime

import pytest

from backends.errors import (
    BackendBusy,
    BackendTimeout,
    ContextTooLong,
    MalformedReply,
    ModelLoading,
    ModelNotFound,
    RequestRefused,
    ServerFailed,
)
from backends.replies import Asked, Reply, error_from_status, read

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
ASKED = Asked("lab", "http://127.0.0.1:1", model="m", api_key_env="LAB_KEY")


def error(status, body="", headers=None, asked=ASKED):
    text = body if isinstance(body, str) else json.dumps(body)
    return error_from_status(status, headers or {}, text, asked, NOW)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, RequestRefused),
        (400, RequestRefused),
        (401, RequestRefused),
        (402, RequestRefused),
        (403, RequestRefused),
        (404, RequestRefused),
        (408, BackendTimeout),
        (413, ContextTooLong),
        (422, RequestRefused),
        (429, BackendBusy),
        (500, ServerFailed),
        (502, ServerFailed),
        (503, BackendBusy),
        (504, BackendTimeout),
        (529, BackendBusy),
    ],
)
def test_a_status_alone_decides_the_error(status, kind):
    assert type(error(status)) is kind


@pytest.mark.parametrize(("status", "worked_on"), [(500, True), (502, True), (504, True), (503, False)])
def test_what_a_server_took_and_failed_at_may_have_been_charged(status, worked_on):
    assert error(status).worked_on is worked_on


@pytest.mark.parametrize(
    "said",
    [
        "request (3008 tokens) exceeds the available context size (1024 tokens), try increasing it",
        "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens",
        "'max_tokens' is too large: 9000. This model's maximum context length is 4096 tokens",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 188000 + 21333 > 200000, decrease input length",
        "the input length exceeds the context length",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "The number of tokens to keep is greater than the context length (n_keep: 5 >= n_ctx: 4)",
        "Trying to keep the first 5 tokens when context the overflows.",
        "Your input exceeds the context window of this model.",
        {"error": {"code": "context_length_exceeded", "message": "Please reduce the length"}},
        {"error": {"type": "exceed_context_size_error", "n_ctx": 1024, "message": "too big"}},
    ],
)
def test_every_known_wording_of_an_overflow_is_understood(said):
    assert type(error(400, said)) is ContextTooLong


@pytest.mark.parametrize(
    "said",
    [
        "model 'qwen3:8b' not found",
        "The model `gpt-9` does not exist or you do not have access to it.",
        "models/gemini-9 is not found for API version v1main",
        "No models loaded. Please load a model in the developer page.",
        {"type": "error", "error": {"type": "not_found_error", "message": "model: claude-9"}},
        {"error": {"code": "model_not_found", "message": "?"}},
    ],
)
def test_every_known_wording_of_a_missing_model_is_understood(said):
    assert type(error(404, said)) is ModelNotFound


def test_a_missing_page_is_a_wrong_address_when_no_model_was_asked():
    refusal = error(404, "404 page not found", asked=Asked("lab", "http://127.0.0.1:1"))

    assert type(refusal) is RequestRefused
    assert "Correct `url` in [backends.lab]" in str(refusal)


def test_a_used_up_quota_is_no_reason_to_wait():
    refusal = error(
        429, {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}
    )

    assert type(refusal) is RequestRefused
    assert "Add credit" in str(refusal)


def test_a_refused_key_without_a_variable_says_which_entry_is_missing():
    refusal = error(401, asked=Asked("lab", "http://127.0.0.1:1"))

    assert "`api_key_env` in [backends.lab]" in str(refusal)


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
        ({"retry-after": "9"}, "", 9),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT"}, "", 30),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 -0000"}, "", 30),
        ({"retry-after": "Fri, 20 Nov 2026 11:00:00 GMT"}, "", 0),
        ({"retry-after": "soon"}, "", None),
        ({}, '{"details": [{"retryDelay": "17s"}]}', 17),
        ({}, "", None),
    ],
)
def test_the_time_to_wait_is_read_in_every_form(headers, body, seconds):
    assert error(429, body, headers).retry_after_seconds == seconds


@pytest.mark.parametrize(
    "body",
    [
        {"error": "too hot"},
        {"error": {"message": "too hot"}},
        {"message": "too hot"},
        {"detail": "too hot"},
        "too hot",
        [{"error": {"message": "too hot"}}],
    ],
)
def test_the_servers_own_words_are_quoted(body):
    assert "too hot" in str(error(400, body))


def test_long_words_are_cut():
    assert len(str(error(400, "x" * 10_000))) < 700


@pytest.mark.parametrize(
    ("inside", "kind"),
    [
        ("something odd", MalformedReply),
        ("server busy, please try again", BackendBusy),
        ({"type": "authentication_error", "message": "?"}, RequestRefused),
        ({"code": 503, "message": "Loading model"}, ModelLoading),
        ({"code": "x", "message": "maximum context length is 8"}, ContextTooLong),
    ],
)
def test_an_error_key_is_judged_by_its_words(inside, kind):
    with pytest.raises(kind):
        read(json.dumps({"error": inside}), Reply, ASKED)


@pytest.mark.parametrize("text", ["", "nonsense", "[1]", '{"error": 5}', "[" * 100_000])
def test_what_is_not_the_promised_json_is_malformed(text):
    with pytest.raises(MalformedReply, match="not what the API promises"):
        read(text, Reply, ASKED)
