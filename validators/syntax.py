"""Judge whether a candidate parses and is finished, without running anything."""

import re
import time
from dataclasses import dataclass, replace
from stat import S_ISREG

import anyio
import anyio.to_thread

from validators.languages import LANGUAGES, by_path
from validators.parsers import MAX_BYTES, Parse, ParserLimitError, parse
from validators.unfinished import find_unfinished
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt, Status, Verdict


@dataclass(frozen=True, slots=True)
class _Trust:
    """How far to believe a parser that found nothing, and one that found something."""

    passed: float
    failed: float


_DOUBTFUL = 0.3
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

_SIZE_FOR_THREAD = 8 * 1024


class Syntax:
    """Parses each file with the parser of its language, and looks for stubs and elisions.

    In C, C++, SQL, HTML, CSS and bash the grammars flag 3 % (bash) to 66 % (SQL) of *valid* files: macros,
    dialects, templates. A wrong `failed` costs a whole attempt, and for most of these a compiler follows, so
    there an error fails only with proof of its own: brackets that do not balance (C, C++, CSS) or a
    compound command that never ends (bash). Else the verdict is `passed` with the errors as warnings
    and confidence 0.3. In these languages an error that the workspace's version of the file has too is not
    held against the candidate; in all of them a stub that it has too is not.
    """

    name = "syntax"

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Judge all files; the verdict is the worst of them. Text and unknown languages are unavailable."""
        started = time.monotonic()
        findings = [
            await _judge_file(path, text, _language(path, candidate), given.workspace)
            for path, text in sorted(candidate.files.items())
        ]
        verdict = _summary(findings)
        receipt = replace(verdict.receipt, digest=candidate.digest)
        return replace(verdict, seconds=time.monotonic() - started, receipt=receipt)


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one file came to."""

    status: Status
    confidence: float = 0.0
    remarks: tuple[Diagnostic, ...] = ()
    reason: str = ""
    tool: str = ""


def _language(path: str, candidate: Candidate) -> str:
    """Tell a file's language; one among several without an ending (`Makefile`) may be of any."""
    is_named = len(candidate.files) > 1 or "." in path.rpartition("/")[2]
    return by_path(path) or ("" if is_named else candidate.language)


async def _judge_file(path: str, text: str, language: str, workspace: str) -> _Finding:
    if not text.strip():
        empty = Diagnostic("the file is empty", file=path, line=1, column=1, code="empty")
        return _Finding("failed", 1.0, (empty,), tool="syntax")
    if language not in LANGUAGES:
        return _Finding("unavailable", reason=f"{path!r} is of no language that can be parsed here")
    try:
        found = await _inspect(text, language)
        if found.remarks and workspace:
            known = await _known_remarks(path, language, workspace)
            found = found.without(known, excuse_errors=language in _DOUBTED)
    except ParserLimitError as error:
        return _Finding("unavailable", reason=f"{path!r} was not parsed: {error}")
    return _decide(path, text, language, found)


@dataclass(frozen=True, slots=True)
class _Inspection:
    """The parse of one text and what was left unfinished in it."""

    parse: Parse
    unfinished: tuple[Diagnostic, ...]

    @property
    def remarks(self) -> tuple[Diagnostic, ...]:
        return self.parse.errors + self.unfinished

    def without(self, known: frozenset[str], *, excuse_errors: bool) -> "_Inspection":
        excused = known if excuse_errors else frozenset()
        errors = tuple(remark for remark in self.parse.errors if remark.message not in excused)
        unfinished = tuple(remark for remark in self.unfinished if remark.message not in known)
        return _Inspection(replace(self.parse, errors=errors), unfinished)


async def _inspect(text: str, language: str) -> _Inspection:
    """Parse in a thread where that could take long enough for others to notice."""
    if len(text) <= _SIZE_FOR_THREAD or language in _HOLD_THE_LOCK:
        parsed = parse(text, language)
    else:
        parsed = await anyio.to_thread.run_sync(parse, text, language)
    return _Inspection(parsed, find_unfinished(text, language))


_DOUBTED = frozenset({"bash", "c", "cpp", "css", "html", "sql"})
"""Languages whose grammar flags valid files; only there does an old version's error excuse a new one's."""

_HOLD_THE_LOCK = frozenset({"python", "json", "toml"})  # a thread would gain nothing


async def _known_remarks(path: str, language: str, workspace: str) -> frozenset[str]:
    """Collect what the workspace's own version of the file would be told."""
    file = anyio.Path(workspace, path)
    try:
        found = await file.stat()
        if ".." in file.parts or not S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
            return frozenset()
        before = await _inspect(await file.read_text(encoding="utf-8"), language)
    except (OSError, UnicodeDecodeError, ParserLimitError):
        return frozenset()
    return frozenset(remark.message for remark in before.remarks)


def _decide(path: str, text: str, language: str, found: _Inspection) -> _Finding:
    trust = _TRUST.get(language, _UNMEASURED)
    tool = found.parse.tool
    errors = tuple(replace(remark, file=path) for remark in found.parse.errors)
    unfinished = tuple(replace(remark, file=path) for remark in found.unfinished)
    if errors and not _is_proof(text, language, errors):
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
        case "sql" | "html":
            return False
        case _:
            return True


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


def _summary(findings: list[_Finding]) -> Verdict:
    """Fold the files into one verdict: one failure fails, and only what was parsed can pass."""
    if not findings:
        nothing = Diagnostic("the answer holds no file", code="empty")
        return Verdict(Syntax.name, "failed", 1.0, (nothing,))
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
