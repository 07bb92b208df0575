"""Find the one place of a file that a hunk means, and change it there or nowhere. Pure."""

import difflib
from collections.abc import Sequence

from orchestrator.patches import Hunk
from validators.verdict import Diagnostic

MOST_NEAREST = 3
"""Of the problems of one reply, how many tell the nearest lines: to find them takes half a second."""
_MAX_NEAREST_LINES = 2000
_MAX_NEAREST_CHARACTERS = 500
"""Of a line that may be near: comparing takes time by the square of it."""
_SHOWN_LINES = 6
_SHOWN_PLACES = 6


def places(lines: Sequence[str], search: Sequence[str], start: int = 0) -> list[int]:
    """List where lines stand one below another."""
    size = len(search)
    firsts = (index for index in range(start, len(lines) - size + 1) if lines[index] == search[0])
    return [index for index in firsts if list(lines[index : index + size]) == list(search)]


def reindented(new: Sequence[str], wrote: Sequence[str], found: Sequence[str]) -> list[str]:
    """Give new lines the indentation of the place when the reply wrote it with another one."""
    said = next((indentation(line) for line in wrote if line.strip()), "")
    stands = next((indentation(line) for line in found if line.strip()), "")
    return [
        stands + line.removeprefix(said) if line.startswith(said) and line.strip() else line for line in new
    ]


def indentation(line: str) -> str:
    """Return the white space before a line."""
    return line[: len(line) - len(line.lstrip())]


def misfit(
    path: str,
    lines: Sequence[str],
    search: Sequence[str],
    found: Sequence[int],
    what: str,
    *,
    tells_nearest: bool = True,
) -> Diagnostic:
    """Say why lines have no single place in a file, with the nearest that stands there if that is wanted."""
    if found:
        where = ", ".join(str(place + 1) for place in found[:_SHOWN_PLACES])
        message = f"the {what} lines occur {len(found)} times (lines {where}); add lines around them"
        return Diagnostic(message, file=path, line=found[0] + 1, code="edit_ambiguous")
    first = next((line.strip() for line in search if line.strip()), "")
    place = _nearest(first, lines) if tells_nearest else None
    if place is None:
        like = f", nor any like {first[:_MAX_NEAREST_CHARACTERS]!r}" if tells_nearest else ""
        message = f"the {what} lines do not occur{like}; copy them exactly"
        return Diagnostic(message, file=path, code="edit_not_found")
    shown = "\n".join(lines[place : place + min(len(search), _SHOWN_LINES)])
    message = f"the {what} lines do not occur; did you mean these?\n{shown}"
    return Diagnostic(message, file=path, line=place + 1, code="edit_not_found")


def _nearest(first: str, lines: Sequence[str]) -> int | None:
    """Find the line that is most like another; long ones are like none."""
    if len(first) > _MAX_NEAREST_CHARACTERS:
        return None
    stripped = [line.strip() for line in lines[:_MAX_NEAREST_LINES]]
    short = [line for line in stripped if len(line) <= _MAX_NEAREST_CHARACTERS]
    near = difflib.get_close_matches(first, short, n=1, cutoff=0.5)
    return stripped.index(near[0]) if near else None


def apply_hunks(
    path: str, text: str, hunks: Sequence[Hunk], *, tells_nearest: bool = True
) -> str | Diagnostic:
    """Change a text by all hunks, in their order, or say which does not fit.

    The lines before a change must stand in exactly one place below the hunk before it. Where they stand in
    several, the line that the hunk states decides if it is one of them, and after that the heading. Where
    they stand in none, differences of indentation are overlooked.
    """
    lines = text.split("\n")
    made: list[str] = []
    position = 0
    end = ""
    for hunk in hunks:
        place = _find(path, lines, hunk, position, tells_nearest=tells_nearest)
        if isinstance(place, Diagnostic):
            return place
        made += lines[position:place]
        made += _changed(hunk, lines[place : place + len(hunk.before)])
        position = place + len(hunk.before)
        end = hunk.end
    left = lines[position:]
    if end == "bare" and left == [""]:
        left = []
    elif end == "whole" and made and not left:
        left = [""]
    return "\n".join((*made, *left))


def _find(
    path: str, lines: Sequence[str], hunk: Hunk, start: int, *, tells_nearest: bool
) -> int | Diagnostic:
    search = hunk.before
    if not search:
        return _find_empty(path, lines)
    found = places(lines, search, start)
    if not found:
        stripped = [line.strip() for line in lines]
        found = places(stripped, [line.strip() for line in search], start)
    if len(found) > 1:
        found = _decided(found, lines, hunk)
    if len(found) == 1:
        return found[0]
    return misfit(path, lines, search, found, "unchanged and removed", tells_nearest=tells_nearest)


def _find_empty(path: str, lines: Sequence[str]) -> int | Diagnostic:
    if not any(lines):
        return 0
    message = "the change adds lines without saying where; give it unchanged lines around them"
    return Diagnostic(message, file=path, code="edit_ambiguous")


def _decided(found: list[int], lines: Sequence[str], hunk: Hunk) -> list[int]:
    """Choose among places by the line that is stated, else take the first below the heading."""
    if hunk.line - 1 in found:
        return [hunk.line - 1]
    headings = [index for index, line in enumerate(lines) if hunk.heading and line.strip() == hunk.heading]
    below = [place for place in found if place > headings[0]] if len(headings) == 1 else []
    return below[:1] or found


def _changed(hunk: Hunk, found: Sequence[str]) -> list[str]:
    """Return what stands there afterwards; unchanged lines are the file's own."""
    added = reindented([text for sign, text in hunk.lines if sign == "+"], hunk.before, found)
    made: list[str] = []
    old, new = iter(found), iter(added)
    for sign, _ in hunk.lines:
        if sign == "+":
            made.append(next(new))
        elif sign == " ":
            made.append(next(old))
        else:
            next(old)
    return made
