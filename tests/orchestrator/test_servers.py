import json
from dataclasses import replace

import anyio
import pytest

from backends.backend import Completion, Message, Request, TokenLogprob, Usage
from backends.capabilities import Capabilities
from backends.errors import (
    BackendBusy,
    BackendTimeout,
    BackendUnavailable,
    ConnectionLost,
    ContextTooLong,
    MalformedReply,
    ModelNotFound,
    NoConnection,
    RequestRefused,
    ServerFailed,
)
from orchestrator.adapters import read_json, write_json
from orchestrator.fallback import falls_back, passes_on, patterns_of
from orchestrator.policy import BackendPolicy, Policy, TaskTypePolicy, TierPolicy
from orchestrator.route import Missing, Served
from orchestrator.servers import Servers
from tests.servers import apis
from tests.servers.stub import Answer, Seen, running

HELLO = Request(apis.MODEL, (Message("user", "hello"),))


def policy_of(tier: TierPolicy, **backends: BackendPolicy) -> Policy:
    kind = TaskTypePolicy(complexity=[0.0, 10.0], route=["local"], validators=["syntax"])
    return Policy(backends=backends, tiers={"local": tier}, task_types={"quick_edit": kind})


def tier_at(*backends: str, **more) -> TierPolicy:
    return TierPolicy(rank=-1, backend=list(backends), **{"model": "tiny*", **more})


def openai_at(url: str, **more) -> BackendPolicy:
    return BackendPolicy(kind="openai", url=url, **more)


async def find(servers: Servers) -> Served | Missing:
    return (await servers.survey(["local"], "code"))["local"]


async def test_a_backend_that_dies_after_the_survey_is_a_fallback_and_said_so(tmp_path):
    told = []

    async def tell(message: str) -> None:
        told.append(message)

    async with running(apis.ollama(model="tiny:1b")) as second:
        async with running(apis.openai()) as first:
            servers = Servers(
                policy_of(
                    tier_at("one", "two"),
                    one=openai_at(first.url),
                    two=BackendPolicy(kind="ollama", url=second.url),
                ),
                {},
                tmp_path,
            )
            served = await find(servers)
            before = await servers.complete(served, HELLO)
        completion = await servers.complete(served, HELLO, tell)
        await servers.aclose()

    assert served.backend == "one"
    assert before.warnings == ()
    assert completion.text == apis.DEFAULT
    assert completion.model == "tiny:1b"
    assert completion.warnings[-1].startswith(
        "another backend answered, because 'one' could not be asked: Backend 'one' at"
    )
    assert told[0] == "one cannot be asked, asking two for tiny:1b"


async def test_a_dead_backend_is_not_asked_again_at_every_call(free_port):
    async with running(apis.openai()) as second:
        servers = Servers(
            policy_of(
                tier_at("one", "two"),
                one=openai_at(f"http://127.0.0.1:{free_port}"),
                two=openai_at(second.url),
            ),
            {},
        )
        first = await servers.complete(Served("local", "one", "tiny", 8192, 4096, paid=False), HELLO)
        again = await servers.complete(Served("local", "one", "tiny", 8192, 4096, paid=False), HELLO)
        survey = await find(servers)
        await servers.aclose()

    assert "It is asked again in" not in first.warnings[-1]
    assert "It is asked again in" in again.warnings[-1]
    assert survey.backend == "two"


async def test_a_model_that_was_unloaded_is_asked_for_elsewhere():
    missing = Answer(('{"error": {"message": "No models loaded"}}',), 404)
    async with running(lambda _: missing) as first, running(apis.openai()) as second:
        servers = Servers(
            policy_of(tier_at("one", "two"), one=openai_at(first.url), two=openai_at(second.url)), {}
        )
        completion = await servers.complete(Served("local", "one", "tiny", 8192, 4096, paid=False), HELLO)
        await servers.aclose()

    assert completion.text == apis.DEFAULT


async def test_the_first_trouble_is_told_when_nobody_can_be_asked(free_port):
    servers = Servers(
        policy_of(
            tier_at("one", "two", "three"),
            one=openai_at(f"http://127.0.0.1:{free_port}"),
            two=openai_at(f"http://127.0.0.1:{free_port}"),
            three=openai_at("https://api.example", api_key_env="UNSET"),
        ),
        {},
    )

    with pytest.raises(NoConnection, match="'one'"):
        await servers.complete(Served("local", "one", "tiny", 8192, 4096, paid=False), HELLO)

    await servers.aclose()


async def test_a_server_whose_model_has_too_little_room_is_passed_over():
    crowded = Request(apis.MODEL, (Message("user", "hello " * 6000),))
    dead = Answer(('{"error": "the model has crashed"}',), 500)
    async with running(lambda _: dead) as first, running(apis.openai()) as second:
        servers = Servers(
            policy_of(tier_at("one", "two"), one=openai_at(first.url), two=openai_at(second.url)), {}
        )
        with pytest.raises(BackendUnavailable, match="crashed"):
            await servers.complete(Served("local", "one", "tiny", 8192, 4096, paid=False), crowded)
        await servers.aclose()

    assert [seen.method for seen in second.seen] == ["GET"]


async def test_what_is_wrong_with_the_answer_is_no_reason_to_ask_elsewhere():
    empty = apis.sse("data: [DONE]\n\n")
    async with running(lambda _: empty) as first, running(apis.openai()) as second:
        servers = Servers(
            policy_of(tier_at("one", "two"), one=openai_at(first.url), two=openai_at(second.url)), {}
        )
        with pytest.raises(MalformedReply):
            await servers.complete(Served("local", "one", "tiny", 8192, 4096, paid=False), HELLO)
        await servers.aclose()

    assert second.seen == []


async def test_a_paid_call_that_may_have_been_worked_on_is_not_paid_for_twice():
    whole = apis.openai()(_asked())
    cut = replace(whole, chunks=whole.chunks[:3], ending="cut")
    async with running(lambda _: cut) as first, running(apis.openai()) as second:
        tier = tier_at("one", "two", usd_per_mtok_in=1.0)
        servers = Servers(policy_of(tier, one=openai_at(first.url), two=openai_at(second.url)), {})
        with pytest.raises(ConnectionLost):
            await servers.complete(Served("local", "one", "tiny", 8192, 4096, paid=True), HELLO)
        await servers.aclose()

    assert second.seen == []


BROKEN_OFF = {"crashed": 500, "gateway": 502, "overloaded": 503}


def broken_off(code: int) -> Answer:
    """Begin an answer and end it with an error, all with status 200."""
    whole = apis.openai()(_asked())
    event = {"error": {"code": code, "message": "the provider disconnected"}}
    return replace(whole, chunks=(*whole.chunks[:3], f"data: {json.dumps(event)}\n\n"))


@pytest.mark.parametrize("code", BROKEN_OFF.values(), ids=list(BROKEN_OFF))
async def test_a_paid_answer_that_an_error_broke_off_is_bought_nowhere_else(code):
    async with running(lambda _: broken_off(code)) as first, running(apis.openai()) as second:
        tier = tier_at("one", "two", usd_per_mtok_in=1.0)
        servers = Servers(policy_of(tier, one=openai_at(first.url), two=openai_at(second.url)), {})
        with pytest.raises(BackendUnavailable, match="the provider disconnected"):
            await servers.complete(Served("local", "one", "tiny", 8192, 4096, paid=True), HELLO)
        await servers.aclose()

    assert len(first.seen) == 1
    assert second.seen == []


async def test_a_paid_request_that_a_server_failed_at_is_bought_nowhere_else():
    failed = Answer(('{"error": "internal error"}',), 500)
    async with running(lambda _: failed) as first, running(apis.openai()) as second:
        tier = tier_at("one", "two", usd_per_mtok_in=1.0)
        servers = Servers(policy_of(tier, one=openai_at(first.url), two=openai_at(second.url)), {})
        with pytest.raises(ServerFailed):
            await servers.complete(Served("local", "one", "tiny", 8192, 4096, paid=True), HELLO)
        await servers.aclose()

    assert second.seen == []


@pytest.mark.parametrize("code", BROKEN_OFF.values(), ids=list(BROKEN_OFF))
async def test_a_free_answer_that_an_error_broke_off_is_asked_for_again(code):
    async with running(lambda _: broken_off(code)) as first, running(apis.openai()) as second:
        servers = Servers(
            policy_of(tier_at("one", "two"), one=openai_at(first.url), two=openai_at(second.url)), {}
        )
        completion = await servers.complete(Served("local", "one", "tiny", 8192, 4096, paid=False), HELLO)
        await servers.aclose()

    assert completion.text == apis.DEFAULT
    assert len(first.seen) <= 2


async def test_a_connection_that_breaks_once_is_no_failure_of_the_model():
    whole = apis.openai()(_asked())
    left = [replace(whole, chunks=whole.chunks[:3], ending="cut")]
    async with running(lambda _: left.pop() if left else whole) as stub:
        servers = Servers(policy_of(tier_at("one"), one=openai_at(stub.url)), {})
        completion = await servers.complete(Served("local", "one", "tiny", 8192, 4096, paid=False), HELLO)
        await servers.aclose()

    assert completion.model == apis.MODEL
    assert len(stub.seen) == 2


def _asked():
    body = {"model": "tiny", "messages": [], "max_tokens": 5}
    return Seen("POST", "/v1/chat/completions", {}, json.dumps(body))


async def test_a_cold_model_is_said_to_be_loaded_once(tmp_path):
    told = []

    async def tell(message: str) -> None:
        told.append(message)

    def answer(seen):
        if seen.path == "/api/ps":
            return Answer(('{"models": []}',))
        return apis.ollama()(seen)

    async with running(answer) as stub:
        servers = Servers(
            policy_of(tier_at("one"), one=BackendPolicy(kind="ollama", url=stub.url)), {}, tmp_path
        )
        served = await find(servers)
        await servers.complete(served, HELLO, tell)
        await servers.complete(served, HELLO, tell)
        await servers.aclose()

    assert told == ["one has to load tiny first, this can take tens of seconds"]


async def test_all_processes_share_the_limit_of_a_backend(tmp_path):
    release, waits = anyio.Event(), anyio.Event()
    whole = apis.openai()(_asked())

    async def tell(message: str) -> None:
        waits.set()

    async with running(lambda _: replace(whole, held=release)) as stub:
        policy = policy_of(tier_at("one"), one=openai_at(stub.url, max_concurrent=1))
        one, other = Servers(policy, {}, tmp_path), Servers(policy, {}, tmp_path)
        served = Served("local", "one", "tiny", 8192, 4096, paid=False)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(one.complete, served, HELLO)
                group.start_soon(other.complete, served, HELLO, tell)
                await waits.wait()
                asked_while_full = len(stub.seen)
                release.set()
        await one.aclose()
        await other.aclose()

    assert asked_while_full == 1
    assert len(stub.seen) == 2


async def test_the_estimate_of_a_prompt_is_corrected_by_what_the_server_counted():
    prompt = Request(apis.MODEL, (Message("user", "hello " * 1000),))

    def dense(seen):
        usage = {"prompt_tokens": 6000, "completion_tokens": 1}
        chunk = {"choices": [{"delta": {"content": "done"}, "finish_reason": "stop"}], "usage": usage}
        return apis.sse(f"data: {json.dumps(chunk)}\n\n", "data: [DONE]\n\n")

    async with running(dense) as stub:
        servers = Servers(policy_of(tier_at("one"), one=openai_at(stub.url)), {})
        served = Served("local", "one", "tiny", 8192, 4096, paid=False)
        before = servers.estimate(served, prompt.messages)
        await servers.complete(served, prompt)
        after = servers.estimate(served, prompt.messages)
        await servers.aclose()

    assert before < 2000
    assert after >= 6000


async def test_what_a_server_can_do_is_found_out_once_for_all_processes(tmp_path):
    rules = (("hello", '{"number": 3}'),)
    async with running(apis.openai(rules)) as stub:
        policy = policy_of(tier_at("one"), one=openai_at(stub.url))
        served = Served("local", "one", "tiny", 8192, 4096, paid=False)
        one, other = Servers(policy, {}, tmp_path), Servers(policy, {}, tmp_path)
        first, again = await one.capabilities(served), await one.capabilities(served)
        questions = sum(seen.method == "POST" for seen in stub.seen)
        elsewhere = await other.capabilities(served)
        await one.aclose()
        await other.aclose()

    assert first == again == elsewhere == Capabilities(schema=True, logprobs=False, context_tokens=8192)
    assert questions == sum(seen.method == "POST" for seen in stub.seen) == 1


def test_log_probabilities_survive_the_ledger():
    tokens = (TokenLogprob("yes", -0.1, (("yes", -0.1), ("no", -9999.0))),)
    completion = Completion("yes", "tiny", "stop", Usage(5, 1), logprobs=tokens)

    assert read_json(Completion, write_json(completion)) == completion


async def test_nobody_is_paid_for_saying_what_he_can():
    servers = Servers(policy_of(tier_at("one"), one=openai_at("http://nowhere.invalid")), {})

    found = await servers.capabilities(Served("local", "one", "tiny", 8192, 4096, paid=True))

    assert found == Capabilities()


@pytest.mark.parametrize("kind", [BackendUnavailable, NoConnection, BackendBusy, ModelNotFound])
def test_a_server_that_cannot_be_asked_is_a_reason_for_fallback_even_where_money_is_paid(kind):
    assert falls_back(kind("down", backend="one"), paid=False)
    assert falls_back(kind("down", backend="one"), paid=True)


@pytest.mark.parametrize("kind", [ConnectionLost, BackendTimeout, ServerFailed])
def test_a_request_that_may_have_been_worked_on_is_one_only_where_it_is_free(kind):
    assert falls_back(kind("lost", backend="one"), paid=False)
    assert not falls_back(kind("lost", backend="one"), paid=True)


@pytest.mark.parametrize("kind", [ContextTooLong, MalformedReply, RequestRefused])
def test_what_another_server_would_say_as_well_is_none(kind):
    assert not falls_back(kind("no", backend="one"), paid=False)


@pytest.mark.parametrize("kind", [BackendBusy, ModelNotFound, RequestRefused])
def test_an_answer_that_may_be_paid_for_is_bought_from_no_third_backend(kind):
    error = kind("it broke off", backend="two")
    assert passes_on(error, paid=True)

    error.worked_on = True

    assert passes_on(error, paid=False)
    assert not passes_on(error, paid=True)


@pytest.mark.parametrize(
    ("models", "answered", "patterns"),
    [
        ([], "tiny:1b", ("tiny*",)),
        (["qwen*", "gemma*"], "gemma-4", ("gemma*",)),
        ({"code": "coder*", "general": "tiny*"}, "coder-7b", ("coder*",)),
        (["qwen*", "gemma*"], "renamed", ("qwen*", "gemma*", "tiny*")),
    ],
)
def test_a_tier_shared_by_models_stays_with_the_one_that_was_chosen(models, answered, patterns):
    assert patterns_of(tier_at("one", models=models), answered) == patterns
