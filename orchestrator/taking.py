"""Take a candidate out of a reply, with those files of the workspace that it patches and the task names."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from orchestrator.changes import named_paths
from orchestrator.deliver import read_present
from orchestrator.extract import MAX_CHARACTERS, Extraction, extract
from orchestrator.replies import peel
from orchestrator.roots import PathRefused, Roots
from orchestrator.safe_paths import safe_path
from orchestrator.scope import is_named
from orchestrator.styles import restyle_whole
from orchestrator.task import Task


def take_work(
    roots: Roots, task: Task, reply: str, previous: Mapping[str, str], shown: Collection[str]
) -> Extraction:
    """Take the candidate out of a reply.

    Args:
        roots: What may be read.
        task: What was asked.
        reply: The text of the model's answer.
        previous: The files that were revised.
        shown: What the worker saw of the workspace. What it neither saw nor the task names is not read: a
            patch that does not fit is answered with lines of the file.
    """
    wanted = [path for path in _patched(reply, shown) if is_named(task, path, shown)]
    known = _read(roots, task.workspace, wanted)
    made = extract(reply, language=task.language, target=task.write_to, previous=previous, known=known)
    others = _read(roots, task.workspace, made.files.keys() - previous.keys() - known.keys())
    styled = {path: restyle_whole(text, others.get(path, "")) for path, text in made.files.items()}
    return replace(made, files=styled, found={**others, **known})


def read_patched(roots: Roots, workspace: str, reply: str) -> dict[str, str]:
    """Read the files of a workspace that a reply patches, for a caller who may see them all."""
    return _read(roots, workspace, _patched(reply, ()))


def _patched(reply: str, allowed: Collection[str]) -> list[str]:
    named = named_paths(peel(reply[:MAX_CHARACTERS]).text)
    return [path for name in named if (path := safe_path(name, allowed=allowed))]


def _read(roots: Roots, workspace: str, paths: Collection[str]) -> dict[str, str]:
    """Read what is there and can be read as text."""
    texts: dict[str, str] = {}
    for path in paths if workspace else ():
        with suppress(PathRefused):
            text = read_present(roots, Path(workspace), path)
            texts |= {} if text is None else {path: text}
    return texts
