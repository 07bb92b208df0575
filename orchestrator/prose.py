"""Find code that a reply holds without any fence."""

import re
import textwrap

from validators.languages import LANGUAGES
from validators.parsers import ParserLimitError, parse, parses

_PYTHON_START = re.compile(
    r"(?:import [\w.]+(?:\s*,|\s+as\b|\s*$)|from [\w.]+ import\b|(?:async )?def \w+\s*\(|class \w+.*:\s*$"
    r"|@[\w.]+|if __name__\b|[A-Za-z_][\w.\[\]]*(?:\s*:\s*[\w.\[\], |]+)?\s*=(?!=)|#!|print\(|>>> |\"\"\")"
)
_START = re.compile(
    r"(?:#\s*include|#!|//|/\*|<\?php|<!DOCTYPE|<!--|<[a-zA-Z][^>]*>|\{|\[|---\s*$|@\w+|export\b"
    r"|import\b.*['\";(]|package [\w.]+;?\s*$|namespace\b|using [\w.:]+"
    r"|(?:pub|public|private|protected|static|async|abstract|final)\s"
    r"|(?:function|class|interface|enum|struct|trait|impl|mod|type|fn|func|def|module|record|use|const|let|var"
    r"|union|template|typedef|extern|require|void|int|char|double|float|bool|long|unsigned|auto)\b"
    r"[^.]*(?:[;{(=:]|\w\s*$)"
    r"|(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WITH|BEGIN|EXPLAIN)\b"
    r"|[\w.#:\[\]\"'-]+\s*(?:[{=]|:\s*\S|:\s*$)|\[[\w.\"-]+\]\s*$)",
    re.IGNORECASE,
)
_END = re.compile(r".*[;{}()\[\]>,:\\]\s*(?://.*)?$|\s*(?:end|fi|done|esac)\s*$|\s+\S|\s*(?://|--)")
_MAX_CUTS = 3
_CUT_OFF = ("never closed", "missing", "unterminated", "expected an indented block", "EOF")
_LOOSE = frozenset({"yaml", "toml", "bash", "markdown", "ruby"})
"""Languages in whose last line nothing tells code from prose."""


def find_code(text: str, language: str) -> str:
    """Cut the code out of prose; empty when nothing in it looks like code of the language."""
    if language not in LANGUAGES:
        return ""
    start = _PYTHON_START if language == "python" else _START
    lines = text.split("\n")
    if not any(start.match(line) for line in lines):
        lines = _indented(lines)  # Markdown without fences
    first = next((index for index, line in enumerate(lines) if start.match(line)), None)
    if language in _LOOSE and (first == 0 or parses(text, language)):
        return text.strip("\n") + "\n"
    if first is None:
        return ""
    if language == "python":
        return _python(lines[first:])
    ends = (index for index, line in enumerate(lines) if _END.match(line) or start.match(line))
    return "\n".join(lines[first : max(ends) + 1]) + "\n"


def _indented(lines: list[str]) -> list[str]:
    code = [line for line in lines if not line.strip() or line.startswith(("    ", "\t"))]
    return textwrap.dedent("\n".join(code)).strip("\n").split("\n")


def _python(lines: list[str]) -> str:
    """Cut at the line where it stops being Python, if what stands before it is a whole."""
    body = lines
    for _ in range(_MAX_CUTS):
        text = "\n".join(body).rstrip() + "\n"
        try:
            errors = parse(text, "python").errors
        except ParserLimitError:
            break
        if not errors:
            return text
        shorter = body[: max(0, min(errors[0].line, len(body)) - 1)]
        while shorter and (not shorter[-1].strip() or shorter[-1].startswith("#")):
            shorter.pop()
        if not shorter or not _is_prose(body[len(shorter) :]):
            break
        body = shorter
    return "\n".join(lines).rstrip() + "\n"


def _is_prose(lines: list[str]) -> bool:
    """Tell whether the first line that is left over reads like a sentence, not like broken code."""
    line = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    if line.startswith(("    ", "\t")):
        return False  # a line of code that was cut, not a sentence
    return bool(
        re.match(r"[*_`>\-\d.) ]*[A-Z`*_]?[\w'`*]+[,:]? +[\w'`*(]+.*", line)
    ) and not _PYTHON_START.match(line)


def is_cut_off(text: str, language: str) -> bool:
    """Tell whether a text does not parse because something at its end is missing."""
    if language not in LANGUAGES:
        return False
    try:
        errors = parse(text, language).errors
    except ParserLimitError:
        return False
    last_line = text.rstrip().count("\n") + 1
    return any(error.line >= last_line or any(word in error.message for word in _CUT_OFF) for error in errors)
