"""The folders that may be touched: which paths lead into them, and how text is read there."""

import difflib
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_MOST_BYTES = 2 * 1024**2
_BINARY_SAMPLE = 8192
_NOTHING = "/dev/null"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


class PathRefused(ValueError):
    """A path may not be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ContextText:
    """A text file as it was found, its line ends and byte order mark included."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Roots:
    """The folders that may be touched; everything outside of them is refused."""

    roots: Sequence[Path]
    backups: Path | None = None
    """Where files are kept that an outcome replaced; without, nothing is kept."""

    def resolve(self, path: str, *, base: Path | None = None) -> Path:
        """Give the absolute path without links; the file need not exist.

        A relative path counts from `base`, else from the first root. Links are resolved now: whoever opens
        the path later trusts that nobody exchanges a folder for a link in between (`put_files` does not).

        Raises:
            PathRefused: It leads out of the roots, or is no path at all.
        """
        if not path.strip():
            raise PathRefused("The path is empty. Give a path inside the allowed folders.")
        start = base or next(iter(self.roots), Path("/"))
        try:
            resolved = (start / Path(path).expanduser()).resolve()
            allowed = [root.resolve() for root in self.roots]
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, an unknown ~user, a null byte
            raise PathRefused(f"{path!r} is no usable path: {error}.") from error
        if not any(resolved.is_relative_to(root) for root in allowed):
            names = ", ".join(repr(str(root)) for root in allowed) or "none"
            raise PathRefused(
                f"{path!r} leads to {str(resolved)!r}, outside the allowed folders ({names}). "
                "Name a path inside, or add its folder to `[guards] roots` in escalation.toml."
            )
        return resolved

    def read_text(self, path: str, *, base: Path | None = None) -> ContextText:
        """Read a text file of at most 2 MB.

        Raises:
            PathRefused: It is outside the roots, missing, no file, too large or no UTF-8 text.
        """
        resolved = self.resolve(path, base=base)
        data = _read_bytes(resolved, path)
        if b"\0" in data[:_BINARY_SAMPLE]:
            raise PathRefused(f"{path!r} is binary. Name text files only.")
        try:
            return ContextText(resolved, data.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise PathRefused(
                f"{path!r} is not UTF-8 (byte {error.start}). Convert it, or leave it out."
            ) from error


def unified_diff(old: str | None, new: str | None, path: str) -> str:
    """Write what changed in the form that `patch` and `git apply` take; empty when nothing did.

    `None` stands for a file that is not there.
    """
    before, after = _LINE.findall(old or ""), _LINE.findall(new or "")
    names = (_NOTHING if old is None else f"a/{path}", _NOTHING if new is None else f"b/{path}")
    lines = difflib.unified_diff(before, after, *names)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _read_bytes(resolved: Path, path: str) -> bytes:
    try:
        found = resolved.stat()
        if not stat.S_ISREG(found.st_mode):
            raise PathRefused(f"{path!r} is not a file. Name the files themselves.")
        if found.st_size > _MOST_BYTES:
            raise PathRefused(
                f"{path!r} has {found.st_size} bytes, more than the {_MOST_BYTES} that fit a prompt. "
                "Name a smaller file, or ask about it with rlm_analyze."
            )
        return resolved.read_bytes()
    except OSError as error:
        raise PathRefused(f"{path!r} cannot be read: {error.strerror}. Check the path.") from error
