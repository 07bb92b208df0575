"""The figures: who succeeds at what, and savings that are honest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import load_config
from orchestrator.decide import count_escalations
from orchestrator.money import Reservation
from orchestrator.orchestrator import Orchestrator
from orchestrator.outcome import Attempt
from orchestrator.records import Opening
from orchestrator.review import decide
from orchestrator.statistics import Try, add_up, read_standings
from tests.behaviour.stage import set_stage

DEAREST = {(0.0, 0.0), (1.0, 5.0)}
WORTH = (1000 * 1.0 + 200 * 5.0) / 1e6


@pytest.fixture
async def orchestrator(tmp_path):
    stage = set_stage(tmp_path)
    opened = Orchestrator(load_config(str(stage.config), stage.environment, stage.folder), {}, stage.folder)
    yield opened
    await opened.aclose()


async def play(orchestrator, task_id, status, *attempts, task_type="standard_dev", paid=0.0):
    """Record a task with attempts, each (tier, approved) or (tier, approved, changes)."""
    records = orchestrator.world.records
    await records.open_task(Opening(task_id, "task", "do it", '{"task": "do it"}', task_type, 4.0), "me", 30)
    for number, (tier, approved, *changes) in enumerate(attempts, start=1):
        more = {"tokens_in": 1000, "tokens_out": 200, "seconds": 2.0} | (changes[0] if changes else {})
        attempt = Attempt(number, tier, f"m-{tier}", "script", approved=approved, **more)
        await records.add_attempts(task_id, 1, attempt)
    if paid:
        wish = Reservation(task_id, "s", "dear", paid, 9.0, 9.0)
        await records.money.settle(await records.money.reserve(wish), paid)
    if status == "accepted":
        await records.note(task_id, "accepted", {})
    await records.close_run(task_id, status, "")


async def test_accepted_work_saves_what_the_dearest_tier_would_have_cost_less_what_was_spent(orchestrator):
    await play(orchestrator, "t1", "accepted", ("weak", False), ("weak", True))
    await play(orchestrator, "t2", "accepted", ("weak", False), ("dear", True), paid=0.004)

    standings = await read_standings(orchestrator)

    (row,) = standings.types
    assert row.worth_usd == pytest.approx(2 * WORTH)
    assert row.cost_usd == pytest.approx(0.004)
    assert standings.saved_usd == row.saved_usd == pytest.approx(2 * WORTH - 0.004)


async def test_what_was_spent_on_work_that_failed_is_taken_off_the_savings(orchestrator):
    await play(orchestrator, "t1", "skipped", ("weak", False), ("dear", False), paid=0.01)

    standings = await read_standings(orchestrator)

    assert standings.saved_usd == pytest.approx(-0.01)


@pytest.mark.parametrize("action", ["reject", "skip", "retry"])
async def test_accepted_work_that_a_person_takes_back_saves_nothing_any_more(orchestrator, action):
    await play(orchestrator, "t1", "accepted", ("weak", True))
    before = await read_standings(orchestrator)

    await decide(orchestrator, "t1", action, "it is wrong", is_person=True)
    after = await read_standings(orchestrator)

    assert before.saved_usd == pytest.approx(WORTH)
    assert after.saved_usd == 0
    assert (before.types[0].taken_back, after.types[0].taken_back) == (0, 1)


async def test_work_that_was_never_accepted_cannot_be_taken_back_by_a_yes_to_its_price(orchestrator):
    await play(orchestrator, "t1", "needs_approval", ("weak", True))
    await decide(orchestrator, "t1", "approve", "", is_person=True)
    await orchestrator.world.records.close_run("t1", "needs_review", "")  # what was paid for did not pass

    await decide(orchestrator, "t1", "skip", "", is_person=True)

    assert (await read_standings(orchestrator)).types[0].taken_back == 0


async def test_a_second_author_is_no_escalation(orchestrator):
    confirm = {"how": "confirm"}
    await play(
        orchestrator, "t1", "accepted", ("weak", True), ("strong", False, confirm), ("dear", True, confirm)
    )

    assert (await read_standings(orchestrator)).types[0].escalations == 0


async def test_work_that_a_person_approves_later_saves_as_if_it_had_passed(orchestrator):
    await play(orchestrator, "t1", "needs_review", ("weak", False))
    await orchestrator.world.records.close_run("t1", "accepted", "")

    standings = await read_standings(orchestrator)

    assert standings.saved_usd == pytest.approx(WORTH)


async def test_workers_are_told_apart_and_judged_by_the_attempts_that_reached_them(orchestrator):
    gone = {"trouble": "unavailable"}
    await play(orchestrator, "t1", "accepted", ("weak", False, gone), ("weak", False), ("strong", True))
    await play(orchestrator, "t2", "accepted", ("weak", True), task_type="quick_edit")

    standings = await read_standings(orchestrator)

    rows = {(row.task_type, row.tier, row.model): (row.attempts, row.approved) for row in standings.workers}
    assert rows == {
        ("quick_edit", "weak", "m-weak"): (1, 1),
        ("standard_dev", "strong", "m-strong"): (1, 1),
        ("standard_dev", "weak", "m-weak"): (1, 0),
    }


async def test_the_most_common_task_types_come_first_with_their_escalations_and_todays_money(orchestrator):
    await play(orchestrator, "t1", "accepted", ("weak", True), task_type="quick_edit")
    await play(orchestrator, "t2", "accepted", ("weak", False), ("strong", False), ("dear", True), paid=0.002)
    await play(orchestrator, "t3", "skipped", ("weak", False), ("strong", False))

    standings = await read_standings(orchestrator)

    first, second = standings.types
    assert (first.task_type, first.tasks, first.accepted, first.escalations) == ("standard_dev", 2, 1, 3)
    assert (second.task_type, second.tasks, second.escalations) == ("quick_edit", 1, 0)
    assert first.cost_today_usd == pytest.approx(0.002)
    assert dict(standings.tasks) == {"accepted": 2, "skipped": 1}


async def test_pairs_are_ranked_by_how_often_their_approval_held(orchestrator):
    checked = {"checker": "strong"}
    for number in range(3):
        await play(orchestrator, f"a{number}", "accepted", ("weak", True, checked))
        await play(orchestrator, f"b{number}", "accepted", ("dear", True, checked))
    await play(orchestrator, "c", "skipped", ("strong", False))  # nobody checked it
    await decide(orchestrator, "a1", "reject", "", is_person=True)

    standings = await read_standings(orchestrator)

    told = [(row.tier, row.checker, row.judged, row.approved, row.overturned) for row in standings.pairs]
    assert told == [("dear", "strong", 3, 3, 0), ("weak", "strong", 3, 3, 1)]


async def test_an_empty_ledger_has_figures(orchestrator):
    standings = await read_standings(orchestrator)

    assert (standings.types, standings.workers, standings.pairs, standings.saved_usd) == ((), (), (), 0)


TRIES = st.lists(
    st.builds(
        Try,
        task_id=st.sampled_from(["a", "b", "c"]),
        round=st.integers(1, 2),
        task_type=st.just("quick_edit"),
        tier=st.sampled_from(["weak", "strong", "dear"]),
        approved=st.integers(0, 1),
        trouble=st.sampled_from(["", "unavailable", "no_candidate"]),
        tokens_in=st.integers(0, 9999),
        tokens_out=st.integers(0, 9999),
        seconds=st.floats(0, 9),
        how=st.sampled_from(["first", "confirm"]),
    )
).map(lambda tries: sorted(tries, key=lambda one: (one.task_id, one.round)))

ROUNDS = [(task_id, number) for task_id in "abc" for number in (1, 2)]


@given(TRIES)
def test_only_accepted_tasks_are_worth_anything_and_each_counts_once(tries):
    rounds = {one.task_id: one.round for one in tries}

    nothing = add_up(tries, {}, DEAREST)
    everything = add_up(tries, rounds, DEAREST)

    most = sum(max((x.tokens_in + 5 * x.tokens_out) / 1e6 for x in tries if x.task_id == t) for t in rounds)
    assert sum(one.worth_usd for one in nothing.values()) == 0
    assert sum(one.worth_usd for one in everything.values()) <= most + 1e-12


@given(TRIES)
def test_a_task_escalates_less_often_than_it_is_tried(tries):
    told = add_up(tries, {}, DEAREST).values()

    tasks = len({one.task_id for one in tries})
    assert sum(one.attempts for one in told) == len(tries)
    assert sum(one.escalations for one in told) <= max(0, len(tries) - tasks)


@given(TRIES)
def test_escalations_are_counted_as_outcomes_count_them(tries):
    told = sum(one.escalations for one in add_up(tries, {}, DEAREST).values())

    rounds = [[one for one in tries if (one.task_id, one.round) == place] for place in ROUNDS]
    attempts = [
        [Attempt(n, one.tier, "m", "b", one.how, trouble=one.trouble) for n, one in enumerate(round_)]
        for round_ in rounds
    ]
    assert told == sum(map(count_escalations, attempts))
