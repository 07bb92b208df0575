"""Read SEARCH/REPLACE edits from a reply and apply them, each in exactly one place or not at all."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.labels import looks_like_path, path_in_label
from validators.verdict import Diagnostic

_SEARCH = re.compile(r"[ \t]*<{5,9} ?(?:SEARCH|ORIGINAL)\b[ \t]*(?P<path>\S*)")
_DIVIDER = re.compile(r"[ \t]*={5,9}[ \t]*$")
_REPLACE = re.compile(r"[ \t]*>{5,9}(?: ?(?:REPLACE|UPDATED))?[ \t]*$")
_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})[ \t]*(?P<info>\S*)")
_MAX_NEAREST_LINES = 2000
_SHOWN_LINES = 6


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
    """Apply edits in order. Zero or several places for one edit is a problem, never a guess."""
    result = dict(files)
    problems: list[Diagnostic] = []
    for edit in edits:
        path = _resolve(edit, result)
        if not edit.search.strip():
            problem = _create(result, path, edit)
        elif path in result:
            problem = _change(result, path, edit)
        else:
            problem = _unknown_file(edit, result)
        problems += [problem] if problem else []
    return Edited(result, tuple(problems))


def _resolve(edit: Edit, files: Mapping[str, str]) -> str:
    """Find which file is meant: by its name, by the end of its path, or because only one holds the lines."""
    if edit.path in files:
        return edit.path
    if edit.path:
        ends = [path for path in files if path.endswith(f"/{edit.path}") or edit.path.endswith(f"/{path}")]
        return ends[0] if len(ends) == 1 else edit.path
    if len(files) == 1:
        return next(iter(files))
    holding = [path for path, text in files.items() if edit.search.strip() and edit.search in text]
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


def _change(files: dict[str, str], path: str, edit: Edit) -> Diagnostic | None:
    lines = files[path].split("\n")
    search = edit.search.strip("\n").split("\n")
    replace = edit.replace.strip("\n").split("\n") if edit.replace.strip() else []
    places = _places(lines, search)
    if not places:
        places = _places([line.strip() for line in lines], [line.strip() for line in search])
        if len(places) == 1:
            replace = _reindented(replace, search, lines[places[0] : places[0] + len(search)])
    if len(places) != 1:
        return _misfit(path, lines, search, places)
    lines[places[0] : places[0] + len(search)] = replace
    files[path] = "\n".join(lines)
    return None


def _places(lines: list[str], search: list[str]) -> list[int]:
    size = len(search)
    starts = (index for index, line in enumerate(lines) if line == search[0])
    return [index for index in starts if lines[index : index + size] == search]


def _reindented(replace: list[str], search: list[str], found: list[str]) -> list[str]:
    """Give the new lines the indentation of the place: SEARCH was written with another one."""
    wrote = next(_indentation(line) for line in search if line.strip())
    stands = next(_indentation(line) for line in found if line.strip())
    return [
        stands + line.removeprefix(wrote) if line.startswith(wrote) and line.strip() else line
        for line in replace
    ]


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _misfit(path: str, lines: list[str], search: list[str], places: list[int]) -> Diagnostic:
    if places:
        where = ", ".join(str(place + 1) for place in places[:_SHOWN_LINES])
        message = f"the SEARCH lines occur {len(places)} times (lines {where}); add lines around them"
        return Diagnostic(message, file=path, line=places[0] + 1, code="edit_ambiguous")
    first = next(line.strip() for line in search if line.strip())
    stripped = [line.strip() for line in lines[:_MAX_NEAREST_LINES]]
    near = difflib.get_close_matches(first, stripped, n=1, cutoff=0.5)
    if not near:
        message = f"the SEARCH lines do not occur, nor any like {first!r}; copy them exactly"
        return Diagnostic(message, file=path, code="edit_not_found")
    place = stripped.index(near[0])
    shown = "\n".join(lines[place : place + min(len(search), _SHOWN_LINES)])
    message = f"the SEARCH lines do not occur; did you mean these?\n{shown}"
    return Diagnostic(message, file=path, line=place + 1, code="edit_not_found")
