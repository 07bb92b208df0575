"""One piece of work to delegate, as the caller gave it. Pure data."""

import hashlib
from dataclasses import asdict, dataclass

MAX_TASK_CHARS = 1_000_000


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

    def __post_init__(self) -> None:
        """Refuse a task that says nothing, or too much to be a task."""
        if not self.task.strip():
            raise TaskError("The task is empty. Say what is to be done.")
        if len(self.task) > MAX_TASK_CHARS:
            raise TaskError(
                f"The task has {len(self.task):,} characters, at most {MAX_TASK_CHARS:,} are taken. "
                "Give long material by path in context_files, or ask rlm_analyze to read it."
            )

    @property
    def digest(self) -> str:
        """SHA-256 of everything that was asked."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()
