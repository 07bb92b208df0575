"""What can hold of a single argument, how to tell and how to make it hold. Pure: draws come in."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from validators.runners.example_values import Value

Held = Any
"""A plain value of any type: a trait first says of which types it can hold."""
ENOUGH = 3
"""So many neighbours must be seen before an order counts as meant."""
_CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Trait:
    """What can hold of one value."""

    kind: type | tuple[type, ...]
    holds: Callable[[Held], bool]
    repair: Callable[[Held, Random], Value]
    tells: Callable[[Held], int] = len
    """How much evidence one value is that it is meant."""


def _neighbours(value: Held) -> int:
    return max(0, len(value) - 1)


def _ordered(value: Held) -> bool:
    try:
        return all(one <= other for one, other in pairwise(value))
    except TypeError:
        return False


def _strictly(value: Held) -> bool:
    return _ordered(value) and _unique(value)


def _falling(value: Held) -> bool:
    return _ordered(value[::-1])


def _unique(value: Held) -> bool:
    return len({repr(one) for one in value}) == len(value)


def _only_once(value: Held, _: Random) -> Value:
    kept = list({repr(one): one for one in value}.values())
    return "".join(kept) if isinstance(value, str) else type(value)(kept)


def _sorted(value: Held, _: Random) -> Value:
    try:
        return type(value)(sorted(value))
    except TypeError:
        return value


def _even_length(value: Held, _: Random) -> Value:
    return value[: len(value) // 2 * 2]


def _odd_length(value: Held, _: Random) -> Value:
    return value[: (len(value) - 1) // 2 * 2 + 1]


def _is_counting(start: int) -> Callable[[Held], bool]:
    return lambda value: sorted(value, key=repr) == sorted(range(start, start + len(value)), key=repr)


def _counting(start: int) -> Callable[[Held, Random], Value]:
    return lambda value, draw: draw.sample(range(start, start + len(value)), len(value))


def _rectangular(value: Held) -> bool:
    return all(isinstance(one, list | str) for one in value) and len({len(one) for one in value}) <= 1


def _to_rectangle(value: Held, draw: Random) -> Value:
    if not value or not all(isinstance(one, list | str) for one in value):
        return value
    width = len(draw.choice(value))
    spare = next((one for one in value if len(one) >= width), value[0])
    return [(one + spare[len(one) :])[:width] for one in value]


def _square(value: Held) -> bool:
    return _rectangular(value) and all(len(one) == len(value) for one in value)


def _to_square(value: Held, draw: Random) -> Value:
    rows: Held = _to_rectangle(value, draw)
    size = min(len(rows), len(rows[0]) if rows and isinstance(rows[0], list | str) else 0)
    return [row[:size] for row in rows[:size]]


def _pairs(value: Held) -> bool:
    return all(
        isinstance(one, list) and len(one) >= 2 and all(type(n) is int for n in one[:2]) for one in value
    )


def _is_tree(start: int) -> Callable[[Held], bool]:
    def holds(value: Held) -> bool:
        if not _pairs(value):
            return False
        group = {node: node for node in range(start, start + len(value) + 1)}
        for one, other, *_ in value:
            if one not in group or other not in group:
                return False
            first, second = _root(group, one), _root(group, other)
            if first == second:
                return False
            group[first] = second
        return True

    return holds


def _root(group: dict[int, int], node: int) -> int:
    while group[node] != node:
        node = group[node] = group[group[node]]
    return node


def _to_tree(start: int) -> Callable[[Held, Random], Value]:
    def repair(value: Held, draw: Random) -> Value:
        names = draw.sample(range(start, start + len(value) + 1), len(value) + 1)
        joined = [(names[node], names[draw.randrange(node)]) for node in range(1, len(names))]
        return [[*ends, *edge[2:]] for ends, edge in zip(joined, value, strict=True)]

    return repair


def _is_parents(value: Held) -> bool:
    """Say whether each number names the parent of the node at its place, the first being the root."""
    if not all(type(one) is int for one in value) or value[:1] != [-1]:
        return False
    return all(0 <= one < len(value) for one in value[1:])


def _to_parents(value: Held, draw: Random) -> Value:
    return [-1, *(draw.randrange(place) for place in range(1, len(value)))]


def _balanced(value: str) -> bool:
    waiting: list[str] = []
    for letter in value:
        if letter in _CLOSING.values():
            waiting.append(letter)
        elif letter in _CLOSING and (not waiting or waiting.pop() != _CLOSING[letter]):
            return False
    return not waiting


def _to_balanced(value: str, _: Random) -> Value:
    """Leave out the brackets that have no partner."""
    waiting: list[int] = []
    lone = set()
    for place, letter in enumerate(value):
        if letter in _CLOSING.values():
            waiting.append(place)
        elif letter in _CLOSING:
            if waiting and value[waiting[-1]] == _CLOSING[letter]:
                waiting.pop()
            else:
                lone.add(place)
    lone.update(waiting)
    return "".join(letter for place, letter in enumerate(value) if place not in lone)


def _brackets(value: str) -> int:
    return sum(letter in _CLOSING for letter in value)


def _trimmed(value: str) -> bool:
    return value == " ".join(value.split())


def _no_zero_first(value: str) -> bool:
    return value.isdigit() and (value == "0" or value[0] != "0")


TRAITS: dict[str, Trait] = {
    "strictly rising": Trait(
        list, _strictly, lambda value, draw: _sorted(_only_once(value, draw), draw), _neighbours
    ),
    "rising": Trait(
        (list, str), lambda value: isinstance(value, list) and _ordered(value), _sorted, _neighbours
    ),
    "falling": Trait(list, _falling, lambda value, draw: _sorted(value, draw)[::-1], _neighbours),  # type: ignore[index]
    "unique": Trait((list, str), _unique, _only_once, _neighbours),
    "not empty": Trait((list, str), bool, lambda value, _: value, lambda _: ENOUGH),
    "permutation from 0": Trait(list, _is_counting(0), _counting(0)),
    "permutation from 1": Trait(list, _is_counting(1), _counting(1)),
    "square": Trait(list, lambda value: bool(value) and _square(value), _to_square),
    "rectangular": Trait(list, _rectangular, _to_rectangle),
    "tree from 0": Trait(list, _is_tree(0), _to_tree(0)),
    "tree from 1": Trait(list, _is_tree(1), _to_tree(1)),
    "parents": Trait(list, _is_parents, _to_parents),
    "even length": Trait((list, str), lambda value: len(value) % 2 == 0, _even_length, lambda _: 1),
    "odd length": Trait((list, str), lambda value: len(value) % 2 == 1, _odd_length, lambda _: 1),
    "balanced": Trait(str, _balanced, _to_balanced, _brackets),
    "trimmed": Trait(str, _trimmed, lambda value, _: " ".join(value.split()), lambda value: value.count(" ")),
    "a number's digits": Trait(str, _no_zero_first, lambda value, _: value.lstrip("0") or "0", lambda _: 1),
    "even": Trait(int, lambda value: value % 2 == 0, lambda value, _: value // 2 * 2, lambda _: 1),
    "odd": Trait(int, lambda value: value % 2 == 1, lambda value, _: value // 2 * 2 + 1, lambda _: 1),
}
"""Name to trait, in the order in which they are repaired."""
