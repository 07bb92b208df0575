"""Find the virtual environment that a project brings, and what a sandbox must show for its Python to run.

It comes with the workspace, so it is believed no more than that: its settings may name any folder of this
machine, and only one that is an installation of Python is shown.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from validators.toolchains import installation_of

_FOLDERS = (".venv", "venv", "env", ".env")
_MOST = 200
_LARGEST = 64 * 1024
_MAPPING = re.compile(r"^MAPPING(?:: [^=\n]+)? = (?P<mapping>\{.*\})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment inside a workspace."""

    folder: str
    """Absolute, on this machine."""
    readable: tuple[str, ...]
    """What a sandbox must show: itself, where its scripts expect it, and the Python it is made from."""
    sources: tuple[str, ...]
    """Folders of the workspace, relative to it, that are installed in place (`pip install -e`)."""
    pytest: bool
    """Whether it has pytest."""

    @property
    def python(self) -> str:
        """The interpreter that has its packages."""
        return f"{self.folder}/bin/python"


def find_environment(workspace: str) -> Environment | None:
    """Return the first usable virtual environment at the top of a workspace."""
    top = Path(workspace).resolve()
    for name in _FOLDERS:
        folder = top / name
        if (folder / "pyvenv.cfg").is_file() and folder.resolve() == folder:
            base = installation_of(folder / "bin" / "python") or _named_base(folder / "pyvenv.cfg")
            if base is not None:
                return _describe(top, folder, base)
    return None


def _named_base(settings: Path) -> Path | None:
    """Return the installation that the settings name, where the interpreter was copied instead of linked."""
    with settings.open(encoding="utf-8", errors="replace") as file:
        named = re.search(r"^home[ \t]*=[ \t]*(/[^\0\n]+)$", file.read(_LARGEST), re.MULTILINE)
    return installation_of(Path(named[1].rstrip(), "python3")) if named else None


def _describe(top: Path, folder: Path, base: Path) -> Environment:
    packages = [path for path in folder.glob("lib/python3*/site-packages") if path.resolve() == path]
    shown = () if base.is_relative_to("/usr") else (str(base),)
    return Environment(
        folder=str(folder),
        readable=(str(folder), *shown),
        sources=tuple(dict.fromkeys(source for place in packages for source in _sources(top, place))),
        pytest=any((place / "pytest" / "__init__.py").is_file() for place in packages),
    )


def _sources(top: Path, packages: Path) -> Iterator[str]:
    """Yield the folders below the top that `.pth` files and the finders of setuptools lead to."""
    for path in islice(sorted((*packages.glob("*.pth"), *packages.glob("__editable___*_finder.py"))), _MOST):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
            continue
        text = path.read_text("utf-8", "replace")
        for place in _mapped(text) if path.suffix == ".py" else map(Path, text.splitlines()):
            if (
                _is_plain(place)
                and place.is_absolute()
                and place.is_relative_to(top)
                and ".." not in place.parts
            ):
                yield place.relative_to(top).as_posix()


def _mapped(text: str) -> Iterator[Path]:
    match = _MAPPING.search(text)
    try:
        mapping = ast.literal_eval(match["mapping"]) if match else {}
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return
    if isinstance(mapping, dict):
        yield from (Path(str(place)).parent for place in mapping.values())


def _is_plain(place: Path) -> bool:
    """Say whether a path can be told to a program among others; PYTHONPATH divides them by colons."""
    return not {"\0", ":"} & set(str(place))
