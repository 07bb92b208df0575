"""What calls of a candidate came to, as it comes back from the sandbox. Pure."""

import json
from dataclasses import dataclass
from typing import Literal, cast

Outcome = Literal["value", "mutated", "long", "other", "error", "timeout", "silent", "missing"]
_OUTCOMES = frozenset({"value", "mutated", "long", "other", "error", "timeout", "silent"})


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one call."""

    outcome: Outcome
    text: str = ""
    """The value as a literal; of a long one a digest; of an error its name."""

    @property
    def returned(self) -> bool:
        """Whether there is a value to compare."""
        return self.outcome in {"value", "mutated", "long"}


def read_results(report: str, count: int) -> tuple[Result, ...]:
    """Read the lines of a report; lines that are none of ours are passed over.

    What was done to the arguments counts only for a function that never returns a value.
    """
    found: dict[int, Result] = {}
    for line in report.splitlines():
        try:
            number, outcome, text = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            continue
        if isinstance(outcome, str) and outcome in _OUTCOMES and isinstance(number, int):
            found.setdefault(number, Result(cast("Outcome", outcome), str(text)))
    if any(result.outcome in {"value", "long"} for result in found.values()):
        found = {
            number: Result("value", "None") if result.outcome == "mutated" else result
            for number, result in found.items()
        }
    return tuple(found.get(number, Result("missing")) for number in range(count))
