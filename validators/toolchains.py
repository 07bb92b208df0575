"""Find compilers and interpreters on this machine, and what a sandbox must show of them."""

import os
import shutil
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

_PROXY = "rustup"
"""`rustc` and `cargo` are links to it; it picks a toolchain by files of the home folder."""
_INSTALLATIONS = (
    ".rustup/toolchains/*",
    ".pyenv/versions/*",
    ".nvm/versions/node/*",
    ".volta/tools/image/node/*",
    ".asdf/installs/*/*",
    ".sdkman/candidates/java/*",
    ".local/share/mise/installs/*/*",
    ".local/share/pipx/venvs/*",
    ".local/share/uv/tools/*",
    ".local/share/uv/python/*",
    "miniconda3",
    "miniforge3",
    "anaconda3",
)
"""Where in a home tools are installed each in its own folder; others may hold private files."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program of this machine that runs inside a sandbox."""

    path: str
    """The real program behind links and proxies."""
    readable: tuple[str, ...]
    """What a sandbox must show besides the system and our own interpreter."""


def find_tool(names: Iterable[str]) -> Tool | None:
    """Return the first of the programs that our interpreter's folder or PATH has."""
    search = os.pathsep.join((f"{sys.prefix}/bin", os.environ.get("PATH", os.defpath)))
    for name in names:
        found = shutil.which(name, path=search)
        path = found and _behind_proxy(name, Path(found).resolve())
        if path:
            return Tool(str(path), _shown(path))
    return None


def surrounding_tools(names: Iterable[str]) -> tuple[Tool, ...]:
    """Return those of the programs that exist here outside the system's folders."""
    found = (find_tool([name]) for name in names)
    return tuple(tool for tool in found if tool is not None and tool.readable)


def installation_of(python: Path) -> Path | None:
    """Return the installation that an interpreter belongs to, wherever links lead; None for anything else.

    The path may come from a stranger: in a home only the folders of known tools count, elsewhere only a
    folder that holds Python's own library.
    """
    program = python.resolve()
    folder = program.parent.parent
    home = _home().resolve()
    if not program.is_file() or home.is_relative_to(folder):
        return None
    if folder.is_relative_to(home) and not _is_installation(folder.relative_to(home)):
        return None
    return folder if any(folder.glob("lib/python3*/os.py")) else None


def _behind_proxy(name: str, path: Path) -> Path | None:
    if path.name != _PROXY:
        return path
    home = Path(os.environ.get("RUSTUP_HOME") or _home() / ".rustup")
    try:
        toolchain = tomllib.loads((home / "settings.toml").read_text())["default_toolchain"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return None
    program = home / "toolchains" / toolchain / "bin" / name
    return program if program.exists() else None


def _home() -> Path:
    return Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises for a user without one


def _shown(path: Path) -> tuple[str, ...]:
    """Return the installation a program belongs to; in a home the program alone, unless it is a known one."""
    if path.is_relative_to("/usr"):
        return ()
    home = _home().resolve()
    modules = [folder for folder in path.parents if folder.name == "node_modules"]
    installation = modules[0] if modules else path.parent.parent
    if installation.is_relative_to(home) and not _is_installation(installation.relative_to(home)):
        installation = path
    wide = home.is_relative_to(installation)
    return (str(path if wide else installation),)


def _is_installation(folder: PurePath) -> bool:
    """Say whether a folder, seen from the home, holds one installed toolchain and nothing of the user's."""
    return any(
        folder.match(pattern) and len(folder.parts) == len(PurePath(pattern).parts)
        for pattern in _INSTALLATIONS
    ) or (folder.name == "node_modules" and len(folder.parts) > 1)
