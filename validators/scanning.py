"""Have a tool look over a candidate in the sandbox, and keep what it says of the candidate alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.profiles import COMPILER
from sandbox.program import Sandbox
from validators.compilers import Check
from validators.plans import in_workspace, make_plan, shown_command, tool_program
from validators.previous import keep_new, previous_candidate
from validators.remarks import keep_first, own_remarks
from validators.sandboxed import describe_end, tail
from validators.toolchains import find_tool
from validators.verdict import Candidate, Diagnostic, Receipt

_LIMITS = COMPILER.limits(seconds=60)
_FOUND_SOMETHING = 1
"""The exit code of every linter that works and has something to say."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What one tool said of a candidate."""

    remarks: tuple[Diagnostic, ...] = ()
    problem: str = ""
    """Why it said nothing at all; one sentence, with what to do."""
    receipt: Receipt | None = None
    concerns: bool = True
    """Whether any file is of its language."""


async def scan_new(sandbox: Sandbox, check: Check, candidate: Candidate, workspace: str) -> Scan:
    """Return what the tool says of the candidate and did not say of the workspace's version.

    Raises:
        SandboxError: Nothing can be run here.
    """
    found = await scan(sandbox, check, candidate, workspace)
    if not found.remarks:
        return found
    previous = await previous_candidate(workspace, candidate)
    if not previous.files:
        return replace(found, remarks=keep_first(found.remarks))
    before = await scan(sandbox, check, previous, workspace)
    return Scan(keep_first(keep_new(found.remarks, before.remarks)), receipt=found.receipt)


async def scan(sandbox: Sandbox, check: Check, candidate: Candidate, workspace: str) -> Scan:
    """Run the tool over all of the candidate's files that are of its language.

    Raises:
        SandboxError: Nothing can be run here.
    """
    if not any(path.endswith(tuple(f".{ending}" for ending in check.endings)) for path in candidate.files):
        return Scan(concerns=False)
    tool = find_tool(check.binaries)
    if tool is None and not check.install:
        return Scan(concerns=False)
    if tool is None:
        return Scan(problem=f"{check.binaries[0]!r} is not installed here. {check.install}")
    plan = make_plan(check, tool, candidate)
    program = tool_program(check, tool, plan, _LIMITS)
    execution = await sandbox.run(in_workspace(program, check, candidate, workspace))
    if limit := describe_end(execution, _LIMITS):
        return Scan(problem=f"{check.tool!r} gave no answer. {limit}")
    said = own_remarks(check.read(execution.stdout + execution.stderr), plan.originals)
    remarks = tuple(one for one in said if not re.search(check.missing, f"{one.code} {one.message}"))
    if execution.exit_code > _FOUND_SOMETHING:
        last = tail(execution).strip().rpartition("\n")[2]
        return Scan(problem=f"{check.tool!r} does not work here, it ended with {execution.exit_code}: {last}")
    receipt = Receipt(tool=check.tool, command=shown_command(check, plan), exit_code=execution.exit_code)
    return Scan(remarks, receipt=receipt)


def join_receipts(receipts: Sequence[Receipt]) -> Receipt:
    """Return one receipt for several tools; the worst exit code is shown."""
    return Receipt(
        tool=", ".join(receipt.tool for receipt in receipts),
        command=" ; ".join(receipt.command for receipt in receipts),
        exit_code=max(receipt.exit_code or 0 for receipt in receipts),
    )
