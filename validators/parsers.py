"""Parse a text with the strictest parser at hand for its language, within limits of size and time."""

import ast
import importlib
import importlib.metadata
import json
import platform
import re
import time
import tomllib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter

from validators.languages import LANGUAGES
from validators.verdict import Diagnostic

MAX_BYTES = 256 * 1024
"""Of one text; beyond it a degenerate answer is likelier than a real file."""
DEADLINE_SECONDS = 2.0
MAX_REMARKS = 20

_CHUNK_BYTES = 64 * 1024
_SNIPPET_CHARACTERS = 40


class ParserLimitError(Exception):
    """The parser came to no result within its limits; the message says why."""


@dataclass(frozen=True, slots=True)
class Parse:
    """What a parser said about one text."""

    errors: tuple[Diagnostic, ...]
    """Without a file name; at most `MAX_REMARKS`."""
    tool: str
    """With its version."""
    broken_share: float = 0.0
    """The part of the text, 0-1, that the parser could not make sense of; 1 for parsers that stop at once."""


def parse(text: str, language: str, deadline_seconds: float = DEADLINE_SECONDS) -> Parse:
    """Parse `text`, which must be of a language in `LANGUAGES`.

    Raises:
        ParserLimitError: The text is too large, nests too deep, or took too long.
    """
    try:
        source = text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        return _stopped(Diagnostic("a lone surrogate is no text", line=line, code="syntax"), "utf-8")
    if len(source) > MAX_BYTES:
        raise ParserLimitError(f"{len(source)} bytes are more than the {MAX_BYTES} that are parsed")
    own = _OWN_PARSERS.get(language)
    if own:
        return own(text)
    return _parse_tree(source, language, deadline_seconds)


def parses(text: str, language: str) -> bool:
    """Say whether `text` parses without an error; False when the parser gave up."""
    try:
        return not parse(text, language, deadline_seconds=0.25).errors
    except ParserLimitError:
        return False


def parse_python(text: str) -> ast.Module:
    """Build the syntax tree of a Python source.

    Raises:
        SyntaxError: It is none.
        ParserLimitError: It nests deeper than this interpreter can follow.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape is for a linter, and must not reach stderr
        try:
            return ast.parse(text)
        except (RecursionError, MemoryError) as error:
            raise ParserLimitError("the source nests deeper than the Python parser can follow") from error
        except ValueError as error:  # a NUL byte, in Python 3.11 before 3.11.4
            raise SyntaxError(str(error)) from error


def _stopped(error: Diagnostic, tool: str) -> Parse:
    return Parse((error,), tool, broken_share=1.0)


def _python(text: str) -> Parse:
    tool = f"python {platform.python_version()}"
    try:
        parse_python(text)
    except SyntaxError as error:
        place = Diagnostic(error.msg, line=error.lineno or 0, column=error.offset or 0, code="syntax")
        return _stopped(place, tool)
    return Parse((), tool)


def _json(text: str) -> Parse:
    tool = f"json (python {platform.python_version()})"
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = Diagnostic(error.msg, line=error.lineno, column=error.colno, code="syntax")
        return _stopped(place, tool)
    except ValueError as error:
        return _stopped(Diagnostic(str(error), code="syntax"), tool)
    except RecursionError as error:
        raise ParserLimitError("the JSON nests deeper than the parser can follow") from error
    return Parse((), tool)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _toml(text: str) -> Parse:
    tool = f"tomllib (python {platform.python_version()})"
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+), column (\d+)", str(error))
        line, column = (int(place[1]), int(place[2])) if place else (text.count("\n") + 1, 0)
        return _stopped(Diagnostic(str(error), line=line, column=column, code="syntax"), tool)
    except RecursionError as error:
        raise ParserLimitError("the TOML nests deeper than the parser can follow") from error
    return Parse((), tool)


_OWN_PARSERS: dict[str, Callable[[str], Parse]] = {"python": _python, "json": _json, "toml": _toml}


@cache
def _grammar(module: str, function: str) -> tree_sitter.Language:
    """Load a grammar once: they are shared libraries, and most runs need one of the twenty."""
    return tree_sitter.Language(getattr(importlib.import_module(module), function)())


@cache
def _tool(module: str) -> str:
    package = module.replace("_", "-")
    return f"{package} {importlib.metadata.version(package)}"


def _parse_tree(source: bytes, language: str, deadline_seconds: float) -> Parse:
    known = LANGUAGES[language]
    guard = _GUARDS.get(language)
    if guard:
        guard(source)
    tagless_php = language == "php" and b"<?" not in source
    grammar = _grammar(known.grammar, "language_php_only" if tagless_php else known.function)
    source = source if source.endswith(b"\n") else source + b"\n"  # several grammars end a line only so
    root = _read_tree(source, grammar, deadline_seconds).root_node
    tool = _tool(known.grammar)
    if not root.has_error:
        return Parse((), tool)
    nodes = list(_error_nodes(root))
    broken = sum(node.end_byte - node.start_byte for node in nodes)
    lines = source.split(b"\n")
    remarks = tuple(_remark(node, lines) for node in nodes[:MAX_REMARKS])
    return Parse(remarks, tool, broken_share=min(1.0, broken / max(1, len(source.strip()))))


def _read_tree(source: bytes, grammar: tree_sitter.Language, deadline_seconds: float) -> tree_sitter.Tree:
    """Parse through a read callback: given bytes, tree-sitter ignores `progress_callback`."""
    end = time.monotonic() + deadline_seconds

    def read(offset: int, _point: object) -> bytes:
        return source[offset : offset + _CHUNK_BYTES]

    def late(_offset: int, _has_error: bool) -> bool:  # noqa: FBT001 - the shape tree-sitter calls
        return time.monotonic() > end

    try:
        return tree_sitter.Parser(grammar).parse(read, encoding="utf8", progress_callback=late)
    except ValueError as error:
        raise ParserLimitError(f"parsing took longer than {deadline_seconds:g} s") from error


def _error_nodes(root: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Yield the outermost ERROR and all MISSING nodes in the order of the text."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            yield node
        elif node.has_error:
            waiting.extend(reversed(node.children))


def _remark(node: tree_sitter.Node, lines: list[bytes]) -> Diagnostic:
    bracket = _open_bracket(node)
    row, byte_column = (bracket or node).start_point
    column = len(lines[row][:byte_column].decode(errors="replace")) + 1
    if node.is_missing:
        message = f"missing {node.type!r}"
    elif bracket:
        message = f"{bracket.type!r} is never closed"
    else:
        words = (node.text or b"").decode(errors="replace").strip().partition("\n")[0]
        snippet = words if len(words) <= _SNIPPET_CHARACTERS else words[:_SNIPPET_CHARACTERS] + "..."
        message = f"unexpected {snippet!r}"
    return Diagnostic(message, line=row + 1, column=column, code="syntax")


def _open_bracket(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """Find the bracket in an ERROR node that has no partner there."""
    waiting: list[tree_sitter.Node] = []
    for child in node.children:
        if child.type in _PARTNERS:
            waiting.append(child)
        elif waiting and child.type == _PARTNERS[waiting[-1].type]:
            waiting.pop()
    return waiting[-1] if waiting else None


_PARTNERS = {"(": ")", "[": "]", "{": "}"}


_MAX_OPEN_ANGLES = 300
_MAX_YAML_LEVELS = 200


def _guard_angles(source: bytes) -> None:
    """Refuse what costs tree-sitter-typescript memory by the square: `a<b,` 8 000 times takes 1.1 GB."""
    depth = 0
    for mark in re.finditer(rb"[<>;]", source):
        depth = max(0, depth + _ANGLE_STEPS[mark[0]])
        if depth > _MAX_OPEN_ANGLES:
            raise ParserLimitError(f"more than {_MAX_OPEN_ANGLES} '<' are open in one statement")


_ANGLE_STEPS = {b"<": 1, b">": -1, b";": -(2**31)}


def _guard_yaml(source: bytes) -> None:
    """Refuse what overflows a fixed buffer in tree-sitter-yaml: 254 levels end the process."""
    for line in source.split(b"\n"):
        indentation = len(line) - len(line.lstrip())
        if indentation + len(re.findall(rb"[-?:](?:\s|$)", line)) > _MAX_YAML_LEVELS:
            raise ParserLimitError(f"a line may nest deeper than {_MAX_YAML_LEVELS} levels")


_GUARDS: dict[str, Callable[[bytes], None]] = {
    "typescript": _guard_angles,
    "tsx": _guard_angles,
    "yaml": _guard_yaml,
}
