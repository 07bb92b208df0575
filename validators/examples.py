"""The validator `examples`: what the task shows of calls and their results is held against the candidate.

Only the calls go into the sandbox; results come back written out and are compared here, so that a candidate
cannot agree by anything but giving them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import resources

from anyio import to_thread

from sandbox.program import Limits, Program, Sandbox
from sandbox.zygote import START
from validators.compilers import is_module
from validators.runners.example_calls import Definitions, Example, find_examples, read_javascript, read_python
from validators.runners.example_deciding import NONE_SHOWN, decide, read_answers, tally
from validators.runners.python_report import read_report
from validators.runners.python_start import Runner, example_caller, importable_files
from validators.sandboxed import judge_sandboxed, to_verdict, unavailable
from validators.toolchains import Tool, find_tool
from validators.validator import Given
from validators.verdict import Candidate, Receipt, Verdict

CONFIDENCE = 0.9
"""Of recorded answers 83-96 % of what agrees with all examples is right, be they one or six; of what
contradicts most of them, less than 1 %."""
_CPU_SECONDS = 5
"""Of one call; the time on the wall is a third of the run's, which may share its processor with others."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What is run: the examples, and how the candidate is loaded for them."""

    examples: tuple[Example, ...]
    files: Mapping[str, str]
    modules: tuple[str, ...] = ()
    tool: Tool | None = None
    command: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """Files of the workspace that the candidate takes away."""


class Examples:
    """Makes the calls that the task shows; passes with all of their results, fails against most."""

    name = "examples"

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self._sandbox = sandbox
        self._limits = limits

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Run the examples of `given.task`; those of the candidate's own texts prove nothing."""
        return await judge_sandboxed(self.name, candidate, partial(self._judge, candidate, given))

    async def _judge(self, candidate: Candidate, given: Given) -> Verdict:
        plan = _PLANS.get(candidate.language)
        if plan is None:
            return unavailable(self.name, f"Examples in {candidate.language!r} cannot be run.")
        calls = await to_thread.run_sync(plan, candidate, given.task)
        if not calls.examples:
            return unavailable(self.name, NONE_SHOWN)
        if candidate.language == "javascript" and calls.tool is None:
            return unavailable(self.name, "'node' is not installed here. Install Node.js.")
        return await self._run(calls, given)

    async def _run(self, calls: Calls, given: Given) -> Verdict:
        runner = Runner()
        execution = await self._sandbox.run(examples_program(runner, calls, given, self._limits))
        answers = read_answers(read_report(execution.report, runner.secret).records)
        found = await to_thread.run_sync(tally, given.task, calls.examples, answers)
        command = "; ".join(example.call for example in calls.examples)
        receipt = Receipt(tool=self._sandbox.name, command=command, exit_code=execution.exit_code)
        return to_verdict(self.name, decide(found), CONFIDENCE, receipt)


def plan_python(candidate: Candidate, task: str) -> Calls:
    """Find the examples that a Python candidate can be held against, and the files that they use."""
    files = importable_files(candidate)
    own = {path: text for path, text in files.items() if path.endswith(".py") and _is_importable(path)}
    examples = find_examples(task, read_python(own), "python")
    words = "\n".join("\n".join((*example.setup, example.call)) for example in examples)
    modules = tuple(path for path, text in own.items() if _is_used(read_python({path: text}), words))
    return Calls(examples, files, modules, removed=candidate.removed)


def _is_importable(path: str) -> bool:
    return all(part.isidentifier() for part in path.removesuffix(".py").split("/"))


def _is_used(definitions: Definitions, words: str) -> bool:
    return any(name in words for name in definitions.own)


def plan_javascript(candidate: Candidate, task: str) -> Calls:
    """Find the examples for a single script; the calls are made below its last line."""
    if len(candidate.files) != 1:
        return Calls((), candidate.files)
    ((_, text),) = candidate.files.items()
    caller = resources.files("validators.runners").joinpath("starts", "examples.js").read_text("utf-8")
    name = f"given_examples.{'mjs' if is_module(text) else 'cjs'}"
    tool = find_tool(("node",))
    return Calls(
        find_examples(task, read_javascript(text), "javascript"),
        {name: f"{text}\n{caller}"},
        tool=tool,
        command=(tool.path, name) if tool else (),
        removed=candidate.removed,
    )


_PLANS = {"python": plan_python, "javascript": plan_javascript}


def examples_program(runner: Runner, calls: Calls, given: Given, limits: Limits) -> Program:
    """Return the program that makes the calls, one process each."""
    settings = {
        "secret": runner.secret,
        "modules": calls.modules,
        "command": calls.command,
        "calls": [{"setup": example.setup, "call": example.call} for example in calls.examples],
        "cpu_seconds": min(_CPU_SECONDS, limits.cpu_seconds),
        "seconds": limits.seconds / 3,
    }
    return Program(
        argv=(*START, example_caller(), runner.folder),
        files={**calls.files, f"{runner.folder}/settings.json": json.dumps(settings)},
        tree=given.workspace or None,
        removed=calls.removed if given.workspace else (),
        readable=calls.tool.readable if calls.tool else (),
        limits=limits,
        report_fd=True,
    )
