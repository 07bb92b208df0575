"""What a checker's word and the scope of a change do to a task, seen through the server."""

import functools
import json

import pytest

from tests.behaviour.stage import APPROVE, GOOD, WRONG, call, delegate, set_stage

OPINION = json.dumps({"verdict": "reject", "reason": "I would have used sum()"})
REFUTED = json.dumps(
    {"verdict": "reject", "failing_input": "add(2, 3)", "expected": "5", "reason": "it subtracts"}
)
QUOTED = json.dumps({"verdict": "reject", "quote": "return a - b", "reason": "it subtracts"})


@pytest.fixture
def stage(tmp_path):
    return functools.partial(set_stage, tmp_path)


@pytest.mark.parametrize("said", [OPINION, REFUTED])
async def test_an_opinion_is_advice_and_in_the_end_left_to_a_person(stage, said):
    async with stage(weak=[GOOD], checks=[said]).client() as client:
        answer = await delegate(client, task_type="complex_architecture", detail=True)

    semantic = answer["verdicts"][-1]
    assert answer["status"] == "needs_review"
    assert "doubts that it could not prove" in answer["message"]
    assert semantic["status"] == "unavailable"
    assert "rejected without proof" in semantic["reason"]


async def test_a_doubt_without_proof_is_worth_another_try(stage):
    async with stage(weak=[WRONG, GOOD], checks=[OPINION, APPROVE]).client() as client:
        answer = await delegate(client, task_type="complex_architecture")

    assert (answer["status"], answer["attempts"]) == ("accepted", 2)


async def test_a_quoted_line_sends_the_work_back_with_its_place(stage):
    async with stage(weak=[WRONG, GOOD], checks=[QUOTED, APPROVE]).client() as client:
        answer = await delegate(client, task_type="complex_architecture", detail=True)

    remark = answer["history"][0]["verdicts"][-1]["diagnostics"][0]
    assert (answer["status"], answer["attempts"]) == ("accepted", 2)
    assert (remark["line"], remark["message"]) == (2, "it subtracts: 'return a - b'")


LONG = "".join(f"def keep_{number}(x):\n    return x + {number}\n\n\n" for number in range(20))
PART = "```python\ndef keep_3(x):\n    return x - 3\n```"
WHOLE = f"```python\n{LONG.replace('x + 3', 'x - 3', 1)}```"


def add_scope(set_up):
    """Have quick edits held against their scope."""
    policy = set_up.config.read_text()
    set_up.config.write_text(policy.replace('validators = ["syntax"]', 'validators = ["syntax", "scope"]'))


async def test_an_answer_that_drops_the_rest_of_the_file_is_sent_back(stage):
    set_up = stage(weak=[PART, WHOLE])
    (set_up.folder / "kept.py").write_text(LONG)
    add_scope(set_up)

    async with set_up.client() as client:
        answer = await delegate(
            client,
            task="add(a, b) is fine. Let keep_3 in kept.py subtract.",
            task_type="quick_edit",
            write_to="kept.py",
        )

    assert (answer["status"], answer["attempts"]) == ("accepted", 2)
    assert answer["verdicts"][-1]["validator"] == "scope"


async def test_a_change_can_be_held_against_its_scope_alone(stage):
    set_up = stage()
    (set_up.folder / "kept.py").write_text(LONG)
    given = {"task": "Let keep_3 subtract.", "workspace": str(set_up.folder), "validators": ["scope"]}

    async with set_up.client() as client:
        kept = await call(client, "validate_outcome", files={"kept.py": WHOLE[10:-3]}, **given)
        spoilt = await call(client, "validate_outcome", files={"kept.py": PART[10:-3]}, **given)

    assert (kept["passed"], spoilt["passed"]) == (True, False)
    assert [one["code"] for one in spoilt["verdicts"][0]["diagnostics"]] == ["name_gone", "mostly_gone"]


async def test_scope_alone_accepts_nothing_that_no_parser_knows(stage):
    set_up = stage(weak=["notes.lua\n```lua\nx = 3\ny = 2\n```"])
    (set_up.folder / "notes.lua").write_text("x = 1\ny = 2\n")
    add_scope(set_up)

    async with set_up.client() as client:
        answer = await delegate(
            client,
            task="add(a, b): x is 3 in notes.lua",
            language="lua",
            task_type="quick_edit",
            write_to="notes.lua",
        )

    assert answer["status"] == "needs_review"
    assert "nothing is proven" in answer["message"]
