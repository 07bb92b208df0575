"""The real server process on real pipes: what hosts do to it."""

import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import anyio
import apsw
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from tests.behaviour.raw import raw_host
from tests.behaviour.stage import GOOD, TESTS, WRONG, call
from tests.servers.stub import Answer, running

EXECUTE = "orchestrator_execute_with_escalation"
TASK = {"task": "task: write add(a, b)", "language": "python", "task_type": "standard_dev", "tests": TESTS}
TOOLS = {
    EXECUTE,
    "classify_task",
    "validate_outcome",
    "rlm_analyze",
    "orchestrator_review",
    "orchestrator_status",
}
STUCK = {"text": GOOD, "delay_seconds": 600}


def test_the_whole_tool_list_costs_a_host_less_than_1500_tokens(stage):
    set_up = stage()
    with raw_host(str(set_up.config), set_up.environment) as host:
        host.greet()
        tools = host.answer(host.send("tools/list"))["result"]["tools"]

    assert {tool["name"] for tool in tools} == TOOLS
    assert len(json.dumps({"tools": tools}, separators=(",", ":"))) / 4 < 1500
    assert all(len(tool["description"]) < 2000 for tool in tools)


@pytest.mark.parametrize(
    "version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2099-01-01", "1.0"]
)
def test_every_handshake_is_answered(stage, version):
    set_up = stage()
    with raw_host(str(set_up.config), set_up.environment) as host:
        greeted = host.greet(version)["result"]

    assert greeted["serverInfo"]["name"] == "orchestrator"
    assert greeted["instructions"].startswith("Delegate coding")


async def test_all_tools_answer_over_stdio(stage):
    set_up = stage(weak=[GOOD])
    (set_up.folder / "notes.txt").write_text("The lamp is green.\n")
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_server", "--config", str(set_up.config)],
        env=set_up.environment,
    )

    with anyio.fail_after(60):
        async with Client(server) as client:
            listed = {tool.name for tool in (await client.list_tools()).tools}
            done = await call(client, EXECUTE, **TASK)
            planned = await call(client, "classify_task", task="fix the typo in README.md")
            judged = await call(client, "validate_outcome", output=WRONG, language="python", tests=TESTS)
            waiting = await call(client, "orchestrator_review", action="list")
            status = await call(client, "orchestrator_status")
            refused = await client.call_tool(
                "rlm_analyze", {"question": "Which colour?", "paths": ["none.txt"]}
            )

    assert listed == TOOLS
    assert done["status"] == "accepted"
    assert planned["route"] == ["weak", "strong"]
    assert not judged["passed"]
    assert "left is -1, right is 5" in judged["verdicts"][-1]["diagnostics"][0]["message"]
    assert waiting == {"waiting": []}
    assert status["tasks"] == {"accepted": 1}
    assert status["workers"][0]["success_rate"] == 1.0
    assert refused.is_error
    assert "none.txt" in refused.content[0].text


def test_arguments_may_come_as_json_strings(stage):
    set_up = stage(weak=[GOOD])
    with raw_host(str(set_up.config), set_up.environment) as host:
        host.greet()
        given = {**TASK, "context_files": "[]", "complexity": "4", "detail": "true"}
        answer = host.answer(host.call(EXECUTE, **given))["result"]

    assert answer["structuredContent"]["status"] == "accepted"
    assert answer["structuredContent"]["history"][0]["approved"]


def test_a_run_outlives_the_call_that_began_it_and_can_be_waited_for(stage):
    set_up = stage(weak=[{"text": GOOD, "delay_seconds": 0.5}])
    environment = {**set_up.environment, "ORCHESTRATOR_DEADLINE_SECONDS": "0.05"}
    with raw_host(str(set_up.config), environment) as host:
        host.greet()
        answer = host.answer(host.call(EXECUTE, **TASK))["result"]["structuredContent"]
        assert answer["status"] == "running"
        while answer["status"] == "running":
            answer = host.answer(host.call(EXECUTE, resume=answer["task_id"]))["result"]["structuredContent"]

    assert (answer["status"], answer["attempts"]) == ("accepted", 1)


def test_a_ping_is_answered_while_a_task_runs(stage):
    set_up = stage(weak=[STUCK])
    with raw_host(str(set_up.config), set_up.environment) as host:
        host.greet()
        host.call(EXECUTE, **TASK)
        host.progress("asking weak")

        assert host.answer(host.send("ping"))["result"] == {}


async def test_a_hosts_cancel_closes_the_request_to_the_model(stage):
    set_up = stage()
    listed = Answer((json.dumps({"object": "list", "data": [{"id": "weak"}, {"id": "strong"}]}),))
    asked = anyio.Event()

    def answer(seen):
        if seen.method == "GET":
            return listed
        asked.set()
        return Answer((), content_type="text/event-stream", ending="silence")

    async with running(answer) as server:
        text = set_up.config.read_text()
        start, end = text.index("[backends.script]"), text.index("[backends.paid]")
        set_up.config.write_text(
            f'{text[:start]}[backends.script]\nkind = "openai"\nurl = "{server.url}"\n{text[end:]}'
        )
        with raw_host(str(set_up.config), set_up.environment) as host:
            number = await anyio.to_thread.run_sync(_begin_stuck, host)

            with anyio.fail_after(20):
                await asked.wait()
                host.send("notifications/cancelled", notify=True, requestId=number, reason="user")
                await server.client_left.wait()


def _begin_stuck(host):
    host.greet()
    number = host.call(EXECUTE, **TASK)
    host.progress("asking weak")
    return number


@pytest.mark.parametrize("end", ["eof", signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_when_the_host_does_and_the_task_can_go_on(stage, end):
    set_up = stage(weak=[STUCK])
    with raw_host(str(set_up.config), set_up.environment) as host:
        _begin_stuck(host)
        if end == "eof":
            host.process.stdin.close()
        else:
            host.process.send_signal(end)
        assert host.process.wait(10) == 0

    task_id = _resume_the_only_task(set_up)
    assert task_id.startswith("t")


def test_a_killed_server_loses_nothing_and_asks_no_model_twice(stage, tmp_path):
    set_up = stage(weak=[WRONG, STUCK])
    with raw_host(str(set_up.config), set_up.environment) as host:
        host.greet()
        host.call(EXECUTE, **TASK)
        host.progress("asking again")
        host.process.kill()
        host.process.wait(10)

    script = tmp_path / "script.json"
    said = json.loads(script.read_text())
    said["models"]["weak"]["rules"] = [
        ["add(a, b)", "```python\nraise SystemError\n```"],
        ["return a - b", GOOD],
    ]
    script.write_text(json.dumps(said))
    _resume_the_only_task(set_up, attempts=2)


def _resume_the_only_task(set_up, attempts=None):
    """Go on with what a dead server left; its script must have learned to answer."""
    script = set_up.config.parent / "script.json"
    if attempts is None:
        said = json.loads(script.read_text())
        said["models"]["weak"]["rules"] = [["add(a, b)", GOOD]]
        script.write_text(json.dumps(said))
    with raw_host(str(set_up.config), set_up.environment) as host:
        host.greet()
        task_id = _find_task(set_up)
        answer = host.answer(host.call(EXECUTE, resume=task_id))["result"]["structuredContent"]

    assert answer["status"] == "accepted"
    assert answer["attempts"] == (attempts or 1)
    return task_id


def _find_task(set_up):
    with apsw.Connection(str(set_up.home / "ledger.db")) as ledger:
        return ledger.execute("SELECT task_id FROM tasks").get


def test_two_servers_at_once_share_one_ledger(stage):
    set_up = stage(weak=[GOOD])

    def delegate(_):
        with raw_host(str(set_up.config), set_up.environment) as host:
            host.greet()
            numbers = [host.call(EXECUTE, **TASK) for _ in range(5)]
            results = {line["id"]: line["result"] for line in _take(host, len(numbers))}
            assert not any(result.get("isError") for result in results.values()), results
            return [results[number]["structuredContent"]["status"] for number in numbers]

    with ThreadPoolExecutor(2) as pool:
        statuses = [status for part in pool.map(delegate, range(2)) for status in part]

    with raw_host(str(set_up.config), set_up.environment) as host:
        host.greet()
        told = host.answer(host.call("orchestrator_status"))["result"]["structuredContent"]
    assert statuses == ["accepted"] * 10
    assert told["tasks"] == {"accepted": 10}


def _take(host, count):
    found = 0
    for line in host.lines():
        if "result" in line and "id" in line:
            yield line
            found += 1
            if found == count:
                return


def test_garbage_on_the_wire_is_survived(stage):
    set_up = stage()
    with raw_host(str(set_up.config), set_up.environment) as host:
        host.process.stdin.write("this is not JSON\n\n{}\n[1,2]\n")
        host.greet()
        answer = host.answer(host.call("no_such_tool"))

    assert "no_such_tool" in json.dumps(answer)
