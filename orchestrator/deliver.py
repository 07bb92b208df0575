"""Show what an outcome changes in the workspace, and write it there when that was asked for."""

import hashlib
from dataclasses import replace
from pathlib import Path

from orchestrator.backups import put_with_backup, take_back
from orchestrator.outcome import Attempt, FileChange, Outcome
from orchestrator.roots import PathRefused, Roots, unified_diff
from orchestrator.task import Task
from orchestrator.writing import put_files


def deliver(roots: Roots, task: Task, outcome: Outcome) -> Outcome:
    """Add each file's difference; write the files only when `apply` was set and the work was accepted.

    Where a file is another by now than the one that the work was made from, or may not be replaced, nothing
    is written and a person has to look. A delivery that was interrupted is taken back before that.

    Raises:
        OSError: The workspace cannot be written; nothing was.
    """
    best = outcome.best
    if best is None or not task.workspace:
        return outcome
    workspace = roots.resolve(task.workspace)
    if task.apply:
        take_back_interrupted(roots, workspace)
    try:
        outcome = _compared(roots, workspace, outcome, best)
        if not task.apply or outcome.status != "accepted":
            return outcome
        edited = _find_edited(outcome, best)
        if edited:
            message = f"accepted, but {', '.join(edited)} changed while the task ran; nothing was written"
            return replace(outcome, status="needs_review", message=message)
        return write(roots, workspace, outcome)
    except PathRefused as error:
        if outcome.status != "accepted":
            return outcome
        return replace(outcome, status="needs_review", message=f"accepted, but {error}")


def take_back_interrupted(roots: Roots, workspace: Path) -> None:
    """Undo what a delivery put there whose process died in the middle, so that it can be made again."""
    if roots.backups is not None:
        take_back(roots.backups, workspace)


def _compared(roots: Roots, workspace: Path, outcome: Outcome, best: Attempt) -> Outcome:
    wanted = _wanted(best).items()
    changes = [_compare(path, read_present(roots, workspace, path), text) for path, text in wanted]
    return replace(outcome, files=tuple(changes))


def _find_edited(outcome: Outcome, best: Attempt) -> list[str]:
    """Name the files that are others by now than those that the work was made from."""
    return [one.path for one in outcome.files if best.read.get(one.path, one.before) != one.before]


def _wanted(best: Attempt) -> dict[str, str | None]:
    """Say what is to become of each file; nothing where it goes."""
    return {**best.files, **dict.fromkeys(best.removed)}


def _compare(path: str, present: str | None, text: str | None) -> FileChange:
    diff = unified_diff(present, text, path)
    return FileChange(path, diff, digest_of(present), removed=text is None)


def write(roots: Roots, workspace: Path, outcome: Outcome) -> Outcome:
    """Write the outcome's files, all or none; the message says where those are kept that were replaced.

    Raises:
        PathRefused: A file is read-only, no file, or another than it was compared with; nothing was written.
        OSError: The workspace cannot be written; nothing was.
    """
    if outcome.best is None:
        return outcome
    wanted = _wanted(outcome.best)
    contents = {path: None if text is None else text.encode() for path, text in wanted.items()}
    expected = {one.path: one.before for one in outcome.files}
    kept = None
    if roots.backups is None:
        put_files(workspace, contents, expected)
    else:
        kept = put_with_backup(roots.backups, outcome.task_id, workspace, contents, expected)
    said = [outcome.message, f"what was there before is kept in {str(kept)!r}" if kept else ""]
    return replace(
        outcome,
        message="; ".join(part for part in said if part),
        files=tuple(replace(one, applied=True) for one in outcome.files),
    )


def read_present(roots: Roots, workspace: Path, path: str) -> str | None:
    """Read what the workspace holds at `path` now; `None` where there is nothing.

    Raises:
        PathRefused: It is outside the roots, or nothing that can be read as text.
    """
    place = roots.resolve(str(workspace / path))
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:  # a name too long for the disk, a folder closed to this process
        raise PathRefused(f"{path!r} cannot be read: {error.strerror}. Name another file.") from error
    return roots.read_text(str(place)).text


def digest_of(text: str | None) -> str:
    """Digest a text; empty for none."""
    return "" if text is None else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
