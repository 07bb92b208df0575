"""The languages but Python whose tests can be run as source, and what their tools say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from validators.runners.layouts import (
    LayOut,
    lay_out_bash,
    lay_out_c,
    lay_out_go,
    lay_out_java,
    lay_out_javascript,
    lay_out_php,
    lay_out_ruby,
    lay_out_rust,
)
from validators.runners.written_tests import checked_text


@dataclass(frozen=True, slots=True)
class Suite:
    """How one language's tests are run."""

    binaries: tuple[str, ...]
    install: str
    lay_out: LayOut
    checks: str
    """A pattern that finds at least one test or assertion in the tests."""
    each_prints: str = ""
    """What every test prints that comes to its end; empty where the layout writes the last word."""
    missing: str = r"(?!)"
    """Finds a dependency in the output that is not installed here; its group `name` is what was imported."""
    environment: Mapping[str, str] = field(default_factory=dict)


_C_MISSING = (
    r"fatal error: (?P<name>[^\s:]+): (?:No such file|[^\n]{0,300}not found)"
    r"|fatal error: [^\n]{0,300}not found"
)
_GO_ENVIRONMENT = {"GOFLAGS": "-buildvcs=false", "GOPROXY": "off", "GOTOOLCHAIN": "local"}

SUITES: dict[str, Suite] = {
    "javascript": Suite(
        ("node",),
        "Install Node.js (`apt install nodejs`, `brew install node`).",
        lay_out_javascript,
        r"(?<!\.)\b(?:expect|test|it|ok|throws|rejects)\b(?:\.\w+)*\s*\(|\bassert\b(?:\.\w+)*\s*\(|[eE]qual\s*\("
        r"|\brequire\([^)]*\)\s*\(|\bthrow\b|\bprocess\.exit",
        missing=r"Cannot find (?:package|module) '(?P<name>[^.'/][^']*)'|(?:expect|jest) is not defined",
    ),
    "rust": Suite(
        ("rustc",),
        "Install Rust (`apt install rustc`, https://rustup.rs).",
        lay_out_rust,
        r"#\[test\]",
        missing=r"error\[E04(?:32|33|63)\]: (?:unresolved import|can't find|cannot find module or)"
        r"(?:[^\n`]*`(?P<name>\w+))?",
    ),
    "c": Suite(
        ("gcc", "clang"),
        "Install a C compiler (`apt install gcc`, `xcode-select --install`).",
        lay_out_c("c", "gnu17"),
        r"\bmain\s*\(",
        missing=_C_MISSING,
    ),
    "cpp": Suite(
        ("g++", "clang++"),
        "Install a C++ compiler (`apt install g++`, `xcode-select --install`).",
        lay_out_c("cpp", "gnu++20"),
        r"\bmain\s*\(",
        missing=_C_MISSING,
    ),
    "bash": Suite(
        ("bash",),
        "Install bash (`apt install bash`).",
        lay_out_bash,
        r"\[\s|\btest\b|\bexit\b|\bdiff\b|\bgrep\b|\bcmp\b|\(\(",
    ),
    "java": Suite(
        ("javac",),
        "Install a JDK (`apt install default-jdk-headless`, `brew install openjdk`).",
        lay_out_java,
        r"\bmain\s*\(",
        missing=r"error: package (?P<name>(?!javax?\.)[\w.]+) does not exist",
    ),
    "go": Suite(
        ("go",),
        "Install Go (`apt install golang-go`, `brew install go`).",
        lay_out_go,
        r"^func\s+Test",
        each_prints=r"^--- (?:PASS|SKIP): ",
        missing=r"no required module provides(?: package (?P<name>[^\s;]+))?|is not in (?:std|GOROOT)",
        environment=_GO_ENVIRONMENT,
    ),
    "ruby": Suite(
        ("ruby",),
        "Install Ruby (`apt install ruby`, `brew install ruby`).",
        lay_out_ruby,
        r"\b(?:raise|assert\w*|test|it|abort|fail)\b",
        missing=r"cannot load such file(?: -- (?P<name>\S+))?",
    ),
    "php": Suite(
        ("php",),
        "Install PHP (`apt install php-cli`, `brew install php`).",
        lay_out_php,
        r"\b(?:assert|throw|exit)\b",
    ),
}
"""By language; `suite` runs Python's itself."""


def count_checks(language: str, tests: str) -> int:
    """Count the tests or assertions in a source outside its comments and texts, as far as a pattern tells."""
    return len(re.findall(SUITES[language].checks, checked_text(tests, language), re.MULTILINE))
