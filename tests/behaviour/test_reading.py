"""Documents, resources and reviews through MCP."""

import json

import anyio
import pytest

from tests.behaviour.stage import GOOD, TESTS, WRONG, call, delegate, fail

FOUND = json.dumps({"answer": "green", "quotes": ["The lamp is green."]})
DOCUMENT = "It is dark.\nThe lamp is green.\n"


@pytest.fixture
def library(stage):
    """A stage whose models answer about lamps, and a document about one."""
    set_up = stage(weak=[GOOD], default=FOUND)
    (set_up.folder / "notes.txt").write_text(DOCUMENT)
    return set_up


async def test_an_answer_comes_with_quotes_that_were_located(library):
    async with library.client() as client:
        answer = await call(client, "rlm_analyze", question="Which colour?", paths=["notes.txt"])
        again = await call(client, "rlm_analyze", question="Which colour?", resume=answer["run_id"])

    assert (answer["status"], answer["answer"], answer["coverage"]) == ("answered", "green", 1)
    assert answer["citations"][0]["lines"] == [2, 2]
    assert answer["mode_path"] == ["direct"]
    assert again == answer


async def test_text_can_be_given_instead_of_paths(library):
    async with library.client() as client:
        answer = await call(client, "rlm_analyze", question="Which colour?", text=DOCUMENT, tier="strong")

    assert answer["citations"][0]["path"] == "text"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"question": "?"}, "Nothing to read"),
        ({"question": " ", "text": "x"}, "question"),
        ({"question": "?", "paths": ["*.md"]}, "No file matches"),
        ({"question": "?", "paths": ["/etc/passwd"]}, "roots"),
        ({"question": "?", "text": "x", "tier": "gpt"}, "is no tier"),
        ({"question": "?", "text": "x", "tier": "dear"}, "costs money and nobody approved it"),
        ({"question": "?", "text": "x", "output_schema": {"type": 7}}, "schema"),
        ({"question": "?", "text": "x", "mode": "repl"}, "mode"),
        ({"question": "?", "text": "x", "max_calls": 0}, "max_calls"),
    ],
)
async def test_what_cannot_be_analysed_is_refused_with_a_reason(library, arguments, said):
    async with library.client() as client:
        assert said in await fail(client, "rlm_analyze", **arguments)


async def test_a_reader_that_nobody_serves_is_told(library):
    library.config.write_text(library.config.read_text().replace('model = "', 'model = "x-'))

    async with library.client() as client:
        assert "doctor" in await fail(client, "rlm_analyze", question="?", text="x")


async def test_resources_tell_tasks_runs_policy_and_statistics(library):
    async with library.client() as client:
        done = await delegate(client, tests=TESTS)
        read = await call(client, "rlm_analyze", question="Which colour?", paths=["notes.txt"])

        task = await client.read_resource(f"orchestrator://tasks/{done['task_id']}")
        run = await client.read_resource(f"orchestrator://runs/{read['run_id']}")
        policy = await client.read_resource("orchestrator://policy")
        stats = await client.read_resource("orchestrator://stats")

    assert json.loads(task.contents[0].text)["history"][0]["approved"]
    assert json.loads(run.contents[0].text)["answer"] == "green"
    assert policy.contents[0].text.strip().startswith("[backends.script]")
    assert json.loads(stats.contents[0].text)["tasks"] == {"accepted": 1}


async def test_a_review_needs_a_task_that_can_be_reviewed(stage):
    async with stage(weak=["I cannot help with that."]).client() as client:
        empty = await delegate(client, max_tier="weak", tests=TESTS)
        which = await fail(client, "orchestrator_review", action="approve")
        nothing = await fail(client, "orchestrator_review", action="approve", task_id=empty["task_id"])
        unknown = await fail(client, "orchestrator_review", action="skip", task_id="t0")

    assert "Which task?" in which
    assert "did not pass its checks" in nothing
    assert "There is no task 't0'" in unknown


async def test_a_person_can_reject_what_was_accepted(stage):
    async with stage(weak=[GOOD]).client() as client:
        done = await delegate(client, tests=TESTS)
        after = await call(
            client, "orchestrator_review", action="reject", task_id=done["task_id"], comment="wrong"
        )
        told = await call(client, "orchestrator_status")

    assert after["status"] == "skipped"
    assert told["tasks"] == {"skipped": 1}


async def test_an_analysis_can_only_be_resumed_as_what_it_is(library):
    async with library.client() as client:
        done = await delegate(client, tests=TESTS)
        unknown = await fail(client, "rlm_analyze", question="?", resume="t0")
        other = await fail(client, "rlm_analyze", question="?", resume=done["task_id"])
        read = await call(client, "rlm_analyze", question="Which colour?", text=DOCUMENT)
        wrong = await fail(client, "orchestrator_execute_with_escalation", resume=read["run_id"])

    assert "There is no analysis 't0'" in unknown
    assert "There is no analysis" in other
    assert "There is no task" in wrong


async def test_a_plan_names_worker_checker_route_and_what_it_may_cost(stage):
    async with stage().client() as client:
        plan = await call(client, "classify_task", task="Fix the typo in README.md")
        again = await call(client, "classify_task", task="Migrate the payments database to the new schema")

    assert (plan["task_type"], plan["worker"], plan["route"]) == ("quick_edit", "weak", ["weak", "strong"])
    assert 0 < plan["pass_probability"] < 1
    assert again["task_type"] == "critical"
    assert again["checker"] == "strong"


async def test_several_files_can_be_judged_at_once(stage):
    async with stage().client() as client:
        judged = await call(
            client, "validate_outcome", files={"a.py": "x = 1\n", "b.json": "{"}, validators=["syntax"]
        )
        nothing = await call(client, "validate_outcome", output="", language="python")
        unserved = await call(
            client, "validate_outcome", output="x = 1", language="python", validators=["semantic"]
        )

    assert not judged["passed"]
    assert judged["verdicts"][0]["diagnostics"][0]["file"] == "b.json"
    assert not nothing["passed"]
    assert unserved["unavailable"][0]["validator"] == "semantic"


async def test_two_callers_of_one_task_get_the_same_answer(stage):
    set_up = stage(weak=[{"text": WRONG, "delay_seconds": 0.3}, GOOD])
    answers = {}

    async def wait(name, task_id):
        async with set_up.client() as client:
            answers[name] = await call(client, "orchestrator_execute_with_escalation", resume=task_id)

    async with set_up.client(ORCHESTRATOR_DEADLINE_SECONDS="0.1") as client:
        begun = await delegate(client, tests=TESTS)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(wait, "one", begun["task_id"])
                group.start_soon(wait, "two", begun["task_id"])

    assert begun["status"] == "running"
    assert answers["one"] == answers["two"]
    assert (answers["one"]["status"], answers["one"]["attempts"]) == ("accepted", 2)
