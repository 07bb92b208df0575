"""Find what holds of the arguments of all seeds, and bring new arguments to it. Pure: draws come in."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from random import Random

from validators.agreement.bonds import BONDS, IMPLIES, Bond
from validators.agreement.calls import Args
from validators.agreement.traits import ENOUGH, TRAITS, Held, Trait

Row = list[Held]


@dataclass(frozen=True, slots=True)
class Relation:
    """What was seen to hold of all rows of arguments."""

    name: str
    holds: Callable[[Sequence[Held]], bool]
    repair: Callable[[Row, Random], None]
    """Changes a row so that it holds, where that is simple."""


_PARITY = 5
"""So many seeds must share what one in two has by chance."""


def find_relations(rows: Sequence[Args]) -> tuple[Relation, ...]:
    """Return what holds of all rows: first between arguments, then of each."""
    width = len(rows[0])
    found = [one for pair in permutations(range(width), 2) for one in _between(rows, *pair)]
    for place in range(width):
        found += _of_one(rows, place)
        found += _of_elements(rows, place)
    return tuple(found)


def _is_meant(trait: Trait, name: str, values: Sequence[Held]) -> bool:
    if not values or not all(isinstance(one, trait.kind) and type(one) is not bool for one in values):
        return False
    least = _PARITY if name.startswith(("even", "odd")) else ENOUGH
    return sum(map(trait.tells, values)) >= least and all(map(trait.holds, values))


def _of_one(rows: Sequence[Args], place: int) -> Iterator[Relation]:
    for name, trait in TRAITS.items():
        if _is_meant(trait, name, [row[place] for row in rows]):
            yield _on_argument(name, trait, place)


def _on_argument(name: str, trait: Trait, place: int) -> Relation:
    def repair(row: Row, draw: Random) -> None:
        if not trait.holds(row[place]):
            row[place] = trait.repair(row[place], draw)

    return Relation(f"{place} {name}", lambda row: trait.holds(row[place]), repair)


def _of_elements(rows: Sequence[Args], place: int) -> Iterator[Relation]:
    if not all(isinstance(row[place], list) for row in rows):
        return
    values = [one for row in rows for one in row[place]]  # type: ignore[attr-defined]
    for name, trait in TRAITS.items():
        if _is_meant(trait, name, values):
            yield _on_elements(name, trait, place)


def _on_elements(name: str, trait: Trait, place: int) -> Relation:
    def repair(row: Row, draw: Random) -> None:
        row[place] = [one if trait.holds(one) else trait.repair(one, draw) for one in row[place]]

    return Relation(f"{place} each {name}", lambda row: all(map(trait.holds, row[place])), repair)


def _between(rows: Sequence[Args], first: int, second: int) -> Iterator[Relation]:
    implied: set[str] = set()
    for bond in BONDS:
        if bond.name not in implied and all(bond.holds(row[first], row[second]) for row in rows):
            implied |= IMPLIES.get(bond.name, set())
            yield _on_two(bond, first, second)


def _on_two(bond: Bond, first: int, second: int) -> Relation:
    def repair(row: Row, draw: Random) -> None:
        if not bond.holds(row[first], row[second]):
            row[first] = bond.repair(row[first], row[second], draw)

    return Relation(f"{first} {bond.name} {second}", lambda row: bond.holds(row[first], row[second]), repair)
