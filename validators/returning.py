"""Find Python functions that promise a value and end without one. Pure.

Built to reject nothing that is right: whatever may be meant so (generators, decorated and hollow functions,
`-> T | None`, functions that only raise, loop for ever or end in something like `sys.exit()`) passes.
"""

import ast
import builtins
import inspect
import re
from collections.abc import Iterator, Sequence

from validators.verdict import Diagnostic

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_NONE_WILL_DO = re.compile(r"\b(?:None|Optional|Any|object|NoReturn|Never)\b")
"""Finds annotations that a function without a value satisfies."""
_NOT_A_VALUE = r"(?!\s*(?:[-=~]+\s*)?(?:None\b|nothing\b|``None|`None|This\b))"
_WHAT = (
    r"\s+(?:the|an?|all|only|its|true|false|whether|if|your|list|number|string|boolean|tuple|dict\w*|maximum"
    r"|minimum|median|sorted)\b"
)
_PROMISE = re.compile(
    rf"(?:\A|[.!?:;]\s+|\n[ \t]*\n[ \t]*)Returns\b{_NOT_A_VALUE}{_WHAT}"
    rf"|(?:\A|[.!?,]\s+|\n[ \t]*\n[ \t]*|\band\s+)return\b{_NOT_A_VALUE}{_WHAT}"
    rf"|\b(?:function|you|it) (?:should|must|ha(?:ve|s) to) return\b{_NOT_A_VALUE}"
    rf"|^[ \t]*Returns:[ \t]*\n{_NOT_A_VALUE}",
    re.IGNORECASE | re.MULTILINE,
)
_ENDS_IT_ALL = re.compile(
    r"(?:^|_)(?:exit|abort|fail|error|raise|reraise|throw|die|skip|never|unreachable|abstract"
    r"|implement(?:ed)?|execv\w*)(?:_|$)"
)
"""Finds the names of functions that may never come back."""


def find_valueless(module: ast.Module) -> tuple[Diagnostic, ...]:
    """Report functions that promise a value by annotation or docstring; code `never_returns`.

    A function that returns a value on some of its ways is reported only where its annotation promises one and
    it ends in binding a name, which can only be followed by more.
    """
    try:
        return tuple(_remark(function) for function in _functions(module) if _breaks_promise(function))
    except RecursionError:  # thousands of `elif`, or of brackets in an annotation
        return ()


def _functions(module: ast.Module) -> Iterator[FunctionNode]:
    """Yield all functions; only statements are looked at, which are a tenth of the nodes."""
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        if isinstance(node, FunctionNode):
            yield node
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, name, ())
            waiting += reversed(inner) if isinstance(inner, list) else ()


def _remark(function: FunctionNode) -> Diagnostic:
    return Diagnostic(
        f"function {function.name!r} promises a value but ends without returning one",
        line=function.lineno,
        column=function.col_offset + 1,
        code="never_returns",
    )


def _breaks_promise(function: FunctionNode) -> bool:
    if function.decorator_list or function.name.startswith("__") or not _may_end(function.body):
        return False
    annotation = ast.unparse(function.returns) if function.returns else ""
    if _NONE_WILL_DO.search(annotation) or not (annotation or _says_so(function)):
        return False
    own = list(own_nodes(function))
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own) or _is_left_open(function.body):
        return False
    if any(isinstance(node, ast.Return) and node.value is not None for node in own):
        return bool(annotation) and _stops_short(function.body[-1])
    return True


def _says_so(function: FunctionNode) -> bool:
    """Tell whether a docstring promises a value; those of methods and tests mean too many things."""
    first = function.args.args[0].arg if function.args.args else ""
    if first in {"self", "cls"} or function.name.startswith("test"):
        return False
    words = _docstring(function)
    return bool(_PROMISE.search(words) or _shows_value(function, words))


def _docstring(function: FunctionNode) -> str:
    """Return the first string that stands alone, be it below imports."""
    for one in function.body:
        if (
            isinstance(one, ast.Expr)
            and isinstance(one.value, ast.Constant)
            and isinstance(one.value.value, str)
        ):
            return inspect.cleandoc(one.value.value)
    return ""


def _shows_value(function: FunctionNode, words: str) -> bool:
    """Tell whether a docstring shows what a call comes to: `add(1, 2) == 3`."""
    if any(isinstance(node, ast.Name) and node.id == "print" for node in own_nodes(function)):
        return False
    call = rf"\b{function.name}\([^\n]*\)"
    shown = rf"{call}[ \t]*(?:#[ \t]*)?(?:==?>?|[-=]>|[➞→]|returns?\b)[ \t]*(?!None\b)[-\w\"'(\[{{]"
    return bool(
        re.search(shown, words) or re.search(rf">>> {call}[ \t]*\n[ \t]*(?!>>>|\.\.\.|Traceback)\S", words)
    )


def own_nodes(function: FunctionNode) -> Iterator[ast.AST]:
    """Yield what belongs to a function, without the functions and classes inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, FunctionNode | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _is_left_open(body: Sequence[ast.stmt]) -> bool:
    """Tell whether a body ends in `pass` or `...`, or is a docstring: stubs have a rule of their own."""
    match body[-1]:
        case ast.Pass() | ast.Expr(value=ast.Constant(value=builtins.Ellipsis)):
            return True
        case ast.Expr(value=ast.Constant()):
            return len(body) == 1
        case _:
            return False


def _stops_short(last: ast.stmt) -> bool:
    return isinstance(last, ast.Assign) and all(isinstance(one, ast.Name | ast.Tuple) for one in last.targets)


def _may_end(body: Sequence[ast.stmt]) -> bool:
    """Tell whether control may run off the end of statements; false wherever that is not certain."""
    match body[-1]:
        case ast.Return() | ast.Raise() | ast.Match() | ast.Assert(test=ast.Constant()):
            return False
        case ast.If(body=yes, orelse=no):
            return _may_end(yes) or not no or _may_end(no)
        case ast.While(test=ast.Constant(value=value)) as loop if value:
            return _has_break(loop.body)
        case ast.For(orelse=[*_, _] as otherwise) | ast.While(orelse=[*_, _] as otherwise):
            return _may_end(otherwise)
        case ast.With(body=inner) | ast.AsyncWith(body=inner):
            return _may_end(inner)
        case ast.Try() as attempt:
            return _try_may_end(attempt)
        case ast.Expr(value=ast.Call(func=called)) | ast.Expr(value=ast.Await(value=ast.Call(func=called))):
            return not _ENDS_IT_ALL.search(ast.unparse(called).rpartition(".")[2])
        case _:
            return True


def _try_may_end(attempt: ast.Try) -> bool:
    if attempt.finalbody and not _may_end(attempt.finalbody):
        return False
    ways = [attempt.orelse or attempt.body, *(handler.body for handler in attempt.handlers)]
    return any(_may_end(way) for way in ways)


def _has_break(body: Sequence[ast.AST]) -> bool:
    """Tell whether statements of a loop leave it, as those of a loop inside it do not."""
    return any(
        isinstance(node, ast.Break)
        or (not isinstance(node, ast.For | ast.While) and _has_break([*ast.iter_child_nodes(node)]))
        for node in body
    )
