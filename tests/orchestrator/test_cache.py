"""Completions that are not asked for twice."""

from dataclasses import replace

import pytest

from backends.backend import Completion, Message, Request, Sampling, Usage
from orchestrator.adapters import write_json
from orchestrator.cache import CACHED, DAY_SECONDS, Cache, is_repeatable, key_of
from orchestrator.ledger import Ledger
from orchestrator.policy import BackendPolicy, CachePolicy
from orchestrator.records import Records

SERVER = BackendPolicy(kind="lmstudio", url="http://127.0.0.1:1234")
REQUEST = Request("m", (Message("user", "write add"),), 100, Sampling(temperature=0.0))
ANSWER = Completion("def add(): ...", "m", "stop", Usage(10, 20), reasoning="hm", seconds=3.0)


@pytest.fixture
async def records(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    yield Records(ledger)
    await ledger.aclose()


async def test_a_kept_answer_is_found_again_at_no_cost_and_says_so(records):
    cache = Cache(records, CachePolicy())
    await cache.keep("k", ANSWER)

    found = await cache.find("k")

    assert found == replace(ANSWER, usage=Usage(), reasoning="", seconds=0.0, warnings=(CACHED,))
    assert await cache.find("other") is None


@pytest.mark.parametrize(
    "answer",
    [
        replace(ANSWER, finish="length"),
        replace(ANSWER, finish="content_filter"),
        replace(ANSWER, text="  \n"),
        replace(ANSWER, warnings=(CACHED,)),
        replace(ANSWER, warnings=("another backend answered",)),
    ],
)
async def test_an_answer_that_is_cut_off_or_empty_or_came_from_here_or_elsewhere_is_not_kept(records, answer):
    cache = Cache(records, CachePolicy())

    await cache.keep("k", answer)

    assert await cache.find("k") is None


async def test_a_caller_that_wants_fresh_answers_finds_none_but_renews_the_kept_one(records):
    fresh, cache = Cache(records, CachePolicy(), fresh=True), Cache(records, CachePolicy())
    await cache.keep("k", ANSWER)

    found = await fresh.find("k")
    await fresh.keep("k", replace(ANSWER, text="newer"))

    assert found is None
    assert (await cache.find("k")).text == "newer"


async def test_a_cache_that_is_switched_off_keeps_and_finds_nothing(records):
    await Cache(records, CachePolicy()).keep("before", ANSWER)
    off = Cache(records, CachePolicy(enabled=False))

    await off.keep("k", ANSWER)

    assert await off.find("before") is None
    assert await Cache(records, CachePolicy()).find("k") is None


async def test_an_answer_is_found_only_for_as_many_days_as_the_policy_says(records):
    cache = Cache(records, CachePolicy(days=2))
    await cache.keep("k", ANSWER)
    await age(records, "k", days=1.9)
    young = await cache.find("k")

    await age(records, "k", days=0.2)

    assert young is not None
    assert await cache.find("k") is None


async def test_the_least_recently_used_answers_make_room_for_new_ones(records):
    one = len(ANSWER.text) + 200
    for number in range(5):
        await Cache(records, CachePolicy()).keep(f"k{number}", ANSWER)
        await age(records, f"k{number}", days=5 - number)
    await Cache(records, CachePolicy()).find("k0")  # used now

    await Cache(records, CachePolicy(mb=3.5 * one / 1e6)).keep("new", ANSWER)

    kept = await records.ledger.read(lambda db: {key for (key,) in db.execute("SELECT key FROM completions")})
    assert "new" in kept
    assert "k0" in kept
    assert "k1" not in kept
    assert len(kept) <= 4


async def test_an_answer_larger_than_the_whole_cache_is_not_kept(records):
    cache = Cache(records, CachePolicy(mb=0.001))

    await cache.keep("k", replace(ANSWER, text="x" * 2000))

    assert await cache.find("k") is None


async def test_old_answers_are_deleted_when_new_ones_come(records):
    await Cache(records, CachePolicy()).keep("old", ANSWER)
    await age(records, "old", days=40)

    await Cache(records, CachePolicy()).keep("new", ANSWER)

    assert await records.ledger.read(lambda db: db.execute("SELECT count(*) FROM completions").get) == 1


async def test_an_answer_in_a_shape_that_this_release_does_not_know_is_a_miss(records):
    cache = Cache(records, CachePolicy())
    await cache.keep("k", ANSWER)
    await records.ledger.write(lambda db: db.execute("UPDATE completions SET value = '{}'"))

    assert await cache.find("k") is None


async def test_the_answers_of_a_task_that_a_person_rejects_are_found_no_more(records):
    cache, other = Cache(records, CachePolicy()), replace(ANSWER, text="another")
    await cache.keep("a", ANSWER)
    await cache.keep("the same for another sample", ANSWER)
    await cache.keep("b", other)
    await records.remember("t1", "attempt/1/weak", write_json(ANSWER))
    await records.remember("t2", "attempt/1/weak", write_json(other))

    await cache.forget_task("t1")

    assert await cache.find("a") is None
    assert await cache.find("the same for another sample") is None
    assert await cache.find("b") is not None


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, model="m2"),
        replace(REQUEST, messages=(Message("user", "write sub"),)),
        replace(REQUEST, messages=(Message("system", "write add"),)),
        replace(REQUEST, max_tokens=101),
        replace(REQUEST, sampling=Sampling(temperature=0.1)),
        replace(REQUEST, sampling=Sampling(temperature=0.0, seed=1)),
        replace(REQUEST, schema={"type": "object"}),
        replace(REQUEST, context_tokens=4096),
    ],
)
def test_every_parameter_is_part_of_the_key(other):
    assert key_of(SERVER, REQUEST) != key_of(SERVER, other)


def test_another_server_and_another_sample_have_keys_of_their_own():
    elsewhere = BackendPolicy(kind="lmstudio", url="http://127.0.0.1:4321")

    assert key_of(elsewhere, REQUEST) != key_of(SERVER, REQUEST)
    assert key_of(SERVER, REQUEST, 1) != key_of(SERVER, REQUEST)
    assert key_of(SERVER, replace(REQUEST)) == key_of(SERVER, REQUEST)


def test_the_order_of_a_schemas_keys_does_not_change_the_key():
    one = replace(REQUEST, schema={"type": "object", "required": ["a"]})
    other = replace(REQUEST, schema={"required": ["a"], "type": "object"})

    assert key_of(SERVER, one) == key_of(SERVER, other)


@pytest.mark.parametrize(
    ("sampling", "repeatable"),
    [
        (Sampling(), False),
        (Sampling(temperature=0.2), False),
        (Sampling(temperature=0.0), True),
        (Sampling(temperature=0.7, seed=3), True),
    ],
)
def test_only_greedy_or_seeded_answers_are_repeatable(sampling, repeatable):
    assert is_repeatable(replace(REQUEST, sampling=sampling)) is repeatable


async def age(records, key, days):
    """Make an answer so many days older, and its last use with it."""
    query = "UPDATE completions SET at = at - ?, used = used - ? WHERE key = ?"
    past = days * DAY_SECONDS
    await records.ledger.write(lambda db: db.execute(query, (past, past, key)))
