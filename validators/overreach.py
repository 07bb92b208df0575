"""Find what a change did besides what it was asked for. Pure: two versions of each file, and the words.

An error fails the change, and every one is a rule that was held against real small changes and their messages
(benchmarks/scope.py). A warning only names what a reader would want to see.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from validators.changes import (
    Hunk,
    count_lost,
    find_hunks,
    is_comment,
    opening_comment,
    reorders_imports,
)
from validators.public_names import count_tests, find_kept_names, find_public_names
from validators.verdict import Diagnostic

LOST_LINES = 25
LOST_SHARE = 0.5
"""A file that loses this share of its lines, and this many, was asked to shrink or was answered in part."""
LOOKS_LINES = 40
LOOKS_SHARE = 0.3
"""White space, quotes and line breaks changed in this share of a file, and on this many lines of it."""
COMMENT_LINES = 5
COMMENT_SHARE = 0.5
"""Comments taken away from code that stayed as it was."""
_SHOWN_NAMES = 5

_REMOVAL = re.compile(
    r"\b(?:remov|delet|renam|drop|replac|refactor|re-?writ|re-?work|re-?implement|mov(?:e|ing)\b|extract|merg|"
    r"split|simplif|inlin|consolidat|migrat|deprecat|unif(?:y|ied)|restructur|reorgani|convert|translat|"
    r"port(?:ing)? to\b|unused|dead code|get rid|eliminat|strip|no longer|de-?dup|duplicat|revert|undo|clean|"
    r"redundant|superfluous|un(?:needed|necessary)|obsolete|private|shorten|instead of)",
    re.IGNORECASE,
)
_LOOKS = re.compile(
    r"format|indent|white ?space|\blint|\bstyle|prettier|\bblack\b|gofmt|rustfmt|\btabs\b|\bspaces|quotes|"
    r"tid(?:y|ied)\b|pep ?8|line (?:length|ending|break)|clean ?up|align|blank lines?|newline|crlf|semicolon",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"comment|docstring|documentation|todo|\bnotes?\b|header", re.IGNORECASE)
_LICENCE = re.compile(r"copyright|licen[cs]e|spdx|header|boilerplate", re.IGNORECASE)
_NOTICE = re.compile(r"copyright|licen[cs]ed?\b|spdx-", re.IGNORECASE)
_TEST_WORDS = re.compile(r"\btests?\b|\bspecs?\b|test_|\bcases?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Revision:
    """One file before and after."""

    path: str
    before: str
    after: str

    @cached_property
    def hunks(self) -> tuple[Hunk, ...]:
        """What changed between the two."""
        return find_hunks(self.before, self.after)


def find_overreach(
    task: str, revisions: Sequence[Revision], texts: Mapping[str, str]
) -> tuple[Diagnostic, ...]:
    """Name what the revisions did unasked, errors first.

    Args:
        task: What was asked for, requirements included.
        revisions: The files that were there before, whether they changed or not.
        texts: All files of the candidate, where what is gone from one may stand now.
    """
    found = [*_find_gone_names(task, revisions, texts), *_find_lost_tests(task, revisions, texts)]
    changed = [revision for revision in revisions if revision.hunks]
    for revision in changed:
        found += [
            *_find_losses(task, revision),
            *_find_looks(task, revision),
            *_find_comments(task, revision),
        ]
    found += _find_unnamed(task, changed)
    return tuple(sorted(found, key=lambda remark: remark.severity != "error"))


def _find_gone_names(
    task: str, revisions: Sequence[Revision], texts: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """Report public names that no file of the candidate offers any more."""
    kept = frozenset(name for path, text in texts.items() for name in find_kept_names(path, text))
    for revision in revisions:
        if _is_of_tests(revision.path) or not find_kept_names(revision.path, revision.after):
            continue  # what does not parse, or is empty now, is told by others
        gone = sorted(find_public_names(revision.path, revision.before) - kept)
        unasked = [name for name in gone if name.rpartition(".")[2] not in kept and not _mentions(task, name)]
        if unasked and not _REMOVAL.search(task):
            shown = ", ".join(map(repr, unasked[:_SHOWN_NAMES]))
            more = f" and {len(unasked) - _SHOWN_NAMES} more" if len(unasked) > _SHOWN_NAMES else ""
            said = f"{shown}{more}: gone, and the task does not ask for that. Keep what others may use."
            yield Diagnostic(said, file=revision.path, code="name_gone")


def _find_lost_tests(
    task: str, revisions: Sequence[Revision], texts: Mapping[str, str]
) -> Iterator[Diagnostic]:
    before = sum(count_tests(one.path, one.before) for one in revisions)
    after = sum(count_tests(path, text) for path, text in texts.items())
    if after < before and not (_REMOVAL.search(task) and _TEST_WORDS.search(task)):
        losing = next(
            one for one in revisions if count_tests(one.path, one.after) < count_tests(one.path, one.before)
        )
        said = f"{before - after} of {before} tests are gone, and the task does not ask for that. Keep them."
        yield Diagnostic(said, file=losing.path, code="tests_gone")


def _find_losses(task: str, revision: Revision) -> Iterator[Diagnostic]:
    """Report a file of which most is gone, and a notice of copyright that is."""
    lines = sum(1 for line in revision.before.splitlines() if line.strip())
    lost = count_lost(revision.before, revision.after)
    shrunk = lines - sum(1 for line in revision.after.splitlines() if line.strip())
    if min(lost, shrunk) >= max(LOST_LINES, LOST_SHARE * lines) and not _REMOVAL.search(task):
        said = f"{shrunk} of {lines} lines are gone. Answer with the whole file, or with edits of it."
        yield Diagnostic(said, file=revision.path, code="mostly_gone")
    noticed = bool(_NOTICE.search(opening_comment(revision.before)))
    if noticed and not _NOTICE.search(revision.after) and not _LICENCE.search(task):
        said = "The notice of copyright or licence at the top is gone. Put it back."
        yield Diagnostic(said, file=revision.path, line=1, code="licence_gone")


def _find_looks(task: str, revision: Revision) -> Iterator[Diagnostic]:
    """Report lines that only look different, and imports that only stand elsewhere."""
    if _LOOKS.search(task):
        return
    hunks = [hunk for hunk in revision.hunks if hunk.is_looks_only]
    said_lines = [sum(1 for line in hunk.removed if line.strip()) for hunk in hunks]
    lines, total = sum(said_lines), len(revision.before.splitlines())
    if hunks:
        fails = lines >= max(LOOKS_LINES, LOOKS_SHARE * total)
        yield Diagnostic(
            f"{max(lines, 1)} lines only look different (white space, quotes, line breaks). Leave them.",
            file=revision.path,
            line=hunks[0].line,
            severity="error" if fails else "warning",
            code="reformatted",
        )
    if reorders_imports(revision.hunks):
        said = "The imports stand in another order. Leave the order as it was."
        yield Diagnostic(said, file=revision.path, severity="warning", code="reordered_imports")


def _find_comments(task: str, revision: Revision) -> Iterator[Diagnostic]:
    """Report comments that were taken away from code that stayed."""
    stripped = [hunk for hunk in revision.hunks if hunk.drops_comments_only]
    lines = sum(1 for hunk in stripped for line in hunk.removed if line.strip())
    total = sum(map(is_comment, revision.before.splitlines()))
    if not lines or _COMMENTS.search(task) or _REMOVAL.search(task):
        return
    yield Diagnostic(
        f"{lines} of {total} comment lines are gone from code that stayed as it was. Keep them.",
        file=revision.path,
        line=stripped[0].line,
        severity="error" if lines >= max(COMMENT_LINES, COMMENT_SHARE * total) else "warning",
        code="comments_gone",
    )


def _find_unnamed(task: str, revisions: Sequence[Revision]) -> Iterator[Diagnostic]:
    """Report files besides those that the task names, where it names any."""
    named = [one for one in revisions if PurePosixPath(one.path).name in task]
    for revision in revisions:
        if named and revision not in named and PurePosixPath(revision.path).stem not in task:
            said = "The task names other files and not this one. Say why it must change, or leave it."
            yield Diagnostic(said, file=revision.path, severity="warning", code="not_named")


def _mentions(task: str, name: str) -> bool:
    """Say whether a task speaks of a name, or of the class whose member it is."""
    return any(re.search(rf"(?<![\w$]){re.escape(part)}(?![\w$])", task) for part in name.split("."))


def _is_of_tests(path: str) -> bool:
    parts = PurePosixPath(path)
    return bool(re.search(r"(?:^|[._-])(?:tests?|spec)(?:[._-]|$)|Tests?$", parts.stem)) or bool(
        {"test", "tests", "__tests__", "spec"} & set(parts.parts[:-1])
    )
