"""Lay out a candidate's files for a tool, and write the tool's command. Pure."""

import shlex
from dataclasses import dataclass, replace

from sandbox.program import Limits, Program
from validators.compilers import Check
from validators.toolchains import Tool
from validators.verdict import Candidate


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written and started to have a candidate looked at."""

    files: dict[str, str]
    originals: dict[str, str]
    """Path that the tool sees to path in the candidate."""
    argv: tuple[str, ...]


def make_plan(check: Check, tool: Tool, candidate: Candidate) -> Plan:
    """Place the candidate's files as the tool wants them, and write its command."""
    endings = tuple(f".{ending}" for ending in check.endings)
    files: dict[str, str] = {}
    originals: dict[str, str] = {}
    for path, text in candidate.files.items():
        if path.endswith(endings):
            placed = check.place(path, text)
            originals[placed] = path
            files[placed] = text
        else:
            files[path] = text
    command = (tool.path, *check.arguments)
    if check.each:
        script = f'code=0; for file do {shlex.join(command)} "$file" || code=$?; done; exit $code'
        command = ("/bin/sh", "-c", script, "sh")
    return Plan(files, originals, (*command, *check.name([*originals])))


def tool_program(check: Check, tool: Tool, plan: Plan, limits: Limits) -> Program:
    """Return the program that runs the tool over the files of the plan alone."""
    return Program(
        argv=plan.argv,
        files=plan.files,
        environment=check.environment,
        readable=tool.readable,
        limits=limits,
    )


def in_workspace(program: Program, check: Check, candidate: Candidate, workspace: str) -> Program:
    """Return the program as it runs within the workspace, where there is one and the tool looks around."""
    if not (workspace and check.looks_around):
        return program
    return replace(program, tree=workspace, removed=candidate.removed)


def shown_command(check: Check, plan: Plan) -> str:
    """Write the command as a receipt has it."""
    return shlex.join((check.tool, *(check.shown or check.arguments), *plan.originals))
