"""Read what a run showed of each test, and which tests say anything. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from validators.runners.example_calls import Example
from validators.runners.example_deciding import Answer, shortened, tally

Outcome = Literal["passed", "failed", "raised", "silent"]
_BROKEN_BY = 3
"""So many candidates must all break on an input before it counts as invalid."""
_WORDS = {"value": "gives", "other": "gives", "error": "raises", "silent": "ends the program"}


@dataclass(frozen=True, slots=True)
class Ran:
    """What one test showed of one candidate."""

    outcome: Outcome
    """`failed` by another result, `raised` by an error inside or no end, `silent` where it says nothing."""
    told: str = ""


def read_results(task: str, tests: Sequence[Example], answers: Mapping[int, Answer]) -> tuple[Ran, ...]:
    """Hold each answer against what its test expects, as leniently as the examples of a task."""
    return tuple(_read(task, test, answers.get(number, {})) for number, test in enumerate(tests))


def _read(task: str, test: Example, answer: Answer) -> Ran:
    found = tally(task, (test,), {0: answer})
    if found.agreed:
        return Ran("passed")
    if not found.contradictions or (answer["outcome"] == "error" and not answer.get("file")):
        return Ran("silent")  # nothing can be compared, or the call could not even be made
    word = _WORDS.get(answer["outcome"], "comes to no end in time")
    got = f"{shortened(test.call)} {word} {shortened(answer.get('text', ''))}".rstrip()
    outcome: Outcome = "failed" if answer["outcome"] in {"value", "other"} else "raised"
    return Ran(outcome, f"{got}, expected {shortened(repr(test.expected))}")


def find_usable(rows: Sequence[Sequence[Ran]]) -> tuple[int, ...]:
    """Return the tests that say something, as columns.

    A call that can be made of no candidate is the test's fault. So is one that breaks all of several
    candidates; one that breaks the only candidate, or both of two, may just as well be theirs.
    """
    usable = []
    for number, column in enumerate(zip(*rows, strict=True)):
        outcomes = {one.outcome for one in column}
        breaks_all = len(rows) >= _BROKEN_BY and not outcomes & {"passed", "failed"}
        if outcomes != {"silent"} and not breaks_all:
            usable.append(number)
    return tuple(usable)
