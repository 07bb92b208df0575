"""Decide which file names in a model's reply may be used."""

import re
import unicodedata
from collections.abc import Collection

MAX_CHARACTERS = 240
_MAX_PART_BYTES = 255
"""Of one name; disks count bytes."""

_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_RUNS_BY_ITSELF = re.compile(
    r"""(?:^|/)(?:
        \.git | \.hg | \.svn | \.husky | \.vscode | \.idea | \.devcontainer | \.claude | \.cursor
    )(?:/|$)
    | (?:^|/)hooks/(?:pre|post|commit|prepare|update|push|applypatch|fsmonitor)[a-z-]*$
    | (?:^|/)\.cargo/ | (?:^|/)\.(?:github|gitlab|circleci)/ | (?:^|/)\.gitlab-ci\.yml$
    | (?:^|/)(?:
        \.envrc | \.mcp\.json | \.gitconfig | \.gitmodules | \.gitattributes | \.ripgreprc | \.npmrc
      | \.pypirc
      | \.(?:bash|zsh|k)rc | \.(?:bash_|zsh_?)?(?:profile|login|logout|env) | \.bash_aliases
      | sitecustomize\.py | usercustomize\.py | conftest\.py | [^/]*\.pth
      | pytest\.ini | tox\.ini | setup\.cfg | setup\.py | pyproject\.toml | package\.json
      | build\.rs | noxfile\.py | [Mm]akefile | GNUmakefile | justfile | Rakefile | CMakeLists\.txt
      | Cargo\.toml | go\.(?:mod|work) | pom\.xml | (?:build|settings)\.gradle(?:\.kts)? | gradlew
      | \.mocharc\.[a-z]+ | [a-z]+\.config\.(?:[cm]?[jt]s|json) | phpunit\.xml(?:\.dist)? | \.rspec
    )$""",
    re.IGNORECASE | re.VERBOSE,
)


def safe_path(path: str, *, allowed: Collection[str] = ()) -> str | None:
    """Give the normalised relative POSIX path, or None when `path_problem` has an objection."""
    normal = _normalised(path)
    return None if path_problem(path, allowed=allowed) else normal


def path_problem(path: str, *, allowed: Collection[str] = ()) -> str:
    """Say why a file of this name is refused; empty when it is fine.

    Names of files that something runs or obeys without being asked (hooks, shell start-up, test and build
    configuration) are refused unless they are in `allowed`: those the user named.
    """
    normal = _normalised(path)
    longest = max(len(part.encode("utf-8", "surrogatepass")) for part in normal.split("/"))
    if not normal or len(normal) > MAX_CHARACTERS or longest > _MAX_PART_BYTES:
        return f"{path[:MAX_CHARACTERS]!r} is no file name: it is empty or too long"
    if normal.startswith(("/", "~")) or re.match(r"[A-Za-z]:", normal):
        return f"{path!r} is not relative to the project; name the file from the project's folder"
    if "\\" in normal or ":" in normal or _CONTROL.search(normal):
        return (
            f"{path!r} holds a character that file names may not; use letters, digits, '-', '_', '.' and '/'"
        )
    parts = normal.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return f"{path!r} holds an empty part, '.' or '..'; name the file from the project's folder"
    if any(part != part.rstrip(". ") or _DEVICE.fullmatch(part) for part in parts):
        return f"{path!r} is not a file name on every system; rename it"
    if normal not in allowed and _RUNS_BY_ITSELF.search(normal):
        return f"{path!r} is a file that tools run or obey unasked; it is written only when the task names it"
    return ""


def _normalised(path: str) -> str:
    return unicodedata.normalize("NFC", path.strip()).removeprefix("./")
