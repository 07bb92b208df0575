"""What every validator is, and how several are run."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from backends.backend import Completion
from validators.verdict import Candidate, Verdict


@dataclass(frozen=True, slots=True)
class Given:
    """What the caller gave to judge by; each validator takes what it needs."""

    task: str = ""
    requirements: str = ""
    tests: str = ""
    """Source in the candidate's language, run beside the candidate."""
    test_command: str = ""
    """Run by `sh -c` in a throw-away copy of `workspace` with the candidate's files in place."""
    benchmark_command: str = ""
    workspace: str = ""
    """Absolute folder of the user's project; read, never written."""


AskChecker = Callable[[Candidate], Awaitable[Completion]]
"""Asks a checker model about a candidate; the reply is JSON with `verdict` first and then the proof."""


class Validator(Protocol):
    """Judges by one criterion. A bad candidate is a verdict, never an exception."""

    name: str

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Judge; `unavailable` when the means are missing or there is nothing to judge by."""
        ...


async def judge_in_order(
    validators: Sequence[Validator], candidate: Candidate, given: Given
) -> AsyncIterator[Verdict]:
    """Yield verdicts, cheapest validator first as given, and stop after the first that failed."""
    for validator in validators:
        verdict = await validator.judge(candidate, given)
        yield verdict
        if verdict.status == "failed":
            return
