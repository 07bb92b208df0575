"""Read from a task what an answer may lack: the code that it shows, and the names that it leaves open."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.fences import are_related, find_blocks
from orchestrator.prose import find_code
from orchestrator.selection import definitions

MAX_CODE_CHARACTERS = 64 * 1024
"""Of one block of a task that is looked at."""
_LITERAL = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\\[^\w\s]|"(?:\\.|[^"\\\n])*+"|'(?:\\.|[^'\\\n])*+'|`(?:\\.|[^`\\])*+`""",
    re.DOTALL,
)
"""Escaped marks are taken whole, so that each mark begins a text that never ends but once."""
_SHELL_LITERAL = re.compile(r"""(?:(?<=[\s;])|^)#[^\n]*|\\[^\w\s]|"(?:\\.|[^"\\])*+"|'[^']*'""", re.DOTALL)
_OPEN_COMMENT = re.compile(r"(?<!(?<!\\)/)/\*")
"""Not after a bare slash, which begins a comment of one line or ends one of many."""
_LIFETIME = re.compile(r"'(?=[a-z_]\w*\b(?!'))")
_PARTNERS = {")": "(", "]": "[", "}": "{"}
_CLOSERS = {opened: closed for closed, opened in _PARTNERS.items()}


@dataclass(frozen=True, slots=True)
class Material:
    """What an answer can be completed from."""

    language: str
    codes: tuple[str, ...]
    """The code that the task shows in the answer's language, in its order."""
    tests: str
    name: str
    """Of the answer's file, without its ending."""

    @property
    def openings(self) -> Iterator[str]:
        """The task's code that a body can go under: it ends inside of a bracket, or in an empty body."""
        for code in reversed(self.codes):
            opened = open_code(code, self.language)
            if opened:
                yield opened


def read_material(prompt: str, tests: str, language: str, name: str) -> Material:
    """Read a task's words; without a fence, code is looked for in the plain text."""
    blocks = find_blocks(prompt, language)
    related = [block for block in blocks if are_related(block.language or language, language)]
    codes = [block.text for block in related]
    if not blocks:
        codes = [find_code(prompt, language)]
    kept = tuple(code for code in codes if code.strip() and len(code) <= MAX_CODE_CHARACTERS)
    return Material(language, kept, tests, name)


def open_code(code: str, language: str) -> str:
    """Return code up to where the body of its last function belongs; empty where it leaves none open."""
    code = code.rstrip()
    if closing(code, language):
        return code
    masked = mask(code, language).rstrip()
    empty = re.search(r"\{[\s;]*\}[\s})]*;?$", masked)
    return code[: empty.start() + 1] if empty else ""


def closing(code: str, language: str) -> str:
    """Return the brackets that would close what code leaves open; empty too where one closes nothing."""
    return _unclosed(code, language) or ""


def is_balanced(code: str, language: str) -> bool:
    """Tell whether each bracket of code has its partner."""
    return _unclosed(code, language) == ""


def _unclosed(code: str, language: str) -> str | None:
    """Return the brackets that are lacking at the end, nothing where one closes nothing."""
    opened: list[str] = []
    marks = r"[{}]" if language == "bash" else r"[()\[\]{}]"  # `case` has patterns that end in a bracket
    for mark in re.findall(marks, mask(code, language)):
        if mark in _CLOSERS:
            opened.append(mark)
        elif not opened or opened.pop() != _PARTNERS[mark]:
            return None
    return "".join(_CLOSERS[mark] for mark in reversed(opened))


def mask(code: str, language: str) -> str:
    """Blank comments and strings, so that each character left is code and stands where it stood."""
    if language == "rust":
        code = _LIFETIME.sub(" ", code)
    if language == "bash":
        return _SHELL_LITERAL.sub(_blank, code)
    last = code.rfind("*/") + 2  # the end of what begins behind it would be sought in vain each time
    code = _OPEN_COMMENT.sub(lambda found: "  " if found.start() >= last else found[0], code)
    return _LITERAL.sub(_blank, code)


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def defined_names(code: str, language: str) -> frozenset[str]:
    """Name what code defines at any indentation."""
    return definitions("\n".join(line.lstrip() for line in code.split("\n")), language)
