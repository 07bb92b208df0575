"""A server in memory, with models that say what the test scripts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mcp.client import Client

from mcp_server.server import build_server
from orchestrator.config import load_config
from orchestrator.orchestrator import Orchestrator
from orchestrator.review import decide

POLICY = """
[backends.script]
kind = "scripted"
path = "{script}"
[backends.paid]
kind = "scripted"
path = "{script}"
[tiers.weak]
rank = -2
backend = "script"
model = "weak"
[tiers.strong]
rank = -1
backend = "script"
model = "strong"
[tiers.dear]
rank = 1
backend = "paid"
model = "dear"
usd_per_mtok_in = 1.0
usd_per_mtok_out = 5.0
[task_types.quick_edit]
complexity = [0, 3]
route = ["weak", "strong"]
attempts_per_tier = 2
validators = ["syntax"]
[task_types.standard_dev]
complexity = [3, 6]
route = ["weak", "strong", "dear"]
attempts_per_tier = 2
validators = {gates}
{standard}
[task_types.complex_architecture]
complexity = [6, 9]
route = ["weak"]
checker = "strong"
validators = ["syntax", "semantic"]
when_exhausted = "review"
[task_types.critical]
complexity = [9, 10]
route = ["weak", "strong"]
checker = "next"
validators = ["syntax", "tests"]
when_exhausted = "review"
review = "always"
[learning]
{learning}
{extra}
"""

GOOD = "```python\ndef add(a, b):\n    return a + b\n```"
WRONG = "```python\ndef add(a, b):\n    return a - b\n```"
BROKEN = "```python\ndef add(a, b:\n    return a + b\n```"
TESTS = "from solution import add\n\ndef test_add():\n    assert add(2, 3) == 5\n"
APPROVE = '{"verdict": "approve", "failing_input": "", "expected": "", "quote": "", "reason": ""}'
REJECT = '{"verdict": "reject", "failing_input": "add(2, 3)", "expected": "5", "reason": "it subtracts"}'


@dataclass(frozen=True, slots=True)
class Stage:
    """A folder for the project, one for the state, and a server between them."""

    folder: Path
    home: Path
    config: Path

    @property
    def environment(self) -> Mapping[str, str]:
        return {"ORCHESTRATOR_HOME": str(self.home), "CLAUDE_PROJECT_DIR": str(self.folder)}

    def client(self, mode="auto", **changes) -> Client:
        return Client(build_server(str(self.config), {**self.environment, **changes}), mode=mode)


def set_stage(
    folder: Path,
    extra: str = "",
    *,
    checks: tuple = (),
    plans: tuple = (),
    written: tuple = (),
    standard: str = "",
    gates: tuple = ("syntax", "compile", "tests"),
    learning: str = "explore = 0.0",
    default: str = "?",
    **answers,
) -> Stage:
    """Write a policy and a script: `weak`, `strong`, `dear` answer in turn.

    `checks` is what checkers say, `plans` what is said to whoever asks for a plan, `written` to whoever asks
    for tests, `gates` are the validators of standard_dev and `standard` what else the policy says of it,
    `learning` of that.
    """
    scripts = {}
    for name in ("weak", "strong", "dear"):
        rules = [["add(a, b)", list(answers[name])]] if name in answers else []
        rules += [["You judge finished work", list(checks)]] if checks else []
        rules += [["You plan work", list(plans)]] if plans else []
        rules += [["Somebody else is writing the code", list(written)]] if written else []
        scripts[name] = {"rules": rules, "default": default}
    script = folder / "script.json"
    script.write_text(json.dumps({"models": scripts}))
    config = folder / "escalation.toml"
    words = {"extra": extra, "standard": standard, "learning": learning, "gates": json.dumps(list(gates))}
    config.write_text(POLICY.format(script=script, **words))
    (folder / "project").mkdir(exist_ok=True)
    return Stage(folder / "project", folder / "home", config)


async def call(client: Client, tool: str, **arguments):
    """Call a tool and return what it answered; errors are raised as AssertionError with their text."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content[0].text
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


async def fail(client: Client, tool: str, **arguments) -> str:
    """Call a tool that must refuse, and return what it said."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return result.content[0].text


async def delegate(client: Client, **arguments):
    """Delegate the usual task."""
    given = {"task": "task: write add(a, b)", "language": "python", "task_type": "standard_dev", **arguments}
    return await call(client, "orchestrator_execute_with_escalation", **given)


async def approve(stage: Stage, task_id: str) -> None:
    """Approve a task as a person does at the command line."""
    config = load_config(str(stage.config), stage.environment, stage.folder)
    person = Orchestrator(config, stage.environment, stage.folder)
    await decide(person, task_id, "approve", "", is_person=True)
    await person.aclose()
