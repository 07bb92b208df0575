"""Make new values of a shape, and change values within it. Pure: draws come in."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

from validators.agreement.shapes import CLASSES, Shape
from validators.runners.example_values import Value

_MANY_VALUES = 2000
"""From so many possible numbers on, small and large ones are drawn alike often."""
ROOM = 2000
"""So many parts a value made anew may have, letters among them; one of more is too long to be called with."""


def fresh(shape: Shape, draw: Random, room: int = ROOM) -> Value:
    """Make a value that nobody has seen, of about `room` parts at most."""
    if shape.kind is int:
        return _fresh_int(shape, draw)
    if shape.kind is float:
        return _whole(draw.uniform(shape.low, shape.high), shape, draw)
    if shape.kind is bool:
        return draw.random() < 0.5
    if shape.kind is str:
        return _fresh_text(shape, draw)[:room]
    if shape.kind in (list, tuple, set):
        return _fresh_sequence(shape, draw, room)
    if shape.kind is dict and shape.parts[0].seen:
        size = min(room, draw.randint(1, max(2, int(shape.high))))
        each = room // max(1, size)
        keys, values = shape.parts
        return {_hashable(fresh(keys, draw, each)): fresh(values, draw, each) for _ in range(size)}
    return draw.choice(shape.seen) if shape.seen else None


def _hashable(value: Value) -> Any:  # noqa: ANN401 - keys are what they are
    return tuple(value) if isinstance(value, list) else value


def _whole(value: float, shape: Shape, draw: Random) -> Value:
    """Round as what was seen is rounded; a whole number as often as one was seen."""
    if type(draw.choice(shape.seen)) is int:
        return round(value)
    return float(round(value)) if draw.random() < 0.2 else round(value, max(1, shape.decimals))


def _fresh_int(shape: Shape, draw: Random) -> int:
    low, high = int(shape.low), int(shape.high)
    match draw.randrange(4):
        case 0:
            value = draw.randint(low, min(high, low + 10))
        case 1:
            value = draw.randint(*shape.span)
        case 2:
            value = draw.choice(shape.seen) + draw.choice((-2, -1, 1, 2))  # type: ignore[operator]
        case _ if high - low > _MANY_VALUES:
            value = low + (high - low >> draw.randrange((high - low).bit_length())) - draw.randrange(3)
        case _:
            value = draw.randint(low, high)
    return max(low, min(high, value))


def _length(shape: Shape, draw: Random) -> int:
    low, high = int(shape.low), int(shape.high)
    return draw.randint(low, min(high, low + 5)) if draw.random() < 0.5 else draw.randint(low, high)


def _fresh_text(shape: Shape, draw: Random) -> str:
    if shape.words:
        return " ".join(draw.choice(shape.words) for _ in range(draw.randint(1, shape.most_words)))
    letters = shape.alphabet or "a"
    if draw.random() < 0.6:
        letters = "".join(draw.sample(letters, min(len(letters), draw.randint(1, 4))))
    return "".join(draw.choice(letters) for _ in range(_length(shape, draw)))


def _fresh_sequence(shape: Shape, draw: Random, room: int) -> Value:
    if shape.fixed:
        return shape.kind(fresh(part, draw, room // len(shape.parts)) for part in shape.parts)
    if not shape.parts:
        return shape.kind()
    (element,) = shape.parts
    size = min(room, _length(shape, draw))
    pool = [fresh(element, draw, room // size) for _ in range(size)]
    if pool and draw.random() < 0.25:  # few values, so that some are alike
        kept = pool[: draw.randint(1, 3)]
        pool = [draw.choice(kept) for _ in pool]
    return shape.kind(map(_hashable, pool)) if shape.kind is set else shape.kind(pool)


def mutate(value: Any, shape: Shape, draw: Random) -> Value:  # noqa: ANN401 - values are of any type
    """Change a value a little, within its shape."""
    if draw.random() < 0.15:
        return fresh(shape, draw)
    if shape.kind is int:
        step = draw.choice((-1, 1, -2, 2, -value, value, draw.randint(-5, 5)))
        return max(int(shape.low), min(int(shape.high), value + step))
    if shape.kind is float:
        step = draw.choice((0.5, -0.5, 1, -1, -value, value, draw.uniform(-3, 3)))
        return _whole(max(shape.low, min(shape.high, value + step)), shape, draw)
    if shape.kind is str:
        return _mutate_text(value, shape, draw)
    if shape.kind in (list, tuple, set):
        return _mutate_sequence(value, shape, draw)
    if shape.kind is dict and value:
        return _mutate_dict(value, shape, draw)
    return fresh(shape, draw)


def _mutate_dict(value: dict[Any, Value], shape: Shape, draw: Random) -> Value:
    key = draw.choice(list(value))
    if draw.random() < 0.4:
        return {one: held for one, held in value.items() if one != key}
    if draw.random() < 0.5:
        return {**value, key: mutate(value[key], shape.parts[1], draw)}
    return {**value, _hashable(mutate(key, shape.parts[0], draw)): fresh(shape.parts[1], draw)}


def _mutate_text(text: str, shape: Shape, draw: Random) -> str:
    if " " in text and draw.random() < 0.5:
        return " ".join(_rearranged(text.split(" "), draw))
    letters = shape.alphabet or "a"
    place = draw.randrange(len(text) + 1)
    changed: Sequence[Callable[[], str]] = (
        lambda: text[:place] + text[place + 1 :],
        lambda: text[:place] + draw.choice(_like(text[place : place + 1], letters)) + text[place + 1 :],
        lambda: text[:place] + draw.choice(letters) + text[place:],
        lambda: text[:place] + text[place : place + 1] + text[place:],
        lambda: "".join(_rearranged(list(text), draw)),
        lambda: text[:place],
        lambda: text[place:],
        lambda: (
            text.swapcase()
            if text.swapcase() != text and set(text.swapcase()) <= set(letters)
            else text[::-1]
        ),
        lambda: text + text[:place],
    )
    return draw.choice(changed)()[: int(shape.high)]


def _like(letter: str, letters: str) -> str:
    kind = next((one for one in CLASSES if letter and letter in one), "")
    return "".join(one for one in letters if one in kind) or letters


def _rearranged(parts: list[Any], draw: Random) -> list[Any]:
    """Reverse, shuffle, sort, or drop, double and exchange single ones."""
    if not parts:
        return parts
    first, second = draw.randrange(len(parts)), draw.randrange(len(parts))
    match draw.randrange(6):
        case 0:
            return parts[::-1]
        case 1:
            return draw.sample(parts, len(parts))
        case 2:
            return parts[:first] + parts[first + 1 :]
        case 3:
            return [*parts[:first], parts[second], *parts[first:]]
        case 4:
            return sorted(parts, key=repr)
        case _:
            exchanged = list(parts)
            exchanged[first], exchanged[second] = parts[second], parts[first]
            return exchanged


def _mutate_sequence(value: Iterable[Value], shape: Shape, draw: Random) -> Value:
    parts = list(value) if shape.kind is not set else sorted(value, key=repr)
    if not parts or (not shape.parts):
        return fresh(shape, draw)
    place = draw.randrange(len(parts))
    if shape.fixed:
        parts[place] = mutate(parts[place], shape.parts[place], draw)
    else:
        parts = _mutate_parts(parts, shape, draw, place)[: int(shape.high)]
    return shape.kind(map(_hashable, parts)) if shape.kind is set else shape.kind(parts)


def _mutate_parts(parts: list[Any], shape: Shape, draw: Random, place: int) -> list[Any]:
    (element,) = shape.parts
    match draw.randrange(6):
        case 0 | 1:
            return _rearranged(parts, draw)
        case 2:
            return [*parts[:place], fresh(element, draw), *parts[place:]]
        case 3:
            return parts[: place + 1]
        case 4:
            return [*parts, mutate(parts[place], element, draw)]
        case _:
            return [
                mutate(one, element, draw) if draw.random() < 0.4 or at == place else one
                for at, one in enumerate(parts)
            ]
