"""Read plain values as people write them, and tell whether two of them are the same. Pure."""

import ast
import math
import re
from collections.abc import Callable, Mapping

from validators.parsers import ParserLimitError, parse_python

Value = object
"""None, a number, text, bytes, or lists, tuples, sets and dictionaries of them."""
_WORDS: Mapping[str, Value] = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": None,
    "NaN": math.nan,
    "nan": math.nan,
    "Infinity": math.inf,
    "inf": math.inf,
}
"""What other languages, and other people, call them."""
_ATOM = re.compile(
    r"""[-+]?0[xXbBoO][\da-fA-F]+|[-+]?(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?j?(?![\w])"""
    r"""|[bru]?"(?:[^"\\\n]|\\.)*"|[bru]?'(?:[^'\\\n]|\\.)*'"""
    r"""|(?:None|True|False|set\(\)|true|false|null|undefined|-?Infinity|-?inf|NaN|nan)(?!\w)"""
)
_PART = re.compile(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[()\[\]{}]|[^"'()\[\]{}]+|.""", re.DOTALL)
_LONGEST = 4000
_MOST_BITS = 14_000
"""Of an integer: Python writes out 4300 digits at most."""
_SAME = 1e-6
_SHOWN_DECIMALS = 2
"""From so many decimals on a number counts as written rounded."""


def read_value(text: str) -> Value:
    """Read a plain value; parts may be separated by lines and followed by a comment.

    Raises:
        ValueError: It is something else, or holds something else.
    """
    try:
        body = parse_python(f"({text}\n)").body
    except (SyntaxError, ParserLimitError) as error:
        raise ValueError(f"{text[:80]!r} is no value") from error
    if len(body) != 1 or not isinstance(body[0], ast.Expr) or not text.strip():
        raise ValueError(f"{text[:80]!r} is no value")
    return value_of(body[0].value)


def value_of(node: ast.expr) -> Value:
    """Return what an expression is when it is written out in full.

    Raises:
        ValueError: It would have to be computed.
    """
    match node:
        case ast.Constant(value=int(value)) if value.bit_length() > _MOST_BITS:
            raise ValueError("an integer is too long to be written out")
        case ast.Constant(value=value) if value is not ...:
            return value
        case ast.Name(id=name) if name in _WORDS:
            return _WORDS[name]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant() | ast.Name() as operand):
            return _signed(sign, value_of(operand))
        case ast.List(elts=parts):
            return [value_of(part) for part in parts]
        case ast.Tuple(elts=parts):
            return tuple(value_of(part) for part in parts)
        case ast.Call(func=ast.Name(id="set"), args=[], keywords=[]):
            return set()
        case _:
            return _hashed(node)


def _hashed(node: ast.expr) -> Value:
    try:
        match node:
            case ast.Set(elts=parts):
                return {value_of(part) for part in parts}
            case ast.Dict(keys=keys, values=values) if None not in keys:
                return {value_of(key): value_of(one) for key, one in zip(keys, values, strict=True) if key}
    except TypeError as error:
        raise ValueError("a list cannot be a key") from error
    raise ValueError(f"{type(node).__name__} is not a plain value")


def _signed(sign: ast.UAdd | ast.USub, value: Value) -> Value:
    if not isinstance(value, int | float | complex):
        raise ValueError(f"{value!r} has no sign")  # noqa: TRY004 - it is the text that is wrong
    return -value if isinstance(sign, ast.USub) else value


def span_of(text: str, start: int) -> int:
    """Return where the value or bracketed part at a place ends; the place itself where there is none."""
    if text[start : start + 1] in {"(", "[", "{"}:
        return _closing(text, start)
    match = _ATOM.match(text, start)
    return match.end() if match else start


def _closing(text: str, start: int) -> int:
    depth = 0
    for part in _PART.finditer(text, start, start + _LONGEST):
        depth += (part[0] in {"(", "[", "{"}) - (part[0] in {")", "]", "}"})
        if depth == 0:
            return part.end()
    return start


def agree(got: Value, expected: Value) -> bool:
    """Tell whether a result is what was shown, as leniently as examples are written.

    Lists and tuples are alike, so are numbers of any type, True and 1 among them; floats may differ by 1e-6,
    or by what a shown result with two or more decimals rounds off. Text, sets and keys must be equal.
    """
    if isinstance(got, int | float | complex) and isinstance(expected, int | float | complex):
        return _is_close(got, expected)
    if isinstance(got, list | tuple) and isinstance(expected, list | tuple):
        return len(got) == len(expected) and all(map(agree, got, expected))
    if isinstance(got, dict) and isinstance(expected, dict):
        return got.keys() == expected.keys() and all(agree(got[key], expected[key]) for key in expected)
    return type(got) is type(expected) and got == expected


def agree_in_any_order(got: Value, expected: Value) -> bool:
    """Tell whether two results agree where the order of what they list is free."""
    if not isinstance(got, list | tuple) or not isinstance(expected, list | tuple):
        return agree(got, expected)
    order: Callable[[Value], str] = repr
    return agree(sorted(got, key=order), sorted(expected, key=order))


def _is_close(got: complex, expected: complex) -> bool:
    if got == expected or (got != got and expected != expected):  # noqa: PLR0124 - not a number is not itself
        return True
    if isinstance(got, int) and isinstance(expected, int):
        return False
    try:
        near = abs(got - expected) <= _SAME * max(1.0, abs(expected))
        return near or _rounds_to(got, expected)
    except OverflowError:  # an int beyond every float
        return False


def _rounds_to(got: complex, expected: complex) -> bool:
    if isinstance(got, complex) or not isinstance(expected, float) or "e" in repr(expected):
        return False
    decimals = len(repr(expected).partition(".")[2])
    return decimals >= _SHOWN_DECIMALS and math.isfinite(got) and round(got, decimals) == expected
