import json
from dataclasses import replace

import pytest

from backends.backend import Completion, Message, Request, Usage
from backends.errors import BackendError, ContextTooLong
from orchestrator.asking import Asking, Purse, billed_usage, price_at_worst
from orchestrator.audit import verify
from orchestrator.cache import Cache
from orchestrator.ledger import Ledger
from orchestrator.policy_parse import parse_policy
from orchestrator.records import Opening, Records
from orchestrator.rlm.errors import Spent
from orchestrator.route import Served
from orchestrator.servers import Servers
from orchestrator.steps import Steps
from tests.servers import apis
from tests.servers.stub import Answer, running

DEAR = Served("dear", "paid", "dear", 8192, 1000, paid=True)
FREE = Served("free", "paid", "free", 8192, 1000, paid=False)
APPROVED = Purse(0.5, 1.0, approved=True, approved_by="person")
REQUEST = Request(model="dear", messages=(Message("user", "say something"),), max_tokens=1000)
POLICY = {
    "backends": {"paid": {"kind": "scripted"}},
    "tiers": {
        "free": {"rank": -1, "backend": "paid", "model": "free"},
        "dear": {
            "rank": 1,
            "backend": "paid",
            "model": "dear",
            "usd_per_mtok_in": 10.0,
            "usd_per_mtok_out": 100.0,
        },
    },
    "task_types": {"quick_edit": {"complexity": [0, 10], "route": ["dear"], "validators": ["syntax"]}},
}


@pytest.fixture
async def records(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    records = Records(ledger)
    await records.open_task(Opening("t1", "task", "do it", '{"task": "do it"}'), "me", 30)
    yield records
    await ledger.aclose()


@pytest.fixture
def ask_with(tmp_path, records):
    """Make the asking of a process that just began, with models that say `answers`."""

    def make(purse, *answers):
        script = tmp_path / "script.json"
        rules = {"rules": [["say", list(answers or ["forty characters are ten tokens of this!"])]]}
        script.write_text(json.dumps({"models": {"dear": rules, "free": rules}}))
        data = {**POLICY, "backends": {"paid": {"kind": "scripted", "path": str(script)}}}
        return make_asking(purse, parse_policy(data), records)

    return make


def make_asking(purse, policy, records):
    steps, cache = Steps(records, "t1"), Cache(records, policy.cache)
    return Asking("t1", purse, Servers(policy, {}), records, steps, cache)


async def money(records):
    query = "SELECT reserved_usd, settled_usd FROM money ORDER BY id"
    return await records.ledger.read(lambda db: db.execute(query).fetchall())


async def audited(records):
    query = "SELECT kind FROM audit WHERE kind <> 'cap' ORDER BY id"
    return await records.ledger.read(lambda db: [kind for (kind,) in db.execute(query)])


async def test_a_paid_call_is_reserved_at_its_worst_and_settled_at_its_price(ask_with, records):
    asking = ask_with(APPROVED)

    completion = await asking.ask("step", DEAR, REQUEST)

    ((reserved, settled),) = await money(records)
    assert reserved > 0.1
    assert settled == pytest.approx(asking.cost(DEAR, completion.usage))
    assert settled < 0.01
    assert await audited(records) == ["reserved", "settled"]
    assert await verify(records.ledger) is None


async def test_what_was_paid_for_is_never_asked_again(ask_with, records):
    first = await ask_with(APPROVED, "one", "two").ask("step", DEAR, REQUEST)

    again = await ask_with(APPROVED, "three").ask("step", DEAR, REQUEST)

    assert again == first
    assert len(await money(records)) == 1


async def test_a_free_call_touches_no_money(ask_with, records):
    await ask_with(Purse(0.0, 0.0, approved=False)).ask("step", FREE, Request("free", REQUEST.messages))

    assert await money(records) == []
    assert await audited(records) == []


async def test_nobody_is_asked_for_money_without_a_yes(ask_with, records):
    with pytest.raises(Spent, match="nobody has approved that"):
        await ask_with(Purse(0.5, 1.0, approved=False)).ask("step", DEAR, REQUEST)

    assert await money(records) == []
    assert await audited(records) == ["refused"]


@pytest.mark.parametrize(
    ("purse", "message"),
    [
        (Purse(0.05, 1.0, approved=True), "more than what is left of $0.05 for the task"),
        (Purse(1.0, 0.05, approved=True), "more than what is left of $0.05 for the day"),
        (
            Purse(1.0, 1.0, approved=True, task_type="critical", type_usd=0.05),
            "more than what is left of $0.05 for the critical tasks per day",
        ),
    ],
)
async def test_a_refusal_names_the_budget_that_has_no_room(ask_with, records, purse, message):
    with pytest.raises(Spent) as spent:
        await ask_with(purse).ask("step", DEAR, REQUEST)

    assert message in str(spent.value)
    assert await audited(records) == ["refused"]


@pytest.mark.parametrize(
    ("failure", "settled", "last"), [("refused", 0.0, "released"), ("malformed", None, "reserved")]
)
async def test_a_failed_call_gives_its_money_back_only_if_it_was_never_billed(
    ask_with, records, failure, settled, last
):
    with pytest.raises(BackendError):
        await ask_with(APPROVED, {"failure": failure}).ask("step", DEAR, REQUEST)

    assert [row[1] for row in await money(records)] == [settled]
    assert (await audited(records))[-1] == last
    assert await verify(records.ledger) is None


def sse(*chunks):
    return apis.sse(*(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks), "data: [DONE]\n\n")


BEGUN = {"choices": [{"delta": {"content": "I begin"}}]}
BILLED = {
    "broken off": sse(BEGUN, {"error": {"code": 500, "message": "the provider disconnected"}}),
    "overloaded": sse(BEGUN, {"error": {"code": 503, "message": "overloaded"}}),
    "cut": replace(sse(BEGUN), chunks=sse(BEGUN).chunks[:1], ending="cut"),
    "filtered": sse({"choices": [{"delta": {}, "finish_reason": "content_filter"}]}),
    "failed": Answer(('{"error": "internal error"}',), 500),
}
NOT_BILLED = {
    "refused": Answer(('{"error": "no such parameter"}',), 400),
    "too long": Answer(('{"error": {"code": "context_length_exceeded", "message": "too long"}}',), 400),
    "unknown model": Answer(('{"error": "model not found"}',), 404),
    "no room": Answer(('{"error": "slow down"}',), 429, headers={"retry-after": "99"}),
}


@pytest.mark.parametrize(
    ("answer", "free"),
    [*((answer, False) for answer in BILLED.values()), *((answer, True) for answer in NOT_BILLED.values())],
    ids=[*BILLED, *NOT_BILLED],
)
async def test_money_comes_back_only_where_the_server_cannot_have_worked(records, answer, free):
    async with running(lambda _: answer) as stub:
        asking = make_asking(APPROVED, at_server(stub.url), records)
        with pytest.raises(BackendError):
            await asking.ask("step", DEAR, REQUEST)
        await asking.servers.aclose()

    assert (await records.spent("t1") == 0) is free
    assert sum(seen.method == "POST" for seen in stub.seen) == 1


def at_server(url):
    return parse_policy({**POLICY, "backends": {"paid": {"kind": "openai", "url": url}}})


async def test_a_prompt_of_many_tokens_does_not_exceed_its_budget(records):
    numbers = "7 8 9 1 " * 3000
    usage = {"prompt_tokens": len(numbers), "completion_tokens": 1}
    answer = sse({"choices": [{"delta": {"content": "ok"}, "finish_reason": "stop"}], "usage": usage})
    large = replace(DEAR, context_tokens=200_000)
    request = Request("dear", (Message("user", numbers),), max_tokens=100)
    purse = replace(APPROVED, task_usd=0.7)
    async with running(lambda _: answer) as stub:
        asking = make_asking(purse, at_server(stub.url), records)
        for step in ("one", "two"):
            await asking.ask(step, large, request)
        with pytest.raises(Spent, match=r"more than what is left of \$0.70"):
            await asking.ask("three", large, request)
        await asking.servers.aclose()

    assert 0 < await records.spent("t1") <= purse.task_usd


def test_a_schema_counts_as_prompt_where_the_worst_is_reckoned():
    tier = at_server("http://127.0.0.1:1").tiers["dear"]
    schema = {"type": "object", "description": "x" * 1000}

    more = price_at_worst(replace(REQUEST, schema=schema), tier) - price_at_worst(REQUEST, tier)

    assert more >= 1000 * 10.0 / 1e6


async def test_a_prompt_that_does_not_fit_is_not_sent(ask_with, records):
    small = Served("dear", "paid", "dear", 900, 450, paid=True)

    with pytest.raises(ContextTooLong, match="has 900"):
        await ask_with(APPROVED).ask("step", small, REQUEST)

    assert await money(records) == []


def test_what_a_server_does_not_count_is_estimated_so_that_paid_is_never_free():
    counted = Completion("four", "m", "stop", Usage(7, 3, 2))
    uncounted = Completion("x" * 350, "m", "stop", Usage(), reasoning="y" * 350)

    estimated = billed_usage(REQUEST, uncounted)

    assert billed_usage(REQUEST, counted) == Usage(7, 3, 2)
    assert estimated.tokens_in >= 4
    assert estimated.tokens_out >= 200


async def test_a_list_price_is_that_of_the_model_and_the_length_of_the_prompt(records):
    pytest.importorskip("genai_prices", reason="the optional extra `prices` is not installed")
    data = {
        **POLICY,
        "backends": {"paid": {"kind": "anthropic", "url": "https://api.anthropic.com", "api_key_env": "K"}},
        "tiers": {"dear": {**POLICY["tiers"]["dear"], "price": "list"}},
    }
    asking = make_asking(APPROVED, parse_policy(data), records)
    haiku = Served("dear", "paid", "claude-haiku-5-5", 8192, 1000, paid=True)
    unknown = Served("dear", "paid", "no-such-model-anywhere", 8192, 1000, paid=True)

    assert asking.cost(haiku, Usage(10_000, 0)) == pytest.approx(0.001)
    assert asking.cost(haiku, Usage(150_000, 0)) > 0.05
    assert asking.cost(unknown, Usage(10_000, 0)) == pytest.approx(0.1)
