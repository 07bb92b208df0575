"""Show delegation at work: three tasks through the real MCP server, with the models this machine has."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from rich.console import Console
from rich.text import Text

from backends.handwired import write_model
from cli.demo_tasks import LARGE_MODEL, SMALL_MODEL, TASKS, DemoTask
from orchestrator.config import load_config
from orchestrator.route import Served
from orchestrator.servers import Servers

POLICY = """
[learning]
explore = 0.0  # each task begins at the small model, whatever the dice say
[backends.small]
kind = "{kind}"
path = "{small}"
context_tokens = 8192
[backends.large]
kind = "{kind}"
path = "{large}"
context_tokens = 8192
[tiers.small]
rank = -2
backend = "small"
model = "small"
max_output_tokens = 1024
sampling = {{ temperature = 0.0 }}
[tiers.large]
rank = -1
backend = "large"
model = "large"
max_output_tokens = 1024
sampling = {{ temperature = 0.0 }}
[task_types.standard_dev]
complexity = [0, 10]
route = ["small", "large"]
attempts_per_tier = 2
validators = ["syntax", "compile", "tests"]
"""


async def show_demo(*, scripted: bool, as_json: bool) -> int:
    """Delegate the three tasks and say what happened.

    Uses the local models that the policy finds here; else tiny hand-wired models in a real llama.cpp server;
    else, or when `scripted`, the scripted backend.

    Returns:
        0 when every task was accepted, else 1.
    """
    console = Console(stderr=as_json, highlight=False)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="orchestrator-demo-") as folder:
        config, models = await _choose_models(Path(folder), scripted=scripted)
        console.print(Text.assemble(("Models: ", "bold"), models))
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "mcp_server", *(["--config", str(config)] if config else [])],
            env={**os.environ, "ORCHESTRATOR_HOME": folder},
        )
        async with Client(server) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            console.print(Text.assemble(("Server: ", "bold"), f"real, over stdio, {len(tools)} tools"))
            answers = [await _delegate(client, console, task) for task in TASKS]
    accepted = sum(answer["status"] == "accepted" for answer in answers)
    seconds = time.monotonic() - started
    console.print(Text(f"\n{accepted} of {len(answers)} accepted in {seconds:.1f} s", "bold"))
    if as_json:
        sys.stdout.write(
            json.dumps({"models": models, "seconds": round(seconds, 2), "tasks": answers}) + "\n"
        )
    return 0 if accepted == len(answers) else 1


async def _delegate(client: Client, console: Console, task: DemoTask) -> Mapping[str, Any]:
    console.print(Text.assemble("\n", (task.task, "bold cyan")))

    async def tell(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
        style = "red" if "failed" in (message or "") else "green" if "passed" in (message or "") else "dim"
        console.print(Text(f"  {message}", style))

    result = await client.call_tool(
        "orchestrator_execute_with_escalation",
        {"task": task.task, "tests": task.tests, "language": "python", "task_type": "standard_dev"},
        progress_callback=tell,
    )
    if result.is_error or result.structured_content is None:
        console.print(result.content[0])
        return {"status": "stopped"}
    answer: Mapping[str, Any] = result.structured_content
    told = f"attempts {answer['attempts']}, escalations {answer['escalations']}, ${answer['cost_usd']:.4f}"
    console.print(Text(f"  = {answer['status']} by {answer['worker']}: {told}", "bold green"))
    console.print(Text("    " + str(answer["output"]).strip().replace("\n", "\n    "), "dim"))
    return answer


async def _choose_models(folder: Path, *, scripted: bool) -> tuple[Path | None, str]:
    """Return the policy to use, `None` for the user's own, and a sentence about it."""
    if not scripted:
        found = await _find_local_models()
        if found:
            return None, f"{found}, found on this machine"
        if find_spec("xllamacpp") is not None:
            write_model(folder / "small.gguf", SMALL_MODEL)
            write_model(folder / "large.gguf", LARGE_MODEL)
            sentence = "two tiny hand-wired ones in a real llama.cpp server (no LM Studio or Ollama answered)"
            return _write_policy(folder, "embedded", "gguf"), sentence
    for name, rules in (("small", SMALL_MODEL), ("large", LARGE_MODEL)):
        script = {"models": {name: {"rules": [list(rule) for rule in rules]}}}
        (folder / f"{name}.json").write_text(json.dumps(script), encoding="utf-8")
    return _write_policy(folder, "scripted", "json"), "scripted answers, no model at all"


def _write_policy(folder: Path, kind: str, ending: str) -> Path:
    path = folder / "escalation.toml"
    small, large = (folder / f"{name}.{ending}" for name in ("small", "large"))
    path.write_text(
        POLICY.format(kind=kind, small=small.as_posix(), large=large.as_posix()), encoding="utf-8"
    )
    return path


async def _find_local_models() -> str:
    policy = load_config("", os.environ, Path.cwd()).policy
    free = tuple(name for name, tier in policy.tiers.items() if not tier.paid)
    servers = Servers(policy, os.environ)
    try:
        survey = await servers.survey(free, "code")
    finally:
        await servers.aclose()
    models = {tier.model for tier in survey.values() if isinstance(tier, Served)}
    return ", ".join(sorted(models))
