"""What a person did to the files of a task while it ran or waited is never overwritten."""

import json
from dataclasses import asdict

import anyio
import anyio.lowlevel
import pytest

from orchestrator.backups import Delivery
from orchestrator.config import load_config
from orchestrator.deliver import digest_of
from orchestrator.orchestrator import Orchestrator
from orchestrator.task import Task
from tests.behaviour.stage import GOOD, TESTS, WRONG, approve, call, delegate

EXECUTE = "orchestrator_execute_with_escalation"
PATCH = "--- a/util.py\n+++ b/util.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return 0\n+    return a + b\n"
EDIT = "sums.py\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n"
RENAME = (
    "diff --git a/old.py b/new.py\nrename from old.py\nrename to new.py\n--- a/old.py\n+++ b/new.py\n"
    "@@ -1,2 +1,2 @@\n def add(a, b):\n-    return 0\n+    return a - b\n"
)


async def test_a_patched_file_that_is_edited_while_it_is_judged_needs_a_person(stage):
    set_up = stage(weak=[PATCH])
    util = set_up.folder / "util.py"
    util.write_text("def add(a, b):\n    return 0\n")
    (set_up.folder / "main.py").write_text("import util\n")

    async def edit(progress, total, message):
        if message.startswith("syntax passed"):
            util.write_text("# mine\n")

    async with set_up.client() as client:
        result = await client.call_tool(
            EXECUTE,
            {
                "task": "task: mend add(a, b) in util.py",
                "language": "python",
                "task_type": "standard_dev",
                "write_to": "main.py",
                "context_files": [str(util)],
                "apply": True,
                "test_command": "python3 -c 'import util; assert util.add(2, 3) == 5'",
            },
            progress_callback=edit,
        )

    assert result.structured_content["status"] == "needs_review"
    assert "util.py changed while the task ran" in result.structured_content["message"]
    assert util.read_text() == "# mine\n"


async def test_a_file_that_is_edited_while_the_task_waits_for_money_is_not_overwritten(stage):
    set_up = stage(weak=[WRONG], strong=[WRONG], dear=[EDIT])
    target = set_up.folder / "sums.py"
    target.write_text("def add(a, b):\n    return 0\n")

    async with set_up.client() as client:
        tests = TESTS.replace("solution", "sums")
        asked = await delegate(client, tests=tests, write_to="sums.py", apply=True)
        target.write_text("# mine\n")
        await approve(set_up, asked["task_id"])
        answer = await call(client, EXECUTE, resume=asked["task_id"])

    assert asked["status"] == "needs_approval"
    assert answer["status"] == "needs_review"
    assert "sums.py changed while the task ran" in answer["message"]
    assert target.read_text() == "# mine\n"


async def test_an_answer_from_before_an_interruption_does_not_overwrite_what_came_after_it(stage):
    set_up = stage(weak=[GOOD])
    target = set_up.folder / "sums.py"
    target.write_text("def add(a, b):\n    return 0\n")
    config = load_config(str(set_up.config), set_up.environment, set_up.folder)
    orchestrator = Orchestrator(config, set_up.environment, set_up.folder)
    asked = Task("task: write add(a, b)", "python", write_to="sums.py", apply=True, task_type="quick_edit")

    with anyio.CancelScope() as scope:

        async def interrupt(event):
            if event.kind == "verdict":
                scope.cancel()
                await anyio.lowlevel.checkpoint()

        await orchestrator.execute(asked, interrupt, "t1")
    target.write_text("# mine\n")
    outcome = await orchestrator.resume("t1")
    await orchestrator.aclose()

    assert scope.cancelled_caught
    assert outcome.status == "needs_review"
    assert "sums.py changed while the task ran" in outcome.message
    assert target.read_text() == "# mine\n"


async def test_an_approval_that_was_cut_off_while_it_wrote_can_be_said_again(stage):
    set_up = stage(weak=[GOOD])
    target, cut_off = set_up.folder / "sums.py", set_up.home / "backups/t0"
    before, after = "def add(a, b):\n    return 0\n", "def add(a, b):\n    return a + b\n"
    target.write_text(before)
    async with set_up.client() as client:
        answer = await delegate(client, task_type="critical", write_to="sums.py", apply=True)
    (cut_off / "files").mkdir(parents=True)
    (cut_off / "files/sums.py").write_text(before)
    digests = {"sums.py": digest_of(before)}, {"sums.py": digest_of(after)}
    (cut_off / "writing.json").write_text(json.dumps(asdict(Delivery(str(set_up.folder), "x", *digests))))
    target.write_text(after)

    await approve(set_up, answer["task_id"])

    assert answer["status"] == "needs_review"
    assert (cut_off / "undone.json").exists()
    assert target.read_text() == after


@pytest.mark.parametrize("between", [[], ["I am sorry, I cannot do that."]])
async def test_a_renamed_file_goes_also_after_a_reply_without_work(stage, between):
    set_up = stage(weak=[RENAME, *between, EDIT.replace("sums", "new")])
    set_up.config.write_text(
        set_up.config.read_text().replace("attempts_per_tier = 2", "attempts_per_tier = 3")
    )
    (set_up.folder / "old.py").write_text("def add(a, b):\n    return 0\n")

    async with set_up.client() as client:
        answer = await delegate(
            client,
            task="task: rename old.py to new.py and write add(a, b)",
            tests=TESTS.replace("solution", "new"),
            write_to="old.py",
            apply=True,
        )

    assert answer["status"] == "accepted"
    assert [one.name for one in set_up.folder.iterdir()] == ["new.py"]


async def test_a_file_name_that_no_disk_takes_is_a_bad_answer_and_not_the_end_of_the_task(stage):
    async with stage(weak=[GOOD.replace("python", "python " + "é" * 200 + ".py"), GOOD]).client() as client:
        answer = await delegate(client, tests=TESTS)

    assert (answer["status"], answer["attempts"]) == ("accepted", 2)
