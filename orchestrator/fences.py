"""Find the fenced blocks of a reply, with the language and the file name that each is given."""

import re
from dataclasses import dataclass

from orchestrator.labels import looks_like_path, path_in_attributes, path_in_comment, path_in_label
from validators.languages import LANGUAGES, TEXT, by_path, find_language
from validators.parsers import parses

MAX_BLOCKS = 60
_MAX_ENDS = 6
_MAX_PARSED = 32 * 1024

_OPEN = re.compile(
    r"^(?P<lead>[ \t]*(?:>[ \t]?)*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?)(?P<fence>`{3,}|~{3,})(?P<info>[^`\n]*)$"
)
_GLUED = re.compile(r"^(?P<lead>)[^`]*[^`\s][ \t]*(?P<fence>`{3,})(?P<info>[A-Za-z0-9_+#.-]*)[ \t]*$")
_CLOSE = re.compile(
    r"^[ \t]*(?:>[ \t]?)*(?P<fence>`{3,}|~{3,})(?:[ \t]*$|[ \t]+(?P<behind>[^\s`]+)[ \t]+[^`]*$)"
)
_GLUED_CLOSE = re.compile(r"^(?P<code>[^`]*[^`\s])[ \t]*(?P<fence>`{3,})[ \t]*$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    text: str
    language: str = ""
    """Its tag as a known language, or that of its path; empty when it has none."""
    tag: str = ""
    path: str = ""
    is_closed: bool = True


@dataclass(frozen=True, slots=True)
class _Opening:
    """The line that opens a block."""

    line: int
    fence: str
    lead: str
    tag: str = ""
    path: str = ""
    first_line: str = ""
    """Code that stands on the line of the fence."""


def find_blocks(text: str, language: str = "") -> tuple[Block, ...]:
    """Find at most `MAX_BLOCKS` blocks; `language` is that of blocks without a tag.

    A block ends at the first fence where it parses: docstrings may hold fences. Where it parses nowhere it
    ends at the first fence that closes it, and where there is none at the end of the text.
    """
    lines = text.split("\n")
    fences = [index for index, line in enumerate(lines) if "```" in line or "~~~" in line]
    blocks: list[Block] = []
    after = 0
    for index in fences:
        if index < after or len(blocks) == MAX_BLOCKS:
            continue
        opening = _opening(lines, index)
        if opening:
            block, after = _read_block(lines, fences, opening, language)
            blocks.append(block)
    return tuple(block for block in blocks if block.text.strip())


def _opening(lines: list[str], index: int) -> _Opening | None:
    line = lines[index]
    match = _OPEN.match(line)
    if not match and len(line) < _MAX_PARSED:
        match = _GLUED.match(line)
        if match and not match["info"] and not "".join(lines[index + 1 : index + 2]).strip():
            return None  # a sentence about fences
    if not match:
        return None
    info = match["info"].strip()
    tag, path, rest = _read_braces(info) if info.startswith("{") else _read_info(info)
    path = path_in_attributes(info) or path or path_in_label(_line_above(lines, index))
    is_code = rest and not path and "=" not in rest.split()[0] and find_language(tag)
    return _Opening(index, match["fence"], match["lead"], tag, path, rest if is_code else "")


def _read_braces(info: str) -> tuple[str, str, str]:
    """Read `{.python title="a.py"}`: the tag, no path, nothing else."""
    words = info.strip("{}").split()
    return (words[0] if words else ""), "", ""


def _read_info(info: str) -> tuple[str, str, str]:
    """Read `python`, `python:src/a.py`, `src/a.py` or `python src/a.py`: tag, path and the rest."""
    tag, _, rest = info.partition(" ")
    rest = rest.strip()
    before, colon, behind = tag.partition(":")
    if colon and looks_like_path(behind):
        return before, behind, rest
    if looks_like_path(tag) and find_language(tag):
        return "", tag, rest
    return (tag, rest, "") if looks_like_path(rest) else (tag, "", rest)


def _line_above(lines: list[str], index: int) -> str:
    above = [line for line in lines[max(0, index - 2) : index] if line.strip()]
    return above[-1] if above else ""


def _read_block(lines: list[str], fences: list[int], opening: _Opening, language: str) -> tuple[Block, int]:
    own = find_language(opening.tag) or ""
    spoken = own or ("" if opening.tag else language)
    ends = _ends(lines, [index for index in fences if index > opening.line], opening, own)
    for end in ends if len(ends) > 1 and spoken in LANGUAGES else []:
        text = _content(lines, opening, end)
        if len(text) <= _MAX_PARSED and parses(text, spoken):
            return _block(text, opening, own, is_closed=True), end + 1
    if not ends:
        text = _content(lines, opening, len(lines))
        return _block(text, opening, own, is_closed=False), len(lines)
    return _block(_content(lines, opening, ends[0]), opening, own, is_closed=True), ends[0] + 1


def _ends(lines: list[str], fences: list[int], opening: _Opening, language: str) -> list[int]:
    """List the lines that may close the block; in prose, pairs of fences in between are skipped."""
    ends: list[int] = []
    depth = 0
    for index in fences:
        if _closes(lines[index], opening.fence):
            if depth == 0:
                ends.append(index)
            depth = max(0, depth - 1)
        elif language in {"markdown", TEXT} and _OPEN.match(lines[index]):
            depth += 1
        if len(ends) == _MAX_ENDS:
            break
    return ends


def _closes(line: str, fence: str) -> bool:
    """Tell whether a line ends a block, with prose behind the fence or code before it if need be."""
    match = _CLOSE.match(line)
    if match and match["behind"] and find_language(match["behind"]):
        return False
    match = match or (_GLUED_CLOSE.match(line) if len(line) < _MAX_PARSED else None)
    return match is not None and match["fence"].startswith(fence)


def _content(lines: list[str], opening: _Opening, end: int) -> str:
    """Join the lines of the block, without the indentation or quoting of its fence."""
    body = [_outdented(line, opening.lead) for line in lines[opening.line + 1 : end]]
    if opening.first_line:
        body.insert(0, opening.first_line)
    glued = _GLUED_CLOSE.match(lines[end]) if end < len(lines) else None
    if glued:
        body.append(_outdented(glued["code"], opening.lead))
    return "\n".join(body).rstrip() + "\n"


def _outdented(line: str, lead: str) -> str:
    if ">" in lead:
        return re.sub(r"^[ \t]*(?:>[ \t]?)+", "", line, count=1)
    common = len(line) - len(line.lstrip(" \t"))
    return line[min(len(lead), common) :]


def _block(text: str, opening: _Opening, language: str, *, is_closed: bool) -> Block:
    path = opening.path
    named = by_path(path) or language
    if language and not are_related(named, language):
        path = ""  # "`a.py`:" above a shell block says what is run there
    first_line, _, rest = text.partition("\n")
    commented = path_in_comment(first_line)
    if commented and find_language(commented) in {language or find_language(commented), None}:
        path = path or commented
        text = rest if by_path(commented) == "json" else text  # JSON has no comments
    return Block(text, language or by_path(path) or "", opening.tag, path, is_closed)


_FAMILIES = (frozenset({"javascript", "typescript", "tsx"}), frozenset({"c", "cpp"}))


def are_related(one: str, other: str) -> bool:
    """Say whether models take the tags of two languages for each other's."""
    return one == other or any(one in family and other in family for family in _FAMILIES)
