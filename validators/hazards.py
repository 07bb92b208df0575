"""Find what is unsafe beyond doubt: keys written down, and shells and `eval` fed with strange text. Pure.

Few and certain, because one of them fails a candidate. What needs judgement is left to the scanners.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from validators.parsers import ParserLimitError, parse_python
from validators.verdict import Diagnostic

_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z]{2,9} )?PRIVATE KEY-----(?:\\n|\\r|[\s\"'+,])*[A-Za-z0-9+/]{40}"
)
_TOKEN = re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|AKIA(?![A-Z0-9]{9}EXAMPLE)[A-Z0-9]{16})\b")
_SHELLS = frozenset({"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"})
_STARTS = frozenset(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen"))
_EVALUATES = frozenset({"eval", "exec"})
_ASKED = re.compile(
    r"\binput\(|\bsys\.argv\b|\brequest\.(?:args|form|json|data|values|GET|POST|query_params)\b"
)


def find_hazards(files: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Report all; codes `private_key`, `secret`, `shell_injection` and `code_injection`."""
    return tuple(remark for path, text in files.items() for remark in _find_in(path, text))


def _find_in(path: str, text: str) -> Iterator[Diagnostic]:
    for pattern, code, message in (
        (
            _PRIVATE_KEY,
            "private_key",
            "a private key is written here; read it from a file outside of the code",
        ),
        (_TOKEN, "secret", "an access key is written here; read it from the environment"),
    ):
        for match in pattern.finditer(text):
            yield Diagnostic(message, path, text.count("\n", 0, match.start()) + 1, 1, code=code)
    if path.endswith((".py", ".pyw")):
        with suppress(SyntaxError, ParserLimitError):
            for remark in _find_calls(parse_python(text)):
                yield replace(remark, file=path)


def _find_calls(module: ast.Module) -> Iterator[Diagnostic]:
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = _dotted(node.func)
        if (name in _SHELLS or (name in _STARTS and _asks_for_shell(node))) and _is_made_up(node.args[0]):
            yield _remark(
                node,
                "shell_injection",
                f"{name!r} gives a shell text with values in it; pass a list of arguments",
            )
        elif name in _EVALUATES and _ASKED.search(_source(node.args[0])):
            yield _remark(node, "code_injection", f"{name!r} runs what a user typed; parse it instead")


def _remark(node: ast.Call, code: str, message: str) -> Diagnostic:
    return Diagnostic(message, line=node.lineno, column=node.col_offset + 1, code=code)


def _dotted(called: ast.expr) -> str:
    match called:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return f"{module}.{name}"
        case _:
            return ""


def _asks_for_shell(call: ast.Call) -> bool:
    return any(
        word.arg == "shell" and isinstance(word.value, ast.Constant) and bool(word.value.value)
        for word in call.keywords
    )


def _is_made_up(argument: ast.expr) -> bool:
    """Tell whether a text has values of other places put into it; quoted ones and constants are none."""
    values: list[ast.expr]
    match argument:
        case ast.JoinedStr(values=parts):
            values = [part.value for part in parts if isinstance(part, ast.FormattedValue)]
        case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str()), right=right):
            values = right.elts if isinstance(right, ast.Tuple) else [right]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            values = [left, right] if _has_text(left) or _has_text(right) else []
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str()), attr="format"), args=args, keywords=words
        ):
            values = [*args, *(word.value for word in words)]
        case _:
            return False
    return any(_is_open(value) for value in values)


def _has_text(side: ast.expr) -> bool:
    return any(isinstance(node, ast.Constant) and isinstance(node.value, str) for node in ast.walk(side))


def _is_open(value: ast.expr) -> bool:
    """Tell whether a value is neither a constant (by its kind or its NAME) nor quoted for the shell."""
    match value:
        case ast.Constant() | ast.JoinedStr(values=[ast.Constant()]):
            return False
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return not name.isupper() and name != "executable"
        case ast.Call(func=called):
            return not re.search(r"(?:^|\.)(?:quote|join|int|len|float|getpid)$", _source(called))
        case ast.BinOp(left=left, right=right):
            return _is_open(left) or _is_open(right)
        case _:
            return True


def _source(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except RecursionError:
        return ""
