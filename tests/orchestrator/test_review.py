"""What a person's word does besides how the task stands: the trail of money, and what is learned."""

import pytest

from backends.backend import Completion, Usage
from orchestrator.adapters import write_json
from orchestrator.cache import Cache
from orchestrator.config import load_config
from orchestrator.learning.store import recall
from orchestrator.orchestrator import Orchestrator
from orchestrator.outcome import Attempt
from orchestrator.records import Opening
from orchestrator.review import decide
from tests.behaviour.stage import set_stage

ANSWER = Completion("def add(): ...", "m", "stop", Usage(10, 20))


@pytest.fixture
async def open_stage(tmp_path):
    opened = []

    def make(**changes):
        stage = set_stage(tmp_path, **changes)
        config = load_config(str(stage.config), stage.environment, stage.folder)
        opened.append(Orchestrator(config, {}, stage.folder))
        return opened[-1]

    yield make
    for one in opened:
        await one.aclose()


async def record(orchestrator, status):
    records = orchestrator.world.records
    await records.open_task(
        Opening("t1", "task", "do it", '{"task": "do it"}', "standard_dev", 4.0), "me", 30
    )
    await records.add_attempt("t1", 1, Attempt(1, "weak", "m", "script", approved=True))
    await records.close_run("t1", status, "")


async def read_trail(orchestrator):
    query = "SELECT kind FROM audit WHERE task_id = 't1'"
    return await orchestrator.world.records.ledger.read(lambda db: [kind for (kind,) in db.execute(query)])


@pytest.mark.parametrize("action", ["reject", "skip", "retry"])
async def test_a_no_to_money_is_in_the_trail_of_money(open_stage, action):
    orchestrator = open_stage()
    await record(orchestrator, "needs_approval")

    await decide(orchestrator, "t1", action, "too dear", is_person=True)

    assert await read_trail(orchestrator) == ["declined"]


async def test_a_yes_to_money_is_in_the_trail_of_money(open_stage):
    orchestrator = open_stage()
    await record(orchestrator, "needs_approval")

    await decide(orchestrator, "t1", "approve", "", is_person=True)

    assert await read_trail(orchestrator) == ["approved"]


@pytest.mark.parametrize("action", ["approve", "reject"])
async def test_what_a_person_says_of_accepted_work_is_learned(open_stage, action):
    orchestrator = open_stage()
    await record(orchestrator, "accepted")

    await decide(orchestrator, "t1", action, "", is_person=True)

    assert (await recall(orchestrator.world.records, 30.0)).counts


async def test_nothing_is_learned_where_the_policy_forbids_it(open_stage):
    orchestrator = open_stage(learning="enabled = false")
    await record(orchestrator, "accepted")

    await decide(orchestrator, "t1", "reject", "", is_person=True)

    assert not (await recall(orchestrator.world.records, 30.0)).counts


@pytest.mark.parametrize(("action", "kept"), [("approve", True), ("reject", False), ("retry", False)])
async def test_an_answer_that_a_person_does_not_want_is_never_served_from_the_cache(open_stage, action, kept):
    orchestrator = open_stage()
    records = orchestrator.world.records
    cache = Cache(records, orchestrator.config.policy.cache)
    await record(orchestrator, "accepted")
    await records.remember("t1", "attempt/1/weak", write_json(ANSWER))
    await cache.keep("k", ANSWER)

    await decide(orchestrator, "t1", action, "", is_person=True)

    assert (await cache.find("k") is not None) is kept
