"""Tell which files git is told to leave out, by the `.gitignore` files of a project; git itself is not run.

A project may come from a stranger, and its settings can make git run programs. Not read: the user's own list
of what to ignore everywhere.
"""

import fnmatch
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_MOST_BYTES = 64 * 1024
_LONGEST_PATTERN = 500


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a `.gitignore`."""

    parts: tuple[re.Pattern[str] | None, ...]
    """What the names of a path below its folder must be; nothing stands for any number of folders."""
    is_negated: bool
    only_folders: bool

    def fits(self, names: Sequence[str]) -> bool:
        """Tell whether a path is meant; in time that grows with its length, whatever the pattern is."""
        reached = {0}
        for number, part in enumerate(self.parts):
            if part is None:
                least = min(reached) + (number == len(self.parts) - 1)
                reached = set(range(least, len(names) + 1))
            else:
                reached = {at + 1 for at in reached if at < len(names) and part.fullmatch(names[at])}
            if not reached:
                return False
        return len(names) in reached


def read_ignored(workspace: Path, paths: Collection[str]) -> frozenset[str]:
    """Return those of the paths that are left out; files that cannot be read rule nothing."""
    folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
    rules = {folder: _read_rules(workspace / folder / ".gitignore") for folder in folders}
    rules["."] = (*_read_rules(workspace / ".git" / "info" / "exclude"), *rules.get(".", ()))
    return frozenset(path for path in paths if is_ignored(path, rules))


def _read_rules(path: Path) -> tuple[Rule, ...]:
    try:
        return parse_rules(_read_start(path).decode("utf-8", "replace").split("\n"))
    except OSError:
        return ()


def _read_start(path: Path) -> bytes:
    """Read a regular file; a link or a pipe from a stranger may lead anywhere, or never end."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(file, _MOST_BYTES) if stat.S_ISREG(os.fstat(file).st_mode) else b""
    finally:
        os.close(file)


def parse_rules(lines: Iterable[str]) -> tuple[Rule, ...]:
    """Read the lines of a `.gitignore`; a line that says nothing is no rule."""
    made = (_parse_rule(line.rstrip("\r")) for line in lines)
    return tuple(rule for rule in made if rule)


def _parse_rule(line: str) -> Rule | None:
    text = re.sub(r"(?<!\\) +$", "", line)
    if not text or text.startswith("#") or len(text) > _LONGEST_PATTERN:
        return None
    is_negated = text.startswith("!")
    text = text.removeprefix("!")
    only_folders = text.endswith("/")
    text = text.rstrip("/")
    if not text:
        return None
    folders = [] if "/" in text else ["**"]
    parts = (*folders, *text.removeprefix("/").split("/"))
    try:
        return Rule(tuple(_translate(part) for part in parts), is_negated, only_folders)
    except re.error:
        return None


def _translate(glob: str) -> re.Pattern[str] | None:
    """Turn the pattern of one name into an expression that does not backtrack."""
    if glob == "**":
        return None
    glob = re.sub(r"\\(.)", r"[\1]", glob.replace("[^", "[!"))
    return re.compile(fnmatch.translate(glob))


def is_ignored(path: str, rules: Mapping[str, Sequence[Rule]]) -> bool:
    """Tell whether a file or a folder above it is left out; in a folder that is, nothing is taken back in.

    Args:
        path: Of a file, relative to the project.
        rules: Folder, `.` for the project itself, to the rules that stand there.
    """
    parts = PurePosixPath(path).parts
    for size in range(1, len(parts) + 1):
        if _is_left_out(parts[:size], rules, is_folder=size < len(parts)):
            return True
    return False


def _is_left_out(parts: Sequence[str], rules: Mapping[str, Sequence[Rule]], *, is_folder: bool) -> bool:
    """Ask the rules of the deepest folder first, and its last line first: the first that fits decides."""
    for depth in range(len(parts) - 1, -1, -1):
        for rule in reversed(rules.get("/".join(parts[:depth]) or ".", ())):
            if (is_folder or not rule.only_folders) and rule.fits(parts[depth:]):
                return not rule.is_negated
    return False
