import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import apsw
import pytest

from orchestrator.adapters import read_json
from orchestrator.audit import verify
from orchestrator.ledger import Ledger
from orchestrator.outcome import Attempt, Outcome
from tests.servers.apis import openai
from tests.servers.stub import serving

POLICY = """
[backends.server]
kind = "openai"
url = "{url}/v1"
[tiers.dear]
rank = 1
backend = "server"
model = "tiny"
context_tokens = 8192
max_output_tokens = 512
usd_per_mtok_in = 1.0
usd_per_mtok_out = 10.0
[task_types.quick_edit]
complexity = [0, 10]
route = ["dear"]
attempts_per_tier = 3
validators = ["syntax"]
[guards]
ask_before_paid = false
usd_per_task = 0.5
usd_per_day = 100.0
"""
BROKEN = "```python\ndef add(a, b:\n    return a + b\n```"
GOOD = "```python\ndef add(a, b):\n    return a + b\n```"
RULES = (("Write add(a, b)", BROKEN), ("def add(a, b:", GOOD))
"""The first answer of each task is broken, what comes after it was shown is right: two paid calls a task."""
PROCESSES = 4
KILLS = 200
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """Give the folder of a ledger whose processes were killed all the time, and the requests a server saw."""
    folder = tmp_path_factory.mktemp("crashed")
    with serving(openai(RULES)) as stub:
        (folder / "escalation.toml").write_text(POLICY.format(url=stub.url))
        driver = [sys.executable, "-m", "tests.orchestrator.crashing"]
        arguments = [str(folder), str(PROCESSES), str(KILLS), "1"]
        ended = subprocess.run(
            [*driver, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )
    assert ended.returncode == 0, ended.stderr
    asked = [seen.json["messages"] for seen in stub.seen if seen.path.endswith("/chat/completions")]
    return folder / "home" / "ledger.db", [json.dumps(messages) for messages in asked]


@pytest.fixture
def rows(crashed):
    """Read a table, or a query, of what is left, with SQLite alone."""
    db = apsw.Connection(str(crashed[0]))
    yield lambda query: db.execute(query).fetchall()
    db.close()


pytestmark = pytest.mark.slow


def test_the_file_is_whole_and_a_lot_was_done(rows):
    (done,) = rows("SELECT count(*) FROM tasks WHERE status = 'accepted'")
    (lost,) = rows("SELECT count(*) FROM money WHERE settled_usd IS NULL")

    assert rows("PRAGMA integrity_check") == [("ok",)]
    assert done[0] >= KILLS / 4
    assert lost[0] > 0  # some were killed while they waited for an answer


def test_every_task_that_was_begun_ended_well(rows):
    assert rows("SELECT task_id, status FROM tasks WHERE status <> 'accepted'") == []


def test_nothing_that_was_paid_for_was_asked_again(rows):
    calls = rows("SELECT task_id, step, settled_usd FROM money ORDER BY id")

    paid = [(task, step) for task, step, settled in calls if settled is not None]
    last = {(task, step): settled for task, step, settled in calls}
    assert len(paid) == len(set(paid))
    assert all(settled is not None for settled in last.values())


def test_no_answer_is_there_without_its_price_and_no_price_without_its_answer(rows):
    answers = rows(
        "SELECT task_id, key FROM steps WHERE json_extract(value, '$.usage.tokens_in') > 0 ORDER BY 1, 2"
    )
    prices = rows("SELECT task_id, step FROM money WHERE settled_usd > 0 ORDER BY 1, 2")

    assert answers == prices


def test_the_server_saw_no_call_that_was_not_reserved(crashed, rows):
    _, asked = crashed
    reserved = Counter(task for (task,) in rows("SELECT task_id FROM money"))

    seen = {task: sum(f"for {task}." in messages for messages in asked) for task in reserved}

    assert sum(seen.values()) == len(asked)
    assert {task: count for task, count in seen.items() if count > reserved[task]} == {}


def test_no_attempt_is_half_there_missing_or_there_twice(rows):
    for (task_id,) in rows("SELECT task_id FROM tasks"):
        told = rows(f"SELECT number, record FROM attempts WHERE task_id = '{task_id}' ORDER BY number")  # noqa: S608
        attempts = [read_json(Attempt, record) for _, record in told]

        assert [number for number, _ in told] == [1, 2]
        assert [attempt.number for attempt in attempts] == [1, 2]
        assert [attempt.approved for attempt in attempts] == [False, True]


def test_budgets_still_add_up(rows):
    spent = dict(rows("SELECT task_id, sum(coalesce(settled_usd, reserved_usd)) FROM money GROUP BY task_id"))
    told = {
        task: read_json(Outcome, outcome).cost_usd
        for task, outcome in rows("SELECT task_id, outcome FROM tasks")
    }
    priced = dict(rows("SELECT task_id, sum(cost_usd) FROM attempts GROUP BY task_id"))
    settled = dict(rows("SELECT task_id, sum(settled_usd) FROM money GROUP BY task_id"))

    assert told == pytest.approx(spent)
    assert settled == pytest.approx(priced)
    assert max(spent.values()) <= 0.5


async def test_the_audit_trail_holds(crashed):
    ledger = Ledger(crashed[0])

    broken = await verify(ledger)

    await ledger.aclose()
    assert broken is None
