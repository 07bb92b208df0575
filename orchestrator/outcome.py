"""How a task stands or ended: attempts, outcome. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from validators.verdict import Candidate, Verdict

Status = Literal["running", "accepted", "needs_review", "needs_approval", "skipped", "stopped"]
WAITING: tuple[Status, ...] = ("needs_review", "needs_approval")
"""Statuses that a person has to end."""

Trouble = Literal["", "unavailable", "malformed", "context", "refused", "truncated", "no_candidate"]
"""Why an attempt has no candidate to judge: the world's fault, or an answer without one."""

UNREACHED: tuple[Trouble, ...] = ("unavailable", "refused")
"""Troubles of an attempt that no model has answered."""

How = Literal["first", "retry", "escalate", "confirm"]
"""Why a tier is asked: it is the first, again with the diagnostics, after a weaker one failed, or as a second
author whose own work is compared with what has passed."""

FRESH: tuple[How, ...] = ("first", "confirm")
"""How a tier is asked that is shown nobody's work: such works are evidence about each other."""

Support = Literal["", "alone", "agreed", "contested"]
"""How work that passed stands beside other authors' work that passed: not compared, nobody to compare it with
yet, behaves like one of them, behaves like none."""


DOUBTING = ("semantic", "generated_tests")
"""Validators by a model's word: what they remark is worth showing although it proves nothing."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One completion and its verdicts; never changed after it was made."""

    number: int
    tier: str
    model: str
    backend: str
    how: How = "first"
    turn: int = 0
    """Samples that were asked for at once share one; from 1 on."""
    files: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    """Files of the workspace that the work deletes or gives another name."""
    read: Mapping[str, str] = field(default_factory=dict)
    """Path to the digest of what the workspace held when the work was made from it, empty for nothing."""
    language: str = ""
    digest: str = ""
    """Of the candidate; equal digests are the same work."""
    verdicts: tuple[Verdict, ...] = ()
    approved: bool = False
    """No verdict failed, one passed, and every demanded one did."""
    unproven: tuple[str, ...] = ()
    """Demanded validators that did not pass although none failed."""
    confidence: float = 0.0
    """Probability that the work is right; 0 unless approved."""
    support: Support = ""
    trouble: Trouble = ""
    message: str = ""
    """One sentence about `trouble`, or what the extraction noticed."""
    checker: str = ""
    """The tier that judged as `semantic`, if one did."""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()

    @property
    def candidate(self) -> Candidate:
        """The work as validators take it."""
        return Candidate(self.files, self.language, self.removed)

    @property
    def doubted(self) -> bool:
        """Whether all that keeps it from being approved are models that object and cannot prove it."""
        objecting = {one.validator for one in self.verdicts if one.validator in DOUBTING and one.diagnostics}
        return bool(self.unproven) and objecting.issuperset(self.unproven)

    @property
    def repaired(self) -> bool:
        """Whether the worker had seen what the gates found; a repair fits the tests it was shown."""
        return self.how == "retry"

    @property
    def passed(self) -> int:
        """How many validators passed; picks the best of several failed attempts."""
        return sum(verdict.status == "passed" for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of the outcome as a difference to the workspace."""

    path: str
    diff: str
    before: str = ""
    """SHA-256 of the file's text that the difference was taken to; empty when there was none."""
    removed: bool = False
    applied: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task stands; made anew from the attempts each time."""

    task_id: str
    status: Status
    attempts: tuple[Attempt, ...] = ()
    best: Attempt | None = None
    """The accepted attempt, else the one that passed most."""
    files: tuple[FileChange, ...] = ()
    task_type: str = ""
    complexity: float = 0.0
    escalations: int = 0
    confidence: float = 0.0
    cost_usd: float = 0.0
    saved_usd: float = 0.0
    """What the dearest tier of the policy would have cost for the same tokens; 0 unless accepted."""
    seconds: float = 0.0
    message: str = ""
    next_steps: tuple[str, ...] = ()
