"""How a language is compiled where the workspace is a project of it: all that belongs together at once.

A file of a project means little alone: package, crate and settings are elsewhere. These tools read
the project's own configuration, and cargo runs its build scripts, so they too run only in the sandbox.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from validators.compilers import CHECKS, Check
from validators.remarks import read_cargo


def _name_nothing(_paths: Sequence[str]) -> Sequence[str]:
    return ()


def _name_folders(paths: Sequence[str]) -> Sequence[str]:
    return [f"./{folder}" for folder in dict.fromkeys(str(PurePosixPath(path).parent) for path in paths)]


_GO = replace(CHECKS["go"][0], name=_name_folders, whole=True)
_TYPESCRIPT = replace(
    CHECKS["typescript"][0],
    arguments=("--noEmit", "--pretty", "false", "--project", "."),
    endings=("ts", "mts", "cts", "tsx"),
    name=_name_nothing,
    whole=True,
)
_RUST = replace(
    CHECKS["rust"][0],
    tool="cargo",
    binaries=("cargo",),
    arguments=("check", "--offline", "--quiet", "--message-format=json", "--all-targets"),
    read=read_cargo,
    each=False,
    name=_name_nothing,
    whole=True,
    missing=(
        r"no matching package named|failed to (?:download|get|load source)|unable to update registry"
        r"|attempting to make an HTTP request|can't find crate"
    ),
    environment={"CARGO_NET_OFFLINE": "true", "CARGO_TARGET_DIR": "target", "CARGO_INCREMENTAL": "0"},
)

_PROJECTS: dict[str, tuple[str, Check]] = {
    "go": ("go.mod", _GO),
    "rust": ("Cargo.toml", _RUST),
    "typescript": ("tsconfig.json", _TYPESCRIPT),
    "tsx": ("tsconfig.json", _TYPESCRIPT),
}
"""By language: the file at the top of a workspace that makes it a project, and how that is compiled."""


def pick_checks(language: str, workspace: str) -> tuple[Check, ...]:
    """Return the checks of a language: of the project where the workspace is one, else of files alone."""
    marker, check = _PROJECTS.get(language, ("", None))
    if check is not None and workspace and Path(workspace, marker).is_file():
        return (check,)
    return CHECKS.get(language, ())
