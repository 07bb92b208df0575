import json
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from orchestrator.audit import verify
from orchestrator.config import load_config
from orchestrator.orchestrator import Orchestrator
from orchestrator.task import Task

ROOT = Path(__file__).parents[2]
POLICY = """
[backends.script]
kind = "scripted"
path = "{script}"
[tiers.dear]
rank = 1
backend = "script"
model = "dear"
max_output_tokens = 1000
usd_per_mtok_in = 1.0
usd_per_mtok_out = 10.0
[task_types.quick_edit]
complexity = [0, 10]
route = ["dear"]
attempts_per_tier = 1
validators = ["syntax"]
usd_per_day = {usd}
[guards]
ask_before_paid = false
usd_per_day = 1000.0
"""
ANSWER = "```python\ndef add(a, b):\n    return a + b\n```"
WORKER = """
import sys, anyio
from pathlib import Path
from orchestrator.task import Task
from tests.orchestrator.test_shared_ledger import open_orchestrator

async def main(folder, worker):
    orchestrator = open_orchestrator(folder)
    for number in range(15):
        await orchestrator.execute(Task(f"Write add(a, b) for {worker} {number}.", language="python"))
    await orchestrator.aclose()

anyio.run(main, Path(sys.argv[1]), sys.argv[2])
"""


def write_policy(folder, usd):
    script = folder / "script.json"
    script.write_text(json.dumps({"models": {"dear": {"default": ANSWER}}}))
    (folder / "escalation.toml").write_text(POLICY.format(script=script, usd=usd))


def open_orchestrator(folder):
    environment = {"ORCHESTRATOR_HOME": str(folder / "home")}
    return Orchestrator(
        load_config(str(folder / "escalation.toml"), environment, folder), environment, folder
    )


def run_workers(folder, count):
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(folder), f"p{number}"], cwd=ROOT)
        for number in range(count)
    ]
    return [worker.wait(120) for worker in workers]


@pytest.fixture
async def opened(tmp_path):
    write_policy(tmp_path, 100.0)
    orchestrator = open_orchestrator(tmp_path)
    yield orchestrator
    await orchestrator.aclose()


async def count(orchestrator):
    """Count tasks by status, attempts, settled calls, and the dollars that money and outcomes say."""

    def ask(db):
        return (
            dict(db.execute("SELECT status, count(*) FROM tasks GROUP BY status").fetchall()),
            db.execute("SELECT count(*) FROM attempts").get,
            db.execute("SELECT count(settled_usd) FROM money").get,
            db.execute("SELECT sum(settled_usd) FROM money").get,
            db.execute("SELECT sum(json_extract(outcome, '$.cost_usd')) FROM tasks").get,
        )

    return await orchestrator.world.records.ledger.read(ask)


async def test_many_tasks_at_once_lose_nothing(opened):
    async with anyio.create_task_group() as group:
        for number in range(32):
            group.start_soon(opened.execute, Task(f"Write add(a, b), variant {number}.", language="python"))

    statuses, attempts, calls, paid, told = await count(opened)
    assert statuses == {"accepted": 32}
    assert (attempts, calls) == (32, 32)
    assert paid == pytest.approx(told)
    assert await verify(opened.world.records.ledger) is None


@pytest.mark.slow
async def test_processes_that_share_a_ledger_lose_no_task_and_no_cent(tmp_path, opened):
    await opened.world.records.find_task("none")

    codes = run_workers(tmp_path, 4)

    statuses, attempts, calls, paid, told = await count(opened)
    assert codes == [0, 0, 0, 0]
    assert statuses == {"accepted": 60}
    assert (attempts, calls) == (60, 60)
    assert paid == pytest.approx(told)
    assert await verify(opened.world.records.ledger) is None


@pytest.mark.slow
async def test_a_budget_that_processes_share_is_used_up_and_not_exceeded(tmp_path, opened):
    limit, worst = 0.02, 0.0115  # of which a call takes 0.0004
    write_policy(tmp_path, limit)

    codes = run_workers(tmp_path, 4)

    statuses, _, _, paid, _ = await count(opened)
    assert codes == [0, 0, 0, 0]
    assert statuses["stopped"] > 0
    assert limit - worst < paid <= limit
