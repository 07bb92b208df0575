"""Put files into a folder and take files away: all of them, or none."""

import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from orchestrator.roots import PathRefused

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
STAGED = ".orchestrator-"
"""What the names of files begin with that wait beside their place."""


def put_files(
    workspace: Path,
    contents: Mapping[str, bytes | None],
    expected: Mapping[str, str] | None = None,
    token: str = "",
) -> None:
    """Put files below a folder: all of them, or none.

    Each is written beside its place and then put there in one step, with the mode of the file that it
    replaces. No link below `workspace` is followed, not even one that appears meanwhile; nothing is written
    into `.git`, where a file is as good as a command. POSIX only. Whoever wants to survive the death of this
    process keeps a backup first (`orchestrator.backups`).

    Args:
        workspace: The folder.
        contents: Relative path to what becomes of the file; nothing removes it.
        expected: Path to the digest of what must be there now, empty for nothing.
        token: Part of the names of waiting files, by which they are found again.

    Raises:
        PathRefused: A path leads out, or to a link, a folder or into `.git`, or to a file that is read-only
            or another than expected.
        OSError: The disk is full or forbids it; what was written before is undone.
    """
    token = token or secrets.token_hex(8)
    with ExitStack() as afterwards:
        root = os.open(workspace, _FOLDER)
        afterwards.callback(os.close, root)
        staging = _Staging(root, token, expected or {}, afterwards)
        staged = [staging.stage(path, data) for path, data in contents.items()]
        for one in staged:
            if one.new:
                os.replace(one.new, one.name, src_dir_fd=one.folder, dst_dir_fd=one.folder)
            else:
                _remove(one.name, one.folder)
            _if_failed(afterwards, partial(_restore, one))


def read_below(workspace: Path, path: str) -> tuple[bytes, int] | None:
    """Read a file and its mode without following links; nothing where there is none.

    Raises:
        PathRefused: The path leads out, or to what is no file.
    """
    with ExitStack() as afterwards:
        root = os.open(workspace, _FOLDER)
        afterwards.callback(os.close, root)
        *folders, name = _parts(path)
        try:
            folder = _descend(root, path, folders, afterwards)
            return _read(folder, name, path)
        except FileNotFoundError:
            return None


def digest_bytes(data: bytes | None) -> str:
    """Digest what a file holds; empty for none."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class _Staged:
    """A file that waits beside its place, and a copy of the one it is to replace."""

    folder: int
    name: str
    new: str
    """Empty when the file goes."""
    old: str
    """Empty when there is none."""


@dataclass(frozen=True, slots=True)
class _Staging:
    """One way of putting several files."""

    root: int
    token: str
    expected: Mapping[str, str]
    afterwards: ExitStack

    def stage(self, path: str, data: bytes | None) -> _Staged:
        *folders, name = _parts(path)
        folder = _descend(self.root, path, folders, self.afterwards, make=True)
        try:
            found, mode = _read(folder, name, path)
        except FileNotFoundError:
            self._check(path, None)
            return _Staged(folder, name, "" if data is None else self._write(folder, data, None), "")
        self._check(path, found)
        if not mode & 0o222 or not os.access(name, os.W_OK, dir_fd=folder):
            raise PathRefused(
                f"{path!r} is read-only; nothing was written. Make it writable, or leave it out."
            )
        old = self._write(folder, found, mode)
        return _Staged(folder, name, "" if data is None else self._write(folder, data, mode), old)

    def _check(self, path: str, found: bytes | None) -> None:
        if self.expected.get(path, digest_bytes(found)) != digest_bytes(found):
            raise PathRefused(
                f"{path!r} changed since it was compared; nothing was written. Look at it first."
            )

    def _write(self, folder: int, data: bytes, mode: int | None) -> str:
        """Write a file under a name of its own, which is gone afterwards unless it was moved."""
        name = f"{STAGED}{self.token}-{secrets.token_hex(4)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, 0o666, dir_fd=folder), "wb") as file:
            self.afterwards.callback(_remove, name, folder)
            if mode is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return name


def _read(folder: int, name: str, path: str) -> tuple[bytes, int]:
    mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if not stat.S_ISREG(mode):
        raise PathRefused(f"{path!r} is a link, a folder or special, and is not replaced. Name a file.")
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
        return file.read(), mode


def _parts(path: str) -> tuple[str, ...]:
    pure = PurePosixPath(path)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\0" in path:
        raise PathRefused(f"{path!r} is no path inside the workspace. Name it relative to the workspace.")
    if any(part.lower() == ".git" for part in pure.parts):
        raise PathRefused(f"{path!r} lies in git's own folder, which is never written.")
    return pure.parts


def _descend(
    root: int, path: str, folders: Sequence[str], afterwards: ExitStack, *, make: bool = False
) -> int:
    """Open the folder of a file step by step, and make what is missing if that is wanted."""
    folder = root
    for name in folders:
        if make:
            _make_folder(name, folder, afterwards)
        try:
            folder = os.open(name, _FOLDER, dir_fd=folder)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise PathRefused(f"{path!r} leads through {name!r}, which is no folder or a link.") from error
        afterwards.callback(os.close, folder)
    return folder


def _make_folder(name: str, folder: int, afterwards: ExitStack) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=folder)
        _if_failed(afterwards, partial(_remove_folder, name, folder))


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
