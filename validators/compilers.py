"""How each language is compiled or type-checked without being run."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

from validators.languages import LANGUAGES
from validators.remarks import Reader, by_pattern, read_json_lines, read_ruff, read_rust


def _keep_path(path: str, _text: str) -> str:
    return path


def _each_path(paths: Sequence[str]) -> Sequence[str]:
    return [f"./{path}" for path in paths]


@dataclass(frozen=True, slots=True)
class Check:
    """One tool that says whether files of a language hold together."""

    tool: str
    binaries: tuple[str, ...]
    """The first that is found is taken."""
    arguments: tuple[str, ...]
    """What stands between the tool and the files."""
    read: Reader
    """Reads stdout and stderr together."""
    install: str
    """What a person does to get the tool; empty where the check is left out without it."""
    endings: tuple[str, ...]
    each: bool = False
    """The tool takes one file at a time."""
    place: Callable[[str, str], str] = _keep_path
    """The path to compile a file under, from its own path and text."""
    name: Callable[[Sequence[str]], Sequence[str]] = _each_path
    """The arguments that tell the tool what to look at, from the compiled paths."""
    missing: str = r"(?!)"
    """Finds, in `code message`, a dependency that is not installed here: not the candidate's fault."""
    whole: bool = False
    """What the tool says of other files of the project counts too: they were right before."""
    looks_around: bool = False
    """The tool reads further files of the project: headers, packages, modules."""
    stops_early: bool = False
    """The tool tells the first error only, so that an old one hides whether there are new ones."""
    version: tuple[str, ...] = ("--version",)
    environment: Mapping[str, str] = field(default_factory=dict)
    shown: tuple[str, ...] | None = None
    """The arguments as a receipt shows them, where they are unwieldy."""


def _python_script() -> str:
    return resources.files("validators.runners").joinpath("python_syntax.py").read_text("utf-8")


_MODULE_SYNTAX = re.compile(
    r"^[ \t]*(?:import\s*[\w{*'\"]|export\s+[\w{*])|^await\b|^(?:const|let|var)\s[^=\n]*=\s*await\b",
    re.MULTILINE,
)
_PUBLIC_TYPE = re.compile(
    r"^[ \t]*public\s+(?:(?:abstract|final|sealed|strictfp)\s+)*(?:class|interface|enum|record)\s+(\w+)",
    re.MULTILINE,
)


def is_module(text: str) -> bool:
    """Say whether JavaScript uses the syntax of modules: import, export or a top-level await."""
    return _MODULE_SYNTAX.search(text) is not None


def place_javascript(path: str, text: str) -> str:
    """Name modules `.mjs`, scripts `.cjs`: `node --check` passes broken modules that are named `.js`."""
    if not path.endswith(".js"):
        return path
    return f"{path}.mjs" if is_module(text) else f"{path}.cjs"


def place_java(path: str, text: str) -> str:
    """Name a file after its public type, as javac demands."""
    public = _PUBLIC_TYPE.search(text)
    folder, slash, _ = path.rpartition("/")
    return f"{folder}{slash}{public[1]}.java" if public else path


_C_REMARK = by_pattern(
    r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?P<column>\d+): (?:fatal )?(?P<severity>error|warning): "
    r"(?P<message>.+?)(?: \[-W(?:error=)?(?P<code>[^\]\n]+)\])?$"
)
_C_MISSING = r"No such file or directory|file not found"
_ENGLISH = {"LC_ALL": "C"}


def _c_check(tool: str, binaries: tuple[str, ...], arguments: tuple[str, ...], install: str) -> Check:
    return Check(
        tool=tool,
        binaries=binaries,
        arguments=("-fsyntax-only", "-fmax-errors=0", "-I.", *arguments),
        read=_C_REMARK,
        install=install,
        endings=(*LANGUAGES["c"].endings, *LANGUAGES["cpp"].endings),
        missing=_C_MISSING,
        looks_around=True,
        environment=_ENGLISH,
    )


def _typescript_check(language: str) -> Check:
    return Check(
        tool="tsc",
        binaries=("tsc",),
        arguments=(
            *("--noEmit", "--pretty", "false", "--strict", "--skipLibCheck", "--target", "es2022"),
            *("--module", "esnext", "--moduleResolution", "bundler", "--jsx", "preserve"),
        ),
        read=by_pattern(
            r"^(?P<file>[^(\n]+)\((?P<line>\d+),(?P<column>\d+)\): (?P<severity>error) "
            r"(?P<code>TS\d+): (?P<message>.+)$"
        ),
        install="Install it (`npm install -g typescript`).",
        endings=LANGUAGES[language].endings,
        # modules and the types of node and of test frameworks that are not installed
        looks_around=True,
        missing=r"^TS(?:2307|7016|2580|2582|2584|2591|2593|2688|2875|7026) ",
    )


CHECKS: dict[str, tuple[Check, ...]] = {
    "python": (
        Check(
            tool="python",
            binaries=("python3",),
            arguments=("-I", "-S", "-B", "-c", _python_script()),
            read=read_json_lines,
            install="Install Python 3 (`apt install python3`).",
            endings=LANGUAGES["python"].endings,
            shown=("-m", "py_compile"),
        ),
        Check(
            tool="ruff",
            binaries=("ruff",),
            arguments=(
                *("check", "--isolated", "--no-cache", "--quiet", "--output-format", "json-lines"),
                *("--select", "E9,F821,F823"),
            ),
            read=read_ruff,
            install="",
            endings=("py", "pyi"),
        ),
    ),
    "javascript": (
        Check(
            tool="node",
            binaries=("node",),
            arguments=("--check",),
            read=by_pattern(
                r"^(?:file://)?(?P<file>/[^\n]+):(?P<line>\d+)\n[^\n]*\n(?:(?P<caret> *)\^+ *)?\s*"
                r"(?P<code>\w*Error): (?P<message>[^\n]+)"
            ),
            install="Install Node.js (`apt install nodejs`, `brew install node`).",
            endings=("js", "mjs", "cjs"),
            each=True,
            place=place_javascript,
        ),
    ),
    "typescript": (_typescript_check("typescript"),),
    "tsx": (_typescript_check("tsx"),),
    "go": (
        Check(
            tool="go vet",
            binaries=("go",),
            arguments=("vet",),
            read=by_pattern(
                r"^(?:vet: )?(?P<file>[^\s:]+\.go):(?P<line>\d+):(?P<column>\d+): (?P<message>.+)$"
            ),
            install="Install Go (`apt install golang-go`, `brew install go`).",
            endings=LANGUAGES["go"].endings,
            looks_around=True,
            stops_early=True,
            missing=r"no required module provides|cannot find (?:package|module)|is not in (?:std|GOROOT)",
            version=("version",),
            environment={"GOFLAGS": "-buildvcs=false", "GOPROXY": "off", "GOTOOLCHAIN": "local"},
        ),
    ),
    "rust": (
        Check(
            tool="rustc",
            binaries=("rustc",),
            arguments=(
                *("--edition", "2021", "--crate-type", "lib", "--emit=metadata", "--out-dir", "."),
                *("--error-format=json", "-A", "dead_code"),
            ),
            read=read_rust,
            install="Install Rust (https://rustup.rs, `apt install rustc`).",
            endings=LANGUAGES["rust"].endings,
            each=True,
            looks_around=True,
            missing=r"^E04(?:32|33|63) (?!.*`(?:std|core|alloc)(?:::|`))(?!.*undeclared type)",
        ),
    ),
    "java": (
        Check(
            tool="javac",
            binaries=("javac",),
            arguments=("-proc:none", "-Xmaxerrs", "0", "-encoding", "UTF-8", "-d", "."),
            read=by_pattern(
                r"^(?P<file>[^\s:][^:\n]*\.java):(?P<line>\d+): (?P<severity>error|warning): "
                r"(?P<message>[^\n]+)"
                r"(?:\n[^\n]*\n(?P<caret> *)\^)?"
            ),
            install="Install a JDK (`apt install default-jdk-headless`, `brew install openjdk`).",
            endings=LANGUAGES["java"].endings,
            place=place_java,
            looks_around=True,
            missing=r"package (?!javax?\.)[\w.]+ does not exist",
            version=("-version",),
        ),
    ),
    "c": (
        _c_check(
            "gcc",
            ("gcc", "clang"),
            ("-std=gnu17", "-Werror=implicit-function-declaration"),
            "Install a C compiler (`apt install gcc`, `xcode-select --install`).",
        ),
    ),
    "cpp": (
        _c_check(
            "g++",
            ("g++", "clang++"),
            ("-std=gnu++20",),
            "Install a C++ compiler (`apt install g++`, `xcode-select --install`).",
        ),
    ),
    "ruby": (
        Check(
            tool="ruby",
            binaries=("ruby",),
            arguments=("-wc",),
            read=by_pattern(
                r"^(?:ruby: )?(?P<file>[^\s:]+):(?P<line>\d+): (?:(?P<severity>warning): )?(?P<message>.+)$"
            ),
            install="Install Ruby (`apt install ruby`, `brew install ruby`).",
            endings=LANGUAGES["ruby"].endings,
            each=True,
        ),
    ),
    "php": (
        Check(
            tool="php",
            binaries=("php",),
            arguments=("-d", "display_errors=stderr", "-d", "log_errors=0", "-l"),
            read=by_pattern(
                r"^(?P<code>\w+ error): +(?P<message>.+) in (?P<file>\S+) on line (?P<line>\d+)$"
            ),
            install="Install PHP (`apt install php-cli`, `brew install php`).",
            endings=LANGUAGES["php"].endings,
            each=True,
        ),
    ),
    "bash": (
        Check(
            tool="bash",
            binaries=("bash",),
            arguments=("-n",),
            read=by_pattern(r"^(?P<file>[^\s:]+): line (?P<line>\d+): (?P<message>.+)$"),
            install="Install bash (`apt install bash`).",
            endings=LANGUAGES["bash"].endings,
            each=True,
            environment=_ENGLISH,
        ),
    ),
}

NOT_COMPILED = {
    "csharp": "C# is compiled by projects only. Give a test_command with `dotnet build`.",
    "sql": "SQL has no compiler apart from a database.",
}
"""Why a known language has no check; the others have nothing that could be compiled."""
