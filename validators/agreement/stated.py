"""Read what a task's text says about its arguments: bounds of numbers and lengths, alphabets. Pure."""

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

_MOST_CHARS = 50_000
_NUMBER = r"(?<!\d)-?\d[\d,_]{0,30}(?:[ \t]?(?:\^|\*\*|\*|e)[ \t]?\d{1,9}){0,3}(?:[ \t]?[-+][ \t]?\d{1,9})?"
_LESS = r"[ \t]{{0,3}}(?P<{}><=|<|≤|&lt;=|&lt;)[ \t]{{0,3}}"
_HIGH = r"(?P<high>(?:[^<>≤\n,;&]|,(?=\d{3}(?!\d))){1,40})"
_BOUNDS = re.compile(
    rf"(?P<low>{_NUMBER}){_LESS.format('first')}(?P<middle>[^<>≤\n&;]{{1,80}}?)"
    rf"(?:{_LESS.format('second')}{_HIGH}|(?=[ \t`]{{0,3}}(?:\n|;|\.\s|\.?$)))"
)
_NAME = re.compile(
    r"(?P<name>[A-Za-z_]\w*)(?P<indices>(?:\s*\[[^\[\]]{1,12}\]){0,3})(?P<length>\.length|\.size\(\))?"
)
_LENGTH = re.compile(r"(?:len|length)\s*\(\s*(?P<name>\w+)\s*\)|\|(?P<other>\w+)\|")
_CONSISTS = re.compile(
    r"(?P<names>[^.\n]{1,60}?)\b(?:only\s+)?(?:consists?|contains?|made\s+up|composed)\s+(?:only\s+)?(?:of\s+)?"
    r"(?P<what>[^.\n]{1,120})",
    re.IGNORECASE,
)
_KINDS: Mapping[str, str] = {
    r"lower-?\s?case": string.ascii_lowercase,
    r"upper-?\s?case": string.ascii_uppercase,
    r"digits?\b": string.digits,
}
_EQUAL = re.compile(
    r"(?P<one>\b[A-Za-z_]\w{0,40}(?:\[[^\[\]]{1,12}\]){0,3}(?:\.length)?)[ \t]{0,3}={1,2}[ \t]{0,3}"
    r"(?P<other>(?:[A-Za-z_]\w{0,40}(?:\[[^\[\]]{1,12}\]){0,3}\.length|\d{1,6}))(?=[\s.,;`]|==|$)"
)
_EITHER = re.compile(
    r"(?P<name>\b[A-Za-z_]\w{0,40})(?P<indices>(?:\[[^\[\]]{1,12}\]){0,3})`?"
    r"[ \t]{1,3}is[ \t]{1,3}(?:either[ \t]{1,3})?"
    r"(?P<low>-?\d)(?:[ \t]+or|,)[ \t]+(?P<high>\d)\b"
)
_CHOICE = re.compile(
    r"(?P<name>\b[A-Za-z_]\w{0,40})(?:\[[^\[\]]{1,12}\]){0,3}`?[ \t]{1,3}is[ \t]{1,3}(?:either[ \t]{1,3})?"
    r"(?P<what>['\"][^.\n]{1,60})"
)
_QUOTED = re.compile(r"""['"`]{1,2}(.)['"`]{1,2}""")
_SMALL_EXPONENT = 40


@dataclass(frozen=True, slots=True)
class Range:
    """From and to, both included; None where nothing is said."""

    low: int | None = None
    high: int | None = None

    def within(self, other: "Range") -> "Range":
        """Return what is in both."""
        lows = [one for one in (self.low, other.low) if one is not None]
        highs = [one for one in (self.high, other.high) if one is not None]
        return Range(max(lows) if lows else None, min(highs) if highs else None)


@dataclass(frozen=True, slots=True)
class Stated:
    """What is said about one argument, by how deep inside it lies what is meant."""

    values: Mapping[int, Range] = field(default_factory=dict)
    lengths: Mapping[int, Range] = field(default_factory=dict)
    alphabet: str = ""


def read_stated(text: str) -> Mapping[str, Stated]:
    """Return what the text says of each name."""
    text = text[:_MOST_CHARS]
    found: dict[str, Stated] = {}
    for name, depth, is_length, bounds in _bounds(text):
        old = found.get(name, Stated())
        ranges = {**(old.lengths if is_length else old.values)}
        ranges[depth] = ranges.get(depth, Range()).within(bounds)
        found[name] = replace(old, lengths=ranges) if is_length else replace(old, values=ranges)
    _share_equal(text, found)
    for name, alphabet in _alphabets(text):
        found[name] = replace(found.get(name, Stated()), alphabet=alphabet)
    return found


def _share_equal(text: str, found: dict[str, Stated]) -> None:
    """Let lengths have the bounds of the names that stand for them, or the numbers that they are."""
    for match in _EQUAL.finditer(text):
        for name, depth, is_length in _subject(match["one"]):
            number = _number(match["other"])
            for other, inner, is_other_length in () if number is not None else _subject(match["other"]):
                alias = found.get(name, Stated()).values.get(0)
                if is_other_length and not is_length and alias:
                    old = found.get(other, Stated())
                    found[other] = replace(old, lengths={**old.lengths, inner: alias})
            if number is not None and is_length:
                old = found.get(name, Stated())
                found[name] = replace(old, lengths={**old.lengths, depth: Range(number, number)})


def _bounds(text: str) -> Iterator[tuple[str, int, bool, Range]]:
    for match in _EITHER.finditer(text):
        yield match["name"], match["indices"].count("["), False, Range(int(match["low"]), int(match["high"]))
    for match in _BOUNDS.finditer(text):
        low = _number(match["low"])
        high = _number(match["high"]) if match["high"] else None
        if low is not None:
            low += "=" not in match["first"] and match["first"] != "≤"
        if high is not None and match["second"] and "=" not in match["second"] and match["second"] != "≤":
            high -= 1
        for part in re.split(r",|==|=", match["middle"]):
            for name, depth, is_length in _subject(part.strip(" `")):
                yield name, depth, is_length, Range(low, high)


def _subject(part: str) -> Iterator[tuple[str, int, bool]]:
    if length := _LENGTH.fullmatch(part):
        yield length["name"] or length["other"], 0, True
    elif named := _NAME.fullmatch(part):
        yield named["name"], named["indices"].count("["), bool(named["length"])


def _number(source: str) -> int | None:
    """Read `10^5`, `2 * 10^4`, `10^9 + 7`, `100`; None for what holds a name."""
    words = source.strip(" `$").replace(",", "").replace("_", "").replace("**", "^")
    match = re.fullmatch(r"(-?)\s*(\d+)((?:\s*[\^*]\s*\d+)*)\s*(?:([-+])\s*(\d+))?", words)
    if not match:
        return None
    sign, first, steps, added, last = match.groups()
    factors = [[int(base) for base in part.split("^")] for part in f"{first}{steps}".split("*")]
    if any(len(one) > 2 or one[-1] > _SMALL_EXPONENT for one in factors if len(one) > 1):
        return None
    product = reduce(lambda total, one: total * one[0] ** (one[1] if len(one) > 1 else 1), factors, 1)
    total = product + (int(f"{added}{last}") if added else 0)
    return -total if sign else total


def _alphabets(text: str) -> Iterator[tuple[str, str]]:
    for match in _CHOICE.finditer(text):
        if letters := "".join(_QUOTED.findall(match["what"])):
            yield match["name"], letters
    for match in _CONSISTS.finditer(text):
        letters = "".join(
            kind for words, kind in _KINDS.items() if re.search(words, match["what"], re.IGNORECASE)
        )
        if not letters and re.search(r"English letters", match["what"]):
            letters = string.ascii_letters
        quoted = "".join(_QUOTED.findall(match["what"]))
        spaces = " " if re.search(r"\bspaces?\b", match["what"]) else ""
        if alphabet := "".join(dict.fromkeys(letters + quoted + spaces)):
            for name in re.findall(r"[A-Za-z_]\w*", match["names"]):
                yield name, alphabet
