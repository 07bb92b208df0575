"""Find work that was left out: functions without a body or a result, and `... existing code ...`.

The rules are built to reject nothing that is right (a compiler accepts stubs, so nobody else would see
them): protocols, abstract methods, overloads, overrides and functions that are meant to do nothing pass.
"""

import ast
import re
from collections.abc import Iterator

from validators.parsers import ParserLimitError, parse_python
from validators.returning import FunctionNode, find_valueless
from validators.verdict import Diagnostic

_COMMENT = r"^[ \t]*(?:#|//|--|/\*+|\*|<!--|\{/\*)[ \t]*"
_DOTS = r"(?:\.{3,}|…)"
_WHAT = (
    r"(?:code|file|class|functions?|implementations?|methods?|module|logic|program|script|imports?|tests?)"
)
_ELISION = re.compile(
    # A comment that opens with dots: "# ... existing code ...", "// ... (rest of the class)"
    rf"{_COMMENT}{_DOTS}[ \t]*\(?(?:the )?(?:existing|rest of|remaining|remainder|unchanged|previous|same|"
    rf"omitted|other (?:{_WHAT})|your (?:{_WHAT})|keep)\b"
    # The rest of it, and that it is not there: "# rest of the code remains the same"
    rf"|{_COMMENT}\(?(?:the )?(?:rest|remainder) of (?:the |your |this )?(?:\w+ )?{_WHAT}\b"
    rf"(?:[ \t.):]*$|[^\n]{{0,20}}?(?:unchanged|same|as before|goes here|here\b|omitted|continues|{_DOTS}))"
    rf"|{_COMMENT}\(?(?:the |all )?(?:existing|previous|original|other|remaining) {_WHAT}\b[^\n]{{0,20}}?"
    rf"(?:unchanged|the same|as before|goes? here|omitted|{_DOTS})",
    re.IGNORECASE | re.MULTILINE,
)
_PLACEHOLDER = re.compile(
    # A block in braces that holds nothing but the comment: the same words above real code harm nobody.
    rf"(?<=\{{)[ \t]*\n{_COMMENT.removeprefix('^')}(?:TODO:? |FIXME:? )?(?:"
    rf"(?:add |put |write |insert )?your (?:own )?{_WHAT} (?:goes )?here"
    rf"|(?:actual |the )?(?:implementation|logic|code) (?:goes |would go |will go )?here\b"
    rf"|implement\b)[^\n]*\n\s*\}}",
    re.IGNORECASE,
)
_PROMISE = re.compile(
    r"#.*\b(?:TODO|FIXME|your code|logic here|implement(?:ation)? (?:this|me|here|goes|the))\b", re.IGNORECASE
)
_ON_PURPOSE = re.compile(
    r"\bno-?op\b|\bnothing\b|\bignor|\bsubclass|\boverrid|\bdummy\b|\bsupported\b|\bavailable\b",
    re.IGNORECASE,
)


def find_unfinished(text: str, language: str) -> tuple[Diagnostic, ...]:
    """Report stubs, elisions and, in Python, functions that forget their value; without a file name.

    The codes are `stub`, `elided` and `never_returns`.
    """
    found = tuple(_marks(text, _ELISION, "elided", "the answer leaves out code here"))
    if language != "python":
        return found + tuple(_marks(text, _PLACEHOLDER, "stub", "a comment stands here instead of code"))
    try:
        module = parse_python(text)
    except (SyntaxError, ParserLimitError):
        return found
    if found:
        quoted = _quoted_lines(module)
        found = tuple(remark for remark in found if remark.line not in quoted)
    return found + tuple(_stubs(module, text.split("\n"))) + find_valueless(module)


def _marks(text: str, pattern: re.Pattern[str], code: str, message: str) -> Iterator[Diagnostic]:
    for match in pattern.finditer(text):
        words = match[0].strip(" \t\n}")
        line = text.count("\n", 0, match.start() + match[0].index(words)) + 1
        yield Diagnostic(f"{message}: {words!r}", line=line, column=1, code=code)


def _quoted_lines(module: ast.Module) -> set[int]:
    """Collect the lines inside strings: a program may well print such a comment."""
    return {
        line
        for node in ast.walk(module)
        if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno
        for line in range(node.lineno + 1, node.end_lineno + 1)
    }


def _stubs(module: ast.Module, lines: list[str]) -> Iterator[Diagnostic]:
    functions = {node.name: node for node in module.body if isinstance(node, FunctionNode)}
    methods = [
        method
        for node in module.body
        if isinstance(node, ast.ClassDef) and not node.bases and not node.decorator_list
        for method in node.body
        if isinstance(method, FunctionNode)
    ]
    hollow = [function for function in functions.values() if _is_hollow(function)]
    nothing_else = len(hollow) == len(functions) and not methods
    for function in hollow:
        if _breaks_promise(function, lines) or (nothing_else and not _is_silent(function, lines)):
            yield _stub(function)
    for method in methods:
        if _is_hollow(method) and _has_mark(method, lines):
            yield _stub(method)


def _stub(function: FunctionNode) -> Diagnostic:
    message = f"function {function.name!r} has no body"
    return Diagnostic(message, line=function.lineno, column=function.col_offset + 1, code="stub")


def _is_hollow(function: FunctionNode) -> bool:
    """Tell whether nothing but imports, a docstring, `pass`, `...` or `raise NotImplementedError` is in it.

    A decorator may give it its meaning (`@overload`, `@abstractmethod`, `@click.group()`).
    """
    if function.decorator_list or function.name.startswith("__"):
        return False
    *before, last = function.body
    without_imports = [one for one in before if not isinstance(one, ast.Import | ast.ImportFrom)]
    return all(_is_nothing(statement) for statement in (*without_imports, last))


def _is_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or _is_not_implemented(statement)


def _is_not_implemented(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Raise):
        return False
    raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _breaks_promise(function: FunctionNode, lines: list[str]) -> bool:
    """Tell whether a hollow function says that it would do something."""
    if _has_mark(function, lines):
        return True
    if _is_silent(function, lines):
        return False
    return function.returns is not None or _is_not_implemented(function.body[-1])


def _is_silent(function: FunctionNode, lines: list[str]) -> bool:
    """Tell whether doing nothing is its purpose, by its name, its text or its annotation."""
    if function.returns is not None and not _is_not_implemented(function.body[-1]):
        annotation = ast.unparse(function.returns)
        if "None" in annotation or "Optional" in annotation:
            return True
    words = f"{function.name.replace('_', ' ')}\n{_span(function, lines)}"
    return bool(_ON_PURPOSE.search(words))


def _has_mark(function: FunctionNode, lines: list[str]) -> bool:
    return bool(_PROMISE.search(_span(function, lines)))


def _span(function: FunctionNode, lines: list[str]) -> str:
    return "\n".join(lines[function.lineno - 1 : function.end_lineno])
