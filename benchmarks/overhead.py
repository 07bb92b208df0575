"""Measure what the engine adds to a task beyond its model and its validators.

A scripted model answers at once and only `syntax` judges, so what is left is classifying, routing, prompts,
taking the answer out of the reply, and the ledger: every step is on disk before the next one.

Usage: python benchmarks/overhead.py [--tasks 200]
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import anyio
from figures import spread_ms, table

from backends.backend import Completion, Message, Request
from orchestrator.config import load_config
from orchestrator.orchestrator import Orchestrator
from orchestrator.outcome import Outcome
from orchestrator.task import Task

WARM_UP = 10
MODEL = "instant"
ANSWER = "```python\ndef add(a, b):\n    return a + b\n```"
POLICY = """
[backends.script]
kind = "scripted"
path = "{script}"
[tiers.only]
rank = -1
backend = "script"
model = "{model}"
[task_types.quick_edit]
complexity = [0, 10]
route = ["only"]
validators = ["syntax"]
"""


def open_orchestrator(folder: Path) -> Orchestrator:
    script, policy = folder / "script.json", folder / "escalation.toml"
    script.write_text(json.dumps({"models": {MODEL: {"default": ANSWER}}}), encoding="utf-8")
    policy.write_text(POLICY.format(script=script, model=MODEL), encoding="utf-8")
    environment = {"ORCHESTRATOR_HOME": str(folder / "home")}
    return Orchestrator(load_config(str(policy), environment, folder), environment, folder)


async def measure_model(orchestrator: Orchestrator) -> float:
    """Return how long the scripted model itself takes for one answer."""
    request = Request(model=MODEL, messages=(Message("user", "task"),), max_tokens=4096)
    began = time.perf_counter()
    completion: Completion = await orchestrator.world.servers.backend("script").complete(request)
    if not completion.text:
        raise SystemExit("The scripted model said nothing.")
    return time.perf_counter() - began


def judged_seconds(outcome: Outcome) -> float:
    return sum(verdict.seconds for attempt in outcome.attempts for verdict in attempt.verdicts)


async def measure(tasks: int) -> None:
    whole, validators, model = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        orchestrator = open_orchestrator(Path(folder))
        for turn in range(WARM_UP + tasks):
            began = time.perf_counter()
            outcome = await orchestrator.execute(Task(f"Write add(a, b), variant {turn}", language="python"))
            whole.append(time.perf_counter() - began)
            if outcome.status != "accepted":
                raise SystemExit(f"The task was not accepted: {outcome.message}")
            validators.append(judged_seconds(outcome))
            model.append(await measure_model(orchestrator))
        await orchestrator.aclose()
    parts = {"whole task": whole, "validators": validators, "scripted model": model}
    parts["overhead"] = [
        all_ - rest - asked for all_, rest, asked in zip(whole, validators, model, strict=True)
    ]
    rows = [(name, *spread_ms(seconds[WARM_UP:])) for name, seconds in parts.items()]
    print(table((f"{tasks} tasks", "p50 ms", "p95 ms"), rows), end="\n\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"The process took at most {peak:.0f} MB of memory.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=200)
    anyio.run(measure, parser.parse_args().tasks)


if __name__ == "__main__":
    main()
