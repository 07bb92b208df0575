"""Keep what an outcome replaces, so that a person finds it and an interrupted delivery can be taken back.

A delivery is a folder in the state folder: `files/` holds what was there before, and a note says of which
workspace and what was done. The note is called `writing.json` from before the first file is put until after
the last, and `done.json` then. What is `writing` while nobody holds the lock was interrupted, and is undone
before anything else is written to that workspace.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from orchestrator.roots import PathRefused
from orchestrator.writing import STAGED, digest_bytes, put_files, read_below

_WRITING, _DONE, _UNDONE = "writing.json", "done.json", "undone.json"
_FILES = "files"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the note says."""

    workspace: str
    token: str
    before: Mapping[str, str] = field(default_factory=dict)
    """Path to the digest of what was there, empty for nothing."""
    after: Mapping[str, str] = field(default_factory=dict)
    """Path to the digest of what was put there, empty for nothing."""
    folders: tuple[str, ...] = ()
    """That were made for it, the deepest first."""


def put_with_backup(
    backups: Path,
    name: str,
    workspace: Path,
    contents: Mapping[str, bytes | None],
    expected: Mapping[str, str],
) -> Path | None:
    """Put files as `put_files` does, after keeping what they replace.

    Args:
        backups: The folder of all backups.
        name: Of this delivery's folder; where there is one already, a number is added.
        workspace: Below which the files are put.
        contents: Relative path to what becomes of the file; nothing removes it.
        expected: Path to the digest of what must be there now, empty for nothing.

    Returns:
        Where the replaced files are kept; nothing when all files are new.

    Raises:
        PathRefused: A file may not be written, or is another than expected; nothing was written.
        OSError: The disk is full or forbids it; nothing was written.
    """
    with _locked(backups):
        undo_interrupted(backups, workspace)
        folder = _new_folder(backups, name)
        try:
            delivery = _keep(folder, workspace, contents)
            put_files(workspace, contents, {**delivery.before, **expected}, delivery.token)
        except BaseException:
            shutil.rmtree(folder)
            raise
        (folder / _WRITING).rename(folder / _DONE)
        if any(delivery.before.values()):
            return folder / _FILES
        shutil.rmtree(folder)
    return None


def take_back(backups: Path, workspace: Path) -> None:
    """Take back deliveries that were cut off, under the lock, as the next delivery would."""
    if backups.is_dir():
        with _locked(backups):
            undo_interrupted(backups, workspace)


def undo_interrupted(backups: Path, workspace: Path) -> list[str]:
    """Take back deliveries to a workspace whose process died in the middle; call it under the lock.

    A file that was changed since is left as it is.

    Returns:
        The files that were left.
    """
    left: list[str] = []
    for note in sorted(backups.glob(f"*/{_WRITING}")):
        delivery = _read_note(note)
        if delivery.workspace == str(workspace):
            left += _undo(note.parent, delivery, workspace)
            note.rename(note.with_name(_UNDONE))
    return left


@contextmanager
def _locked(backups: Path) -> Iterator[None]:
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (backups / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _keep(folder: Path, workspace: Path, contents: Mapping[str, bytes | None]) -> Delivery:
    """Copy what is there, and write down what is about to be done."""
    before: dict[str, str] = {}
    for path in contents:
        found = read_below(workspace, path)
        before[path] = digest_bytes(found[0] if found else None)
        if found:
            place = folder / _FILES / path
            place.parent.mkdir(parents=True, exist_ok=True)
            _write_durably(place, found[0])
            place.chmod(found[1] & 0o777)
    after = {path: digest_bytes(data) for path, data in contents.items()}
    token = secrets.token_hex(8)
    delivery = Delivery(str(workspace), token, before, after, _missing_folders(workspace, contents))
    fresh = folder / f"{_WRITING}.new"
    _write_durably(fresh, json.dumps(asdict(delivery), indent=1).encode())
    fresh.rename(folder / _WRITING)
    return delivery


def _new_folder(backups: Path, name: str) -> Path:
    number = 1
    while True:
        folder = backups / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder
        number += 1


def _missing_folders(workspace: Path, contents: Mapping[str, bytes | None]) -> tuple[str, ...]:
    above = {str(folder) for path in contents for folder in PurePosixPath(path).parents}
    missing = [folder for folder in above if not (workspace / folder).exists()]
    return tuple(sorted(missing, key=len, reverse=True))


def _read_note(note: Path) -> Delivery:
    values = json.loads(note.read_text(encoding="utf-8"))
    return Delivery(**{**values, "folders": tuple(values["folders"])})


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _undo(folder: Path, delivery: Delivery, workspace: Path) -> list[str]:
    """Put back what was put, unless somebody changed it since."""
    left: list[str] = []
    for path, before in delivery.before.items():
        now = _digest_now(workspace, path)
        if now not in {before, delivery.after[path]}:
            left.append(path)
        elif now != before:
            kept = folder / _FILES / path
            put_files(workspace, {path: kept.read_bytes() if before else None}, {path: now})
            if before:
                (workspace / path).chmod(kept.stat().st_mode & 0o777)
    _sweep(delivery, workspace)
    return left


def _digest_now(workspace: Path, path: str) -> str:
    try:
        found = read_below(workspace, path)
    except PathRefused:
        return "changed into what is no file"
    return digest_bytes(found[0] if found else None)


def _sweep(delivery: Delivery, workspace: Path) -> None:
    """Remove files that still wait beside their place, and folders that were made and are empty."""
    for folder in {(workspace / path).parent for path in delivery.before}:
        for waiting in folder.glob(f"{STAGED}{delivery.token}-*"):
            waiting.unlink()
    for name in delivery.folders:
        with suppress(OSError):
            (workspace / name).rmdir()
