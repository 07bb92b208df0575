"""The small slips with which a model copies: which are forgiven, and where a slipped quote belongs. Pure."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

_WORDS_PER_SLIP = 8
_NEGATIONS = frozenset(
    "not no never none nor neither cannot without t nicht kein keine nie".split(),  # noqa: SIM905 - reads as words
)
"""Words (`t` from "isn't") that turn a sentence around when they are dropped or changed."""

_Cell = tuple[int, int]
"""Slips so far, and the index of the first source word."""


def slips_allowed(words: int) -> int:
    """Count the slips that a quote of so many words may have."""
    return max(1, words // _WORDS_PER_SLIP)


def align(quote: Sequence[str], source: Sequence[str]) -> tuple[int, int] | None:
    """Find the stretch of source words that a quote copies with the fewest slips, if it is few enough.

    Returns the index of the first and of the last word. A slip is one letter too many, missing, wrong or
    swapped with its neighbour, a word of the source left out, two words run together, or one torn apart.
    """
    budget = slips_allowed(len(quote))
    known = set(source)
    if sum(word in known for word in quote) < len(quote) - 2 * budget:  # a slip touches two words at most
        return None
    ends = _last_row(quote, source, budget)
    if not ends:
        return None
    end = min(ends, key=lambda index: (ends[index][0], index))
    return ends[end][1], end - 1


def _last_row(quote: Sequence[str], source: Sequence[str], budget: int) -> dict[int, _Cell]:
    """Align row by row; a row maps the number of source words used to its best cell, if any is in budget."""
    known = set(source)
    before: dict[int, _Cell] = {}
    row: dict[int, _Cell] = {index: (0, index) for index in range(len(source))}
    for position, word in enumerate(quote):
        torn = quote[position - 1] + word if position else ""
        following: dict[int, _Cell] = {}
        for used, original in enumerate(source, start=1):
            joined = source[used - 2] + original if used > 1 else ""
            cells = [
                *_with(row.get(used - 1), _difference(word, original, known)),
                *_with(row.get(used - 2), 1 if word == joined else None),
                *_with(before.get(used - 1), 1 if torn == original else None),
                *_with(before.get(used - 2), 1 if torn and torn == joined else None),
                *_with(following.get(used - 1), 1 if _is_droppable(original) else None),
            ]
            cell = min(cells, default=None)
            if cell is not None and cell[0] <= budget:
                following[used] = cell
        before, row = row, following
    return row


def _with(cell: _Cell | None, slips: int | None) -> list[_Cell]:
    """Add slips to a cell; nothing where there is no cell, or no slip could explain the words."""
    return [] if cell is None or slips is None else [(cell[0] + slips, cell[1])]


def _is_droppable(word: str) -> bool:
    return word.isalpha() and word not in _NEGATIONS


def _difference(word: str, original: str, known: AbstractSet[str]) -> int | None:
    """Count 0 for the same word, 1 for a slip of the pen; None for another word, such as one of `known`."""
    if word == original:
        return 0
    if word in known or not (word.isalpha() and original.isalpha()) or _NEGATIONS & {word, original}:
        return None
    return 1 if _is_one_edit(word, original) else None


def _is_one_edit(first: str, second: str) -> bool:
    """Tell whether one letter is added, missing, wrong or swapped with its neighbour."""
    if abs(len(first) - len(second)) > 1:
        return False
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    stop = 0
    while stop < min(len(first), len(second)) - start and first[-1 - stop] == second[-1 - stop]:
        stop += 1
    left, right = first[start : len(first) - stop], second[start : len(second) - stop]
    return max(len(left), len(right)) <= 1 or left == right[::-1]
