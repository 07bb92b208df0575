"""A second client: the Inspector's command line, from npm, lists and calls every tool over stdio."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.behaviour.stage import GOOD, TESTS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="the Inspector comes from npm"),
]
PACKAGE = "@modelcontextprotocol/inspector@0.15.0"  # the last that runs on node 18 and 20


@pytest.fixture(scope="module")
def inspector(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspector")
    (folder / "package.json").write_text("{}")
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent", PACKAGE]
    subprocess.run(command, cwd=folder, check=True, timeout=300, capture_output=True)
    return folder / "node_modules" / ".bin" / "mcp-inspector"


def test_the_inspector_lists_and_calls_every_tool(inspector, stage):
    found = json.dumps({"answer": "green", "quotes": ["The lamp is green."]})
    set_up = stage(weak=[GOOD], default=found)
    (set_up.folder / "notes.txt").write_text("The lamp is green.\n")

    def ask(*words):
        variables = {**set_up.environment, "ORCHESTRATOR_CONFIG": str(set_up.config)}
        passed_on = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
        command = [inspector, "--cli", *passed_on, sys.executable, "-m", "mcp_server", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def call(tool, **arguments):
        given = [word for key, value in arguments.items() for word in ("--tool-arg", f"{key}={value}")]
        return ask("--method", "tools/call", "--tool-name", tool, *given)

    tools = {tool["name"] for tool in ask("--method", "tools/list")["tools"]}
    done = call(
        "orchestrator_execute_with_escalation", task="task: write add(a, b)", language="python", tests=TESTS
    )
    planned = call("classify_task", task="fix a typo")
    judged = call("validate_outcome", output="x = 1", language="python")
    read = call("rlm_analyze", question="Which colour?", paths='["notes.txt"]')
    waiting = call("orchestrator_review", action="list")
    status = call("orchestrator_status")

    assert len(tools) == 6
    assert done["structuredContent"]["status"] == "accepted"
    assert planned["structuredContent"]["task_type"] == "quick_edit"
    assert judged["structuredContent"]["passed"]
    assert read["structuredContent"]["answer"] == "green"
    assert waiting["structuredContent"] == {"waiting": []}
    assert status["structuredContent"]["tasks"] == {"accepted": 1}
