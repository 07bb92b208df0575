"""Decide from repeated runs of a benchmark; what noise hides is `unavailable`, never guessed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from validators.goals import WALL_CLOCK, Bound, Speed
from validators.sandboxed import Decision
from validators.verdict import Diagnostic

BOUND_RUNS = 5
LEAST_ROUNDS, MOST_ROUNDS = 5, 9
"""Interleaved runs of both sides. Of a program against itself 44 % of single runs differ by more than 10 %,
of the best of five none did (25 comparisons on a loaded machine with two cores)."""
MOST_NOISE = 0.10
_LEAST_NOISE = 0.01
_SHORTEST_SECONDS = 0.05
"""Below it the start of the sandbox is most of what a wall clock sees."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """What was measured, in turn: the workspace as it was, and with the candidate's files."""

    before: tuple[float, ...]
    after: tuple[float, ...]

    def noise(self, goal: Speed) -> float:
        """Return how much a side differs from itself: the best of its odd runs against that of its even."""
        halves = [(goal.best(side[::2]), goal.best(side[1::2])) for side in (self.before, self.after)]
        return max(_LEAST_NOISE, *(max(pair) / min(pair) - 1 for pair in halves))


def decide_bound(values: Sequence[float], bound: Bound) -> Decision:
    """Decide whether the best value keeps its bound: noise of a machine only makes a program look worse."""
    best = bound.best(values)
    runs = "1 run" if len(values) == 1 else f"{len(values)} runs"
    told = f"{bound.name} is {best:.6g} at best of {runs} ({min(values):.6g} to {max(values):.6g})"
    if bound.holds(best):
        return "passed", (), f"{told}, which keeps {bound}."
    return "failed", (Diagnostic(f"{told}, but must be {bound}."),), ""


def decide_speed(rounds: Rounds, goal: Speed, *, is_last: bool) -> Decision | None:
    """Decide whether the candidate is as fast as it must be; None where more rounds are needed."""
    count = len(rounds.after)
    if count < LEAST_ROUNDS and not is_last:
        return None
    if unusable := _find_unusable(rounds, goal):
        return "unavailable", (), unusable
    ratio, noise = goal.ratio(rounds.before, rounds.after), rounds.noise(goal)
    told = (
        f"The candidate is {ratio:.3g} times as fast as before ({_spread(rounds, goal)}, noise {noise:.1%})"
    )
    if noise <= MOST_NOISE and ratio >= goal.factor * (1 - noise):
        return "passed", (), f"{told}, wanted {goal}."
    if noise <= MOST_NOISE and ratio < goal.factor * (1 - 2 * noise):
        return "failed", (Diagnostic(f"{told}, but must be {goal}."),), ""
    if not is_last:
        return None
    if noise > MOST_NOISE:
        told = f"{told}, and the same program differs from itself by more than {MOST_NOISE:.0%}"
    return (
        "unavailable",
        (),
        f"{told}: too close to tell, wanted {goal}. Run it on a quiet machine, or for longer.",
    )


def _find_unusable(rounds: Rounds, goal: Speed) -> str:
    """Say why the numbers cannot be compared; empty when they can."""
    if len(rounds.after) < LEAST_ROUNDS:
        return (
            f"Only {len(rounds.after)} of {LEAST_ROUNDS} rounds fit into the time limit. "
            "Make the benchmark shorter, or raise [sandbox] seconds."
        )
    if min(*rounds.before, *rounds.after) <= 0:
        return f"{goal.name!r} is not above 0 in every run, so there is no ratio."
    if goal.name == WALL_CLOCK and min(*rounds.before, *rounds.after) < _SHORTEST_SECONDS:
        return (
            f"A run takes less than {_SHORTEST_SECONDS:g} s, which is mostly its start. "
            "Let the benchmark repeat its work, or print a number and name it."
        )
    return ""


def _spread(rounds: Rounds, goal: Speed) -> str:
    sides = (("before", rounds.before), ("after", rounds.after))
    shown = [f"{name} {min(values):.3g} to {max(values):.3g}" for name, values in sides]
    return f"{goal.name} of {len(rounds.after)} runs each: {', '.join(shown)}"
