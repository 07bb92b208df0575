import json
import subprocess
import sys

import pytest

from orchestrator.ledger import Ledger
from orchestrator.money import Money, Refusal, Reservation
from orchestrator.records import Opening, Records


@pytest.fixture
async def records(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    yield Records(ledger)
    await ledger.aclose()


def wish(task_id="t1", usd=0.4, **changes):
    given = {"step": "s", "tier": "haiku", "task_limit_usd": 0.5, "day_limit_usd": 1.0, **changes}
    return Reservation(task_id=task_id, usd=usd, **given)


async def kinds(records):
    return await records.ledger.read(
        lambda db: [kind for (kind,) in db.execute("SELECT kind FROM audit ORDER BY id")]
    )


async def test_money_is_reserved_before_it_is_spent_and_settled_after(records):
    first = await records.money.reserve(wish())
    too_much = await records.money.reserve(wish())
    await records.money.settle(first, 0.01)
    second = await records.money.reserve(wish())

    assert too_much == Refusal("task", 0.5, 0.4)
    assert isinstance(second, int)
    assert await records.spent("t1") == pytest.approx(0.41)


async def test_the_day_has_one_budget_over_all_tasks(records):
    first = await records.money.reserve(wish("t1", day_limit_usd=0.5))
    second = await records.money.reserve(wish("t2", day_limit_usd=0.5))

    assert isinstance(first, int)
    assert second == Refusal("day", 0.5, 0.4)


async def test_a_task_type_has_a_budget_of_its_own_for_the_day(records):
    await records.money.reserve(wish("t1", task_type="quick_edit", type_limit_usd=0.5))
    same_type = await records.money.reserve(wish("t2", task_type="quick_edit", type_limit_usd=0.5))
    other_type = await records.money.reserve(wish("t3", task_type="critical", type_limit_usd=0.5))

    assert same_type == Refusal("task type", 0.5, 0.4)
    assert isinstance(other_type, int)


async def test_what_was_never_settled_counts_as_spent(tmp_path, records):
    await records.money.reserve(wish())
    other_process = Ledger(tmp_path / "ledger.db")

    spent = await Money(other_process).spent("t1")
    await other_process.aclose()

    assert spent == pytest.approx(0.4)


async def test_a_budget_that_is_used_to_the_last_cent_is_not_exceeded_by_rounding(records):
    tenths = [await records.money.reserve(wish(usd=0.1, task_limit_usd=0.3)) for _ in range(4)]

    assert [isinstance(one, int) for one in tenths] == [True, True, True, False]


async def test_a_call_is_settled_once(records):
    reservation = await records.money.reserve(wish())

    await records.money.settle(reservation, 0.02)
    await records.money.settle(reservation, 0.3)

    assert await records.spent("t1") == pytest.approx(0.02)


async def test_a_call_that_was_never_billed_gives_its_money_back(records):
    reservation = await records.money.reserve(wish())

    await records.money.release(reservation, "BackendUnavailable")

    assert await records.spent("t1") == 0
    assert (await kinds(records))[-1] == "released"


async def test_a_paid_answer_and_its_price_are_kept_together_or_not_at_all(records):
    await records.open_task(Opening("t1", "task", "do it", '{"task": "do it"}'), "me", 30)

    def fail(db):
        db.execute("UPDATE money SET settled_usd = 1")
        raise KeyError

    with pytest.raises(KeyError):
        await records.remember("t1", "step", '"answer"', fail)

    assert await records.recall("t1", "step") is None


async def test_every_decision_about_money_leaves_its_row(records):
    await records.open_task(Opening("t1", "task", "do it", '{"task": "do it"}'), "me", 30)

    await records.approve_paid("t1")
    await records.money.refuse("t1", "haiku", "nobody approved it")
    reservation = await records.money.reserve(wish())
    await records.money.settle(reservation, 0.01)
    await records.money.reserve(wish(usd=2))
    await records.money.reserve(wish(day_limit_usd=2.0))
    await records.audit.append("t1", "warned", {"usd": 0.1})

    assert await kinds(records) == [
        "approved",
        "refused",
        "cap",
        "reserved",
        "settled",
        "refused",
        "cap",
        "reserved",
        "warned",
    ]


async def test_a_budget_is_noted_when_it_changes_and_not_again(records):
    for limit in (1.0, 1.0, 2.0, 2.0):
        await records.money.reserve(
            wish(usd=0.1, day_limit_usd=limit, task_type="critical", type_limit_usd=0.5)
        )

    details = await records.ledger.read(
        lambda db: [
            json.loads(one)
            for (one,) in db.execute("SELECT detail FROM audit WHERE kind = 'cap' ORDER BY id")
        ]
    )
    caps = [(detail["scope"], detail["usd"]) for detail in details]
    assert caps == [("day", 1.0), ("day of critical", 0.5), ("day", 2.0)]


SPENDER = """
import sys, anyio
from pathlib import Path
from orchestrator.ledger import Ledger
from orchestrator.money import Money, Reservation

async def main():
    ledger = Ledger(Path(sys.argv[1]))
    money = Money(ledger)
    for number in range(100):
        reserved = await money.reserve(Reservation(sys.argv[2], str(number), "t", 0.01, 9e9, 2.5))
        if isinstance(reserved, int):
            await money.settle(reserved, 0.01)
    await ledger.aclose()

anyio.run(main)
"""


def spend_from_processes(place, count):
    spenders = [
        subprocess.Popen([sys.executable, "-c", SPENDER, str(place), f"t{number}"]) for number in range(count)
    ]
    return [spender.wait(60) for spender in spenders]


async def test_processes_that_share_a_ledger_lose_nothing_and_keep_the_days_budget(tmp_path, records):
    await records.recall("t", "k")

    codes = spend_from_processes(tmp_path / "ledger.db", 4)

    rows = await records.ledger.read(
        lambda db: db.execute("SELECT count(*), sum(settled_usd) FROM money").fetchall()
    )
    refused = [kind for kind in await kinds(records) if kind == "refused"]
    assert codes == [0, 0, 0, 0]
    assert rows == [(250, pytest.approx(2.5))]
    assert len(refused) == 150
