"""Undo what chat windows and terminals do to code; a repair counts only where it makes the code parse."""

import html
import re
import textwrap
from collections.abc import Callable

from validators.languages import LANGUAGES
from validators.parsers import parses

_NUMBERED = re.compile(r"^[ \t]*(\d{1,5})(?:[ \t]*[:|.)\u2502][ \t]?|[ \t]{1,2}|\t|$)")
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.|In \[\d+\]:|[ \t]*\.{3}:)(?: |$)")
_TYPOGRAPHY = str.maketrans(
    {
        "\u00a0": " ",
        "\u202f": " ",
        "\u3000": " ",
        "\u201c": '"',
        "\u201d": '"',
        "\u2018": "'",
        "\u2019": "'",
    }
)


def repair(text: str, language: str) -> str:
    """Return the text as it parses: unchanged, by one repair, or by all of them; else unchanged."""
    if language not in LANGUAGES or parses(text, language):
        return text
    text = _without_numbers(text)
    attempts = [mended for mend in _REPAIRS if (mended := mend(text)) != text]
    together = text
    for mend in _REPAIRS:
        together = mend(together)
    return next((mended for mended in (*attempts, together) if parses(mended, language)), text)


def _without_typography(text: str) -> str:
    return text.translate(_TYPOGRAPHY)


def _without_entities(text: str) -> str:
    return html.unescape(text)


def _without_prompts(text: str) -> str:
    """Keep of a session what was typed after `>>>` and `...`, and drop what was answered."""
    if not _PROMPT.match(text.lstrip("\n")):
        return text  # a docstring may hold a session, too
    typed = [_PROMPT.sub("", line) for line in text.split("\n") if _PROMPT.match(line)]
    return "\n".join(typed) + "\n"


def _without_numbers(text: str) -> str:
    """Drop line numbers, if every line but the last two that hold anything has one and they count upwards."""
    lines = [line for line in text.rstrip().split("\n") if line.strip()]
    numbers = [int(match[1]) for match in map(_NUMBERED.match, lines) if match]
    if len(numbers) < max(2, len(lines) - 2) or numbers != sorted(set(numbers)):
        return text
    typed = [line for line in text.split("\n") if _NUMBERED.match(line) or not line.strip()]
    return textwrap.dedent("\n".join(_NUMBERED.sub("", line) for line in typed))


def _without_indentation(text: str) -> str:
    return textwrap.dedent(text)


def _without_last_bracket(text: str) -> str:
    """Drop a last line that only closes: models that leave out a prompt's first line still close it."""
    return re.sub(r"\n[ \t]*[)}\]]+;?\s*$", "\n", text)


_REPAIRS: tuple[Callable[[str], str], ...] = (
    _without_typography,
    _without_entities,
    _without_prompts,
    _without_indentation,
    _without_last_bracket,
)
