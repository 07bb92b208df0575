"""Files that a command writes for its user."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


@contextlib.contextmanager
def open_anew(path: str) -> Iterator[TextIO]:
    """Open a file that takes the place of `path` once the block ends well; else what was there stays.

    Only its owner may read it: tasks are as private as the ledger they come from. What is no plain file, such
    as a pipe, is written to as it is.

    Raises:
        OSError: Its folder cannot be written.
    """
    place = Path(path)
    if place.exists() and not place.is_file():
        with place.open("w", encoding="utf-8", errors="replace", newline="") as out:
            yield out
        return
    place = place.resolve()
    handle, part = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:99]}.", suffix=".part")
    try:
        with open(handle, "w", encoding="utf-8", errors="replace", newline="") as out:  # noqa: PTH123 - a handle
            yield out
        os.replace(part, place)  # noqa: PTH105 - a plain name
    except BaseException:
        os.unlink(part)  # noqa: PTH108 - a plain name
        raise
