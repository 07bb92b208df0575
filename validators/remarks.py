"""Read what compilers print, each in its own way, into diagnostics."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from validators.reading import number_in
from validators.verdict import Diagnostic, Severity

JsonObject = dict[str, Any]
Reader = Callable[[str], Iterator[Diagnostic]]
_SEVERITIES: dict[str, Severity] = {"warning": "warning", "note": "note", "help": "note"}
_KEPT = 20


def by_pattern(pattern: str) -> Reader:
    """Return a reader whose pattern names the groups file, line, column, severity, code, message, caret.

    Only `message` is required. `caret` is the space before a `^` that points at the column.
    """
    compiled = re.compile(pattern, re.MULTILINE)

    def read(output: str) -> Iterator[Diagnostic]:
        for match in compiled.finditer(output):
            found = {name: text for name, text in match.groupdict().items() if text is not None}
            yield Diagnostic(
                message=found["message"].strip(),
                file=found.get("file", ""),
                line=number_in(found.get("line", "")),
                column=number_in(found.get("column", ""))
                or (len(found["caret"]) + 1 if "caret" in found else 0),
                severity=_SEVERITIES.get(found.get("severity", ""), "error"),
                code=found.get("code", ""),
            )

    return read


def read_rust(output: str) -> Iterator[Diagnostic]:
    """Read the JSON lines of `rustc --error-format=json`."""
    for remark in _objects(output):
        yield from _read_places(remark)


def read_cargo(output: str) -> Iterator[Diagnostic]:
    """Read the JSON lines of `cargo check --message-format=json`."""
    for remark in _objects(output):
        if remark.get("reason") == "compiler-message":
            yield from _read_places(remark.get("message"))


def _read_places(remark: Any) -> tuple[Diagnostic, ...]:  # noqa: ANN401 - JSON of a tool
    """Read one remark of rustc; nothing where it has another shape, since macros print lines of their own."""
    try:
        return tuple(
            Diagnostic(
                message=_with_label(str(remark["message"]), place["label"]),
                file=str(place["file_name"]),
                line=int(place["line_start"]),
                column=int(place["column_start"]),
                severity=_SEVERITIES.get(remark["level"], "error"),
                code=str((remark["code"] or {}).get("code", "")),
            )
            for place in remark.get("spans", ())
            if place["is_primary"]
        )
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        return ()


def _with_label(message: str, label: str | None) -> str:
    return f"{message}: {label}" if label else message


def read_ruff(output: str) -> Iterator[Diagnostic]:
    """Read the lines of `ruff check --output-format json-lines`."""
    for remark in _objects(output):
        yield Diagnostic(
            message=remark["message"],
            file=remark["filename"],
            line=remark["location"]["row"],
            column=remark["location"]["column"],
            code=remark["code"] or "",
        )


def read_json_lines(output: str) -> Iterator[Diagnostic]:
    """Read diagnostics that our own checks print, one JSON object a line."""
    for remark in _objects(output):
        yield Diagnostic(**remark)


def _objects(output: str) -> Iterator[JsonObject]:
    """Yield the lines that are JSON objects; a tool that breaks down prints others."""
    for line in output.splitlines():
        with suppress(ValueError, RecursionError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found


def own_remarks(remarks: Iterable[Diagnostic], originals: dict[str, str]) -> tuple[Diagnostic, ...]:
    """Keep the remarks about the candidate's own files, once each, errors before the rest.

    Args:
        remarks: As the tool gave them; what it says of other files could show what they hold.
        originals: The path that a file was compiled under, to its path in the candidate.
    """
    own = dict.fromkeys(
        replace(remark, file=originals[path]) for remark in remarks if (path := _own(remark.file, originals))
    )
    return tuple(sorted(own, key=lambda remark: remark.severity != "error"))


def project_remarks(remarks: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Keep the errors about any file below the working folder, once each."""
    found = dict.fromkeys(replace(remark, file=remark.file.removeprefix("./")) for remark in remarks)
    inside = (one for one in found if one.file and not re.match(r"/|.*\.\./", one.file))
    return tuple(one for one in inside if one.severity == "error")


def keep_first(remarks: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Cut remarks to what a verdict tells, once it is known which of them are new."""
    return tuple(remarks[:_KEPT])


def _own(file: str, originals: dict[str, str]) -> str:
    """Return the compiled path that a tool means, which may print it absolute or with `./`."""
    return max((path for path in originals if f"/{file}".endswith(f"/{path}")), key=len, default="")
