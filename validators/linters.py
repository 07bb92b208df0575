"""How each language is linted: without any configuration of the project, because that may run code."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from validators.compilers import CHECKS, Check, place_javascript
from validators.languages import LANGUAGES
from validators.remarks import Reader, by_pattern, read_ruff
from validators.verdict import Diagnostic

_ESLINT_RULES = (
    "array-callback-return",
    "constructor-super",
    "for-direction",
    "getter-return",
    "no-async-promise-executor",
    "no-case-declarations",
    "no-class-assign",
    "no-compare-neg-zero",
    "no-cond-assign",
    "no-const-assign",
    "no-constant-binary-expression",
    "no-constant-condition",
    "no-debugger",
    "no-dupe-args",
    "no-dupe-class-members",
    "no-dupe-else-if",
    "no-dupe-keys",
    "no-duplicate-case",
    "no-empty-pattern",
    "no-ex-assign",
    "no-fallthrough",
    "no-func-assign",
    "no-import-assign",
    "no-invalid-regexp",
    "no-loss-of-precision",
    "no-new-native-nonconstructor",
    "no-obj-calls",
    "no-prototype-builtins",
    "no-redeclare",
    "no-self-assign",
    "no-self-compare",
    "no-setter-return",
    "no-shadow-restricted-names",
    "no-sparse-arrays",
    "no-this-before-super",
    "no-unreachable",
    "no-unreachable-loop",
    "no-unsafe-finally",
    "no-unsafe-negation",
    "no-unsafe-optional-chaining",
    "no-unused-labels",
    "no-unused-vars",
    "no-useless-backreference",
    "require-yield",
    "use-isnan",
    "valid-typeof",
)
"""Those that point at what is probably a mistake, and none about style."""


def _only_warnings(read: Reader) -> Reader:
    """Return a reader that leaves errors out: they are for the validator `compile`."""

    def kept(output: str) -> Iterator[Diagnostic]:
        return (remark for remark in read(output) if remark.severity == "warning")

    return kept


def _as_warnings(read: Reader) -> Reader:
    def kept(output: str) -> Iterator[Diagnostic]:
        return (replace(remark, severity="warning") for remark in read(output))

    return kept


def read_eslint(output: str) -> Iterator[Diagnostic]:
    """Read `eslint --format json`; what does not parse is left to the validators `syntax` and `compile`."""
    for file in first_json(output, list):
        for remark in file["messages"]:
            if remark.get("ruleId"):
                yield Diagnostic(
                    message=remark["message"],
                    file=file["filePath"],
                    line=remark.get("line") or 0,
                    column=remark.get("column") or 0,
                    severity="warning",
                    code=remark["ruleId"],
                )


def read_shellcheck(output: str) -> Iterator[Diagnostic]:
    """Read `shellcheck --format json`, once for each file."""
    for line in output.splitlines():
        for remark in first_json(line, list):
            yield Diagnostic(
                message=remark["message"],
                file=remark["file"],
                line=remark["line"],
                column=remark["column"],
                severity="warning" if remark["level"] in {"error", "warning"} else "note",
                code=f"SC{remark['code']}",
            )


def first_json(output: str, kind: type) -> Any:  # noqa: ANN401 - JSON of a tool
    """Return the JSON value that the output begins with, if it is of the kind, else an empty one."""
    with suppress(ValueError):
        found, _ = json.JSONDecoder().raw_decode(output.lstrip())
        if isinstance(found, kind):
            return found
    return kind()


def _c_linter(language: str) -> Check:
    compiler = CHECKS[language][0]
    endings = tuple(ending for ending in LANGUAGES[language].endings if ending != "h")
    return replace(
        compiler,
        arguments=(*compiler.arguments, "-Wall", "-Wextra", "-Wno-unused-parameter"),
        read=_only_warnings(compiler.read),
        endings=endings,
    )


LINTERS: tuple[Check, ...] = (
    Check(
        tool="ruff",
        binaries=("ruff",),
        arguments=(
            *("check", "--isolated", "--no-cache", "--quiet", "--output-format", "json-lines"),
            *("--select", "F,B,PLE,E7,W605,ASYNC", "--ignore", "E701,E702,E703,E731,E741"),
        ),
        read=_as_warnings(read_ruff),
        install="Install it (`pip install ruff`, `brew install ruff`).",
        endings=("py", "pyi"),
    ),
    Check(
        tool="eslint",
        binaries=("eslint",),
        arguments=(
            *("--no-config-lookup", "--no-inline-config", "--no-ignore", "--format", "json"),
            *(word for rule in _ESLINT_RULES for word in ("--rule", f"{rule}: 1")),
        ),
        read=read_eslint,
        install="Install it (`npm install -g eslint`).",
        endings=("js", "mjs", "cjs"),
        place=place_javascript,
        shown=(
            "--no-config-lookup",
            "--no-inline-config",
            "--no-ignore",
            "--format",
            "json",
            "--rule",
            "...",
        ),
    ),
    Check(
        tool="shellcheck",
        binaries=("shellcheck",),
        arguments=("--norc", "--shell", "bash", "--format", "json"),
        read=read_shellcheck,
        install="Install it (`apt install shellcheck`, `brew install shellcheck`).",
        endings=LANGUAGES["bash"].endings,
    ),
    Check(
        tool="ty",
        binaries=("ty",),
        arguments=("check", "--output-format", "concise", "--no-progress", "--exit-zero"),
        read=_as_warnings(
            by_pattern(
                r"^(?P<file>[^\s:]+):(?P<line>\d+):(?P<column>\d+): (?:error|warning)\[(?P<code>[\w-]+)\] "
                r"(?P<message>.+)$"
            )
        ),
        install="",
        endings=("py", "pyi"),
        missing=r"^unresolved-import ",
        looks_around=True,
    ),
    _c_linter("c"),
    _c_linter("cpp"),
)
