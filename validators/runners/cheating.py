"""Find what a candidate does to its judges, measured against the files that it replaces."""

from pathlib import Path

from validators.runners.python_start import named_file
from validators.runners.tampering import find_shadowing, find_tampering
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic

_KEPT = 20


def find_cheats(candidate: Candidate, given: Given) -> tuple[Diagnostic, ...]:
    """Return what the candidate does to its judges and its former version did not; reads the workspace."""
    remarks: list[Diagnostic] = []
    for path, text in candidate.files.items():
        known = _read_former(given.workspace, path) if given.workspace else None
        remarks.extend(find_tampering(path, text, candidate.language, known))
        if given.tests.strip() and (candidate.language != "python" or path == named_file(candidate)):
            remarks.extend(find_shadowing(path, text, candidate.language, given.tests))
    return tuple(remarks[:_KEPT])


def _read_former(workspace: str, path: str) -> str | None:
    place = Path(workspace, path)
    try:
        return place.read_text("utf-8", "replace") if place.is_file() else None
    except OSError:  # a folder that is closed to us, a name that is too long
        return None
