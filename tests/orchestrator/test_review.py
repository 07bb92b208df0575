"""What a person's word does besides how the task stands: the trail of money, and what is learned."""

import pytest

from backends.backend import Completion, Usage
from orchestrator.adapters import write_json
from orchestrator.cache import Cache
from orchestrator.config import load_config
from orchestrator.learning.store import read_judged, recall
from orchestrator.orchestrator import Orchestrator
from orchestrator.outcome import Attempt
from orchestrator.records import Opening
from orchestrator.retention import prune
from orchestrator.review import decide
from orchestrator.task import TaskError
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
    await records.add_attempts("t1", 1, Attempt(1, "weak", "m", "script", approved=True))
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


@pytest.mark.parametrize("action", ["approve", "reject"])
async def test_what_a_host_says_of_accepted_work_is_not_learned(open_stage, action):
    orchestrator = open_stage()
    await record(orchestrator, "accepted")

    await decide(orchestrator, "t1", action, "", is_person=False)

    assert not (await recall(orchestrator.world.records, 30.0)).counts
    assert await read_judged(orchestrator.world.records) == []


async def test_a_host_does_not_take_a_persons_word_back(open_stage):
    orchestrator = open_stage()
    await record(orchestrator, "accepted")
    await decide(orchestrator, "t1", "approve", "", is_person=True)
    learned = (await recall(orchestrator.world.records, 30.0)).counts

    await decide(orchestrator, "t1", "reject", "", is_person=False)

    assert (await recall(orchestrator.world.records, 30.0)).counts.keys() == learned.keys()
    assert [one.review for one in await read_judged(orchestrator.world.records)] == ["approve"]


@pytest.mark.parametrize("action", ["approve", "reject", "retry"])
async def test_a_word_about_money_is_no_word_about_the_work_that_had_passed(open_stage, action):
    orchestrator = open_stage()
    await record(orchestrator, "needs_approval")

    await decide(orchestrator, "t1", action, "", is_person=True)

    assert not (await recall(orchestrator.world.records, 30.0)).counts
    assert await read_judged(orchestrator.world.records) == []


async def prune_all(orchestrator):
    ledger = orchestrator.world.records.ledger
    await ledger.write(lambda db: db.execute("UPDATE tasks SET updated = updated - 10"))
    assert await prune(ledger, days=0) == 1


@pytest.mark.parametrize(
    ("status", "action"), [("accepted", "retry"), ("skipped", "retry"), ("skipped", "approve")]
)
async def test_a_task_whose_texts_were_pruned_is_neither_worked_on_nor_accepted_anew(
    open_stage, status, action
):
    orchestrator = open_stage()
    await record(orchestrator, status)
    await prune_all(orchestrator)

    with pytest.raises(TaskError, match=r"texts were pruned.*Delegate it anew"):
        await decide(orchestrator, "t1", action, "", is_person=True)

    assert (await orchestrator.find("t1")).status == status


async def test_accepted_work_that_was_pruned_can_still_be_rejected_and_its_answer_is_served_no_more(
    open_stage,
):
    orchestrator = open_stage()
    records = orchestrator.world.records
    cache = Cache(records, orchestrator.config.policy.cache)
    await record(orchestrator, "accepted")
    await records.remember("t1", "attempt/1/weak", write_json(ANSWER))
    await cache.keep("k", ANSWER)
    await records.ledger.write(lambda db: db.execute("UPDATE completions SET at = at - 10"))
    await prune_all(orchestrator)

    await decide(orchestrator, "t1", "reject", "", is_person=True)

    assert await cache.find("k") is None
    assert (await recall(records, 30.0)).counts
