"""Say what a compiler and a project's own command need beyond the bare sandbox, which is for tests."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.program import Limits, Program


@dataclass(frozen=True, slots=True)
class Profile:
    """How much room a kind of program gets; time and memory are the policy's."""

    processes: int
    file_bytes: int
    output_bytes: int = 1024**2
    caches: bool = False
    """Whether it may read what package tools of this user have downloaded."""

    def limits(self, seconds: float) -> Limits:
        """Return the limits of a run that takes no longer than this."""
        return Limits(
            seconds=seconds,
            processes=self.processes,
            file_bytes=self.file_bytes,
            output_bytes=self.output_bytes,
        )


COMPILER = Profile(processes=256, file_bytes=64 * 1024**2, output_bytes=4 * 1024**2)
"""Compilers start many threads and say much; what they write is thrown away."""
PROJECT = Profile(processes=512, file_bytes=1024**3, output_bytes=4 * 1024**2, caches=True)
"""A command of the user's own, which builds the project before it tests it."""


@dataclass(frozen=True, slots=True)
class _Cache:
    """Where a package tool keeps what it downloaded, and how it finds that where the home is another."""

    variable: str
    """Of the environment, which moves the tool's folder; empty when none does."""
    place: str
    """That folder, below the home."""
    folders: tuple[str, ...]
    """What of it may be read; never settings, which hold passwords."""
    settings: Mapping[str, str]
    """Variables that send the tool to its folder, `{place}`, and keep it from asking a network."""


_CACHES = (
    _Cache(
        "",
        ".m2",
        ("repository",),
        {"MAVEN_ARGS": "--offline", "MAVEN_OPTS": "-Dmaven.repo.local={place}/repository"},
    ),
    _Cache(
        "CARGO_HOME",
        ".cargo",
        ("registry/index", "registry/cache", "registry/src"),
        {"CARGO_HOME": "{place}", "CARGO_NET_OFFLINE": "true"},
    ),
    _Cache("GOMODCACHE", "go/pkg/mod", (".",), {"GOMODCACHE": "{place}", "GOPROXY": "off"}),
    _Cache(
        "npm_config_cache",
        ".npm",
        ("_cacache",),
        {"npm_config_cache": "{place}", "npm_config_offline": "true"},
    ),
    _Cache("NUGET_PACKAGES", ".nuget/packages", (".",), {"NUGET_PACKAGES": "{place}"}),
    _Cache(
        "GRADLE_USER_HOME",
        ".gradle",
        ("caches/modules-2", "wrapper/dists"),
        {"GRADLE_RO_DEP_CACHE": "{place}/caches"},
    ),
    _Cache("COMPOSER_CACHE_DIR", ".cache/composer", ("files", "repo"), {"COMPOSER_CACHE_DIR": "{place}"}),
    _Cache("DENO_DIR", ".cache/deno", ("npm", "deps", "remote"), {}),
)
"""Git checkouts of cargo and of pip's index are left out: their addresses may hold a token."""


def fit(program: Program, profile: Profile) -> Program:
    """Return the program with the room of its profile; its time, its memory and its own settings stay."""
    limits = replace(
        program.limits,
        processes=profile.processes,
        file_bytes=max(program.limits.file_bytes, profile.file_bytes),
        output_bytes=max(program.limits.output_bytes, profile.output_bytes),
    )
    if not profile.caches:
        return replace(program, limits=limits)
    return replace(
        program,
        limits=limits,
        readable=tuple(dict.fromkeys((*program.readable, *project_caches()))),
        environment={**project_settings(), **program.environment},
    )


def project_caches() -> tuple[str, ...]:
    """Return the folders of this user's package tools that exist and may be read: downloads, no settings.

    A folder that leads to the whole home, or above it, is left out.
    """
    return tuple(path for cache, place in _places() for path in _readable(cache, place))


def project_settings() -> dict[str, str]:
    """Return the variables by which package tools find those folders, and do not look for a network."""
    settings: dict[str, str] = {}
    for cache, place in _places():
        if any(_readable(cache, place)):
            settings |= {name: value.format(place=place) for name, value in cache.settings.items()}
    return settings


def _places() -> Iterator[tuple[_Cache, Path]]:
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises for a user without one
    for cache in _CACHES:
        moved = os.environ.get(cache.variable, "") if cache.variable else ""
        if cache.variable == "GOMODCACHE" and not moved and os.environ.get("GOPATH"):
            moved = os.path.join(os.environ["GOPATH"].split(os.pathsep)[0], "pkg/mod")  # noqa: PTH118 - text
        place = Path(moved) if moved else home / cache.place
        if place.is_absolute():
            yield cache, place


def _readable(cache: _Cache, place: Path) -> Iterator[str]:
    home = Path(os.path.expanduser("~")).resolve()  # noqa: PTH111 - as above
    for folder in cache.folders:
        path = place / folder
        if path.is_dir() and os.access(path, os.R_OK | os.X_OK) and not home.is_relative_to(path.resolve()):
            yield str(path)
