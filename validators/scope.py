"""The validator `scope`: a change does what was asked for and nothing else, as far as texts and words tell.

It does not say that the work is right, so its pass proves nothing. It runs nothing: files are compared.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from anyio import to_thread

from sandbox.errors import UnsafePath
from sandbox.packing import check_path
from validators.overreach import Revision, find_overreach
from validators.sandboxed import UNSAFE_PATH, Decision, to_verdict, unavailable
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt, Verdict

CONFIDENCE = 0.8
MAX_BYTES = 1024**2
"""Of a file that is compared; a larger one is no work of hand or model."""
_KEPT = 12


class Scope:
    """Compares a candidate's files with those of the workspace, and both with the words of the task."""

    name = "scope"

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Judge by texts alone; `unavailable` without a task, a workspace or an older version of any file."""
        began = time.perf_counter()
        verdict = await to_thread.run_sync(_judge, candidate, given)
        receipt = Receipt(digest=candidate.digest, tool="scope")
        return replace(verdict, seconds=time.perf_counter() - began, receipt=receipt)


def _judge(candidate: Candidate, given: Given) -> Verdict:
    try:
        revisions = read_revisions(candidate, given.workspace) if given.workspace else ()
    except UnsafePath as error:
        return Verdict(Scope.name, "failed", 1.0, (Diagnostic(str(error), code=UNSAFE_PATH),))
    if not given.task.strip():
        return unavailable(Scope.name, "No task was given to hold the change against.")
    decision = decide_scope(f"{given.task}\n{given.requirements}", revisions, candidate)
    return to_verdict(Scope.name, decision, CONFIDENCE)


def read_revisions(candidate: Candidate, workspace: str) -> tuple[Revision, ...]:
    """Pair the candidate's files with those that the workspace holds at their places now.

    A file that is reached by a link, is no text, or is too large is left out.

    Raises:
        UnsafePath: A path of the candidate leads out of its folder.
    """
    root = Path(workspace).resolve()
    found = []
    for path, text in {**candidate.files, **dict.fromkeys(candidate.removed, "")}.items():
        check_path(path)
        place = root / path
        try:
            if not place.is_file() or place.resolve() != place or place.stat().st_size > MAX_BYTES:
                continue
            found.append(Revision(path, place.read_text("utf-8"), text))
        except (OSError, UnicodeDecodeError):
            continue
    return tuple(found)


def decide_scope(task: str, revisions: Sequence[Revision], candidate: Candidate) -> Decision:
    """Decide from what changed; only an error fails, a warning is told beside the pass."""
    changed = [revision for revision in revisions if revision.hunks]
    if not changed:
        what = (
            "every file is as the workspace has it" if revisions else "the workspace has none of these files"
        )
        return "unavailable", (), f"Nothing to compare: {what}."
    remarks = find_overreach(task, revisions, candidate.files)[:_KEPT]
    lines = sum(hunk.size for revision in changed for hunk in revision.hunks)
    told = f"{lines} lines changed in {len(changed)} of {len(candidate.files)} files"
    if any(remark.severity == "error" for remark in remarks):
        return "failed", remarks, f"{told}."
    return "passed", remarks, f"{told}, nothing unasked found." if not remarks else f"{told}."
