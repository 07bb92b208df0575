"""What a route does besides going up: samples, plans, voices, second authors."""

from tests.behaviour.stage import APPROVE, BROKEN, GOOD, REJECT, TESTS, WRONG, delegate

SUM = "```python\ndef add(a, b):\n    return sum((a, b))\n```"
NARROW = "```python\ndef add(a, b):\n    return 5\n```"
"""Passes the tests, and is wrong."""
SURER = "wanted_confidence = 0.95"
COMPARED = ["syntax", "tests", "agreement"]


WRITTEN = '{"tests": ["assert add(1, 2) == 3", "assert add(0, 0) == 0", "assert add(-1, 1) == 0"]}'
VOTED = "[validators]\nvotes = 3"


async def test_of_several_samples_the_first_that_passes_is_taken(stage):
    async with stage(weak=[WRONG, BROKEN, GOOD], standard="samples = 3").client() as client:
        answer = await delegate(client, tests=TESTS, detail=True)

    assert (answer["status"], answer["tier"], answer["escalations"]) == ("accepted", "weak", 0)
    assert "return a + b" in answer["output"]
    assert answer["history"][-1]["approved"]


async def test_samples_that_all_fail_are_one_try_and_the_best_goes_on(stage):
    async with stage(weak=[WRONG], strong=[GOOD], standard="samples = 2").client() as client:
        answer = await delegate(client, tests=TESTS, detail=True)

    tiers = [attempt["tier"] for attempt in answer["history"]]
    assert (answer["status"], answer["tier"]) == ("accepted", "strong")
    assert tiers.count("weak") == 2 * 2


async def test_a_plan_is_asked_for_once_and_shown_to_the_worker(stage):
    set_up = stage(weak=[WRONG, GOOD], plans=["1. mind the sign", "never asked"], standard="plan = true")
    async with set_up.client() as client:
        answer = await delegate(client, tests=TESTS)

    assert (answer["status"], answer["attempts"]) == ("accepted", 2)


async def test_a_second_author_who_agrees_makes_it_surer(stage):
    async with stage(weak=[GOOD], strong=[SUM], standard=SURER).client() as client:
        answer = await delegate(client, tests=TESTS, validators=COMPARED)
        alone = await delegate(client, tests=TESTS, max_tier="weak")

    assert (answer["status"], answer["tier"], answer["attempts"]) == ("accepted", "strong", 2)
    assert answer["escalations"] == 0
    assert answer["verdicts"][-1]["validator"] == "agreement"
    assert answer["verdicts"][-1]["status"] == "passed"
    assert answer["confidence"] > alone["confidence"]


async def test_work_that_only_fits_its_tests_is_found_out_by_a_second_author(stage):
    set_up = stage(weak=[NARROW], strong=[GOOD], dear=[SUM], standard=SURER)
    async with set_up.client() as client:
        answer = await delegate(client, tests=TESTS, validators=COMPARED, detail=True)

    assert answer["status"] == "needs_approval"
    told = answer["history"][-1]["verdicts"][-1]["diagnostics"][0]["message"]
    assert "add(" in told


async def test_without_tests_a_checker_writes_them_and_the_work_is_held_against_them(stage):
    set_up = stage(
        weak=[WRONG], strong=[GOOD], written=[WRITTEN], checks=[APPROVE], standard='checker = "strong"'
    )
    async with set_up.client() as client:
        answer = await delegate(client, validators=["generated_tests"], detail=True)

    first = answer["history"][0]["verdicts"]
    assert (answer["status"], answer["tier"]) == ("accepted", "strong")
    assert [one["status"] for one in first if one["validator"] == "generated_tests"] != ["passed"]
    assert answer["verdicts"][-1]["validator"] == "generated_tests"
    assert answer["verdicts"][-1]["status"] == "passed"


async def test_a_checker_that_votes_is_asked_until_the_majority_stands(stage):
    votes = [APPROVE, REJECT.replace("add(2, 3)", ""), APPROVE]
    async with stage(weak=[GOOD], checks=votes, extra=VOTED).client() as client:
        answer = await delegate(client, task_type="complex_architecture")

    assert (answer["status"], answer["verdicts"][-1]["status"]) == ("accepted", "passed")


async def test_a_voice_of_the_policy_is_named_with_the_route(stage):
    voice = '[voices.careful]\nsystem = "You take care."\nstart_tier = "strong"\nwords = ["add"]'
    async with stage(weak=[WRONG], strong=[GOOD], extra=voice).client() as client:
        answer = await delegate(client, tests=TESTS)

    assert (answer["status"], answer["tier"], answer["attempts"]) == ("accepted", "strong", 1)


async def test_a_task_that_uses_up_its_attempts_is_stopped(stage):
    runaway = "[guards]\nattempts_per_task = 3"
    async with stage(weak=[WRONG, BROKEN], strong=[WRONG, BROKEN], extra=runaway).client() as client:
        answer = await delegate(client, tests=TESTS)

    assert (answer["status"], answer["attempts"]) == ("stopped", 3)
    assert "attempts_per_task" in answer["message"]


async def test_a_sample_that_passed_in_time_is_not_lost_with_one_that_did_not(stage):
    slow = {"text": GOOD, "delay_seconds": 60}
    surer = f"samples = 2\n{SURER}"
    async with stage(weak=[slow, GOOD], strong=[GOOD], standard=surer).client() as client:
        answer = await delegate(
            client, tests=TESTS, validators=COMPARED, max_tier="strong", timeout_seconds=3
        )

    assert (answer["status"], answer["tier"], answer["attempts"]) == ("needs_review", "weak", 1)
    assert "no second author's work" in answer["message"]
    assert "return a + b" in answer["output"]


async def test_samples_stay_inside_the_attempts_of_a_task(stage):
    runaway = "[guards]\nattempts_per_task = 3"
    async with stage(weak=[WRONG], standard="samples = 16", extra=runaway).client() as client:
        answer = await delegate(client, tests=TESTS)

    assert (answer["status"], answer["attempts"]) == ("stopped", 3)


async def test_a_voice_does_not_start_above_the_tier_that_the_caller_allows(stage):
    voice = '[voices.careful]\nsystem = "You take care."\nstart_tier = "strong"'
    async with stage(weak=[GOOD], extra=voice).client() as client:
        answer = await delegate(client, tests=TESTS, max_tier="weak")

    assert (answer["status"], answer["tier"]) == ("accepted", "weak")


async def test_tests_that_are_wanted_of_a_model_are_written_beside_those_that_were_given(stage):
    async with stage(weak=[GOOD], written=[WRITTEN]).client() as client:
        answer = await delegate(client, tests=TESTS, validators=["generated_tests"])

    passed = {one["validator"]: one["status"] for one in answer["verdicts"]}
    assert answer["status"] == "accepted"
    assert (passed["tests"], passed["generated_tests"]) == ("passed", "passed")


async def test_a_doubt_of_written_tests_is_another_try_although_the_checker_approves(stage):
    set_up = stage(
        weak=[WRONG],
        strong=[GOOD],
        written=[WRITTEN],
        checks=[APPROVE],
        standard='checker = "strong"',
        gates=("syntax", "generated_tests"),
    )
    async with set_up.client() as client:
        doubted = await delegate(client, max_tier="weak")
        answer = await delegate(client)

    assert doubted["status"] == "needs_review"
    assert (answer["status"], answer["tier"]) == ("accepted", "strong")
