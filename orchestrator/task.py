"""One piece of work to delegate, as the caller gave it. Pure data."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal, get_args

MAX_TASK_CHARS = 1_000_000
ValidatorName = Literal[
    "syntax",
    "compile",
    "scope",
    "lint",
    "security",
    "examples",
    "tests",
    "benchmark",
    "generated_tests",
    "agreement",
    "semantic",
]
VALIDATORS: tuple[ValidatorName, ...] = get_args(ValidatorName)
"""By name, cheapest first."""
DOMAINS = ("", "code", "general", "reasoning", "extraction")


class TaskError(ValueError):
    """A task that cannot be worked on as it was asked; nothing was begun."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done, by what it will be judged, and how far it may go."""

    task: str
    language: str = ""
    workspace: str = ""
    """Absolute folder of the project; empty when there is none."""
    context_files: tuple[str, ...] = ()
    """Absolute paths that the worker is shown."""
    write_to: str = ""
    """Path of the answer, relative to the workspace."""
    apply: bool = False
    tests: str = ""
    test_command: str = ""
    benchmark_command: str = ""
    requirements: str = ""
    validators: tuple[str, ...] = ()
    task_type: str = ""
    complexity: float | None = None
    domain: str = ""
    start_tier: str = ""
    max_tier: str = ""
    max_cost_usd: float | None = None
    timeout_seconds: float | None = None
    fresh: bool = False
    """Whether models are asked anew where the cache has their answer."""

    def __post_init__(self) -> None:
        """Refuse a task that says nothing, or too much to be a task."""
        if not self.task.strip():
            raise TaskError("The task is empty. Say what is to be done.")
        if len(self.task) > MAX_TASK_CHARS:
            raise TaskError(
                f"The task has {len(self.task):,} characters, at most {MAX_TASK_CHARS:,} are taken. "
                "Give long material by path in context_files, or ask rlm_analyze to read it."
            )
        mistakes = tuple(self._find_mistakes())
        if mistakes:
            raise TaskError(f"The task cannot be delegated: {'; '.join(mistakes)}.")

    def _find_mistakes(self) -> Iterator[str]:
        unknown = [name for name in self.validators if name not in VALIDATORS]
        if unknown:
            yield f"validators {', '.join(unknown)} are unknown; there are {', '.join(VALIDATORS)}"
        if self.domain not in DOMAINS:
            yield f"domain {self.domain!r} is unknown; there are {', '.join(DOMAINS[1:])}"
        if self.complexity is not None and not 0 <= self.complexity <= 10:
            yield f"complexity {self.complexity:g} must be from 0 to 10"
        if self.max_cost_usd is not None and not self.max_cost_usd >= 0:
            yield f"max_cost_usd {self.max_cost_usd:g} must not be negative"
        if self.timeout_seconds is not None and not self.timeout_seconds > 0:
            yield f"timeout_seconds {self.timeout_seconds:g} must be above 0"
        if self.apply and not self.write_to:
            yield "apply needs write_to: which file does the answer become"
        if not _is_text(f"{self.task}{self.requirements}{self.tests}"):
            yield "it holds characters that are no text (lone surrogates); send UTF-8"

    @property
    def digest(self) -> str:
        """SHA-256 of everything that was asked."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
