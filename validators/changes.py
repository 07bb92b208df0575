"""Compare two versions of a text: the hunks between them, and what kind of change each hunk is. Pure."""

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_EXACT_LINES = 3_000
"""Up to this many differing lines are aligned exactly; beyond it lines that repeat often are passed over."""
_MOST_LINES = 20_000
"""More differing lines than these are one hunk: aligning them costs the square of their number."""
_LOOKS = re.compile(r"[\s,;]+")
_COMMENT = re.compile(
    r"^\s*(?:#(?!!|\s*(?:include|define|if|el|endif|undef|pragma|error))|//|/?\*(?![\w=])|<!--|--\s|;;)"
)
_IMPORT = re.compile(
    r"^\s*(?:import\b|from\s+\S+\s+import\b|use\s+[\w:]+|#\s*include\b|(?:const|let|var)\s.*\brequire\()"
)


@dataclass(frozen=True, slots=True)
class Hunk:
    """Neighbouring lines of the old text that became others."""

    line: int
    """Where it begins in the new text, counted from 1."""
    was_at: int
    """Where it began in the old text."""
    removed: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many lines of both texts it takes."""
        return len(self.removed) + len(self.added)

    @property
    def is_looks_only(self) -> bool:
        """Say whether both sides are the same but for white space, quotes, commas and semicolons."""
        return _bare(self.removed) == _bare(self.added)

    @property
    def drops_comments_only(self) -> bool:
        """Say whether nothing but comment lines went, and nothing came."""
        said = [line for line in self.removed if line.strip()]
        return bool(said) and not any(line.strip() for line in self.added) and all(map(is_comment, said))


def find_hunks(before: str, after: str) -> tuple[Hunk, ...]:
    """Return what changed, in the order of the text; line endings do not count."""
    old, new = before.splitlines(), after.splitlines()
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    was, now = old[head : len(old) - tail], new[head : len(new) - tail]
    if not was and not now:
        return ()
    if max(len(was), len(now)) > _MOST_LINES:
        return (Hunk(head + 1, head + 1, tuple(was), tuple(now)),)
    matcher = difflib.SequenceMatcher(None, was, now, autojunk=max(len(was), len(now)) > _EXACT_LINES)
    return tuple(
        Hunk(head + b1 + 1, head + a1 + 1, tuple(was[a1:a2]), tuple(now[b1:b2]))
        for tag, a1, a2, b1, b2 in matcher.get_opcodes()
        if tag != "equal"
    )


def is_comment(line: str) -> bool:
    """Say whether a line holds a comment and nothing else, in the languages known here."""
    return bool(_COMMENT.match(line))


def count_lost(before: str, after: str) -> int:
    """Count the lines that say something, are gone, and stand nowhere else now."""
    old = Counter(line.strip() for line in before.splitlines() if line.strip())
    return (old - Counter(line.strip() for line in after.splitlines())).total()


def reorders_imports(hunks: Sequence[Hunk]) -> bool:
    """Say whether imports stand in another order and are the same."""
    removed = Counter(line.strip() for hunk in hunks for line in hunk.removed if _IMPORT.match(line))
    added = Counter(line.strip() for hunk in hunks for line in hunk.added if _IMPORT.match(line))
    return bool(removed) and removed == added


def opening_comment(text: str) -> str:
    """Return the comment that a text begins with, where the notice of a licence stands."""
    return "\n".join(_opening_lines(text))


def _opening_lines(text: str) -> Iterator[str]:
    inside = ""
    for line in text.splitlines()[:80]:
        said = line.strip()
        if inside or is_comment(line) or said.startswith(("/*", '"""', "#!")):
            yield said
            inside = _still_open(inside, said)
        elif said:
            return


def _still_open(inside: str, said: str) -> str:
    """Return what closes the comment that is open after a line; empty where none is."""
    closers = {"/*": "*/", '"""': '"""', "<!--": "-->"}
    if inside:
        return "" if inside in said else inside
    opener = next((one for one in closers if said.startswith(one)), "")
    return closers[opener] if opener and closers[opener] not in said[len(opener) :] else ""


def _bare(lines: Sequence[str]) -> str:
    return _LOOKS.sub("", "".join(lines)).replace("'", '"')


def _common(one: Sequence[str], two: Sequence[str]) -> int:
    pairs = enumerate(zip(one, two, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(two)))
