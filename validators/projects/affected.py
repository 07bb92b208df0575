"""Decide which tests a change touches, so that they run first: by their names, and by what they mention."""

import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from validators.projects.detecting import Found, judges

_MOST = 20
"""With more tests than these touched there is nothing to save."""
_SHORTEST = 3
_TOO_COMMON = frozenset({"__init__", "index", "main", "mod", "lib", "utils", "conftest"})
_MARKS = re.compile(r"^(?:test|spec)[_.-]|[_.-](?:test|tests|spec)$|Tests?$|Spec$|^Test")


def affected_tests(found: Found, tests: Mapping[str, str], changed: Collection[str]) -> tuple[str, ...]:
    """Return the words that choose the tests which a change touches; none where all should run at once.

    Args:
        found: The runner, which may take files, folders or classes.
        tests: The text of each file of tests, by its path in the runner's folder.
        changed: The paths of the candidate in the runner's folder.
    """
    if not found.runner.takes or len(tests) < 2:
        return ()
    touched = [path for path in tests if path in changed or _is_touched(path, tests[path], changed)]
    if not touched or len(touched) == len(tests) or len(touched) > _MOST:
        return ()
    return tuple(dict.fromkeys(_word(found.runner.takes, path) for path in touched))


def _is_touched(path: str, text: str, changed: Collection[str]) -> bool:
    subject = _MARKS.sub("", PurePosixPath(path).name.split(".")[0])
    return any(_concerns(source, path, subject, text) for source in changed)


def _concerns(source: str, path: str, subject: str, text: str) -> bool:
    """Say whether a test is about a source: by its package, by its name, or because it mentions it."""
    if source.endswith(".go") and PurePosixPath(source).parent == PurePosixPath(path).parent:
        return True
    stem = PurePosixPath(source).name.split(".")[0]
    if stem == subject:
        return True
    if len(stem) < _SHORTEST or stem in _TOO_COMMON or judges(source):
        return False
    return re.search(rf"(?<![\w-]){re.escape(stem)}(?![\w-])", text) is not None


def _word(takes: str, path: str) -> str:
    if takes == "classes":
        return f"-Dtest={PurePosixPath(path).stem}"
    if takes == "folders":
        return f"./{PurePosixPath(path).parent}"
    return f"./{path}" if path.startswith("-") else path
