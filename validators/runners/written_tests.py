"""Tell from the source of tests what they can check: not what stands in comments, texts or idle functions."""

import importlib
import re
from collections.abc import Iterable, Iterator
from functools import cache

import tree_sitter

from validators.languages import LANGUAGES

_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
_TEXTS = frozenset({"string_fragment", "string_content", "raw_string"})
_FUNCTIONS = frozenset(
    {"function_declaration", "function_definition", "method_declaration", "method", "variable_declarator"}
)
_TEST_NAME = re.compile(r"(?:[tT]est|[cC]heck)(?![a-z])")
_CALLED_BY_FRAMEWORK = frozenset({"go", "rust"})
"""Where test functions are found by the tool, which calls them itself."""


def checked_text(source: str, language: str) -> str:
    """Return the source without comments, the contents of strings, and functions that nothing calls."""
    nodes = list(_nodes(source, language))
    idle = [] if language in _CALLED_BY_FRAMEWORK else _idle(source, nodes)
    return _without(source, [*(node for node in nodes if node.type in _COMMENTS | _TEXTS), *idle])


def uncalled_tests(source: str, language: str) -> list[str]:
    """Return the functions named like tests that nothing else in the source mentions."""
    if language in _CALLED_BY_FRAMEWORK:
        return []
    names = map(_name, _idle(source, list(_nodes(source, language))))
    return [name for name in names if _TEST_NAME.match(name)]


def after_loading(source: str, text: str) -> str:
    """Return a bash source with a text after each top-level statement that sources a file."""
    nodes = list(_nodes(source, "bash"))
    loading = [node for node in nodes if node.type == "command_name" and node.text in {b"source", b"."}]
    ends = {
        statement.end_byte
        for statement in nodes[0].children
        if any(statement.start_byte <= node.start_byte < statement.end_byte for node in loading)
    }
    loaded = source.encode("utf-8", "replace")
    for end in sorted(ends, reverse=True):
        loaded = loaded[:end] + text.encode() + loaded[end:]
    return loaded.decode()


def _idle(source: str, nodes: list[tree_sitter.Node]) -> list[tree_sitter.Node]:
    """Return the functions that nothing but their own definition mentions, outside of comments."""
    text = _without(source, [node for node in nodes if node.type in _COMMENTS])
    named = [(node, _name(node)) for node in nodes if node.type in _FUNCTIONS]
    return [
        node
        for node, name in named
        if name not in {"", "main"} and len(re.findall(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text)) == 1
    ]


def _name(node: tree_sitter.Node) -> str:
    """Return the name of a function; empty for a variable that holds anything else."""
    if node.type == "variable_declarator":
        value = node.child_by_field_name("value")
        if value is None or value.type not in {"arrow_function", "function_expression"}:
            return ""
    named: tree_sitter.Node | None = node
    while named is not None and named.children:  # C names a function inside of its declarators
        named = named.child_by_field_name("name") or named.child_by_field_name("declarator")
    return (named.text or b"").decode() if named else ""


def _without(source: str, nodes: Iterable[tree_sitter.Node]) -> str:
    """Return the source with these nodes blanked, lines kept."""
    text = bytearray(source.encode("utf-8", "replace"))
    for node in nodes:
        part = slice(node.start_byte, node.end_byte)
        text[part] = re.sub(rb"[^\n]", b" ", text[part])
    return text.decode()


def _nodes(source: str, language: str) -> Iterator[tree_sitter.Node]:
    """Yield every node of the syntax tree, in the order of the text."""
    known = LANGUAGES[language]
    tagless_php = language == "php" and "<?" not in source
    parser = _parser(known.grammar, "language_php_only" if tagless_php else known.function)
    waiting = [parser.parse(source.encode("utf-8", "replace")).root_node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


@cache
def _parser(grammar: str, function: str) -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(getattr(importlib.import_module(grammar), function)()))
