"""Read what the workspace holds in a candidate's place, and tell what is new in the candidate."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from stat import S_ISREG

import anyio

from validators.parsed import MAX_BYTES
from validators.verdict import Candidate, Diagnostic


async def read_previous(workspace: str, path: str) -> str | None:
    """Return the workspace's version of a file; None where there is none that is text of a sane size."""
    file = anyio.Path(workspace, path)
    try:
        found = await file.stat()
        if ".." in file.parts or not S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
            return None
        return await file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        return None


async def previous_candidate(workspace: str, candidate: Candidate) -> Candidate:
    """Return the workspace's version of a candidate: those of its files that are there already.

    There is none where the candidate is what the workspace holds: then the work was done in place, and what
    is wrong with it is not excused by being there.
    """
    present = await _read_files(workspace, candidate)
    return Candidate({} if _is_same(present, candidate) else present, candidate.language)


async def is_in_place(workspace: str, candidate: Candidate) -> bool:
    """Tell whether the workspace holds the candidate already, as after an edit in place."""
    return _is_same(await _read_files(workspace, candidate), candidate)


def _is_same(present: Mapping[str, str], candidate: Candidate) -> bool:
    return not candidate.removed and present == dict(candidate.files)


async def _read_files(workspace: str, candidate: Candidate) -> dict[str, str]:
    files: dict[str, str] = {}
    for path in candidate.files if workspace else ():
        text = await read_previous(workspace, path)
        if text is not None:
            files[path] = text
    return files


def keep_new(now: Sequence[Diagnostic], before: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the remarks that were not made before, whatever line they were on.

    Where one is made more often than before, the last ones are the new ones.
    """
    known = Counter(_key(remark) for remark in before)
    new: list[Diagnostic] = []
    for remark in now:
        if known[_key(remark)]:
            known[_key(remark)] -= 1
        else:
            new.append(remark)
    return tuple(new)


def _key(remark: Diagnostic) -> tuple[str, str, str]:
    return remark.file, remark.code, remark.message
