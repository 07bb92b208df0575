"""Write what happens to the tests as records that a candidate cannot easily forge."""

import json
import linecache
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

TESTS = "given_tests.py"
_LONGEST = 2000


class Reporter:
    """Writes JSON lines that carry a secret; lines without it count for nothing."""

    def __init__(self, secret: str, write: Callable[[bytes], object]) -> None:
        self._secret = secret
        self._write = write

    def record(self, kind: str, **fields: object) -> None:
        """Write one record at once, so that a later crash cannot lose it."""
        self._write(json.dumps({"secret": self._secret, "kind": kind} | fields).encode() + b"\n")

    def passed(self, test: str) -> None:
        """Write that a test passed."""
        self.record("result", test=test, outcome="passed")

    def skipped(self, test: str, reason: str) -> None:
        """Write that a test did not run."""
        self.record("result", test=test, outcome="skipped", message=reason)

    def failed(self, test: str, error: BaseException) -> None:
        """Write that a test failed, where and why."""
        self.record("result", test=test, outcome="failed", **describe(error))


def describe(error: BaseException) -> dict[str, object]:
    """Say what went wrong and where: in the candidate if it got that far, else in the tests."""
    kind = type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return {"message": error.msg, "file": _shown(error.filename), "line": error.lineno or 0, "code": kind}
    frames = _own_frames(error.__traceback__)
    file, line = frames[-1] if frames else ("", 0)
    message = str(error) if isinstance(error, AssertionError) else f"{kind}: {error}"
    told = f"{message or kind}{_called_from(frames)}"[:_LONGEST]
    described: dict[str, object] = {"message": told, "file": file, "line": line, "code": kind}
    if isinstance(error, ModuleNotFoundError):
        described["missing"] = _foreign(error.name or "")
    return described


def _own_frames(trace: TracebackType | None) -> list[tuple[str, int]]:
    """Return file and line of the frames in the working folder."""
    frames = [(_shown(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(trace)]
    return [frame for frame in frames if not frame[0].startswith(("/", "<"))]


def _called_from(frames: list[tuple[str, int]]) -> str:
    """Return the line of the tests that led into the candidate; nothing when the error is in the tests."""
    lines = [line for file, line in frames if file == TESTS]
    if not lines or frames[-1][0] == TESTS:
        return ""
    return f" (called from {TESTS}, line {lines[-1]}: {linecache.getline(TESTS, lines[-1]).strip()})"


def _shown(file: str) -> str:
    """Return a path relative to the working folder when it lies inside."""
    return file.removeprefix(f"{Path.cwd()}/")


def _foreign(module: str) -> str:
    """Return the name of a module that neither the candidate nor Python should have."""
    top = module.partition(".")[0]
    own = Path(top).exists() or Path(f"{top}.py").exists()
    return "" if own or top in sys.stdlib_module_names else top
