import json

import pytest

from backends.backend import Completion, Message, Request, Usage
from backends.errors import BackendError, ContextTooLong
from orchestrator.asking import Asking, Purse, billed_usage
from orchestrator.audit import verify
from orchestrator.cache import Cache
from orchestrator.ledger import Ledger
from orchestrator.policy_parse import parse_policy
from orchestrator.records import Opening, Records
from orchestrator.rlm.errors import Spent
from orchestrator.route import Served
from orchestrator.servers import Servers
from orchestrator.steps import Steps

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
