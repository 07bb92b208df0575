"""Put a body under the signature of its task, and settle the closing brackets at the end of an answer."""

import re

from orchestrator.assembling.assembly import Assembly
from orchestrator.assembling.given import Material, closing, defined_names, is_balanced, mask
from validators.parsers import parses

_MOST_CLOSERS = 3
_LONGEST_SIGNATURE = 20
"""In lines."""
_LONGEST_CONTROL = 400
_RETURN = re.compile(r"\breturn\b")
_CONTROL = re.compile(
    r"(?:\b(?:else|try|finally|do)|\b(?:if|for|foreach|while|switch|catch|match)\b[^{};]*(?:;[^{};]*){0,2})\s*$"
)
_LAST_CLOSERS = re.compile(r"\n[ \t]*[)}\]]+;?\s*$")


def complete_body(text: str, material: Material) -> Assembly:
    """Make a body a whole function, else settle the brackets at the end.

    A body is taken for one when the function that the task leaves open is not defined in it; nothing is put
    under a signature unless the result parses and defines that function.
    """
    if made := _under_signature(text, material):
        return Assembly(made, ("signature",))
    if parses(text, material.language):
        return Assembly(text)
    return _settled(text, material.language) or Assembly(text)


def _under_signature(text: str, material: Material) -> str:
    language = material.language
    for opened in material.openings:
        wanted = _last_defined(opened, language)
        if not wanted or wanted in defined_names(text, language):
            continue
        if not _is_body(text, language):
            continue
        for body in (text, _without_last_closers(text)):
            whole = f"{opened}\n{body.rstrip()}\n"
            missing = closing(whole, language)
            for candidate in (whole, whole + "\n".join(missing) + "\n"):
                if _is_whole(candidate, text, language):
                    return candidate
    return ""


def _is_whole(candidate: str, text: str, language: str) -> bool:
    """Tell whether a function is one; in Bash, whose grammar misses much, brackets that fit are enough."""
    if parses(candidate, language):
        return True
    return language == "bash" and not parses(text, language) and is_balanced(candidate, language)


def _last_defined(opened: str, language: str) -> str:
    """Name the function whose body is open at the end of code."""
    masked = mask(opened, language)
    start = max(masked.rfind("\n", 0, masked.rstrip().rfind("{")), 0)
    for _ in range(_LONGEST_SIGNATURE):
        closed = opened[start:].strip("\n") + "\n" + closing(opened[start:], language)
        if names := defined_names(closed, language):
            return min(names)
        if start == 0:
            return ""
        start = max(masked.rfind("\n", 0, start), 0)
    return ""


def _is_body(text: str, language: str) -> bool:
    """Tell a body from a program of its own: it returns, or it defines nothing, or it closes too much."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    if not defined_names(text, language):
        return True
    top = _top_level(mask(text, language))
    return bool(_RETURN.search(top)) or (first[:1].isspace() and not parses(text, language))


def _top_level(masked: str) -> str:
    """Keep of masked code what stands in no brackets but those of `if`, `for` and their kind."""
    kept: list[str] = []
    opened: list[bool] = []
    before = ""
    for piece in re.split(r"([{}])", masked):
        if piece == "{":
            opened.append(bool(_CONTROL.search(before[-_LONGEST_CONTROL:])))
        elif piece == "}":
            opened = opened[:-1]
        elif all(opened):
            kept.append(piece)
        before = piece
    return "".join(kept)


def _without_last_closers(text: str) -> str:
    return _LAST_CLOSERS.sub("\n", text)


def _settled(text: str, language: str) -> Assembly | None:
    """Drop brackets that close nothing from the end, or add the braces that are missing there."""
    left = text
    for _ in range(_MOST_CLOSERS):
        left, is_cut = _LAST_CLOSERS.subn("\n", left)
        if not is_cut:
            break
        if parses(left, language) and defined_names(left, language):
            return Assembly(left, ("no surplus }",))
    missing = closing(text, language)
    ends_well = mask(text, language).rstrip().endswith((";", "}"))
    if ends_well and 0 < len(missing) <= _MOST_CLOSERS and set(missing) == {"}"}:
        closed = text.rstrip() + "\n" + "\n".join(missing) + "\n"
        if parses(closed, language):
            return Assembly(closed, ("closing }",))
    return None
