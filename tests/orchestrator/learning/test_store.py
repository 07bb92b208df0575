import sys

import anyio
import pytest

from orchestrator.adapters import write_json
from orchestrator.learning.beliefs import NOTHING
from orchestrator.learning.counts import Count, Observation
from orchestrator.learning.observing import Case, observe
from orchestrator.learning.store import learn, learn_word, read_judged, recall, reset
from orchestrator.ledger import Ledger
from orchestrator.outcome import Attempt, Outcome
from orchestrator.records import Opening, Records
from orchestrator.task import Task
from validators.verdict import Verdict

DAYS = 30.0
LATER = 2**40
"""Begun after anything was forgotten."""
KEY = ("m", "standard_dev", "code", "first")
PASSED = Attempt(1, "weak", "m", "b", verdicts=(Verdict("tests", "passed", 1.0),), approved=True)
SECOND = Attempt(2, "weak", "m", "b", verdicts=(Verdict("tests", "passed", 1.0),), approved=True, how="retry")
FAILED = Attempt(1, "weak", "m", "b", verdicts=(Verdict("tests", "failed", 1.0),))


@pytest.fixture
async def records(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    yield Records(ledger)
    await ledger.aclose()


async def open_task(records, task_id, *attempts):
    opening = Opening(task_id, "task", "x", write_json(Task("x")), "standard_dev", 4.0, "code")
    await records.open_task(opening, "me", 60)
    for attempt in attempts:
        await records.add_attempts(task_id, 1, attempt)
    return await records.find_task(task_id)


async def sounds(records):
    return (await recall(records, DAYS)).find("sound", ("m", "standard_dev", "code"))


async def test_what_was_learned_is_recalled(records):
    await learn(records, [Observation("worker", KEY, 1, 0, 2.0, 0.5)], DAYS, LATER)
    await learn(records, [Observation("worker", KEY, 0, 1, 4.0, 0.5)], DAYS, LATER)

    count = (await recall(records, DAYS)).find("worker", KEY)

    assert (count.yes, count.no) == (pytest.approx(1, abs=1e-4), pytest.approx(1, abs=1e-4))
    assert (count.seconds, count.usd) == (pytest.approx(6, abs=1e-3), pytest.approx(1, abs=1e-3))


async def test_a_whole_task_is_learned_in_one_go(records):
    observations = observe(NOTHING, Case("standard_dev", "code"), [FAILED, SECOND])

    await learn(records, observations, DAYS, LATER)

    kinds = {kind for kind, _ in (await recall(records, DAYS)).counts}
    assert kinds == {"worker", "run", "retry", "told"}


async def test_what_was_forgotten_stays_so_also_when_an_older_task_ends(records):
    record = await open_task(records, "t1", PASSED)
    await learn(records, [Observation("worker", KEY, 1)], DAYS, record.created)

    forgotten = await reset(records)
    await learn(records, [Observation("worker", KEY, 1)], DAYS, record.created)
    await learn_word(records, record, "approve", DAYS)

    assert forgotten == 2
    assert (await recall(records, DAYS)).counts == {}


async def test_after_a_reset_new_tasks_teach_again(records):
    await reset(records)

    await learn(records, [Observation("worker", KEY, 1)], DAYS, LATER)

    assert (await recall(records, DAYS)).find("worker", KEY).yes == pytest.approx(1, abs=1e-4)


async def test_nothing_seen_is_nothing_written(records):
    await learn(records, (), DAYS, LATER)

    assert (await recall(records, DAYS)).counts == {}


async def test_a_persons_word_about_accepted_work_is_learned(records):
    record = await open_task(records, "t1", PASSED)

    await learn_word(records, record, "reject", DAYS)

    assert (await sounds(records)).no == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("action", ["skip", "list"])
async def test_a_word_that_says_nothing_about_the_work_teaches_nothing(records, action):
    await learn_word(records, await open_task(records, "t1", PASSED), action, DAYS)

    assert await sounds(records) == Count()


async def test_a_word_about_work_that_did_not_pass_teaches_nothing(records):
    await learn_word(records, await open_task(records, "t1", FAILED), "approve", DAYS)

    assert await sounds(records) == Count()


async def test_the_same_word_twice_counts_once_and_another_takes_it_back(records):
    record = await open_task(records, "t1", PASSED)
    for action in ("approve", "approve", "reject"):
        await learn_word(records, record, action, DAYS)
        await records.note("t1", "review", {"action": action, "by": "person"})
    sound = await sounds(records)

    assert (sound.yes, sound.no) == (pytest.approx(0, abs=1e-3), pytest.approx(1, abs=1e-3))


async def test_reviews_are_read_back_with_what_had_been_told(records):
    await open_task(records, "t1", FAILED, Attempt(2, "weak", "m", "b", (PASSED.verdicts), approved=True))
    passed = Attempt(3, "weak", "m", "b", verdicts=PASSED.verdicts, approved=True)
    await records.add_attempts("t1", 1, passed)
    await records.close_task(Outcome("t1", "accepted", (passed,), passed, confidence=0.83))
    await records.note("t1", "review", {"action": "approve", "by": "person"})
    await records.note("t1", "review", {"action": "reject", "by": "person"})

    (judged,) = await read_judged(records)

    assert (judged.told, judged.review) == (0.83, "reject")
    assert (judged.attempt, judged.task_type, judged.domain) == (passed, "standard_dev", "code")


async def test_a_yes_to_money_is_no_word_about_work(records):
    await open_task(records, "t1", FAILED)
    await records.note("t1", "review", {"action": "approve", "by": "person"})
    await records.add_attempts("t1", 1, Attempt(2, "strong", "s", "b", approved=True))

    assert await read_judged(records) == []


@pytest.mark.parametrize("note", [{"by": "host"}, {"by": "person", "was": "needs_approval"}])
async def test_neither_a_hosts_word_nor_one_about_money_is_read_as_a_word_about_work(records, note):
    record = await open_task(records, "t1", PASSED)
    await learn_word(records, record, "approve", DAYS)
    await records.note("t1", "review", {"action": "approve", "by": "person", "was": "accepted"})
    await records.note("t1", "review", {"action": "reject", **note})

    (judged,) = await read_judged(records)
    await learn_word(records, record, "approve", DAYS)  # the same word again

    assert judged.review == "approve"
    assert (await sounds(records)).yes == pytest.approx(1, abs=1e-3)


async def test_what_other_authors_said_is_read_back_without_a_review(records):
    verdicts = (*PASSED.verdicts, Verdict("agreement", "failed", 1.0))
    await open_task(records, "t1", Attempt(1, "weak", "m", "b", verdicts=verdicts))

    (judged,) = await read_judged(records)

    assert (judged.told, judged.review, judged.attempt.verdicts) == (None, "", verdicts)


LEARNER = """
import sys
from pathlib import Path
import anyio
from orchestrator.learning.counts import Observation
from orchestrator.learning.store import learn
from orchestrator.ledger import Ledger
from orchestrator.records import Records

async def main():
    ledger = Ledger(Path(sys.argv[1]))
    for _ in range(25):
        await learn(Records(ledger), [Observation("told", ("m", "x", "y"), 1.0)], 1e9, 2.0**40)
    await ledger.aclose()

anyio.run(main)
"""


async def test_processes_that_learn_at_once_lose_nothing(records, tmp_path):
    command = [sys.executable, "-c", LEARNER, str(tmp_path / "ledger.db")]
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(anyio.run_process, command)

    beliefs = await recall(records, 1e9)

    assert beliefs.find("told", ("m", "x", "y")).yes == pytest.approx(75, abs=0.01)
