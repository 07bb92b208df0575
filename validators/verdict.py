"""What is judged and what comes of it: candidate, diagnostic, verdict."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sandbox.streams import clean

Status = Literal["passed", "failed", "unavailable"]
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Work that claims to be done: one or more files."""

    files: Mapping[str, str]
    """Relative POSIX path to text. A single answer without a name is `solution.<ending>`."""
    language: str
    """A key of `validators.languages.LANGUAGES`, or a name it does not know, or `text`."""
    removed: tuple[str, ...] = ()
    """Files of the workspace that go, relative POSIX paths; none of them is in `files`."""

    @property
    def digest(self) -> str:
        """SHA-256 over paths and texts, in path order, and over what goes."""
        hasher = hashlib.sha256()
        for path, text in sorted(self.files.items()):
            hasher.update(f"{path}\0{text}\0".encode("utf-8", "surrogatepass"))
        for path in sorted(self.removed):
            hasher.update(f"\0{path}\0".encode("utf-8", "surrogatepass"))
        return hasher.hexdigest()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One remark with its place; lines and columns count from 1, 0 means unknown."""

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    severity: Severity = "error"
    code: str = ""

    def __post_init__(self) -> None:
        """Make safe to show what a stranger may have written."""
        for name in ("message", "file", "code"):
            object.__setattr__(self, name, _safe(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a verdict came about, so that nobody needs to run it again to believe it."""

    digest: str = ""
    """Of the candidate that was judged."""
    tool: str = ""
    """What judged, with its version: `tree-sitter-go 0.25`, `gcc 12.2.0`, `bubblewrap`."""
    command: str = ""
    exit_code: int | None = None

    def __post_init__(self) -> None:
        """Make safe to show what names of files and tasks may hold."""
        for name in ("tool", "command"):
            object.__setattr__(self, name, _safe(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """One validator's judgement. Only `passed` ever counts for a candidate."""

    validator: str
    status: Status
    confidence: float
    """How far to trust `status`, 0-1; 0 when unavailable."""
    diagnostics: tuple[Diagnostic, ...] = ()
    reason: str = ""
    """One sentence: why unavailable and how to get it, or what passed (`12 tests`)."""
    seconds: float = 0.0
    receipt: Receipt = field(default_factory=Receipt)

    def __post_init__(self) -> None:
        """Make safe to show what a stranger may have written."""
        object.__setattr__(self, "reason", _safe(self.reason))


def _safe(text: str) -> str:
    """Return what every output can encode and no terminal obeys: JSON brings both past a pipe."""
    return clean(text.encode("utf-8", "backslashreplace"))
