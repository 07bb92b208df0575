"""What goes wrong outside is told with what to do; nothing crashes, nothing is accepted by mistake."""

import os

import pytest
from mcp.client import Client

from mcp_server.server import build_server
from tests.behaviour.misbehaving import answering
from tests.behaviour.stage import GOOD, TESTS, call, delegate, fail
from tests.servers.stub import running

EXECUTE = "orchestrator_execute_with_escalation"


async def test_five_mistakes_in_the_policy_are_all_told_at_each_call_until_mended(stage):
    set_up = stage(weak=[GOOD])
    right = set_up.config.read_text()
    wrong = right.replace('backend = "script"\nmodel = "weak"', 'backend = "nobody"\nmodel = ""')
    wrong = wrong.replace("usd_per_mtok_in = 1.0", "usd_per_mtok_in = -1.0").replace(
        'route = ["weak"]', 'route = ["x"]'
    )
    set_up.config.write_text(wrong + "\n[unknown]\n")

    async with set_up.client() as client:
        said = await fail(client, EXECUTE, task="task: add(a, b)")
        set_up.config.write_text(right)
        mended = await delegate(client, tests=TESTS)

    assert "it has 5 mistakes" in said
    for key in (
        "unknown:",
        "tiers.weak.backend",
        "tiers.weak.model",
        "tiers.dear.usd_per_mtok_in",
        "route.0 = 'x'",
    ):
        assert key in said
    assert mended["status"] == "accepted"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"task": "  "}, "The task is empty"),
        ({"task": "x" * 5_000_000}, "5,000,000 characters, at most 1,000,000 are taken"),
        ({"task": "x", "start_tier": "gpt"}, "start_tier 'gpt' is no tier. There are: weak, strong, dear"),
        ({"task": "x", "start_tier": "dear", "max_tier": "weak"}, "No tier is left between"),
        ({"task": "x", "task_type": "huge"}, "task_type: Input should be"),
        ({"task": "x", "complexity": 11}, "complexity: Input should be less than or equal to 10"),
        ({"task": "x", "test": "assert"}, "test: Extra inputs are not permitted"),
        ({"resume": "t000"}, "There is no task 't000' in the ledger"),
        ({"task": "x", "workspace": "/"}, "roots"),
        ({"task": "x", "context_files": ["../secret"]}, "roots"),
        ({"task": "x", "context_files": ["missing.py"]}, "missing.py"),
    ],
)
async def test_wrong_use_is_told_in_a_sentence(stage, arguments, said):
    async with stage(weak=[GOOD]).client() as client:
        assert said in await fail(client, EXECUTE, **arguments)


async def test_a_link_out_of_the_roots_is_refused_for_reading_and_for_writing(stage, tmp_path):
    set_up = stage(weak=[GOOD])
    (tmp_path / "secret.txt").write_text("key")
    (set_up.folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (set_up.folder / "out").symlink_to(tmp_path)

    async with set_up.client() as client:
        read = await fail(client, EXECUTE, task="task: add(a, b)", context_files=["link.txt"])
        written = await fail(client, EXECUTE, task="task: add(a, b)", write_to="out/solution.py", apply=True)

    assert "roots" in read
    assert "roots" in written
    assert not (tmp_path / "solution.py").exists()


async def test_a_binary_file_as_context_is_refused(stage):
    set_up = stage(weak=[GOOD])
    (set_up.folder / "tool.bin").write_bytes(b"\x7fELF\0\0\0")

    async with set_up.client() as client:
        assert "binary" in await fail(client, EXECUTE, task="task: add(a, b)", context_files=["tool.bin"])


async def test_a_language_without_a_grammar_is_not_proven_and_goes_to_a_person(stage):
    async with stage(weak=["```brainfuck\n+[-->-[>>+>-----<<]<--<---]\n```"]).client() as client:
        answer = await delegate(client, language="brainfuck", task_type="quick_edit")

    assert answer["status"] == "needs_review"
    assert answer["verdicts"][0]["status"] == "unavailable"


ENDLESS = "while True: pass"
LOUD = "while True: print('x' * 1_000_000)"
FORKING = "import os\nwhile True:\n    os.fork()"


@pytest.mark.parametrize("body", [ENDLESS, LOUD, FORKING])
async def test_tests_that_never_end_print_without_end_or_fork_fail_and_leave_nothing(stage, body):
    extra = "[sandbox]\nseconds = 2.0\nmemory_mb = 256\n"
    indented = body.replace("\n", "\n    ")
    work = f"```python\ndef add(a, b):\n    return a + b\n\n\ndef run():\n    {indented}\n```"
    tests = "from solution import run\n\ndef test_it():\n    run()\n"
    async with stage(weak=[work], extra=extra).client() as client:
        answer = await delegate(client, tests=tests, max_tier="weak")

    assert answer["status"] == "skipped"
    assert answer["verdicts"][-1]["validator"] == "tests"
    assert answer["verdicts"][-1]["status"] == "failed"


async def test_an_unknown_model_is_left_out_of_the_route_and_named(stage):
    set_up = stage(weak=[GOOD])
    set_up.config.write_text(set_up.config.read_text().replace('model = "weak"', 'model = "llama-99*"'))

    async with set_up.client() as client:
        planned = await call(client, "classify_task", task="add a function to the module with tests")
        answer = await delegate(client, max_tier="weak", start_tier="weak")

    assert planned["left_out"][0]["tier"] == "weak"
    assert "serves no model 'llama-99*'; it serves weak, strong, dear" in planned["left_out"][0]["reason"]
    assert answer["status"] == "stopped"
    assert "llama-99*" in answer["message"]


def with_server(set_up, url):
    text = set_up.config.read_text()
    server = (
        f'[backends.script]\nkind = "openai"\nurl = "{url}"\nstall_seconds = 0.5\nfirst_token_seconds = 1.0\n'
    )
    start, end = text.index("[backends.script]"), text.index("[backends.paid]")
    set_up.config.write_text(text[:start] + server + text[end:])
    return set_up


async def test_a_server_that_is_down_stops_the_task_until_it_is_back(stage, free_port):
    set_up = stage(weak=[GOOD])
    right = set_up.config.read_text()
    with_server(set_up, f"http://127.0.0.1:{free_port}")

    async with set_up.client() as client:
        down = await delegate(client, tests=TESTS, max_tier="strong")
    set_up.config.write_text(right)
    async with set_up.client() as client:
        back = await call(client, EXECUTE, resume=down["task_id"])

    assert down["status"] == "stopped"
    assert f"127.0.0.1:{free_port}" in down["message"]
    assert "orchestrator doctor" in down["next_steps"][0]
    assert back["status"] == "accepted"


@pytest.mark.skipif(
    os.geteuid() != 0, reason="an unwritable folder is made with a read-only mount or another user"
)
async def test_a_ledger_that_cannot_be_written_refuses_work_but_not_validation(stage, tmp_path):
    (tmp_path / "file").write_text("")
    async with stage(weak=[GOOD]).client(ORCHESTRATOR_HOME=str(tmp_path / "file")) as client:
        said = await fail(client, EXECUTE, task="task: add(a, b)")
        judged = await call(
            client, "validate_outcome", output="x = 1", language="python", validators=["syntax"]
        )
        planned = await call(client, "classify_task", task="fix a typo")

    assert "cannot be used" in said
    assert "ORCHESTRATOR_HOME" in said
    assert judged["passed"]
    assert planned["task_type"] == "quick_edit"


async def test_a_truncated_answer_is_asked_again_with_more_room(stage):
    long = "```python\n" + "\n".join(f"x{number} = {number}" for number in range(400)) + "\n```"
    set_up = stage(weak=[long])
    set_up.config.write_text(
        set_up.config.read_text().replace('model = "weak"', 'model = "weak"\nmax_output_tokens = 1000')
    )
    async with set_up.client() as client:
        answer = await delegate(client, task_type="quick_edit", detail=True)

    assert [one["trouble"] for one in answer["history"]] == ["truncated", ""]
    assert answer["status"] == "accepted"


async def test_an_empty_reply_and_one_without_work_are_no_candidates(stage):
    refusal = "I am sorry, but I cannot help with that."
    async with stage(weak=["", refusal], strong=[GOOD]).client() as client:
        answer = await delegate(client, tests=TESTS, detail=True)

    assert [one["trouble"] for one in answer["history"]][:2] == ["malformed", "no_candidate"]
    assert (answer["status"], answer["tier"]) == ("accepted", "strong")


@pytest.mark.parametrize(
    ("fault", "said"),
    [("html", "HTML"), ("cut", "no finish reason came"), ("dies", "")],
)
async def test_a_server_that_misbehaves_mid_answer_is_told_and_escalated_from(stage, fault, said):
    async with running(answering(fault)) as server:
        set_up = with_server(stage(dear=[GOOD], extra="[guards]\nask_before_paid = false\n"), server.url)
        async with set_up.client() as client:
            answer = await delegate(client, tests=TESTS, detail=True)

    assert (answer["status"], answer["tier"]) == ("accepted", "dear")
    assert said.lower() in answer["history"][0]["message"].lower()
    assert answer["history"][0]["trouble"] in {"malformed", "unavailable"}


async def test_a_server_without_a_project_may_touch_nothing(stage):
    async with stage(weak=[GOOD]).client(CLAUDE_PROJECT_DIR="/") as client:
        said = await fail(client, EXECUTE, task="x", context_files=["/etc/hostname"])

    assert "outside the allowed folders (none)" in said


async def test_an_untrusted_policy_is_told_in_the_status(stage):
    set_up = stage(weak=[GOOD])
    (set_up.folder / "escalation.toml").write_text("[guards]\nusd_per_day = 900.0\n")
    async with Client(build_server("", set_up.environment)) as client:
        status = await call(client, "orchestrator_status")

    assert "orchestrator trust" in status["warnings"][0]


async def test_a_task_cannot_be_resumed_from_a_folder_that_may_not_see_its_workspace(stage, tmp_path):
    set_up = stage(weak=[GOOD])
    right = set_up.config.read_text()
    set_up.config.write_text(right.replace("script.json", "missing.json"))
    (tmp_path / "other").mkdir()

    async with set_up.client() as client:
        down = await delegate(client, test_command="cat secret.txt", max_tier="strong")
    set_up.config.write_text(right)
    async with set_up.client(CLAUDE_PROJECT_DIR=str(tmp_path / "other")) as client:
        said = await fail(client, EXECUTE, resume=down["task_id"])

    assert down["status"] == "stopped"
    assert "outside the allowed folders" in said


async def test_a_checker_that_is_needed_and_talks_nonsense_leaves_the_work_to_a_person(stage):
    set_up = stage(weak=[GOOD], checks=["looks fine to me"])
    set_up.config.write_text(
        set_up.config.read_text().replace(
            'route = ["weak", "strong", "dear"]', 'route = ["weak"]\nchecker = "strong"'
        )
    )
    async with set_up.client() as client:
        answer = await delegate(client)

    assert answer["status"] == "needs_review"
    assert "semantic did not pass" in answer["message"]


async def test_plain_code_without_a_fence_is_judged_as_it_stands(stage):
    async with stage().client() as client:
        judged = await call(client, "validate_outcome", output="def f(:\n    return 1\n", language="python")

    assert judged["verdicts"][0]["validator"] == "syntax"
    assert judged["verdicts"][0]["diagnostics"][0]["line"] == 1
