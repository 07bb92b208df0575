"""What a host sees when it delegates: through the real protocol, the real engine and the real sandbox."""

import json

import pytest

from tests.behaviour.stage import APPROVE, BROKEN, GOOD, REJECT, TESTS, WRONG, approve, call, delegate, fail


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_right_work_is_accepted_at_once(stage, mode):
    async with stage(weak=[GOOD]).client(mode) as client:
        answer = await delegate(client, tests=TESTS)

    assert answer["status"] == "accepted"
    assert answer["output"] == "def add(a, b):\n    return a + b\n"
    assert (answer["tier"], answer["attempts"], answer["escalations"]) == ("weak", 1, 0)
    assert [verdict["status"] for verdict in answer["verdicts"]] == ["passed", "passed", "passed"]
    assert answer["confidence"] > 0.8


async def test_wrong_work_is_retried_with_the_failing_tests_diagnostics(stage):
    async with stage(weak=[WRONG, GOOD]).client() as client:
        answer = await delegate(client, tests=TESTS, detail=True)

    first, second = answer["history"]
    assert answer["status"] == "accepted"
    assert (answer["tier"], answer["attempts"], answer["escalations"]) == ("weak", 2, 0)
    assert "left is -1, right is 5" in first["verdicts"][-1]["diagnostics"][0]["message"]
    assert second["approved"]


async def test_a_correction_may_be_a_search_and_replace_edit(stage):
    edit = "solution.py\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE"
    async with stage(weak=[WRONG, edit]).client() as client:
        answer = await delegate(client, tests=TESTS)

    assert (answer["status"], answer["attempts"]) == ("accepted", 2)
    assert answer["output"] == "def add(a, b):\n    return a + b\n"


async def test_what_stays_wrong_is_escalated_and_the_same_answer_twice_at_once(stage):
    async with stage(weak=[WRONG, WRONG, WRONG], strong=[GOOD]).client() as client:
        answer = await delegate(client, tests=TESTS)

    assert (answer["status"], answer["tier"]) == ("accepted", "strong")
    assert (answer["attempts"], answer["escalations"]) == (3, 1)


async def test_an_exhausted_route_is_skipped_with_its_best_attempt(stage):
    async with stage(weak=[BROKEN, WRONG], strong=[BROKEN]).client() as client:
        answer = await delegate(client, tests=TESTS, max_tier="strong")

    assert answer["status"] == "skipped"
    assert answer["output"] == "def add(a, b):\n    return a - b\n"
    assert answer["confidence"] == 0
    assert "start_tier" in answer["next_steps"][0]


async def test_money_waits_for_a_person_and_a_host_cannot_say_yes(stage):
    async with stage(weak=[WRONG], strong=[WRONG], dear=[GOOD]).client() as client:
        asked = await delegate(client, tests=TESTS)
        refused = await fail(client, "orchestrator_review", action="approve", task_id=asked["task_id"])
        again = await call(client, "orchestrator_execute_with_escalation", resume=asked["task_id"])

    assert asked["status"] == again["status"] == "needs_approval"
    assert asked["cost_usd"] == 0
    assert "$1 / $5 per million tokens" in asked["message"]
    assert f"orchestrator review approve {asked['task_id']}" in refused


async def test_an_approved_task_goes_on_without_asking_anybody_twice(stage):
    set_up = stage(weak=[WRONG], strong=[WRONG], dear=[GOOD])
    async with set_up.client() as client:
        asked = await delegate(client, tests=TESTS)
    await approve(set_up, asked["task_id"])

    async with set_up.client() as client:
        answer = await call(client, "orchestrator_execute_with_escalation", resume=asked["task_id"])

    assert (answer["status"], answer["tier"]) == ("accepted", "dear")
    assert answer["attempts"] == asked["attempts"] + 1
    assert answer["cost_usd"] > 0


async def test_a_budget_that_has_no_room_stops_before_the_call(stage):
    extra = "[guards]\nask_before_paid = false\nusd_per_task = 0.001\n"
    async with stage(weak=[WRONG], strong=[WRONG], dear=[GOOD], extra=extra).client() as client:
        answer = await delegate(client, tests=TESTS)

    assert answer["status"] == "stopped"
    assert "more than what is left of $0.00 for the task" in answer["message"]
    assert answer["cost_usd"] == 0


async def test_a_critical_task_that_passed_still_waits_and_a_person_ends_it(stage):
    set_up = stage(weak=[GOOD])
    async with set_up.client() as client:
        answer = await delegate(client, tests=TESTS, task_type="critical", write_to="sums.py", apply=True)
        waiting = await call(client, "orchestrator_review")
        refused = await fail(client, "orchestrator_review", action="approve", task_id=answer["task_id"])
        before = (set_up.folder / "sums.py").exists()
        await approve(set_up, answer["task_id"])
        after = await call(client, "orchestrator_execute_with_escalation", resume=answer["task_id"])

    assert answer["status"] == "needs_review"
    assert [one["task_id"] for one in waiting["waiting"]] == [answer["task_id"]]
    assert "is critical, which only a person can approve" in refused
    assert not before
    assert after["status"] == "accepted"
    assert "return a + b" in (set_up.folder / "sums.py").read_text()


async def test_a_retry_shows_the_persons_words_and_begins_anew(stage):
    set_up = stage(weak=[WRONG, WRONG, GOOD], strong=[WRONG])
    async with set_up.client() as client:
        answer = await delegate(client, task_type="critical", tests=TESTS)
        await call(
            client, "orchestrator_review", action="retry", task_id=answer["task_id"], comment="it must add"
        )
        after = await call(client, "orchestrator_execute_with_escalation", resume=answer["task_id"])

    assert answer["status"] == "needs_review"
    assert (after["status"], after["attempts"]) == ("needs_review", 1)
    assert "return a + b" in after["output"]


async def test_a_checker_rejects_what_the_parser_lets_through(stage):
    async with stage(weak=[WRONG, GOOD], checks=[REJECT, APPROVE]).client() as client:
        answer = await delegate(client, task_type="complex_architecture", detail=True)

    assert (answer["status"], answer["attempts"], answer["checker"]) == ("accepted", 2, "strong")
    assert answer["history"][0]["verdicts"][-1]["diagnostics"][0]["message"] == (
        "add(2, 3) is -1, expected 5. it subtracts"
    )


async def test_a_checker_that_talks_nonsense_approves_nothing(stage):
    async with stage(weak=[GOOD], checks=["looks fine to me"]).client() as client:
        answer = await delegate(client, task_type="complex_architecture", validators=["semantic"])

    assert answer["status"] == "needs_review"
    assert "semantic did not pass" in answer["message"]


async def test_tests_that_cannot_run_are_never_taken_as_passed(stage):
    async with stage(weak=[GOOD], extra='[sandbox]\nbackend = "none"\n').client() as client:
        answer = await delegate(client, tests=TESTS)

    tests = next(one for one in answer["verdicts"] if one["validator"] == "tests")
    assert answer["status"] == "needs_review"
    assert tests["status"] == "unavailable"
    assert "allow_unsandboxed" in tests["reason"]


async def test_accepted_files_are_written_and_not_repeated(stage):
    set_up = stage(weak=[GOOD])
    (set_up.folder / "sums.py").write_text("def add(a, b):\n    raise NotImplementedError\n")

    async with set_up.client() as client:
        looked = await delegate(client, tests=TESTS, write_to="sums.py")
        applied = await delegate(client, tests=TESTS, write_to="sums.py", apply=True)

    assert looked["files"][0]["diff"].count("\n+") >= 1
    assert not looked["files"][0]["applied"]
    assert applied["files"] == [{"path": "sums.py", "applied": True}]
    assert applied["output"] == ""
    assert (set_up.folder / "sums.py").read_text() == "def add(a, b):\n    return a + b\n"


async def test_a_delegation_that_wrote_files_answers_in_about_300_tokens(stage):
    async with stage(weak=[GOOD]).client() as client:
        answer = await delegate(client, tests=TESTS, write_to="sums.py", apply=True)

    assert len(json.dumps(answer)) / 4 < 400


async def test_a_test_command_runs_in_a_copy_and_leaves_the_project_alone(stage):
    set_up = stage(weak=[GOOD])
    (set_up.folder / "check.py").write_text(
        "import sums, pathlib\npathlib.Path('left.txt').write_text('x')\n"
        "assert sums.add(1, 2) == 3\nprint('1 passed')\n"
    )

    async with set_up.client() as client:
        answer = await delegate(client, write_to="sums.py", test_command="python3 check.py")

    assert answer["status"] == "accepted"
    assert sorted(path.name for path in set_up.folder.iterdir()) == ["check.py"]


async def test_progress_says_which_tier_and_why_it_failed(stage):
    told = []

    async def listen(progress, total, message):
        told.append(message)

    async with stage(weak=[WRONG, GOOD]).client() as client:
        arguments = {
            "task": "task: write add(a, b)",
            "tests": TESTS,
            "task_type": "standard_dev",
            "language": "python",
        }
        await client.call_tool("orchestrator_execute_with_escalation", arguments, progress_callback=listen)

    assert any(line.startswith("asking weak") for line in told)
    assert any("left is -1, right is 5" in line for line in told)
    assert told[-1] == "accepted"


async def test_a_model_that_takes_too_long_is_stopped_at_the_time_limit(stage):
    async with stage(weak=[{"text": GOOD, "delay_seconds": 600}]).client() as client:
        answer = await delegate(client, tests=TESTS, timeout_seconds=0.3)

    assert answer["status"] == "stopped"
    assert "time limit" in answer["message"]


async def test_an_answer_that_only_lacks_imports_is_completed_before_it_is_judged(stage):
    answer = "```python\ndef add(a: Optional[int], b: int) -> int:\n    return math.floor((a or 0) + b)\n```"
    async with stage(weak=[answer]).client() as client:
        done = await delegate(client, tests=TESTS)

    assert (done["status"], done["attempts"]) == ("accepted", 1)
    assert "from typing import Optional" in done["output"]


async def test_a_paid_checker_is_not_asked_without_a_persons_yes(stage):
    set_up = stage(weak=[GOOD], checks=[APPROVE])
    set_up.config.write_text(set_up.config.read_text().replace('checker = "strong"', 'checker = "dear"'))

    async with set_up.client() as client:
        answer = await delegate(client, task_type="complex_architecture", validators=["semantic"])

    assert answer["status"] == "needs_review"
    assert answer["cost_usd"] == 0
    assert "nobody has approved" in answer["verdicts"][-1]["reason"]


REPLACES_TESTS = (
    "sums.py\n```python\ndef add(a, b):\n    return a - b\n```\n\ntest_sums.py\n```python\nassert True\n```"
)


async def test_an_answer_may_not_replace_the_projects_tests(stage):
    set_up = stage(weak=[REPLACES_TESTS])
    (set_up.folder / "test_sums.py").write_text(
        "from sums import add\nassert add(2, 3) == 5\nprint('1 passed')\n"
    )

    async with set_up.client() as client:
        answer = await delegate(
            client, write_to="sums.py", apply=True, test_command="python3 test_sums.py", max_tier="weak"
        )

    assert answer["status"] == "skipped"
    assert "does not name it" in answer["verdicts"][0]["diagnostics"][0]["message"]
    assert "add(2, 3)" in (set_up.folder / "test_sums.py").read_text()


async def test_an_answer_that_changes_nothing_is_no_answer(stage):
    set_up = stage(weak=[WRONG])
    (set_up.folder / "sums.py").write_text("def add(a, b):\n    return a - b\n")

    async with set_up.client() as client:
        answer = await delegate(client, write_to="sums.py", task_type="quick_edit", max_tier="weak")

    assert answer["status"] == "skipped"
    assert "exactly as it was" in answer["verdicts"][0]["diagnostics"][0]["message"]


async def test_a_file_that_was_edited_meanwhile_is_not_overwritten(stage):
    set_up = stage(weak=[{"text": GOOD, "delay_seconds": 0.5}])
    target = set_up.folder / "sums.py"
    target.write_text("# old\n")

    async def edit(progress, total, message):
        if message.startswith("asking"):
            target.write_text("# mine\n")

    async with set_up.client() as client:
        given = {"task": "task: write add(a, b)", "tests": TESTS, "write_to": "sums.py", "apply": True}
        result = await client.call_tool(
            "orchestrator_execute_with_escalation",
            {**given, "task_type": "standard_dev"},
            progress_callback=edit,
        )

    assert result.structured_content["status"] == "needs_review"
    assert "changed while the task ran" in result.structured_content["message"]
    assert target.read_text() == "# mine\n"


async def test_paid_tiers_are_left_out_when_nothing_may_be_spent(stage):
    async with stage(weak=[WRONG], strong=[WRONG], dear=[GOOD]).client() as client:
        answer = await delegate(client, tests=TESTS, max_cost_usd=0)

    assert answer["status"] == "skipped"


async def test_a_host_cannot_approve_what_failed_and_a_second_approval_writes_nothing(stage):
    set_up = stage(weak=[WRONG], strong=[WRONG])
    async with set_up.client() as client:
        failed = await delegate(client, tests=TESTS, max_tier="strong", write_to="sums.py", apply=True)
        refused = await fail(client, "orchestrator_review", action="approve", task_id=failed["task_id"])
        await approve(set_up, failed["task_id"])
        (set_up.folder / "sums.py").write_text("# mine\n")
        await call(client, "orchestrator_review", action="approve", task_id=failed["task_id"])

    assert "did not pass its checks" in refused
    assert (set_up.folder / "sums.py").read_text() == "# mine\n"
