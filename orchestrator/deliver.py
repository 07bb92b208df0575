"""Show what an outcome changes in the workspace, and write it there when that was asked for."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from orchestrator.outcome import FileChange, Outcome
from orchestrator.roots import Roots, unified_diff, write_files
from orchestrator.task import Task


def deliver(roots: Roots, task: Task, outcome: Outcome, read: Mapping[str, str]) -> Outcome:
    """Add each file's difference; write the files only when `apply` was set and the work was accepted.

    Args:
        roots: What may be touched.
        task: What was asked.
        outcome: How it ended.
        read: The texts that the worker was shown. A file that is another by now was edited meanwhile: nothing
            is written then, and a person has to look.

    Raises:
        OSError: The workspace cannot be written; nothing was.
    """
    if outcome.best is None or not task.workspace:
        return outcome
    workspace = roots.resolve(task.workspace)
    present = {path: read_present(roots, workspace, path) for path in outcome.best.files}
    changes = [
        FileChange(path, unified_diff(present[path] or "", text, path), digest_of(present[path]))
        for path, text in outcome.best.files.items()
    ]
    outcome = replace(outcome, files=tuple(changes))
    if not task.apply or outcome.status != "accepted":
        return outcome
    edited = [path for path, text in read.items() if path in present and present[path] != text]
    if edited:
        message = f"accepted, but {', '.join(edited)} changed while the task ran; nothing was written"
        return replace(outcome, status="needs_review", message=message)
    return write(workspace, outcome)


def write(workspace: Path, outcome: Outcome) -> Outcome:
    """Write the outcome's files, all or none."""
    if outcome.best is None:
        return outcome
    write_files(workspace, outcome.best.files)
    return replace(outcome, files=tuple(replace(one, applied=True) for one in outcome.files))


def read_present(roots: Roots, workspace: Path, path: str) -> str | None:
    """Read what the workspace holds at `path` now; `None` where there is nothing.

    Raises:
        PathRefused: It is outside the roots, or nothing that can be read as text.
    """
    place = roots.resolve(str(workspace / path))
    return roots.read_text(str(place)).text if place.exists() else None


def digest_of(text: str | None) -> str:
    """Digest a text; empty for none."""
    return "" if text is None else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
