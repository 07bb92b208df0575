"""Pack a program's files and tree into one archive that is unpacked where the program runs."""

import io
import os
import stat
import tarfile
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from sandbox.errors import SandboxError, UnsafePath
from sandbox.program import Program

LARGEST_BYTES = 1024**3
_IN_MEMORY_BYTES = 8 * 1024**2
_PAGE_BYTES = 4096
_LONGEST_NAME_BYTES = 255


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive that stands at its beginning, in memory or in a file that has no name."""

    archive: IO[bytes]
    size_bytes: int
    """What the unpacked entries take in a file system of pages."""
    empty: bool


def check_path(path: str) -> None:
    """Refuse a path that is not relative, could leave the working folder or could not be written.

    Raises:
        UnsafePath: The message says what is wrong with it.
    """
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        raise UnsafePath(
            f"The path {path!r} may leave the working folder. Give a relative one without '.' and '..'."
        )
    if "\\" in path or not path.isprintable():
        raise UnsafePath(
            f"The path {path!r} has a backslash or a control character. Use plain names and '/'."
        )
    if any(len(part.encode()) > _LONGEST_NAME_BYTES for part in parts):
        raise UnsafePath(f"The path {path!r} has a name of over {_LONGEST_NAME_BYTES} bytes. Shorten it.")


def check_files(program: Program) -> None:
    """Refuse files whose paths are unsafe, lie below another file or lead through a link of the tree.

    Raises:
        UnsafePath: The message names the path.
    """
    for path in (*program.files, *program.removed):
        check_path(path)
        for parent in _parents(path):
            if parent in program.files:
                raise UnsafePath(f"{parent!r} cannot be a file and the folder of {path!r}. Rename one.")
            if program.tree and Path(program.tree, parent).is_symlink():
                raise UnsafePath(f"The path {path!r} leads through the link {parent!r}. Name the folder.")


def _parents(path: str) -> Iterator[str]:
    """Yield the folders that a path leads through."""
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)


def pack(program: Program, checkpoint: Callable[[], None], *, with_tree: bool = True) -> Packed:
    """Write the tree and over it the files into one archive.

    Of the tree, folders, regular files and links go in; sockets, pipes, devices and what this user may not
    read are left out. Links stay links.

    Args:
        program: Whose files and tree.
        checkpoint: Called after each entry; packing ends when it raises.
        with_tree: False where the working folder shows the tree already.

    Raises:
        UnsafePath: A path in `files` is unsafe.
        SandboxError: The tree is no folder, too large, or changes while it is read.
    """
    check_files(program)
    if not with_tree:
        program = replace(program, tree=None)
    size_bytes = 0
    with ExitStack() as opened:
        archive = opened.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))
        tar = opened.enter_context(tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT))
        for size in _pack_entries(tar, program):
            size_bytes += -(-size // _PAGE_BYTES) * _PAGE_BYTES
            if size_bytes > LARGEST_BYTES:
                raise SandboxError(
                    f"The folder {program.tree!r} and the files hold over {LARGEST_BYTES >> 20} MiB. "
                    "Give a smaller workspace."
                )
            checkpoint()
        tar.close()
        if not size_bytes:
            archive.truncate(0)  # the padding alone, read byte by byte, costs a shell milliseconds
        opened.pop_all()
    archive.seek(0)
    return Packed(archive, size_bytes, empty=size_bytes == 0)


def _pack_entries(tar: tarfile.TarFile, program: Program) -> Iterator[int]:
    """Pack one entry after another, and yield their sizes; one without content counts as a byte."""
    if program.tree is not None:
        try:
            yield from _pack_tree(tar, Path(program.tree), {*program.files, *program.removed})
        except OSError as error:
            raise SandboxError(f"The folder {program.tree!r} could not be copied: {error}.") from error
    for path, text in program.files.items():
        content = text.encode("utf-8", "surrogatepass")
        entry = tarfile.TarInfo(path)
        entry.size = len(content)
        entry.mtime = int(time.time())  # else builds of the tree would look newer than what is tested
        entry.mode = 0o755 if text.startswith("#!") else 0o644
        tar.addfile(entry, io.BytesIO(content))
        yield entry.size or 1


def _pack_tree(tar: tarfile.TarFile, tree: Path, replaced: Collection[str]) -> Iterator[int]:
    pending = [tree]
    while pending:
        for path in sorted(pending.pop().iterdir()):
            name = path.relative_to(tree).as_posix()
            if name in replaced:
                continue
            status = path.lstat()
            yield status.st_size or 1  # before it is read, so that too much is never read
            entry = tarfile.TarInfo(name)
            entry.mtime = int(status.st_mtime)
            entry.mode = stat.S_IMODE(status.st_mode) | stat.S_IRUSR | stat.S_IWUSR
            with suppress(PermissionError):
                if _pack_path(tar, path, entry, status):
                    pending.append(path)


def _pack_path(tar: tarfile.TarFile, path: Path, entry: tarfile.TarInfo, status: os.stat_result) -> bool:
    """Pack a folder, link or regular file; say whether it is a folder that can be read into."""
    if stat.S_ISDIR(status.st_mode):
        entry.type = tarfile.DIRTYPE
        entry.mode |= stat.S_IXUSR
        tar.addfile(entry)
        return os.access(path, os.R_OK | os.X_OK)
    if stat.S_ISLNK(status.st_mode):
        entry.type = tarfile.SYMTYPE
        entry.linkname = str(path.readlink())
        tar.addfile(entry)
    elif stat.S_ISREG(status.st_mode):
        with path.open("rb") as content:
            entry.size = os.fstat(content.fileno()).st_size
            tar.addfile(entry, content)
    return False
