"""The folders that may be touched: which paths lead into them, and how text is read and written there."""

import difflib
import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

_MOST_BYTES = 2 * 1024**2
_BINARY_SAMPLE = 8192
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
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

    def resolve(self, path: str, *, base: Path | None = None) -> Path:
        """Give the absolute path without links; the file need not exist.

        A relative path counts from `base`, else from the first root. Links are resolved now: whoever opens
        the path later trusts that nobody exchanges a folder for a link in between (`write_files` does not).

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


def unified_diff(old: str, new: str, path: str) -> str:
    """Write what changed in the form that `patch` and `git apply` take; empty when nothing did."""
    before, after = _LINE.findall(old), _LINE.findall(new)
    lines = difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
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


def write_files(workspace: Path, files: Mapping[str, str]) -> None:
    """Write files below a folder: all of them, or none.

    Each is written beside its place and then put there in one step, with the mode of the file that it
    replaces. No link below `workspace` is followed, not even one that appears meanwhile; nothing is written
    into `.git`, where a file is as good as a command. A machine that dies in the middle can leave some files
    new and others old. POSIX only.

    Raises:
        PathRefused: A path leads out, or to a link, a folder or into `.git`.
        OSError: The disk is full or forbids it; what was written before is undone.
    """
    with ExitStack() as afterwards:
        root = os.open(workspace, _FOLDER)
        afterwards.callback(os.close, root)
        staged = [_stage(root, path, text, afterwards) for path, text in files.items()]
        for one in staged:
            os.replace(one.new, one.name, src_dir_fd=one.folder, dst_dir_fd=one.folder)
            _if_failed(afterwards, partial(_restore, one))


@dataclass(frozen=True, slots=True)
class _Staged:
    """A file that waits beside its place, and a copy of the one it is to replace."""

    folder: int
    name: str
    new: str
    old: str
    """Empty when there is none."""


def _stage(root: int, path: str, text: str, afterwards: ExitStack) -> _Staged:
    *folders, name = _parts(path)
    folder = _descend(root, path, folders, afterwards)
    data = text.encode("utf-8")
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return _Staged(folder, name, _write_beside(folder, data, None, afterwards), "")
    if not stat.S_ISREG(mode):
        raise PathRefused(f"{path!r} is a link, a folder or special, and is not replaced. Name a file.")
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
        old = _write_beside(folder, file.read(), mode, afterwards)
    return _Staged(folder, name, _write_beside(folder, data, mode, afterwards), old)


def _parts(path: str) -> tuple[str, ...]:
    pure = PurePosixPath(path)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\0" in path:
        raise PathRefused(f"{path!r} is no path inside the workspace. Name it relative to the workspace.")
    if any(part.lower() == ".git" for part in pure.parts):
        raise PathRefused(f"{path!r} lies in git's own folder, which is never written.")
    return pure.parts


def _descend(root: int, path: str, folders: Sequence[str], afterwards: ExitStack) -> int:
    """Open the folder of a file step by step, and make what is missing."""
    folder = root
    for name in folders:
        try:
            os.mkdir(name, dir_fd=folder)
            _if_failed(afterwards, partial(_remove_folder, name, folder))
        except FileExistsError:
            pass
        try:
            folder = os.open(name, _FOLDER, dir_fd=folder)
        except OSError as error:
            raise PathRefused(f"{path!r} leads through {name!r}, which is no folder or a link.") from error
        afterwards.callback(os.close, folder)
    return folder


def _write_beside(folder: int, data: bytes, mode: int | None, afterwards: ExitStack) -> str:
    """Write a file under a name of its own, which is gone afterwards unless it was moved."""
    name = f".orchestrator-{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o666, dir_fd=folder), "wb") as file:
        afterwards.callback(_remove, name, folder)
        if mode is not None:
            os.fchmod(file.fileno(), stat.S_IMODE(mode))
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return name


def _if_failed(afterwards: ExitStack, undo: Callable[[], None]) -> None:
    """Undo when the block ends with an exception."""

    def leave(kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            undo()

    afterwards.push(leave)


def _restore(one: _Staged) -> None:
    if one.old:
        os.replace(one.old, one.name, src_dir_fd=one.folder, dst_dir_fd=one.folder)
    else:
        _remove(one.name, one.folder)


def _remove(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _remove_folder(name: str, folder: int) -> None:
    with suppress(OSError):  # somebody else has put something into it
        os.rmdir(name, dir_fd=folder)
