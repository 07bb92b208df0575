"""Find what a file offers to others: the functions, classes and exports of its text. Pure.

Python is parsed. Other languages are read by patterns, with comments and texts blanked: a grammar would be
exact, but costs memory by the square on hostile answers, and both versions are seen by the same patterns.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping

from validators.languages import by_path
from validators.parsers import ParserLimitError, parse_python

_MOST_CHARACTERS = 256 * 1024
_TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*+\\?(?:"|$)|'(?:\\.|[^'\\\n])*+\\?(?:'|$)|"""
    r"""`(?:\\.|[^`\\])*+\\?(?:`|\Z)""",
    re.DOTALL | re.MULTILINE,
)
"""Comments and texts; what is never closed ends with its line or the file, so that each is read once."""
_SCRIPT = (
    r"^export\s+(?:default\s+|declare\s+|abstract\s+|async\s+)*(?:function\s*\*?|class)\s+(?P<name>[\w$]+)",
    r"^export\s+(?:declare\s+)?(?:const|let|var|interface|type|enum|namespace)\s+(?P<name>[\w$]+)",
    r"^(?:module\.)?exports\.(?P<name>[\w$]+)\s*=",
)
_JAVA = r"^[ \t]*(?:public|protected)\s+(?:(?:static|final|abstract|synchronized|sealed|default|native)\s+)*"
_C = r"^(?!static\b|typedef\b|return\b|else\b)"
_DEFINITIONS: Mapping[str, tuple[str, ...]] = {
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    "go": (
        r"^func\s+(?:\([^)\n]*\)\s*)?(?P<name>[A-Z]\w*)\s*[\[(]",
        r"^(?:type|var|const)\s+(?P<name>[A-Z]\w*)\b",
    ),
    "rust": (
        r"^[ \t]*pub\s+(?:const\s+|async\s+|unsafe\s+|extern\s+)*fn\s+(?P<name>\w+)",
        r"^[ \t]*pub\s+(?:struct|enum|trait|type|union|mod)\s+(?P<name>\w+)",
        r"^[ \t]*pub\s+(?:const|static)\s+(?:mut\s+)?(?P<name>[A-Z]\w*)\s*:",
    ),
    "java": (
        rf"{_JAVA}(?:class|interface|enum|record)\s+(?P<name>\w+)",
        rf"{_JAVA}(?:<[^\n>]*>\s*)?[\w.<>\[\], ?]*?\b(?P<name>\w+)\s*\(",
    ),
    "c": (rf"{_C}[A-Za-z_][\w \t*]*?[ \t*](?P<name>[A-Za-z_]\w*)[ \t]*\([^;{{}}]{{0,400}}\)\s*\{{",),
}
_EXPORT_LIST = re.compile(r"^(?:export|module\.exports\s*=)\s*\{(?P<names>[^{}]*)\}", re.MULTILINE)
_TESTS: Mapping[str, str] = {
    "python": r"^[ \t]*(?:async\s+)?def\s+test\w*\s*\(",
    "go": r"^func\s+(?:Test|Benchmark|Fuzz)[A-Z_]\w*\s*\(",
    "rust": r"^[ \t]*#\[(?:\w+::)?test\b",
    "java": r"^[ \t]*@(?:Parameterized|Repeated)?Test\b",
    **dict.fromkeys(("javascript", "typescript", "tsx"), r"^[ \t]*(?:it|test)(?:\.\w+)*\s*\("),
}
_PATTERNS = {
    language: tuple(re.compile(pattern, re.MULTILINE) for pattern in patterns)
    for language, patterns in _DEFINITIONS.items()
}


def find_public_names(path: str, text: str) -> frozenset[str]:
    """Return the names that other files may use; methods of Python as `Class.method`.

    Nothing for a language that is not known here, a text that does not parse, and one too long to be read.
    """
    language = by_path(path) or ""
    if len(text) > _MOST_CHARACTERS:
        return frozenset()
    if language == "python":
        return _read_python(text, _offered)
    plain = _blank(text)
    found = {match["name"] for one in _PATTERNS.get(language, ()) for match in one.finditer(plain)}
    if language in {"javascript", "typescript", "tsx"}:
        found |= set(_exported(plain))
    return frozenset(found)


def find_kept_names(path: str, text: str) -> frozenset[str]:
    """Return the names by which a file can be used: what it offers, in Python what it binds or imports."""
    if by_path(path) != "python" or len(text) > _MOST_CHARACTERS:
        return find_public_names(path, text)
    return _read_python(text, _bound)


def count_tests(path: str, text: str) -> int:
    """Count the tests that a file holds, as far as a pattern tells."""
    pattern = _TESTS.get(by_path(path) or "")
    return len(re.findall(pattern, text, re.MULTILINE)) if pattern else 0


def _blank(text: str) -> str:
    """Blank comments and the inside of texts, lines kept."""
    return _TOKENS.sub(lambda token: re.sub(r"[^\n]", " ", token[0]), text)


def _exported(text: str) -> Iterator[str]:
    for match in _EXPORT_LIST.finditer(text):
        for part in match["names"].split(","):
            words = re.findall(r"[\w$]+", part.partition(":")[0])
            if words:
                yield words[-1]


def _read_python(text: str, read: Callable[[ast.Module], Iterator[str]]) -> frozenset[str]:
    try:
        return frozenset(read(parse_python(text)))
    except (SyntaxError, ParserLimitError):
        return frozenset()


def _offered(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if _is_public(name):
                yield name
            case ast.ClassDef(name=name, body=body) if _is_public(name):
                yield name
                yield from (f"{name}.{part}" for part in _methods(body) if _is_public(part))


def _bound(module: ast.Module) -> Iterator[str]:
    """Yield what can be used by name, members of classes too; a base class may have taken a method over."""
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name, body=body):
                yield name
                yield from (f"{name}.{part}" for part in _methods(body))
            case ast.alias(name=name, asname=asname):
                yield asname or name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


def _methods(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name


def _is_public(name: str) -> bool:
    return not name.startswith("_")
