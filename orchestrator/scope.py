"""Which files of the project an answer may touch: those the task named or showed, and new ones."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from orchestrator.deliver import read_present
from orchestrator.ignoring import read_ignored
from orchestrator.roots import PathRefused, Roots
from orchestrator.task import Task
from validators.verdict import Diagnostic


def is_named(task: Task, path: str, shown: Collection[str]) -> bool:
    """Tell whether the task shows a file or says its path in its words."""
    return path in shown or path in f"{task.task}\n{task.requirements}"


def find_overreach(
    roots: Roots,
    task: Task,
    files: Mapping[str, str],
    shown: Collection[str],
    removed: Collection[str] = (),
) -> tuple[Diagnostic, ...]:
    """Name what an answer may not change.

    A file that exists may be changed or removed only when the task named it (`write_to`, `context_files`, or
    its path in the words of the task): a worker that rewrites the project's tests passes them. So it is with
    what `.gitignore` leaves out, new or not. A file that cannot be read as text inside the workspace may not
    be replaced at all.
    """
    if not task.workspace:
        return ()
    changed = {**files, **dict.fromkeys(removed)}
    unnamed = [path for path in changed if not is_named(task, path, shown)]
    ignored = read_ignored(Path(task.workspace), unnamed)
    return tuple(
        Diagnostic(said, file=path, code=code)
        for path, text in changed.items()
        for said, code in _judge(
            roots, task, (path, text), is_named=path not in unnamed, is_ignored=path in ignored
        )
    )


def _judge(
    roots: Roots, task: Task, change: tuple[str, str | None], *, is_named: bool, is_ignored: bool
) -> Iterator[tuple[str, str]]:
    path, text = change
    try:
        present = read_present(roots, Path(task.workspace), path)
    except PathRefused as error:
        yield f"this file cannot be replaced: {error}", "unsafe_path"
        return
    if text is None and present is None:
        yield "this file cannot be removed, it is not there; leave it out", "not_there"
    elif present != text and is_ignored:
        yield "`.gitignore` leaves this file out and the task does not name it; write another", "ignored"
    elif present not in {None, text} and not is_named:
        yield "this file is there already and the task does not name it; leave it as it is", "not_named"
