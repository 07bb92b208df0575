"""Hold what several programs returned against each other: where they differ, who stands with whom. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from validators.agreement.calls import Args
from validators.agreement.inputs import Input
from validators.agreement.results import Result
from validators.agreement.seeds import Seeds
from validators.runners.example_values import agree, agree_in_any_order, read_value

FEWEST = 3
"""So many calls must have returned a value in both programs before they say anything."""
TOLERATED = 0.1
"""Share of differing calls that is put down to invalid arguments where the text states no bounds: of two
right answers to HumanEval 3.5 % differ somewhere, nearly all on less than a fifth of the calls."""
RAISED = 0.5
"""Share of calls on which one of two programs may raise while the other returns; `TOLERATED` where the text
states bounds. Right programs refuse made-up arguments too: a third as the limit cost HumanEval a right answer
and found no wrong one more."""
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Difference:
    """Arguments on which two programs do not do the same."""

    args: Args
    first: str
    """What the first returned, as a literal."""
    second: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two programs side by side."""

    first: int
    second: int
    informative: int
    """On so many calls both returned a value, or one did and the other did not end."""
    differing: int
    smallest: Difference | None
    """The one that is shortest to write."""
    agrees: bool
    raised: int = 0
    """On so many calls the one that did so oftener raised, while the other returned."""

    @property
    def share(self) -> float:
        """Of the informative calls, those that came out alike."""
        return 1 - self.differing / self.informative if self.informative else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several programs side by side."""

    count: int
    """Of programs."""
    pairs: tuple[Pair, ...] = ()
    clusters: tuple[tuple[int, ...], ...] = ()
    """The programs by what they do, the largest group first, of equal ones the oldest."""
    call: str = ""
    names: tuple[str, ...] = ()
    obstacle: str = ""
    """Why nothing could be compared; empty when it could."""

    def pair(self, first: int, second: int) -> Pair | None:
        """Return what was found of two programs, in either order."""
        return next((one for one in self.pairs if {one.first, one.second} == {first, second}), None)

    def spell(self, args: Args) -> str:
        """Write a call."""
        first = len(args) - len(self.names)
        named = (f"{name}={value!r}" for name, value in zip(self.names, args[first:], strict=True))
        return f"{self.call}({', '.join((*map(repr, args[:first]), *named))})"


def compare(
    results: Sequence[Sequence[Result]], inputs: Sequence[Input], seeds: Seeds, *, bounded: bool
) -> Comparison:
    """Compare programs by their results, one row each.

    Args:
        results: For each program what it came to, in the order of `inputs`.
        inputs: What all were called with.
        seeds: Whether the order in a result is free.
        bounded: The text states bounds, so that made-up arguments are valid ones.
    """
    tolerated, refused = (0.0, TOLERATED) if bounded else (TOLERATED, RAISED)
    pairs = []
    for first, second in combinations(range(len(results)), 2):
        rows = list(zip(inputs, results[first], results[second], strict=True))
        informative = [row for row in rows if _tells(row[1], row[2])]
        differing = [row for row in informative if not _same(row[1], row[2], any_order=seeds.any_order)]
        smallest = min(differing, key=lambda row: (len(repr(row[0].args)), repr(row[0].args)), default=None)
        shown = Difference(smallest[0].args, _show(smallest[1]), _show(smallest[2])) if smallest else None
        raised = max(_raised(results[first], results[second]), _raised(results[second], results[first]))
        agrees = (
            len(informative) >= FEWEST
            and len(differing) <= tolerated * len(informative)
            and raised <= refused * (raised + len(informative))
        )
        pairs.append(Pair(first, second, len(informative), len(differing), shown, agrees, raised))
    clusters = _clusters(len(results), pairs)
    return Comparison(len(results), tuple(pairs), clusters, seeds.call, seeds.names)


def _tells(one: Result, other: Result) -> bool:
    """Say whether two results can be held against each other: an exception may only mean a bad argument."""
    either = one.returned or other.returned
    return either and all(result.returned or result.outcome == "timeout" for result in (one, other))


def _raised(results: Sequence[Result], others: Sequence[Result]) -> int:
    broken = ("error", "silent")
    return sum(one.outcome in broken and other.returned for one, other in zip(results, others, strict=True))


def _same(one: Result, other: Result, *, any_order: bool) -> bool:
    if one.returned is not other.returned:
        return False
    if one.text == other.text or "long" in {one.outcome, other.outcome}:
        return one.text == other.text
    try:
        first, second = read_value(one.text), read_value(other.text)
    except (ValueError, RecursionError):
        return False
    return (agree_in_any_order if any_order else agree)(first, second)


def _show(result: Result) -> str:
    if result.outcome == "timeout":
        return "nothing: it takes too long"
    if result.outcome == "long":
        return "a long value"
    text = result.text.replace(", ]", "]").replace(", }", "}")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _clusters(count: int, pairs: Sequence[Pair]) -> tuple[tuple[int, ...], ...]:
    """Group programs of which each agrees with all others of its group."""
    agreeing = {frozenset((pair.first, pair.second)) for pair in pairs if pair.agrees}
    groups: list[list[int]] = []
    for one in range(count):
        home = next((group for group in groups if all({one, other} in agreeing for other in group)), None)
        if home is None:
            groups.append([one])
        else:
            home.append(one)
    return tuple(map(tuple, sorted(groups, key=lambda group: -len(group))))
