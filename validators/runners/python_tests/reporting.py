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
    frames = [frame for frame in _frames(error.__traceback__) if not _shown(frame[0]).startswith(("/", "<"))]
    in_tests = [frame for frame in frames if _shown(frame[0]) == TESTS]
    message = str(error) if isinstance(error, AssertionError) else f"{kind}: {error}"
    file, line = frames[-1] if frames else ("", 0)
    if in_tests and _shown(file) != TESTS:
        called = in_tests[-1][1]
        message += f" (called from {TESTS}, line {called}: {linecache.getline(TESTS, called).strip()})"
    described: dict[str, object] = {
        "message": (message or kind)[:_LONGEST],
        "file": _shown(file),
        "line": line,
        "code": kind,
    }
    if isinstance(error, ModuleNotFoundError):
        described["missing"] = _foreign(error.name or "")
    return described


def _frames(trace: TracebackType | None) -> list[tuple[str, int]]:
    return [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace)]


def _shown(file: str) -> str:
    """Return a path relative to the working folder when it lies inside."""
    return file.removeprefix(f"{Path.cwd()}/")


def _foreign(module: str) -> str:
    """Return the name of a module that neither the candidate nor Python should have."""
    top = module.partition(".")[0]
    own = Path(top).exists() or Path(f"{top}.py").exists()
    return "" if own or top in sys.stdlib_module_names else top
