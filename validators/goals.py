"""Read what a benchmark has to keep: a bound on a number, or a ratio to the code as it was. Pure."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WALL_CLOCK = "seconds"
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
MOST_CHARACTERS = 20_000
_PLAIN_NUMBER = r"(?P<number>\d{1,12}(?:[.,]\d{1,9})?)"
_BOUND = re.compile(rf"(?P<name>[A-Za-z_][\w.-]*)\s*(?P<relation><=|>=|<|>)\s*(?P<number>{NUMBER})")
_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
_UNIT = (
    r"\s?(?P<unit>ns|nanoseconds?|us|µs|microseconds?|ms|milliseconds?|s|secs?|seconds?|minutes?)(?![\w/])"
)
_MOST = r"<=|≤|no (?:more|longer|slower) than|at most|within|up to"
_BELOW = r"<|under|below|less than|faster than|in"
_TIME = re.compile(
    rf"(?:(?P<most>{_MOST})|(?P<below>(?:(?<=\s)|^)(?:{_BELOW})))\s*{_PLAIN_NUMBER}{_UNIT}", re.IGNORECASE
)
_TIMES = r"(?P<unit>x|\u00d7|times|%|percent|per cent)"
_SHARES = frozenset({"%", "percent", "per cent"})
_FASTER = re.compile(rf"{_PLAIN_NUMBER}\s?{_TIMES}\s+(?:as fast|faster|quicker)", re.IGNORECASE)
_SLOWER = re.compile(
    r"(?:(?:no|not|never)\s+(?:be\s+|run\s+|get\s+|become\s+)?(?:any\s+)?more than|at most)\s+"
    rf"{_PLAIN_NUMBER}\s?{_TIMES}\s+slower",
    re.IGNORECASE,
)
_NOT_SLOWER = re.compile(
    r"(?:\bno|\bnot|n't|\bnever)\s+(?:be\s+|run\s+|get\s+|become\s+|make \w+\s+)?(?:any\s+)?slower\b"
    r"(?!\s+than\s+\d)|\bat least as fast\b|\bno (?:performance )?(?:regression|slow-?down)s?\b",
    re.IGNORECASE,
)
_AS_FAST = re.compile(
    r"(?P<word>twice|three times|double)\s+(?:as fast|the speed|the throughput)", re.IGNORECASE
)
_WORDS = {"twice": 2.0, "double": 2.0, "three times": 3.0}
_RATE = re.compile(
    rf"\b(?P<name>throughput|[A-Za-z]\w*_per_\w+|ops|rps|qps)\s*(?:(?:must|should) be\s*)?"
    rf"(?P<relation>>=|≥|>|at least|above|over|of at least)\s*{_PLAIN_NUMBER}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a measured value must keep."""

    name: str
    relation: str
    number: float

    @property
    def wants_less(self) -> bool:
        """Say whether a smaller value is the better one."""
        return self.relation.startswith("<")

    def best(self, values: Sequence[float]) -> float:
        """Return the value that is furthest on the right side."""
        return min(values) if self.wants_less else max(values)

    def holds(self, value: float) -> bool:
        """Say whether the value keeps the bound."""
        return _RELATIONS[self.relation](value, self.number)

    def __str__(self) -> str:
        return f"{self.name} {self.relation} {self.number:g}"


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the candidate must be, measured by the same command on the workspace as it was."""

    factor: float
    """1.2 for `1.2x faster`, 1 for `not slower`, 1 / 1.05 for `no more than 5 % slower`."""
    name: str = WALL_CLOCK
    """`seconds`, of which less is better, or a number that the command prints, of which more is."""

    def best(self, values: Sequence[float]) -> float:
        """Return the value that noise has touched least."""
        return min(values) if self.name == WALL_CLOCK else max(values)

    def ratio(self, before: Sequence[float], after: Sequence[float]) -> float:
        """Return how many times as fast the runs after are as those before, by the best of each."""
        ratio = self.best(after) / self.best(before)
        return 1 / ratio if self.name == WALL_CLOCK else ratio

    def __str__(self) -> str:
        return f"{self.factor:.3g} times as fast as before"


Goal = Bound | Speed


def parse_benchmark(given: str) -> tuple[str, Goal | None]:
    """Split a benchmark into its command and what follows its last `=>`.

    Raises:
        ValueError: What follows is no goal.
    """
    command, arrow, said = given.strip().rpartition("=>")
    if not arrow:
        return given.strip(), None
    command, said = command.strip(), said.strip()
    bound = _BOUND.fullmatch(said)
    if bound and command:
        return command, Bound(bound["name"], bound["relation"], float(bound["number"]))
    name, _, rest = said.partition(" ")
    goal = find_speed(said)
    if goal is None or not command:
        raise ValueError(
            f"{said!r} is no goal. Write `COMMAND => NAME < NUMBER`, with <, <=, > or >=, or "
            "`COMMAND => 1.2x faster`, `COMMAND => not slower`."
        )
    named = re.fullmatch(r"[A-Za-z_][\w.-]*", name) and find_speed(rest) == goal and name not in _LEADING
    return command, Speed(goal.factor, name) if named else goal


_LEADING = frozenset(
    {"at", "no", "not", "never", "must", "be", "is", "it", "run", "twice", "double", "three"}
)


def find_goal(requirements: str) -> Goal | None:
    """Find the first goal in the words of the requirements: a speed, a time, then a rate."""
    words = requirements[:MOST_CHARACTERS]
    return find_speed(words) or _find_time(words) or _find_rate(words)


def find_speed(words: str) -> Speed | None:
    """Find how fast something must be against how it was."""
    if found := _SLOWER.search(words):
        number = _number(found["number"])
        factor = 1 + number / 100 if found["unit"].lower() in _SHARES else number
        return Speed(1 / factor) if factor > 0 else None
    if found := _FASTER.search(words):
        number = _number(found["number"])
        factor = 1 + number / 100 if found["unit"].lower() in _SHARES else number
        return Speed(factor) if factor > 0 else None
    if found := _AS_FAST.search(words):
        return Speed(_WORDS[found["word"].lower()])
    return Speed(1.0) if _NOT_SLOWER.search(words) else None


def _find_time(words: str) -> Bound | None:
    found = _TIME.search(words)
    if found is None:
        return None
    unit = found["unit"].lower()
    short = (
        unit
        if unit in _SECONDS
        else {"nan": "ns", "mic": "us", "mil": "ms", "sec": "s", "min": "m"}[unit[:3]]
    )
    relation = "<=" if found["most"] else "<"
    return Bound(WALL_CLOCK, relation, _number(found["number"]) * _SECONDS[short])


def _find_rate(words: str) -> Bound | None:
    found = _RATE.search(words)
    if found is None:
        return None
    relation = ">" if found["relation"].lower() in {">", "above", "over"} else ">="
    return Bound(found["name"], relation, _number(found["number"]))


def _number(text: str) -> float:
    """Read a number; a comma with three digits behind it groups thousands."""
    return float(re.sub(r",(?=\d{3}$)", "", text).replace(",", "."))
