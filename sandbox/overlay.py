"""Decide whether a folder can be shown to a program copy-on-write, and say how to mount it so."""

import os
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from sandbox.program import Program

_LAUNCHER = Path(__file__).with_name("_overlay_child.py")


def overlay_words(
    tree: str, place: str, size_bytes: int, owner: int, removed: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the words that mount a tree at `place/merged` and then become the words that follow them.

    Args:
        tree: The folder that is shown and never written.
        place: An empty folder.
        size_bytes: How much may be written.
        owner: As root, the user id that the tree belongs to inside.
        removed: Files of the tree that are not shown.
    """
    start = (sys.executable, "-I", "-S", str(_LAUNCHER), tree, place, str(size_bytes), str(owner))
    return (*start, str(len(removed)), *removed)


def find_obstacle(program: Program, checkpoint: Callable[[], None]) -> str | None:
    """Return why a program's tree must be copied instead, if so.

    Inside, all of a tree belongs to one user, so all of it must belong to one outside; a file system
    mounted below it would be missing; a socket or a pipe might reach the host or hang its reader; and a
    file cannot be written where a folder stands.

    Args:
        program: Whose files and tree.
        checkpoint: Called after each folder; looking ends when it raises.
    """
    tree = program.tree or ""
    for path in (*program.files, *program.removed):
        with suppress(OSError):
            if stat.S_ISDIR(os.lstat(f"{tree}/{path}").st_mode):
                return f"{path!r} is a folder there and a file here"
    try:
        return _find_strange(tree, checkpoint)
    except OSError as error:
        return f"it cannot be read whole: {error}"


def _find_strange(tree: str, checkpoint: Callable[[], None]) -> str | None:
    """Look at every entry; thousands must take milliseconds, hence no `Path`."""
    top = Path(tree).stat()
    if os.geteuid() != 0 and (os.geteuid(), os.getegid()) != (top.st_uid, top.st_gid):
        return f"{tree!r} belongs to somebody else"
    expected = (top.st_dev, top.st_uid, top.st_gid)
    pending = [tree]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                kind = stat.S_IFMT(status.st_mode)
                if (status.st_dev, status.st_uid, status.st_gid) != expected:
                    return f"{entry.path!r} has another owner, group or file system than {tree!r}"
                if kind not in {stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR}:
                    return f"{entry.path!r} is neither a file nor a folder"
                if kind == stat.S_IFDIR:
                    pending.append(entry.path)
        checkpoint()
    return None
