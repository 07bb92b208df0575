"""The validator `compile`: a compiler or type checker must accept the candidate, which is never run.

In Python every name must be bound too, and the function that the task leaves open must be there.
"""

import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

from sandbox.profiles import COMPILER
from sandbox.program import Execution, Program, Sandbox
from validators.compilers import NOT_COMPILED, Check
from validators.naming import find_naming_flaws
from validators.plans import in_workspace, make_plan, shown_command, tool_program
from validators.previous import is_in_place, keep_new, previous_candidate
from validators.project_compilers import pick_checks
from validators.remarks import keep_first, own_remarks, project_remarks
from validators.sandboxed import Decision, describe_end, judge_sandboxed, tail, to_verdict, unavailable
from validators.toolchains import Tool, find_tool
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt, Verdict

CONFIDENCE = 0.9
_LIMITS = COMPILER.limits(seconds=60)
_VERSION_LIMITS = COMPILER.limits(seconds=20)


class Compile:
    """Compiles a candidate by the tool of its language, in the sandbox."""

    name = "compile"

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._versions: dict[Tool, str] = {}

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Compile the candidate's files, within the workspace where there is one.

        A tool or dependency that is not installed here makes the verdict unavailable, not failed.
        """
        verdict = await judge_sandboxed(self.name, candidate, partial(self._judge, candidate, given))
        return replace(verdict, diagnostics=keep_first(verdict.diagnostics))

    async def _judge(self, candidate: Candidate, given: Given) -> Verdict:
        passed: list[Verdict] = []
        for check in pick_checks(candidate.language, given.workspace):
            tool = find_tool(check.binaries)
            if tool is None and check.install:
                return unavailable(self.name, f"{check.binaries[0]!r} is not installed here. {check.install}")
            if tool is not None:
                verdict = await self._run(check, tool, candidate, given)
                if verdict.status == "failed" and check.looks_around and given.workspace:
                    verdict = await self._excuse(verdict, check, tool, candidate, given)
                if verdict.status != "passed":
                    return verdict
                passed.append(verdict)
        if not passed:
            reason = NOT_COMPILED.get(
                candidate.language, f"There is nothing to compile in {candidate.language!r}."
            )
            return unavailable(self.name, reason)
        verdict = _joined(passed)
        flaws = find_naming_flaws(candidate.files, given.task) if candidate.language == "python" else ()
        return replace(verdict, status="failed", diagnostics=flaws, reason="") if flaws else verdict

    async def _run(self, check: Check, tool: Tool, candidate: Candidate, given: Given) -> Verdict:
        plan = make_plan(check, tool, candidate)
        if not plan.originals:
            return unavailable(self.name, f"{check.tool!r} compiles none of the candidate's files.")
        version = await self._version(check, tool)
        if not version:
            return unavailable(self.name, f"{tool.path!r} does not run in the sandbox. {check.install}")
        program = tool_program(check, tool, plan, _LIMITS)
        search = {"PATH": f"{Path(tool.path).parent}:{os.defpath}", **program.environment}
        program = in_workspace(replace(program, environment=search), check, candidate, given.workspace)
        execution = await self._sandbox.run(program)
        receipt = Receipt(tool=version, command=shown_command(check, plan), exit_code=execution.exit_code)
        return to_verdict(self.name, conclude(check, execution, plan.originals), CONFIDENCE, receipt)

    async def _excuse(
        self, verdict: Verdict, check: Check, tool: Tool, candidate: Candidate, given: Given
    ) -> Verdict:
        """Hold against the candidate only what the tool did not say of the workspace as it is.

        Of work that was done in place nobody knows how it was: what is said of its own files counts, and what
        is said of others may be older.
        """
        own = any(remark.file in candidate.files for remark in verdict.diagnostics)
        if not own and await is_in_place(given.workspace, candidate):
            said = verdict.diagnostics[0].message
            return unavailable(self.name, f"{check.tool!r} fails elsewhere in the workspace: {said}")
        previous = await previous_candidate(given.workspace, candidate)
        plan = make_plan(check, tool, previous)
        if not plan.originals:
            return verdict
        before = await self._run(check, tool, previous, given)
        tells_all = not check.stops_early and all(remark.file for remark in before.diagnostics)
        if before.status == "failed" and not tells_all:
            said = before.diagnostics[0].message
            return unavailable(self.name, f"{check.tool!r} fails on the workspace as it is: {said}")
        new = keep_new(verdict.diagnostics, before.diagnostics)
        if any(remark.severity == "error" for remark in new):
            return replace(verdict, diagnostics=new)
        old = tuple(replace(remark, severity="warning") for remark in verdict.diagnostics)
        return replace(
            verdict, status="passed", diagnostics=old, reason=f"{check.tool} says no more than it did before."
        )

    async def _version(self, check: Check, tool: Tool) -> str:
        """Return what the tool calls itself, asked once; empty when it cannot even do that."""
        if tool not in self._versions:
            execution = await self._sandbox.run(
                Program((tool.path, *check.version), readable=tool.readable, limits=_VERSION_LIMITS)
            )
            lines = (execution.stdout or execution.stderr or check.tool).splitlines()
            named = lines[0] if check.tool in lines[0].lower() else f"{check.tool} {lines[0]}"
            self._versions[tool] = named if execution.exit_code == 0 else ""
        return self._versions[tool]


def conclude(check: Check, execution: Execution, originals: dict[str, str]) -> Decision:
    """Decide from what a tool said; a pass needs both its exit code and its silence about errors."""
    if limit := describe_end(execution, _LIMITS):
        return "unavailable", (), f"{check.tool!r} gave no answer. {limit}"
    output = execution.stdout + execution.stderr
    remarks = own_remarks(check.read(output), originals)
    if check.whole and not remarks:
        remarks = project_remarks(check.read(output))
    errors = [remark for remark in remarks if remark.severity == "error"]
    said = [f"{remark.code} {remark.message}" for remark in errors] or [tail(execution)]
    absent = [one for one in said if execution.exit_code and re.search(check.missing, one)]
    if absent:
        return (
            "unavailable",
            remarks,
            f"A dependency is not installed here: {absent[0].strip().splitlines()[0]}",
        )
    if errors:
        return "failed", remarks, ""
    if execution.exit_code == 0:
        return "passed", remarks, f"{check.tool} accepts {len(originals)} file(s)."
    return "failed", (Diagnostic(tail(execution) or f"{check.tool!r} failed without a word."),), ""


def _joined(passed: list[Verdict]) -> Verdict:
    """Return one verdict for several tools that all accept."""
    first = passed[0]
    return replace(
        first,
        diagnostics=tuple(remark for verdict in passed for remark in verdict.diagnostics),
        reason=" ".join(verdict.reason for verdict in passed),
        receipt=replace(
            first.receipt,
            tool=", ".join(verdict.receipt.tool for verdict in passed),
            command=" && ".join(verdict.receipt.command for verdict in passed),
        ),
    )
