"""Make arguments like those that were seen, with which programs can be compared. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Literal

from validators.agreement.calls import Args
from validators.agreement.making import fresh, mutate
from validators.agreement.relations import Relation, find_relations
from validators.agreement.seeds import MOST_TEXT, Seeds
from validators.agreement.shapes import Reach, Shape, learn
from validators.agreement.stated import Range, Stated, read_stated

Kind = Literal["near", "edge", "large"]
"""Like the seeds; the smallest and the largest that the text allows, where it states bounds."""
COUNTS: Mapping[Kind, int] = {"near": 40, "edge": 6, "large": 16}
_REACHES = (Reach(length=40), Reach(value=10**9), Reach(length=20, value=1000), Reach(length=300))
_TRIES = 25
"""For each input wanted."""
_MOST_WORK = 5_000_000
"""Characters of all rows tried, times the relations that each is brought to; then no more are tried."""
_ROUNDS = 2
"""One repair may break what another made good."""
_MOST_CHARS = 12_000
_SOFT = re.compile(
    r"\b(?:not empty|unique|rising|falling|even|odd|index of|within|at most|below|not longer|element)\b"
)
"""What a few seeds can hold to by chance."""
_BY_SIZE = re.compile(r"\b(?:below|at most)\b")
_MEANT = {
    "unique": re.compile(r"\b(?:distinct|unique|no duplicates?|different)\b", re.IGNORECASE),
    "rising": re.compile(r"\b(?:sorted|ascending|increasing|non-decreasing)\b", re.IGNORECASE),
    "falling": re.compile(r"\b(?:sorted|descending|decreasing|non-increasing)\b", re.IGNORECASE),
    "not empty": re.compile(r"\bnon-?empty\b", re.IGNORECASE),
    "even": re.compile(r"\beven\b", re.IGNORECASE),
    "odd": re.compile(r"\bodd\b", re.IGNORECASE),
}
"""Words of a text that say that it is no chance."""


@dataclass(frozen=True, slots=True)
class Input:
    """Arguments to call with, and how far they are from those that were seen."""

    args: Args
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Source:
    """What rows are made from, and what must hold of them."""

    rows: Sequence[Args]
    shapes: Sequence[Shape]
    relations: Sequence[Relation]


def make_inputs(
    seeds: Seeds, text: str, counts: Mapping[Kind, int] = COUNTS, seed: int = 0
) -> tuple[Input, ...]:
    """Return new rows of arguments; the same for the same task and `seed`.

    They keep what holds of all seeds and what the text states; where that is too narrow they are fewer.
    """
    text = text[:MOST_TEXT]
    draw = Random(seed)  # noqa: S311 - nothing secret
    said = _said(seeds, text)
    relations = _without_chance(find_relations(seeds.rows), len(seeds.rows))
    meant = {word for word, said in _MEANT.items() if said.search(text)}
    hard = [one for one in relations if not _SOFT.search(one.name) or _is_meant(one, meant)]
    firm = [one for one in relations if one in hard or not _BY_SIZE.search(one.name)]
    near = _Source(seeds.rows, _shapes(seeds.rows, said, Reach()), relations)
    small = _Source(seeds.rows, near.shapes, hard)
    far = [_Source(seeds.rows, _shapes(seeds.rows, said, reach), firm) for reach in _REACHES]
    sources: dict[Kind, Iterator[list[object]]] = {
        "near": _changed(near, draw, counts["near"]),
    }
    if any(map(_is_bounded, said)):
        sources |= {"edge": _smallest(small, said, draw), "large": _new(far, draw, counts["large"])}
    seen = {repr(row) for row in seeds.rows}
    return tuple(one for kind, rows in sources.items() for one in _fill(kind, rows, counts[kind], seen))


def _without_chance(relations: Sequence[Relation], rows: int) -> list[Relation]:
    """Leave out that two numbers are equal where only one row says so: `f(0, 0)` is a case, not a rule."""
    names = {one.name for one in relations}
    pairs = [one.name.partition(" at most ") for one in relations]
    twins = {first + word + last for first, word, last in pairs if word and f"{last}{word}{first}" in names}
    return [one for one in relations if rows > 1 or one.name not in twins]


def _fill(kind: Kind, rows: Iterator[list[object]], count: int, seen: set[str]) -> Iterator[Input]:
    """Yield the first rows that were not seen before."""
    for row in rows:
        if count == 0:
            return
        spelled = repr(tuple(row))
        if spelled not in seen and len(spelled) <= _MOST_CHARS:
            seen.add(spelled)
            count -= 1
            yield Input(tuple(row), kind)


def _said(seeds: Seeds, text: str) -> list[Stated]:
    """Return what the text states of each argument."""
    stated = read_stated(text)
    width = len(seeds.rows[0])
    names = seeds.names if len(seeds.names) == width else parameters(text, seeds)
    return [stated.get(names[place], Stated()) if place < len(names) else Stated() for place in range(width)]


def parameters(text: str, seeds: Seeds) -> tuple[str, ...]:
    """Return the names of the arguments where the text shows the head of what is called."""
    head = re.search(rf"def {re.escape(seeds.call.rpartition('.')[2])}\(([^()]{{0,400}})\)", text)
    if not head:
        return ()
    parts = re.sub(r"\[[^\]]*\]", "", head[1]).split(",")
    names = (part.partition(":")[0].partition("=")[0].strip() for part in parts)
    return tuple(name for name in names if name != "self")


def _is_bounded(said: Stated) -> bool:
    return any(one.high is not None for one in (*said.values.values(), *said.lengths.values()))


def _is_meant(relation: Relation, meant: Collection[str]) -> bool:
    return any(word in relation.name for word in meant)


def _shapes(rows: Sequence[Args], said: Sequence[Stated], reach: Reach) -> list[Shape]:
    return [learn(values, one, reach) for values, one in zip(zip(*rows, strict=True), said, strict=True)]


def _changed(source: _Source, draw: Random, count: int) -> Iterator[list[object]]:
    """Change one row, cross two, or make one anew, in turn."""
    work = 0
    for number in range(count * _TRIES):
        row = list(deepcopy(draw.choice(source.rows)))
        if number % 5 == 2:
            row = [deepcopy(draw.choice(source.rows)[place]) for place in range(len(row))]
        for _ in range(draw.randint(1, 3)):
            place = draw.randrange(len(row))
            row[place] = mutate(row[place], source.shapes[place], draw)
        if number % 5 > 2:
            row = [fresh(shape, draw) for shape in source.shapes]
        if (work := work + _work(row, source)) > _MOST_WORK:
            return
        if _settle(row, source, draw):
            yield row


def _work(row: list[object], source: _Source) -> int:
    return len(repr(row)) * (1 + len(source.relations))


def _new(sources: Sequence[_Source], draw: Random, count: int) -> Iterator[list[object]]:
    work = 0
    for number in range(count * _TRIES):
        source = sources[number % len(sources)]
        row = [fresh(shape, draw) for shape in source.shapes]
        if (work := work + _work(row, source)) > _MOST_WORK:
            return
        if _settle(row, source, draw):
            yield row


def _smallest(source: _Source, said: Sequence[Stated], draw: Random) -> Iterator[list[object]]:
    """Put the smallest values that nothing forbids in the place of each argument, and of all."""
    least = [[*_least(shape, one)] for shape, one in zip(source.shapes, said, strict=True)]
    rows = [[*deepcopy(row)] for row in source.rows[:2]]
    replaced = [
        [*row[:at], value, *row[at + 1 :]] for at, some in enumerate(least) for value in some for row in rows
    ]
    together = (
        [[some[min(number, len(some) - 1)] for some in least] for number in range(4)] if all(least) else []
    )
    for row in (*together, *replaced):
        if _settle(row := deepcopy(row), source, draw, bounded=False):
            yield row


def _least(shape: Shape, said: Stated) -> Iterator[object]:
    """Yield the shortest and the lowest that is stated; else what was seen."""
    length, bounds = said.lengths.get(0, Range()).low, said.values.get(0, Range())
    if shape.kind in (list, str, set) and not shape.fixed and length is not None:
        parts = [part for one in shape.seen for part in one][:2]  # type: ignore[attr-defined]
        for some in ([], parts[:1], parts[:1] * 2, parts[:2], parts[:1] * 3):
            if len(some) >= length:
                yield "".join(some) if shape.kind is str else shape.kind(deepcopy(some))
    elif shape.kind is int and bounds.low is not None:
        yield from (bounds.low, bounds.low + 1)
        yield from () if bounds.high is None else (bounds.high,)
    elif shape.seen:
        yield shape.seen[0]


def _settle(row: list[object], source: _Source, draw: Random, *, bounded: bool = True) -> bool:
    """Repair a row until all relations hold; say whether they do, and whether its bounds are kept."""
    try:
        for _ in range(_ROUNDS):
            for relation in source.relations:
                relation.repair(row, draw)
        if not all(relation.holds(row) for relation in source.relations):
            return False
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return False  # what a repair was not made for
    return not bounded or all(_within(value, shape) for value, shape in zip(row, source.shapes, strict=True))


def _within(value: object, shape: Shape) -> bool:
    """Say whether a value keeps the bounds of its shape after repairs."""
    if shape.kind in (list, tuple, str, set):
        if type(value) is not shape.kind or not shape.low <= len(value) <= shape.high:
            return False
        if shape.kind is str or shape.fixed:
            return True
        return all(_within(one, part) for one in value for part in shape.parts)
    if shape.kind is int:
        return type(value) is int and shape.low <= value <= shape.high
    return True
