"""Write what happens to the tests as records that a candidate cannot easily forge."""

import json
import linecache
import os
import sys
from collections.abc import Callable, Collection, Iterator
from types import TracebackType

TESTS = "given_tests.py"
_LONGEST = 2000
Record = Callable[..., None]


def open_record(secret: str, write: Callable[[bytes], object]) -> Record:
    """Return what writes one JSON line with the secret; nothing that Python code could replace sees it."""
    quote = json.encoder.encode_basestring_ascii
    begin = f'{{"secret": {quote(secret)}, "kind": '

    def record(kind: str, **fields: str) -> None:
        rest = "".join([f", {quote(name)}: {quote(value)}" for name, value in fields.items()])
        write(f"{begin}{quote(kind)}{rest}}}\n".encode())

    return record


class Reporter:
    """Writes each record at once, so that a later crash cannot lose it."""

    def __init__(self, record: Record, candidate_files: Collection[str] = ()) -> None:
        self.record = record
        self._candidate_files = frozenset(candidate_files)

    def passed(self, test: str) -> None:
        """Write that a test passed."""
        self.record("result", test=test, outcome="passed")

    def skipped(self, test: str, reason: str, error: BaseException | None = None) -> None:
        """Write that a test did not run; it failed where it was the candidate that raised the error."""
        if error is not None and raised_within(error, self._candidate_files):
            self.failed(test, error)
        else:
            self.record("result", test=test, outcome="skipped", message=reason)

    def failed(self, test: str, error: BaseException) -> None:
        """Write that a test failed, where and why."""
        self.record("result", test=test, outcome="failed", **describe(error))


def raised_within(error: BaseException, files: Collection[str]) -> bool:
    """Say whether an error passed through one of the files on its way to the tests."""
    return any(is_one_of(file, files) for file, _ in _walk(error.__traceback__))


def _walk(trace: TracebackType | None) -> Iterator[tuple[str, int]]:
    """Yield file and line of the frames that an error came through, the innermost last."""
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next


def is_one_of(path: str, files: Collection[str]) -> bool:
    """Say whether a path, seen from wherever, means one of the files."""
    return any(f"/{path}".endswith(f"/{file}") for file in files)


def describe(error: BaseException) -> dict[str, str]:
    """Say what went wrong and where: in the candidate if it got that far, else in the tests."""
    kind = type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        line = str(error.lineno or 0)
        return {"message": str(error.msg), "file": shown(error.filename), "line": line, "code": kind}
    frames = _own_frames(error.__traceback__)
    file, number = frames[-1] if frames else ("", 0)
    message = str(error) if isinstance(error, AssertionError) else f"{kind}: {error}"
    told = f"{message or kind}{_called_from(frames)}"[:_LONGEST]
    described = {"message": told, "file": file, "line": str(number), "code": kind}
    if isinstance(error, ModuleNotFoundError):
        described["missing"] = _foreign(error.name or "")
    return described


def _own_frames(trace: TracebackType | None) -> list[tuple[str, int]]:
    """Return file and line of the frames in the working folder."""
    frames = [(shown(file), line) for file, line in _walk(trace)]
    return [frame for frame in frames if not frame[0].startswith(("/", "<"))]


def _called_from(frames: list[tuple[str, int]]) -> str:
    """Return the line of the tests that led into the candidate; nothing when the error is in the tests."""
    lines = [line for file, line in frames if file == TESTS]
    if not lines or frames[-1][0] == TESTS:
        return ""
    return f" (called from {TESTS}, line {lines[-1]}: {linecache.getline(TESTS, lines[-1]).strip()})"


def shown(file: str) -> str:
    """Return a path relative to the working folder when it lies inside."""
    return file.removeprefix(f"{os.getcwd()}/")


def _foreign(module: str) -> str:
    """Return the name of a module that neither the candidate nor Python should have."""
    top = module.partition(".")[0]
    own = os.path.exists(top) or os.path.exists(f"{top}.py")
    return "" if own or top in sys.stdlib_module_names else top
