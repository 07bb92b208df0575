"""What can hold between two arguments, how to tell and how to make it hold. Pure: draws come in."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from validators.agreement.traits import Held

_MOST_COMPARED = 10_000
"""Pairs of values that cannot be hashed: more of them are not looked through."""


def _flat(value: Held) -> Iterator[Held]:
    if isinstance(value, list | tuple):
        for one in value:
            yield from _flat(one)
    else:
        yield value


def _map_ints(value: Held, change: Callable[[int], int]) -> Held:
    if isinstance(value, list | tuple):
        return type(value)(_map_ints(one, change) for one in value)
    return change(value) if type(value) is int else value


def _ints(value: Held) -> list[int] | None:
    """Return the numbers in nested lists; None where there is something else, or nothing."""
    if not isinstance(value, list):
        return None
    flat = list(_flat(value))
    return flat if flat and all(type(one) is int for one in flat) else None


@dataclass(frozen=True, slots=True)
class Bond:
    """What can hold between two arguments."""

    name: str
    holds: Callable[[Held, Held], bool]
    repair: Callable[[Held, Held, Random], Held]
    """Returns the first so that it holds."""


def _sized(value: Held) -> bool:
    return isinstance(value, list | str)


def _is_int(value: Held) -> bool:
    return type(value) is int


def _shorter(one: Held, other: Held, _: Random) -> Held:
    return one[: len(other)] + one[:1] * (len(other) - len(one))


def _which_in(values: Sequence[Held], others: Sequence[Held]) -> list[bool]:
    """Say of each value whether it is among the others; of long lists only where they can be hashed."""
    try:
        among = set(others)
        return [one in among for one in values]
    except TypeError:
        few = len(values) * len(others) <= _MOST_COMPARED
        return [few and one in others for one in values]


BONDS = (
    Bond("as long as", lambda a, b: _sized(a) and _sized(b) and len(a) == len(b), _shorter),
    Bond(
        "one shorter than",
        lambda a, b: _sized(a) and _sized(b) and len(a) == len(b) - 1,
        lambda a, b, draw: _shorter(a, b[1:], draw),
    ),
    Bond(
        "not longer than",
        lambda a, b: _sized(a) and _sized(b) and len(a) <= len(b),
        lambda a, b, _: a[: len(b)],
    ),
    Bond("length of", lambda a, b: _is_int(a) and _sized(b) and a == len(b), lambda _a, b, _d: len(b)),
    Bond(
        "one more than length of",
        lambda a, b: _is_int(a) and _sized(b) and a == len(b) + 1,
        lambda _a, b, _d: len(b) + 1,
    ),
    Bond(
        "index of",
        lambda a, b: _is_int(a) and _sized(b) and 0 <= a < len(b),
        lambda a, b, _: a % len(b) if b else a,
    ),
    Bond(
        "within length of",
        lambda a, b: _is_int(a) and _sized(b) and 1 <= a <= len(b),
        lambda a, b, _: (a - 1) % len(b) + 1 if b else a,
    ),
    Bond(
        "width of",
        lambda a, b: _is_int(a) and isinstance(b, list) and bool(b) and _sized(b[0]) and a == len(b[0]),
        lambda a, b, _: len(b[0]) if b and _sized(b[0]) else a,
    ),
    Bond("below", lambda a, b: _is_int(a) and _is_int(b) and a < b, lambda a, b, _: min(a, b - 1)),
    Bond("at most", lambda a, b: _is_int(a) and _is_int(b) and a <= b, lambda a, b, _: min(a, b)),
    Bond(
        "nodes below",
        lambda a, b: _is_int(b) and (n := _ints(a)) is not None and all(0 <= i < b for i in n),
        lambda a, b, _: _map_ints(a, lambda n: n % b if b > 0 else n),
    ),
    Bond(
        "nodes up to",
        lambda a, b: _is_int(b) and (n := _ints(a)) is not None and all(1 <= i <= b for i in n),
        lambda a, b, _: _map_ints(a, lambda n: (n - 1) % b + 1 if b > 0 else n),
    ),
    Bond(
        "indices of",
        lambda a, b: _sized(b) and (n := _ints(a)) is not None and all(0 <= i < len(b) for i in n),
        lambda a, b, _: _map_ints(a, lambda n: n % len(b) if b else n),
    ),
    Bond(
        "element of",
        lambda a, b: isinstance(b, list | str) and not _sized(a) and isinstance(b, list) and a in b,
        lambda a, b, draw: draw.choice(b) if b else a,
    ),
    Bond(
        "elements of",
        lambda a, b: isinstance(a, list) and isinstance(b, list) and bool(a) and all(_which_in(a, b)),
        lambda a, b, draw: (
            [x if found else draw.choice(b) for x, found in zip(a, _which_in(a, b), strict=True)] if b else a
        ),
    ),
)
IMPLIES = {
    "as long as": {"not longer than"},
    "below": {"at most"},
    "length of": {"within length of"},
    "index of": {"within length of"},
}
