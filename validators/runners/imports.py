"""Tell who asks for a module that is not installed here: the project, or only the candidate."""

import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from validators.languages import by_path
from validators.validator import Given

_MANIFESTS = frozenset(
    {"pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "package.json", "Cargo.toml", "go.mod", "Gemfile"}
)
_NOT_OWN = frozenset({"node_modules", "site-packages", "vendor", "target", "__pycache__"})
_MOST_FILES = 3000
_MOST_BYTES = 512 * 1024


def expected_modules(modules: Iterable[str], given: Given) -> frozenset[str]:
    """Return those of the modules that the given tests or the workspace's own files import or require."""
    open_questions = {module: _importing(module) for module in modules}
    if not open_questions:
        return frozenset()
    found = set()
    for text, manifest in ((given.tests, False), *_own_texts(given.workspace)):
        for module, importing in open_questions.items():
            if (manifest and module in text) or importing.search(text):
                found.add(module)
    return frozenset(found)


def _importing(module: str) -> re.Pattern[str]:
    words = r"\b(?:import|from|require|require_once|use|include|crate|package)\b"
    return re.compile(rf"^[^\n]*{words}[^\n]*(?<![\w-]){re.escape(module)}(?![\w-])", re.MULTILINE)


def _own_texts(workspace: str) -> Iterator[tuple[str, bool]]:
    """Yield the sources and manifests of a project, and which of them are manifests."""
    for path in islice(_own_files(workspace) if workspace else (), _MOST_FILES):
        manifest = path.name in _MANIFESTS or path.match("requirements*.txt")
        if manifest or by_path(path.name):
            with path.open(encoding="utf-8", errors="replace") as file:
                yield file.read(_MOST_BYTES), manifest


def _own_files(workspace: str) -> Iterator[Path]:
    for folder, folders, names in os.walk(workspace):
        folders[:] = [name for name in folders if name[0] != "." and name not in _NOT_OWN]
        for path in (Path(folder, name) for name in sorted(names)):
            if path.is_file() and os.access(path, os.R_OK):
                yield path
