"""Read SEARCH/REPLACE edits from a reply and apply them, each in exactly one place or not at all."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.fitting import MOST_NEAREST, misfit, places, reindented
from orchestrator.labels import looks_like_path, path_in_label
from orchestrator.styles import plain, restyle
from validators.verdict import Diagnostic

MOST_PROBLEMS = 20
"""Of one reply that are told; what comes after them is not tried."""
_SEARCH = re.compile(r"[ \t]*<{5,9} ?(?:SEARCH|ORIGINAL)\b[ \t]*(?P<path>\S*)")
_DIVIDER = re.compile(r"[ \t]*={5,9}[ \t]*$")
_REPLACE = re.compile(r"[ \t]*>{5,9}(?: ?(?:REPLACE|UPDATED))?[ \t]*$")
_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})[ \t]*(?P<info>\S*)")


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the lines `search` of one file by the lines `replace`."""

    path: str
    """As the reply names it; empty when it names none."""
    search: str
    replace: str


@dataclass(frozen=True, slots=True)
class Edited:
    """The files after all edits that fit, and what did not."""

    files: Mapping[str, str]
    problems: tuple[Diagnostic, ...] = ()
    removed: tuple[str, ...] = ()
    """Files that go, those with a new name among them."""


def parse_edits(reply: str) -> tuple[Edit, ...]:
    """Read all complete edits; the name of the file stands above the block, before or inside its fence."""
    edits: list[Edit] = []
    search: list[str] = []
    replace: list[str] = []
    part: list[str] | None = None
    path = ""
    lines = reply.split("\n")
    for index, line in enumerate(lines):
        opened = _SEARCH.match(line) if part is None else None
        if opened:
            path = _name_of(lines, index, opened["path"]) or path
            search, replace = [], []
            part = search
        elif part is search and part is not None and _DIVIDER.match(line):
            part = replace
        elif part is replace and part is not None and _REPLACE.match(line):
            edits.append(Edit(path, "\n".join(search), "\n".join(replace)))
            part = None
        elif part is not None:
            part.append(line)
    return tuple(edits)


def _name_of(lines: list[str], index: int, beside: str) -> str:
    if looks_like_path(beside):
        return beside
    for line in reversed(lines[max(0, index - 3) : index]):
        fence = _FENCE.match(line)
        if fence:
            word = fence["info"].rpartition(":")[2]
            if looks_like_path(word):
                return word
        elif line.strip():
            return path_in_label(line)
    return ""


def apply_edits(files: Mapping[str, str], edits: Sequence[Edit]) -> Edited:
    """Apply edits in order, up to the first `MOST_PROBLEMS` that do not fit.

    Zero or several places for one edit is a problem, never a guess.
    """
    result = dict(files)
    problems: list[Diagnostic] = []
    for edit in edits:
        path = find_file(edit.path, edit.search, result)
        if not edit.search.strip():
            problem = _create(result, path, edit)
        elif path in result:
            problem = _change(result, path, edit, tells_nearest=len(problems) < MOST_NEAREST)
        else:
            problem = _unknown_file(edit, result)
        problems += [problem] if problem else []
        if len(problems) == MOST_PROBLEMS:
            break
    return Edited(result, tuple(problems))


def find_file(path: str, search: str, files: Mapping[str, str]) -> str:
    """Find which file is meant: by its name, by the end of its path, or because only one holds the lines."""
    if path in files:
        return path
    if path:
        ends = [one for one in files if one.endswith(f"/{path}") or path.endswith(f"/{one}")]
        return ends[0] if len(ends) == 1 else path
    if len(files) == 1:
        return next(iter(files))
    holding = [one for one, text in files.items() if search.strip() and search in text]
    return holding[0] if len(holding) == 1 else ""


def _create(files: dict[str, str], path: str, edit: Edit) -> Diagnostic | None:
    if not path:
        message = "an edit with an empty SEARCH makes a new file; put its path on the line above"
        return Diagnostic(message, code="edit_no_file")
    if files.get(path, "").strip():
        message = (
            f"an empty SEARCH makes a new file, but {path!r} exists; copy the lines to replace into SEARCH"
        )
        return Diagnostic(message, file=path, code="edit_empty_search")
    files[path] = edit.replace.rstrip("\n") + "\n"
    return None


def _unknown_file(edit: Edit, files: Mapping[str, str]) -> Diagnostic:
    named = (
        f"{edit.path!r} is none of the files"
        if edit.path
        else "the edit names no file, and there are several"
    )
    message = f"{named} ({', '.join(sorted(files)) or 'there are none'}); put the path above the edit"
    return Diagnostic(message, file=edit.path, code="edit_no_file")


def _change(files: dict[str, str], path: str, edit: Edit, *, tells_nearest: bool) -> Diagnostic | None:
    lines = plain(files[path]).split("\n")
    search = edit.search.strip("\n").split("\n")
    replace = edit.replace.strip("\n").split("\n") if edit.replace.strip() else []
    found = places(lines, search)
    if not found:
        found = places([line.strip() for line in lines], [line.strip() for line in search])
        if len(found) == 1:
            replace = reindented(replace, search, lines[found[0] : found[0] + len(search)])
    if len(found) != 1:
        return misfit(path, lines, search, found, "SEARCH", tells_nearest=tells_nearest)
    lines[found[0] : found[0] + len(search)] = replace
    files[path] = restyle("\n".join(lines), files[path])
    return None
