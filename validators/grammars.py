"""Parse a text by a tree-sitter grammar, or by `tomllib`. Runs in the confined child of `parser_workers`.

Both can be driven to any cost by 64 KB of text, so no server calls this itself.
"""

import importlib
import platform
import re
import time
import tomllib
from collections.abc import Callable, Iterator
from functools import cache

import tree_sitter

from validators.languages import LANGUAGES
from validators.parsed import MAX_REMARKS, Parse, ParserLimitError, stopped
from validators.verdict import Diagnostic

_CHUNK_BYTES = 64 * 1024
_SNIPPET_CHARACTERS = 40
_PHP_WITHOUT_TAG = "language_php_only"


def load_all() -> None:
    """Load every grammar that is installed, because a confined process can open no file."""
    for language in LANGUAGES.values():
        if language.name != "toml":
            _grammar(language.grammar, language.function)
    _grammar(LANGUAGES["php"].grammar, _PHP_WITHOUT_TAG)


def parse_text(source: bytes, language: str, deadline_seconds: float) -> Parse:
    """Parse UTF-8 of a language in `LANGUAGES`; the receipt's tool is filled in only for TOML.

    Raises:
        ParserLimitError: The text nests too deep or took too long.
    """
    if language == "toml":
        return _toml(source.decode())
    return _parse_tree(source, language, deadline_seconds)


def _toml(text: str) -> Parse:
    tool = f"tomllib (python {platform.python_version()})"
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+), column (\d+)", str(error))
        line, column = (int(place[1]), int(place[2])) if place else (text.count("\n") + 1, 0)
        return stopped(Diagnostic(str(error), line=line, column=column, code="syntax"), tool)
    except RecursionError as error:
        raise ParserLimitError("the TOML nests deeper than the parser can follow") from error
    return Parse((), tool)


@cache
def _grammar(module: str, function: str) -> tree_sitter.Language:
    return tree_sitter.Language(getattr(importlib.import_module(module), function)())


def _parse_tree(source: bytes, language: str, deadline_seconds: float) -> Parse:
    known = LANGUAGES[language]
    guard = _GUARDS.get(language)
    if guard:
        guard(source)
    tagless_php = language == "php" and b"<?" not in source
    grammar = _grammar(known.grammar, _PHP_WITHOUT_TAG if tagless_php else known.function)
    source = source if source.endswith(b"\n") else source + b"\n"  # several grammars end a line only so
    root = _read_tree(source, grammar, deadline_seconds).root_node
    if not root.has_error or _is_newer(source, language, grammar, deadline_seconds):
        return Parse((), "")
    nodes = list(_error_nodes(root))
    broken = sum(node.end_byte - node.start_byte for node in nodes)
    lines = source.split(b"\n")
    remarks = tuple(_remark(node, lines) for node in nodes[:MAX_REMARKS])
    return Parse(remarks, "", broken_share=min(1.0, broken / max(1, len(source.strip()))))


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


def _is_newer(source: bytes, language: str, grammar: tree_sitter.Language, deadline_seconds: float) -> bool:
    """Tell whether TypeScript is wrong only in being newer than its grammar.

    Of 2 466 files of packages the grammar refuses 19 %, and 2 % once these forms are written in the old way.
    """
    if language not in {"typescript", "tsx"}:
        return False
    older = source
    for newer, plain in _NEWER:
        older = newer.sub(plain, older)
    return older != source and not _read_tree(older, grammar, deadline_seconds).root_node.has_error


_NEWER = tuple(
    (re.compile(newer, re.MULTILINE), plain)
    for newer, plain in (
        (rb"""\bimport\(\s*(?:'[^'\n]*'|"[^"\n]*")\s*\)""", b"Imported"),
        (rb"(?<=[<,])\s*(?:(?:in|out|const)\s+)+(?=[A-Z])", b" "),
        (rb"\bexport default function \(", b"export default function f("),
        (rb"^export =\s+function\b", b"export declare function"),
        (rb"^[ \t]*(?:declare )?global \{", b"namespace g {"),
        (rb"\bexport type \*", b"export *"),
        (rb"\[type in\b", b"[kind in"),
    )
)
"""Forms that tree-sitter-typescript 0.23 has not, and what it takes in their place."""


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
