"""Look at a project's folder: its files, the texts that tell how it is tested, and a mark of its state."""

import hashlib
import importlib.util
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from validators.environments import Environment, find_environment
from validators.projects.detecting import Layout, is_manifest, judges
from validators.projects.runners import RUNNERS

_NOT_OWN = frozenset(
    {"node_modules", "site-packages", "vendor", "target", "__pycache__", "build", "dist", "bower_components"}
)
_MOST_FILES = 20_000
_MOST_TEXTS = 2_000
_MOST_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class Sight:
    """What a workspace shows."""

    before: Layout
    """As the user has it."""
    after: Layout
    """With the candidate in place and what it removes gone; of manifests that were there, the former text."""
    environment: Environment | None
    digest: str
    """Changes with every file that is changed, added or removed, and with what is installed."""


def look_at(workspace: str, files: Mapping[str, str], removed: Collection[str] = ()) -> Sight:
    """Look at a workspace, at the files that a candidate puts over it and at those that it removes.

    Links are not followed.
    """
    environment = find_environment(workspace)
    has_pytest = environment.pytest if environment else importlib.util.find_spec("pytest") is not None
    hasher = hashlib.sha256()
    paths: list[str] = []
    texts: dict[str, str] = {}
    for path, status in islice(_own_files(workspace), _MOST_FILES):
        hasher.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode("utf-8", "surrogatepass"))
        paths.append(path)
        if judges(path) and len(texts) < _MOST_TEXTS:
            texts[path] = _read(Path(workspace, path))
    for stamp in _installations(workspace, environment, paths):
        hasher.update(stamp.encode("utf-8", "surrogatepass"))
    present = frozenset(_installed(workspace, paths))
    before = Layout(frozenset(paths), texts, present, has_pytest)
    return Sight(before, _changed(before, files, removed), environment, hasher.hexdigest())


def _changed(before: Layout, files: Mapping[str, str], removed: Collection[str]) -> Layout:
    """Return what a candidate makes of a project."""
    manifests = {path: text for path, text in before.texts.items() if is_manifest(path.rpartition("/")[2])}
    merged = {**before.texts, **{path: text for path, text in files.items() if judges(path)}, **manifests}
    texts = {path: text for path, text in merged.items() if path not in removed}
    return replace(before, paths=(before.paths | files.keys()).difference(removed), texts=texts)


def own_paths(workspace: str, files: Mapping[str, str]) -> frozenset[str]:
    """Return the paths of a project's own files, those of a candidate included."""
    found = islice(_own_files(workspace), _MOST_FILES) if workspace else ()
    return frozenset(path for path, _ in found) | files.keys()


def _own_files(workspace: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the regular files of a project, but not what is installed into it or built."""
    pending = [""]
    while pending:
        folder = pending.pop()
        for entry in _entries(os.path.join(workspace, folder)):  # noqa: PTH118 - thousands of them
            path = f"{folder}{entry.name}"
            with suppress(FileNotFoundError):  # the user may be at work in it
                if entry.is_file(follow_symlinks=False):
                    yield path, entry.stat(follow_symlinks=False)
                elif entry.is_dir(follow_symlinks=False) and _is_own(entry):
                    pending.append(f"{path}/")


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """Return what lies in a folder by name; nothing when it is gone."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _is_own(folder: os.DirEntry[str]) -> bool:
    own = folder.name[0] != "." and folder.name not in _NOT_OWN
    return own and os.access(folder.path, os.R_OK | os.X_OK) and not Path(folder.path, "pyvenv.cfg").exists()


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_BYTES)
    except OSError:  # gone or closed to us: it tells nothing
        return ""


def _installations(workspace: str, environment: Environment | None, paths: list[str]) -> Iterator[str]:
    """Yield when something was last installed into the environment, and beside each package.json."""
    found = sorted(Path(environment.folder).glob("lib/python3*/site-packages")) if environment else []
    folders = sorted(path.rpartition("package.json")[0] for path in paths if path.endswith("package.json"))
    found += [Path(workspace, folder, "node_modules") for folder in folders]
    for place in found:
        with suppress(FileNotFoundError):
            yield f"{place}\0{place.stat().st_mtime_ns}\0"


def _installed(workspace: str, paths: list[str]) -> Iterator[str]:
    """Yield what runners need that is there, in each folder that has a package.json and in those above it."""
    folders = {path.rpartition("package.json")[0] for path in paths if path.endswith("package.json")}
    needed = {need for runner in RUNNERS.values() for need in runner.needs}
    for folder in folders:
        yield from (f"{folder}{need}" for need in needed if Path(workspace, folder, need).is_file())
