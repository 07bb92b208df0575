"""Which files of the project an answer may touch: those the task named or showed, and new ones."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from orchestrator.deliver import read_present
from orchestrator.roots import PathRefused, Roots
from orchestrator.task import Task
from validators.verdict import Diagnostic


def find_overreach(
    roots: Roots, task: Task, files: Mapping[str, str], shown: Collection[str]
) -> tuple[Diagnostic, ...]:
    """Name what an answer may not change.

    A file that exists may be changed only when the task named it (`write_to`, `context_files`, or its path in
    the words of the task): a worker that rewrites the project's tests passes them. A file that cannot be read
    as text inside the workspace may not be replaced at all.
    """
    return tuple(_find(roots, task, files, shown)) if task.workspace else ()


def _find(roots: Roots, task: Task, files: Mapping[str, str], shown: Collection[str]) -> Iterator[Diagnostic]:
    workspace = Path(task.workspace)
    words = f"{task.task}\n{task.requirements}"
    for path, text in files.items():
        try:
            present = read_present(roots, workspace, path)
        except PathRefused as error:
            yield Diagnostic(f"this file cannot be replaced: {error}", file=path, code="unsafe_path")
            continue
        if present is None or present == text or path in shown or path in words:
            continue
        said = "this file is there already and the task does not name it; leave it as it is"
        yield Diagnostic(said, file=path, code="not_named")
