"""Show what an outcome changes in the workspace, and write it there when that was asked for."""

from dataclasses import replace
from pathlib import Path

from orchestrator.outcome import FileChange, Outcome
from orchestrator.roots import Roots, unified_diff, write_files
from orchestrator.task import Task


def deliver(roots: Roots, task: Task, outcome: Outcome) -> Outcome:
    """Add each file's difference; write the files only when `apply` was set and the work was accepted.

    Raises:
        PathRefused: A file would lie outside the workspace.
        OSError: The workspace cannot be written; nothing was.
    """
    if outcome.best is None or not task.workspace:
        return outcome
    workspace = roots.resolve(task.workspace)
    applied = task.apply and outcome.status == "accepted"
    changes = [
        FileChange(path, unified_diff(_present(roots, workspace, path), text, path), applied)
        for path, text in outcome.best.files.items()
    ]
    if applied:
        write_files(workspace, outcome.best.files)
    return replace(outcome, files=tuple(changes))


def _present(roots: Roots, workspace: Path, path: str) -> str:
    place = roots.resolve(str(workspace / path))
    return roots.read_text(str(place)).text if place.is_file() else ""
