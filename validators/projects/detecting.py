"""Decide from the texts of its manifests which test runner a project uses."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from validators.projects.runners import RUNNERS, ProjectRunner

MANIFESTS = (
    "package.json",
    "jest.config.*",
    "vitest.config.*",
    "vite.config.*",
    ".mocharc.*",
    "pyproject.toml",
    "pytest.ini",
    "setup.cfg",
    "tox.ini",
    "conftest.py",
    "go.mod",
    "Cargo.toml",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "*.csproj",
    "*.sln",
    "phpunit.xml",
    "phpunit.xml.dist",
    ".rspec",
    "CMakeLists.txt",
    "Makefile",
    "makefile",
    "GNUmakefile",
)
"""Names of the files whose texts decide; changing one may change what is tested."""
_TESTS = {
    "python": r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$",
    "javascript": r"(?:^|/)__tests__/[^/]*\.[cm]?[jt]sx?$|[._-](?:test|spec)\.[cm]?[jt]sx?$"
    r"|(?:^|/)test(?:-[^/]*)?\.[cm]?js$|(?:^|/)test/[^/]*\.[cm]?js$",
    "go": r"_test\.go$",
    "rust": r"(?:^|/)tests/[^/]*\.rs$",
    "java": r"(?:^|/)(?:Test\w*|\w*Tests?)\.(?:java|kt)$",
    "csharp": r"(?:^|/)\w*Tests?\.cs$",
    "php": r"Test\.php$",
    "ruby": r"_spec\.rb$",
    "c": r"(?:^|/)tests?/[^/]*\.(?:c|cc|cpp)$|(?:^|/)(?:test_[^/]*|[^/]*_test)\.(?:c|cc|cpp)$",
}
_SAME = {"typescript": "javascript", "tsx": "javascript", "jsx": "javascript", "cpp": "c", "kotlin": "java"}
_WITHOUT_RUNNER = frozenset(
    {"text", "markdown", "json", "toml", "yaml", "html", "css", "sql", "bash", "xml", "ini", ""}
)
"""Languages that any project's tests may judge."""
_JAVASCRIPT = ("vitest", "jest", "mocha")
_NO_SCRIPT = "no test specified"
_LONGEST_SCRIPT = 1000
_NODE_ARGUMENTS = re.compile(
    r"^node (?P<before>(?:-{1,2}\w[\w-]*(?:=[\w./-]+)? )*)--test(?P<after>(?: [\w./*=-]+)*)$"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known of a folder without running anything."""

    paths: frozenset[str]
    """All files below it, those of the candidate included."""
    texts: Mapping[str, str]
    """Of manifests and tests."""
    present: frozenset[str] = frozenset()
    """Of what runners lie in `node_modules`, their `needs` that are there."""
    pytest: bool = False
    """Whether the Python that will run has pytest."""

    def at(self, folder: str) -> "Layout":
        """Return what is known of a folder below."""
        if not folder:
            return self
        begin = f"{folder}/"
        below = (path.removeprefix(begin) for path in self.paths if path.startswith(begin))
        texts = {
            path.removeprefix(begin): text for path, text in self.texts.items() if path.startswith(begin)
        }
        present = (path.removeprefix(begin) for path in self.present if path.startswith(begin))
        return replace(self, paths=frozenset(below), texts=texts, present=frozenset(present))

    def tests(self, language: str) -> list[str]:
        """Return the files that hold tests, as their names tell."""
        return sorted(path for path in self.paths if is_test(path, language))


@dataclass(frozen=True, slots=True)
class Found:
    """The runner of a project, and the folder it is started in."""

    runner: ProjectRunner
    folder: str = ""
    all: str = field(default="")
    """What stands for all tests."""


def is_test(path: str, language: str) -> bool:
    """Say whether a file holds tests of a language, as far as its name tells."""
    return re.search(_TESTS.get(language, r"(?!)"), path) is not None


def judges(path: str) -> bool:
    """Say whether a file decides what is tested: a test of any language, or a manifest."""
    name = PurePosixPath(path).name
    return is_manifest(name) or any(re.search(pattern, path) for pattern in _TESTS.values())


def is_manifest(name: str) -> bool:
    """Say whether a file of that name tells which runner is used, or sets one up."""
    return any(fnmatchcase(name, pattern) for pattern in MANIFESTS)


def family(language: str) -> str:
    """Return the language under which a language's runners are listed."""
    return _SAME.get(language, language)


def find_runner(layout: Layout, language: str, changed: Collection[str]) -> Found | None:
    """Return the runner that a project uses, looked for from the folder of what changed up to its top.

    Args:
        layout: Of the whole project.
        language: Of the candidate; where it has runners, only those count.
        changed: Paths of the candidate.
    """
    wanted = family(language)
    for folder in _folders_above(changed):
        for found in _runners_of(layout.at(folder)):
            if wanted in _WITHOUT_RUNNER or found.runner.language in {wanted, ""}:
                return replace(found, folder=folder)
    return None


def _folders_above(changed: Collection[str]) -> Iterator[str]:
    """Yield the deepest folder that holds all that changed, and those above it."""
    parents = [set(map(str, PurePosixPath(path).parents)) for path in changed]
    shared = set.intersection(*parents) if parents else {"."}
    for folder in sorted(shared, key=len, reverse=True):
        yield "" if folder == "." else folder


def _runners_of(layout: Layout) -> Iterator[Found]:
    """Yield the runners that a folder's own manifests name, most telling first."""
    for find in (_python, _javascript, _by_manifest, _make):
        yield from find(layout)


def _python(layout: Layout) -> Iterator[Found]:
    tests = layout.tests("python")
    manifest = {
        "pyproject.toml",
        "pytest.ini",
        "setup.cfg",
        "tox.ini",
        "setup.py",
        "conftest.py",
    } & layout.paths
    if not tests or not (manifest or any(path.count("/") <= 1 for path in tests)):
        return
    told = "\n".join(layout.texts.get(path, "") for path in tests)
    plain = "import unittest" in told or "from unittest import" in told
    if layout.pytest or not plain or re.search(r"^[ \t]*(?:import|from) pytest\b", told, re.MULTILINE):
        yield Found(RUNNERS["pytest"])
    else:
        yield Found(RUNNERS["unittest"], all=_discovery(layout, tests))


def _discovery(layout: Layout, tests: list[str]) -> str:
    """Return the words that have unittest find tests; it goes into packages only."""
    tops = {path.partition("/")[0] for path in tests if "/" in path}
    loose = sorted(top for top in tops if f"{top}/__init__.py" not in layout.paths)
    at_top = any("/" not in path for path in tests)
    pattern = (
        "test*.py" if any(PurePosixPath(path).name.startswith("test") for path in tests) else "*_test.py"
    )
    start = (
        f" -s {loose[0]} -t {loose[0]}" if loose and not at_top and re.fullmatch(r"[\w-]+", loose[0]) else ""
    )
    return f"discover -v{start} -p '{pattern}'"


def _javascript(layout: Layout) -> Iterator[Found]:
    if "package.json" not in layout.paths:
        return
    package = _object(layout.texts.get("package.json", ""))
    script = str(_object_in(package, "scripts").get("test", ""))
    listed = {**_object_in(package, "dependencies"), **_object_in(package, "devDependencies")}
    if (found := _node_test(script)) is not None:
        yield found
    named = [name for name in _JAVASCRIPT if re.search(rf"\b{name}\b", script)]
    configured = [
        name
        for name in _JAVASCRIPT
        if any(path.startswith((f"{name}.config.", f".{name}rc")) for path in layout.paths)
    ]
    if not script or _NO_SCRIPT in script:
        named += [*configured, *(name for name in _JAVASCRIPT if name in listed)]
    yield from (Found(RUNNERS[name], all=_words_after(name, script)) for name in named[:1])
    if script and _NO_SCRIPT not in script:
        yield Found(RUNNERS["npm test"])
    elif any("node:test" in layout.texts.get(path, "") for path in layout.tests("javascript")):
        yield Found(RUNNERS["node --test"])


def _words_after(name: str, script: str) -> str:
    """Return what a script says behind the runner's name, but not how it should report or watch."""
    call = re.search(rf"\b{name}\b(?P<words>(?: [\w./*'\"=,-]+)*)$", script.strip()[-_LONGEST_SCRIPT:])
    words = call["words"].split() if call else []
    return " ".join(word for word in words if not re.match(r"-?-?(?:run|watch|report|coverage|json)", word))


def _node_test(script: str) -> Found | None:
    """Return node's own runner where the script is nothing but a call of it."""
    call = _NODE_ARGUMENTS.match(script.strip())
    if call is None:
        return None
    words = [word for word in call["after"].split() if not word.startswith("--test-reporter")]
    return Found(RUNNERS["node --test"], all=" ".join(words))


_BY_MANIFEST = (
    ("go.mod", "go test"),
    ("Cargo.toml", "cargo test"),
    ("pom.xml", "maven"),
    ("build.gradle*", "gradle"),
    ("*.sln", "dotnet test"),
    ("*.csproj", "dotnet test"),
    ("phpunit.xml*", "phpunit"),
    (".rspec", "rspec"),
)


def _by_manifest(layout: Layout) -> Iterator[Found]:
    names = [path for path in layout.paths if "/" not in path]
    for pattern, runner in _BY_MANIFEST:
        if any(fnmatchcase(name, pattern) for name in names):
            yield Found(RUNNERS[runner])
    if any(path.startswith("spec/") for path in layout.tests("ruby")):
        yield Found(RUNNERS["rspec"])
    folder = next(
        (top for top in ("tests", "test") if any(path.startswith(f"{top}/") for path in layout.tests("php"))),
        "",
    )
    if folder:
        yield Found(RUNNERS["phpunit"], all=folder)
    if re.search(
        r"^[ \t]*(?:enable_testing|include\s*\(\s*CTest)",
        layout.texts.get("CMakeLists.txt", ""),
        re.MULTILINE | re.IGNORECASE,
    ):
        yield Found(RUNNERS["ctest"])


def _make(layout: Layout) -> Iterator[Found]:
    text = "\n".join(layout.texts.get(name, "") for name in ("GNUmakefile", "makefile", "Makefile"))
    for target in ("check", "test"):
        if re.search(rf"^(?:[\w-]+ ){{0,20}}{target}(?: [\w-]+){{0,20}}[ \t]*::?(?!=)", text, re.MULTILINE):
            yield Found(RUNNERS[f"make {target}"])


def _object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _object_in(package: dict[str, object], key: str) -> dict[str, object]:
    found = package.get(key)
    return found if isinstance(found, dict) else {}
