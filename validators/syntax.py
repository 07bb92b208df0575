"""Judge whether a candidate parses and is finished, without running anything."""

import re
import time
from dataclasses import dataclass, replace

import anyio.to_thread

from sandbox.program import Sandbox
from validators.appeals import appeal
from validators.languages import LANGUAGES, by_path
from validators.parsed import Parse, ParserLimitError
from validators.parsers import OWN_PARSERS, parse
from validators.previous import read_previous
from validators.unfinished import find_unfinished
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt, Status, Verdict


@dataclass(frozen=True, slots=True)
class _Trust:
    """How far to believe a parser that found nothing, and one that found something."""

    passed: float
    failed: float


_DOUBTFUL = 0.3
_EXACT = _Trust(1.0, 1.0)
_UNMEASURED = _Trust(0.9, 0.9)
_TRUST: dict[str, _Trust] = {
    "python": _Trust(1.0, 1.0),
    "json": _Trust(1.0, 1.0),
    "toml": _Trust(1.0, 1.0),
    "javascript": _Trust(0.99, 0.99),
    "typescript": _Trust(0.99, 0.95),
    "tsx": _Trust(0.98, 0.98),
    "go": _Trust(0.97, 0.99),
    "rust": _Trust(0.97, 0.95),
    "java": _Trust(0.95, 0.99),
    "yaml": _Trust(0.99, 0.99),
    "bash": _Trust(0.9, 0.85),
    "markdown": _Trust(0.5, 0.5),
    "css": _Trust(0.75, 0.8),
    "html": _Trust(0.6, 0.5),
    "c": _Trust(0.75, 0.8),
    "cpp": _Trust(0.75, 0.8),
    "sql": _Trust(0.6, 0.5),
}
"""From 300 valid files a language and 700-2200 broken ones each: `passed` is one minus the share of broken
files that tree-sitter missed, `failed` one minus the share of valid ones that it flagged. The parsers of
Python, JSON and TOML are the language's own. C#, Ruby and PHP were not measured."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one file came to."""

    status: Status
    confidence: float = 0.0
    remarks: tuple[Diagnostic, ...] = ()
    reason: str = ""
    tool: str = ""


class Syntax:
    """Parses each file with the parser of its language, and looks for stubs and elisions.

    In C, C++, SQL, HTML, CSS and bash the grammars flag 3 % (bash) to 66 % (SQL) of *valid* files: macros,
    dialects, templates. A wrong `failed` costs a whole attempt, and for most of these a compiler follows, so
    there an error fails only with proof of its own: brackets that do not balance (C, C++, CSS) or a
    compound command that never ends (bash). The same holds for C# with `#if`, and for some
    TypeScript that its grammar mixes up. Else the verdict is `passed` with the errors as
    warnings and confidence 0.3. In the first six an error that the workspace's version of the file has too is
    not held against the candidate; in all of them a stub that it has too is not.

    Where a sandbox is given and the language's own parser is here (bash, Go, JavaScript, PHP, Ruby, Rust,
    TypeScript), that parser decides about what the grammar refuses.
    """

    name = "syntax"

    def __init__(self, sandbox: Sandbox | None = None) -> None:
        """Take a sandbox, in which the language's own parser is asked about what its grammar refuses."""
        self._sandbox = sandbox

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Judge all files; the verdict is the worst of them. Text and unknown languages are unavailable."""
        started = time.monotonic()
        findings = [
            await self._judge_file(path, text, _language(path, candidate), given.workspace)
            for path, text in sorted(candidate.files.items())
        ]
        verdict = _summary(findings) if findings else _judge_nothing(candidate)
        receipt = replace(verdict.receipt, digest=candidate.digest)
        return replace(verdict, seconds=time.monotonic() - started, receipt=receipt)

    async def _judge_file(self, path: str, text: str, language: str, workspace: str) -> _Finding:
        if not text.strip():
            empty = Diagnostic("the file is empty", file=path, line=1, column=1, code="empty")
            return _Finding("failed", 1.0, (empty,), tool="syntax")
        if language not in LANGUAGES:
            return _Finding("unavailable", reason=f"{path!r} is of no language that can be parsed here")
        try:
            found = await _inspect(text, path, language)
            if found.remarks and workspace:
                known = await _known_remarks(path, language, workspace)
                found = found.without(known, excuse_errors=language in _DOUBTED)
        except ParserLimitError as error:
            return _Finding("unavailable", reason=f"{path!r} was not parsed: {error}")
        if found.parse.errors and self._sandbox is not None:
            ruling = await appeal(self._sandbox, path, text, language)
            found = replace(found, parse=ruling or found.parse, is_ruled=ruling is not None)
        return _decide(path, text, language, found)


def _language(path: str, candidate: Candidate) -> str:
    """Tell a file's language; one among several without an ending (`Makefile`) may be of any."""
    is_named = len(candidate.files) > 1 or "." in path.rpartition("/")[2]
    return by_path(path) or ("" if is_named else candidate.language)


@dataclass(frozen=True, slots=True)
class _Inspection:
    """The parse of one text and what was left unfinished in it."""

    parse: Parse
    unfinished: tuple[Diagnostic, ...]
    is_ruled: bool = False
    """Whether the parse is the word of the language's own parser."""

    @property
    def remarks(self) -> tuple[Diagnostic, ...]:
        return self.parse.errors + self.unfinished

    def without(self, known: frozenset[str], *, excuse_errors: bool) -> "_Inspection":
        excused = known if excuse_errors else frozenset()
        errors = tuple(remark for remark in self.parse.errors if remark.message not in excused)
        unfinished = tuple(remark for remark in self.unfinished if remark.message not in known)
        return _Inspection(replace(self.parse, errors=errors), unfinished)


async def _inspect(text: str, path: str, language: str) -> _Inspection:
    """Wait in a thread for the process that parses; what is parsed in this one would gain nothing by it."""
    if language in OWN_PARSERS:
        parsed = parse(text, language)
    else:
        parsed = await anyio.to_thread.run_sync(parse, text, language, abandon_on_cancel=True)
    unfinished = find_unfinished(text, language)
    if path.endswith(_DECLARATIONS):
        unfinished = tuple(remark for remark in unfinished if remark.code == "elided")
    return _Inspection(parsed, unfinished)


_DECLARATIONS = (".pyi", ".d.ts", ".d.mts", ".d.cts")
"""Endings of files in which functions have no bodies."""

_DOUBTED = frozenset({"bash", "c", "cpp", "css", "html", "sql"})
"""Languages whose grammar flags valid files; only there does an old version's error excuse a new one's."""


async def _known_remarks(path: str, language: str, workspace: str) -> frozenset[str]:
    """Collect what the workspace's own version of the file would be told."""
    text = await read_previous(workspace, path)
    try:
        before = await _inspect(text, path, language) if text is not None else None
    except ParserLimitError:
        return frozenset()
    return frozenset(remark.message for remark in before.remarks) if before else frozenset()


def _decide(path: str, text: str, language: str, found: _Inspection) -> _Finding:
    trust = _EXACT if found.is_ruled else _TRUST.get(language, _UNMEASURED)
    tool = found.parse.tool
    errors = tuple(replace(remark, file=path) for remark in found.parse.errors)
    unfinished = tuple(replace(remark, file=path) for remark in found.unfinished)
    if errors and not found.is_ruled and not _is_proof(text, language, errors):
        warnings = tuple(replace(error, severity="warning") for error in errors)
        if unfinished:
            return _Finding("failed", 0.9, unfinished + warnings, tool=tool)
        return _Finding("passed", _DOUBTFUL, warnings, tool=tool)
    if errors:
        return _Finding("failed", trust.failed, errors + unfinished, tool=tool)
    if unfinished:
        return _Finding("failed", 0.95, unfinished, tool=tool)
    return _Finding("passed", trust.passed, tool=tool)


def _is_proof(text: str, language: str, errors: tuple[Diagnostic, ...]) -> bool:
    """Tell whether errors of the language's grammar prove that the text is wrong."""
    match language:
        case "c" | "cpp" | "css":
            return not balances(text)
        case "bash":
            return any(error.message in _BASH_ENDS for error in errors)
        case "csharp":
            return not _CHOOSES.search(text)
        case "typescript" | "tsx":
            return not _TYPESCRIPT_LAG.search(text)
        case "sql" | "html":
            return False
        case _:
            return True


_CHOOSES = re.compile(r"^[ \t]*#[ \t]*(?:if|elif|else)\b", re.MULTILINE)
"""Finds a choice between branches, each of which may open the same bracket."""
_TYPESCRIPT_LAG = re.compile(r"^[ \t]*(?:<[^\n]*|>[ \t]*)\(|[\w$]<[^\n]{0,200}>`", re.MULTILINE)
"""Finds signatures without a name, and typed templates: the grammar mixes them up."""

_BASH_ENDS = frozenset(f"missing {word!r}" for word in ("fi", "done", "esac", "}"))

_C_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
    r"|^[ \t]*\#[ \t]*(?:if|ifdef|ifndef|elif|else|define)\b(?:\\\n|[^\n])*|[()\[\]{}]",
    re.DOTALL | re.MULTILINE,
)
_NO_CHOICE = ("ifndef", "define")
"""An include guard chooses nothing, and the brackets of a macro count where it is used."""
_OPENER = {")": "(", "]": "[", "}": "{"}


def balances(text: str) -> bool:
    """Say whether the brackets of a C-like text balance, outside comments and strings.

    True also where the preprocessor chooses between branches (`#else`), which may each open the same one.
    """
    waiting: list[str] = []
    for match in _C_TOKEN.finditer(text):
        mark = match[0].lstrip()
        if mark.startswith("#"):
            if not mark.lstrip(" \t#").startswith(_NO_CHOICE):
                return True
        elif mark in "([{":
            waiting.append(mark)
        elif mark in _OPENER and (not waiting or waiting.pop() != _OPENER[mark]):
            return False
    return not waiting


def _judge_nothing(candidate: Candidate) -> Verdict:
    """Judge a candidate without files: one that only removes some is right as far as can be parsed."""
    if candidate.removed:
        reason = "There is nothing to parse: files are only removed."
        return Verdict(Syntax.name, "unavailable", 0.0, reason=reason)
    nothing = Diagnostic("the answer holds no file", code="empty")
    return Verdict(Syntax.name, "failed", 1.0, (nothing,))


def _summary(findings: list[_Finding]) -> Verdict:
    """Fold the files into one verdict: one failure fails, and only what was parsed can pass."""
    remarks = tuple(remark for finding in findings for remark in finding.remarks)
    tools = ", ".join(sorted({finding.tool for finding in findings if finding.tool}))
    failed = [finding.confidence for finding in findings if finding.status == "failed"]
    passed = [finding.confidence for finding in findings if finding.status == "passed"]
    skipped = [finding.reason for finding in findings if finding.status == "unavailable"]
    receipt = Receipt(tool=tools)
    if failed:
        return Verdict(Syntax.name, "failed", max(failed), remarks, receipt=receipt)
    if not passed:
        return Verdict(Syntax.name, "unavailable", 0.0, reason="; ".join(skipped[:3]), receipt=receipt)
    parsed = f"{len(passed)} file{'s' * (len(passed) > 1)} parsed"
    reason = "; ".join([parsed, *skipped[:3]])
    return Verdict(Syntax.name, "passed", min(passed), remarks, reason, receipt=receipt)
