"""Read unified diffs (of git and of others), `*** Begin Patch` and explicit deletions from a reply. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from orchestrator.labels import looks_like_path

_OLD = re.compile(r"--- (?P<path>\S.*)$")
_NEW = re.compile(r"\+\+\+ (?P<path>\S.*)$")
_HUNK = re.compile(
    r"@@+(?: -(?P<line>\d{1,9})(?:,(?P<count>\d{1,9}))? \+\d{1,9}(?:,\d{1,9})? @@+)?(?P<heading>.*)$"
)
_GIT = re.compile(r"diff --git (?:a/)?(?P<old>\S+) (?:b/)?(?P<new>\S+)\s*$")
_RENAME = re.compile(r"(?P<which>rename (?:from|to)|deleted file mode|new file mode) (?P<word>\S.*)$")
_SECTION = re.compile(r"\*\*\* (?P<what>Add|Update|Delete|Rename|Move) File: (?P<path>.+?)\s*$")
_MOVED = re.compile(r"\*\*\* Move to: (?P<path>.+?)\s*$")
_NOISE = re.compile(r"(?:index [0-9a-f]+\.\.|(?:old|new) mode \d|similarity index |dissimilarity index )")
_NO_NEWLINE = "\\ No newline"
_NOTHING = "/dev/null"
_STAMP = re.compile(r"\t.*$|\s+\d{4}-\d\d-\d\d[ \d:.+-]*$")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines to be found in one place of a file, and what becomes of them."""

    lines: tuple[tuple[str, str], ...]
    """Each with its sign: ' ' stays, '-' goes, '+' comes."""
    line: int = 0
    """Where the first stands, as the reply says; 0 when it does not."""
    heading: str = ""
    """A line above the place, if one is given."""
    end: Literal["", "bare", "whole"] = ""
    """How the new text ends where the reply says so: without its last line end, or with one it lacked."""

    @property
    def before(self) -> list[str]:
        """The lines as they should stand in the file."""
        return [text for sign, text in self.lines if sign != "+"]


@dataclass(frozen=True, slots=True)
class Patch:
    """What becomes of one file."""

    path: str
    """As the reply names it; of a new file its own name."""
    hunks: tuple[Hunk, ...] = ()
    to: str = ""
    """The file's new name."""
    is_new: bool = False
    is_removal: bool = False


def parse_patches(reply: str) -> tuple[Patch, ...]:
    """Read all patches of a reply, in one pass over its lines."""
    lines = reply.split("\n")
    patches: list[Patch] = []
    index = 0
    while index < len(lines):
        patch, index = _read(lines, index)
        if patch and (patch.hunks or patch.to or patch.is_new or patch.is_removal):
            patches.append(patch)
    return tuple(patches)


@dataclass(frozen=True, slots=True)
class Orders:
    """A reply parted into lines that delete or rename whole files, and the rest."""

    said: str
    rest: str


def cut_orders(reply: str) -> Orders:
    """Part a reply that orders deletions beside files in fences; in a patch they belong to the patch."""
    lines = reply.split("\n")
    if any(line.startswith("*** Begin Patch") for line in lines):
        return Orders("", reply)
    orders = [_is_order(line) for line in lines]
    said = "\n".join(line for line, is_order in zip(lines, orders, strict=True) if is_order)
    rest = "\n".join(line for line, is_order in zip(lines, orders, strict=True) if not is_order)
    return Orders(said, rest)


def _is_order(line: str) -> bool:
    found = _SECTION.match(line)
    return bool(found and found["what"] in {"Delete", "Rename", "Move"})


def _read(lines: Sequence[str], index: int) -> tuple[Patch | None, int]:
    """Read what begins at a line; the index is that of the first line behind it."""
    line = lines[index]
    if section := _SECTION.match(line):
        return _read_section(lines, index + 1, section["what"], section["path"])
    if git := _GIT.match(line):
        return _read_git(lines, index + 1, git)
    if _OLD.match(line) and index + 1 < len(lines) and _NEW.match(lines[index + 1]):
        return _read_unified(lines, index)
    return None, index + 1


def _read_section(lines: Sequence[str], index: int, what: str, path: str) -> tuple[Patch | None, int]:
    if what == "Delete":
        return Patch(path, is_removal=True), index
    if what in {"Rename", "Move"}:
        old, _, new = path.partition(" -> ")
        return (Patch(old.strip(), to=new.strip()) if new.strip() else None), index
    if what == "Add":
        end = index
        while end < len(lines) and lines[end].startswith("+"):
            end += 1
        added = tuple(("+", line[1:]) for line in lines[index:end])
        return Patch(path, (Hunk(added),), is_new=True), end
    moved = _MOVED.match(lines[index]) if index < len(lines) else None
    hunks, end = _read_hunks(lines, index + bool(moved))
    return Patch(path, tuple(hunks), to=moved["path"] if moved else ""), end


def _read_git(lines: Sequence[str], index: int, git: re.Match[str]) -> tuple[Patch | None, int]:
    """Read the head of a git diff, with renames, deletions and modes, and the hunks if there are any."""
    patch = Patch(git["old"])
    is_known = False
    while index < len(lines):
        found = _RENAME.match(lines[index])
        if found:
            is_known = True
            patch = _with_head(patch, found["which"], found["word"])
        elif not _NOISE.match(lines[index]):
            break
        index += 1
    if index + 1 < len(lines) and _OLD.match(lines[index]) and _NEW.match(lines[index + 1]):
        body, index = _read_unified(lines, index)
        if body:
            return replace(body, path=patch.path if patch.to else body.path, to=patch.to), index
    return (patch if is_known else None), index


def _with_head(patch: Patch, which: str, word: str) -> Patch:
    if which == "rename from":
        return replace(patch, path=word.strip())
    if which == "rename to":
        return replace(patch, to=word.strip())
    return replace(patch, is_removal=which.startswith("deleted"), is_new=which.startswith("new"))


def _read_unified(lines: Sequence[str], index: int) -> tuple[Patch | None, int]:
    old, new = _name(lines[index][4:]), _name(lines[index + 1][4:])
    hunks, end = _read_hunks(lines, index + 2)
    path = new if old == _NOTHING else old
    if not looks_like_path(path.rpartition("/")[2]) and not hunks:
        return None, index + 1
    if new == _NOTHING:
        return Patch(path, tuple(hunks), is_removal=True), end
    if old == _NOTHING:
        return Patch(path, tuple(hunks), is_new=True), end
    return Patch(new, tuple(hunks)), end


def _name(words: str) -> str:
    """Take the path out of a line of a head: without its stamp, its quotes and git's `a/`."""
    path = _STAMP.sub("", words.strip()).strip().strip('"')
    return path if path == _NOTHING else re.sub(r"^[ab]/(?=.)", "", path)


def _read_hunks(lines: Sequence[str], index: int) -> tuple[list[Hunk], int]:
    """Read hunks to the first line that is part of none; a first one may lack its `@@`."""
    hunks: list[Hunk] = []
    while index < len(lines):
        head = _HUNK.match(lines[index])
        if not head and (hunks or lines[index][:1] not in {" ", "+", "-"} or _is_head(lines, index)):
            break
        start = index + 1 if head else index
        hunk, index = _read_hunk(lines, start, head)
        if hunk.lines:
            hunks.append(hunk)
    return hunks, index


def _read_hunk(lines: Sequence[str], index: int, head: re.Match[str] | None) -> tuple[Hunk, int]:
    """Read signed lines; counts are not believed, and an empty line is an empty line that stays."""
    signed: list[tuple[str, str]] = []
    end: Literal["", "bare", "whole"] = ""
    trailing = 0
    while index < len(lines):
        line = lines[index]
        if line.startswith(_NO_NEWLINE):
            end = "whole" if signed and signed[-1][0] == "-" else "bare"
        elif not line:
            signed.append((" ", ""))
        elif line[0] in " +-" and not _is_head(lines, index):
            signed.append((line[0], line[1:]))
        else:
            break
        trailing = 0 if line else trailing + 1
        index += 1
    signed = signed[: len(signed) - trailing]
    said = int(head["line"]) if head and head["line"] else 0
    heading = head["heading"].strip() if head and not said else ""
    return Hunk(tuple(signed), said, heading, end), index


def _is_head(lines: Sequence[str], index: int) -> bool:
    """Tell whether `--- x` begins the next file rather than takes away the line `-- x`."""
    return (
        bool(_OLD.match(lines[index]))
        and index + 2 < len(lines)
        and (bool(_NEW.match(lines[index + 1])) and bool(_HUNK.match(lines[index + 2])))
    )
