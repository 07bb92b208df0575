"""Learn what the values of one argument look like. Pure."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from validators.agreement.stated import Range, Stated
from validators.runners.example_values import Value

_LONGEST = 24
_MORE = 4
_FIXED = 4
"""Inner lists of one length up to this one are records: pairs, triples."""
_FEW_LETTERS = 3
_GREATEST = 10**300
"""Numbers beyond are not calculated with where floats are among them: sums of them run over."""
CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits)


@dataclass(frozen=True, slots=True)
class Shape:
    """What values at one place have in common."""

    kind: type
    seen: tuple[Value, ...]
    low: float = 0
    high: float = 0
    """Of numbers; of lengths where it is a sequence or a dictionary."""
    parts: tuple["Shape", ...] = ()
    """Of elements: one for all, or one each where `fixed`; of keys and values of a dictionary."""
    fixed: bool = False
    alphabet: str = ""
    decimals: int = 0
    span: tuple[int, int] = (0, 0)
    """The least and the greatest number seen, where all are whole."""
    words: tuple[str, ...] = ()
    """Of all texts seen, where any holds more than one."""
    most_words: int = 0
    """A text made anew has no more."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far beyond what was seen new values may go, as long as the text allows it."""

    length: int = 0
    """Of lists and texts; 0 for a few parts more than seen."""
    value: int = 0
    """Of numbers; 0 for twice what was seen."""


SEEN = Reach()


def learn(values: Sequence[Value], stated: Stated, reach: Reach = SEEN, depth: int = 0) -> Shape:
    """Return the shape of values; what is stated bounds it, what was seen fills it."""
    kinds = {type(value) for value in values}
    kind = kinds.pop() if len(kinds) == 1 else float if kinds <= {int, float} and kinds else object
    seen = tuple(values)
    if kind is float and not all(-_GREATEST <= value <= _GREATEST for value in values):  # type: ignore[operator]
        return Shape(object, seen)
    if kind in (int, float):
        return _learn_number(kind, seen, stated.values.get(depth, Range()), reach)
    if kind is str:
        return _learn_text(seen, stated, reach, depth)
    if kind in (list, tuple, set):
        return _learn_sequence(kind, seen, stated, reach, depth)
    if kind is dict:
        keys = learn([key for one in seen for key in one], stated, reach, depth + 1)  # type: ignore[attr-defined]
        held = learn([v for one in seen for v in one.values()], stated, reach, depth + 1)  # type: ignore[attr-defined]
        return Shape(dict, seen, high=max(map(len, seen)), parts=(keys, held))  # type: ignore[arg-type]
    return Shape(kind, seen)


def _learn_number(kind: type, seen: tuple[Any, ...], stated: Range, reach: Reach) -> Shape:
    least, most = min(seen), max(seen)
    low = min(2 * least, -1) if least < 0 else min(least, 1)
    high = max(2 * most, 10) if most > 0 else 2
    if reach.value and stated.high is not None:
        high = max(high, reach.value)
        low = -high if least < 0 else low
    if stated.low is not None:
        low = max(stated.low, low)
        low = min(low, least)
    if stated.high is not None:
        high = min(high, max(stated.high, most))
    decimals = max((len(repr(one).partition(".")[2]) for one in seen if type(one) is float), default=0)
    span = (least, most) if kind is int else (0, 0)
    return Shape(kind, seen, low, max(low, high), decimals=min(decimals, 6), span=span)


def _learn_text(seen: tuple[Any, ...], stated: Stated, reach: Reach, depth: int) -> Shape:
    letters = "".join(dict.fromkeys("".join(seen)))
    alphabet = stated.alphabet or letters + "".join(
        kind
        for kind in CLASSES
        if len(set(kind) & set(letters)) > (_FEW_LETTERS if kind is not string.digits else 2)
    )
    if set(letters) - set(alphabet):
        alphabet = letters
    low, high = _lengths(seen, stated, reach, depth)
    if len(seen) > 1 and all(len(one) == 1 for one in seen):
        low = high = 1  # a character
    words = tuple(word for one in seen for word in one.split(" ")) if " " in letters else ()
    most = max(one.count(" ") for one in seen) + 2
    return Shape(
        str, seen, low, high, alphabet="".join(dict.fromkeys(alphabet)), words=words, most_words=most
    )


def _learn_sequence(kind: type, seen: tuple[Any, ...], stated: Stated, reach: Reach, depth: int) -> Shape:
    lengths = {len(one) for one in seen}
    record = kind is tuple or (kind is list and depth > 0 and len(seen) >= 3)
    if len(lengths) == 1 and record and max(lengths) <= _FIXED and (places := max(lengths)):
        parts = tuple(
            learn([one[place] for one in seen], stated, reach, depth + 1) for place in range(places)
        )
        return Shape(kind, seen, places, places, parts, fixed=True)
    low, high = _lengths(seen, stated, reach, depth)
    elements = [part for one in seen for part in one]
    return Shape(kind, seen, low, high, (learn(elements, stated, reach, depth + 1),) if elements else ())


def _lengths(seen: tuple[Any, ...], stated: Stated, reach: Reach, depth: int) -> tuple[int, int]:
    bounds = stated.lengths.get(depth, Range())
    sizes = [len(one) for one in seen]
    longest = max(sizes, default=0)
    low = min(bounds.low if bounds.low is not None else 1, *sizes, longest)
    high = min(max(longest + _MORE, 8), max(_LONGEST, longest))
    if reach.length and bounds.high is not None:
        high = max(high, reach.length >> depth)
    if bounds.high is not None:
        high = min(high, max(bounds.high, longest))
    return (max(low, high // 2) if reach.length and bounds.high is not None else low), max(low, high)
