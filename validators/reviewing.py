"""Read a checker's reply, and turn its proof into something that can be looked up or run. Pure."""

import ast
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from validators.public_names import find_kept_names
from validators.verdict import Candidate, Diagnostic

MAX_REASON = 200
MAX_PROOF = 400
"""Characters of a call, a value or a quote."""
DISAGREES = "The counter-example holds"
"""How a test that found the candidate to disagree begins its message."""
_MAX_REPLY = 32_000
_MAX_OBJECTS = 40
_MIN_QUOTE = 8
_VERDICTS: Mapping[str, Literal["approve", "reject"]] = {
    **dict.fromkeys(("approve", "approved"), "approve"),
    **dict.fromkeys(("reject", "rejected"), "reject"),
}
_ASIDE = r"[\s*_.:!`'\"-]*"
_WORD = re.compile(
    rf"{_ASIDE}(?:(?:the|my)?{_ASIDE}verdict{_ASIDE}(?:is)?{_ASIDE})?"
    rf"(?P<verdict>approved?|reject(?:ed)?){_ASIDE}",
    re.IGNORECASE,
)
_THOUGHTS = re.compile(r"<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_RAISES = re.compile(
    r"(?:it )?(?:(?:should|must) )?(?:raises?|throws?|error|exception)\b\W*(?:an? )?"
    r"(?P<name>[A-Za-z_]\w*)?.*",
    re.IGNORECASE | re.DOTALL,
)
_JS_CALL = re.compile(r"(?:new\s+)?(?P<name>[A-Za-z_$][\w$]*)\s*\((?P<given>.*)\)\s*;?", re.DOTALL)
_JS_VALUES = re.compile(
    r"""(?:\s|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|-?(?:\d[\w.]*|Infinity)|"""
    r"""(?:true|false|null|undefined|NaN)\b|[\[\]{},]|[A-Za-z_$][\w$]*\s*:|(?<=["'])\s*:)*+"""
)


@dataclass(frozen=True, slots=True)
class Review:
    """What a checker said about a candidate."""

    verdict: Literal["approve", "reject"]
    call: str = ""
    """A call that goes wrong: `add(2, -1)`."""
    expected: str = ""
    """What it should give, as a literal, or `raises`."""
    quote: str = ""
    """A line of the candidate, or of the task, that shows the defect."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """Where a quote stands."""

    text: str
    file: str = ""
    """Empty where it stands in the task."""
    line: int = 0


def read_review(reply: str) -> Review:
    """Read a reply that may ignore its schema: prose around the JSON, a fence, other names for the same.

    Raises:
        ValueError: It has no verdict, or two that contradict each other. Nothing is guessed then.
    """
    text = _THOUGHTS.sub("", reply[:_MAX_REPLY]).strip()
    found = [one for one in _objects(text) if _verdict(one.get("verdict"))]
    if {_verdict(one.get("verdict")) for one in found} == {"approve", "reject"}:
        raise ValueError(f"{text[:80]!r} approves and rejects")
    if found:
        return _review(found[-1])
    plain = _WORD.fullmatch(text)
    if plain is None:
        raise ValueError(f"{text[:80]!r} has no verdict")
    return Review(_verdict(plain["verdict"]) or "reject")


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON objects of a text, outermost first, none inside another."""
    decoder = json.JSONDecoder(strict=False)
    at = text.find("{")
    for _ in range(_MAX_OBJECTS):
        if at < 0:
            return
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield found
        at = text.find("{", end)


def _verdict(said: object) -> Literal["approve", "reject"] | None:
    return _VERDICTS.get(said.strip().lower()) if isinstance(said, str) else None


def _review(found: Mapping[str, Any]) -> Review:
    reason = found.get("reason") or found.get("defects") or found.get("explanation") or ""
    if isinstance(reason, list):
        reason = "; ".join(map(str, reason))
    return Review(
        verdict=_verdict(found["verdict"]) or "reject",
        call=_text(found.get("failing_input")),
        expected=_text(found.get("expected")),
        quote=_text(found.get("quote")),
        reason=" ".join(str(reason).split())[:MAX_REASON],
    )


def _text(value: object) -> str:
    """Take a text as it stands, another JSON value as it is written; nothing where it is too long."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    text = text.strip().strip("`").strip()
    return text if len(text) <= MAX_PROOF else ""


def find_quote(quote: str, candidate: Candidate, task: str) -> Quote | None:
    """Look a quote up in the candidate's lines, then in the task; white space does not count."""
    wanted = _plain(quote)
    if len(wanted) < _MIN_QUOTE:
        return None
    for path, text in candidate.files.items():
        for number, line in enumerate(text.splitlines(), start=1):
            if wanted in _plain(line):
                return Quote(quote, path, number)
    return Quote(quote) if wanted in _plain(task) else None


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text)


def write_counter_example(review: Review, candidate: Candidate) -> str:
    """Write a test that fails where candidate and checker disagree; empty where none can be written.

    Only calls of the candidate's own names with plain values are taken, so that the checker's own text cannot
    be what goes wrong.
    """
    if not review.call or not review.expected:
        return ""
    if candidate.language == "python":
        return _write_python(review, candidate)
    return _write_javascript(review, candidate) if candidate.language == "javascript" else ""


def _write_python(review: Review, candidate: Candidate) -> str:
    call, raises = _python(review.call), _RAISES.fullmatch(review.expected)
    expected = _python(review.expected)
    known = {name for path, text in candidate.files.items() for name in find_kept_names(path, text)}
    if not isinstance(call, ast.Call) or not _is_plain_call(call, known):
        return ""
    if expected is None or not _is_plain(expected):
        expected = None
        if raises is None:
            return ""
    written = ast.unparse(call)
    settings = {
        "call": written,
        "expected": ast.unparse(expected) if expected else "None",
        "raises": _error_name(raises["name"]) if raises and expected is None else "",
        "may_raise": expected is None,
    }
    return _PYTHON.replace("@CALL@", written).replace("@SETTINGS@", repr(settings))


def _error_name(name: str | None) -> str:
    return name if name and name.endswith(("Error", "Exception", "Interrupt", "Exit", "Iteration")) else ""


def _python(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_plain_call(node: ast.Call, known: Collection[str]) -> bool:
    """Say whether a call is `name(values)` or `Name(values).method(values)`, known names and plain values."""
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    if not all(map(_is_plain, values)):
        return False
    match node.func:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name)):
            return name in known
        case ast.Attribute(value=ast.Call() as inner):
            return _is_plain_call(inner, known)
    return False


def _is_plain(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def _write_javascript(review: Review, candidate: Candidate) -> str:
    call = _JS_CALL.fullmatch(review.call)
    if call is None or not _JS_VALUES.fullmatch(call["given"]):
        return ""
    if not any(
        re.search(rf"(?<![\w$]){re.escape(call['name'])}(?![\w$])", text) for text in candidate.files.values()
    ):
        return ""
    raises = _RAISES.fullmatch(review.expected)
    if raises is None and not (review.expected and _JS_VALUES.fullmatch(review.expected)):
        return ""
    settings = {"call": review.call.rstrip("; "), "mayThrow": raises is not None}
    values = {
        "@NAME@": call["name"],
        "@CALL@": review.call.rstrip("; "),
        "@EXPECTED@": "undefined" if raises else f"({review.expected.rstrip('; ')})",
        "@SETTINGS@": json.dumps(settings),
    }
    return re.sub(r"@[A-Z]+@", lambda slot: str(values[slot[0]]), _JAVASCRIPT)


def describe_review(review: Review) -> tuple[Diagnostic, ...]:
    """Write a rejection as advice, where it proved nothing."""
    parts = [review.reason or "rejected without naming a defect"]
    if review.call:
        parts.append(f"{review.call} should be {review.expected or 'another'}")
    return (Diagnostic("; ".join(parts), severity="note", code="checker"),)


_PYTHON = f"""\
_counter_example = @SETTINGS@


def _counter_plain(value):
    if isinstance(value, (list, tuple)):
        return [_counter_plain(one) for one in value]
    if isinstance(value, dict):
        return {{key: _counter_plain(one) for key, one in value.items()}}
    return float(f"{{value:.9g}}") if isinstance(value, float) else value


def test_counter_example():
    said = _counter_example
    try:
        value = @CALL@
    except Exception as error:
        if error.__traceback__.tb_next is None:
            raise RuntimeError("The call cannot be made: " + repr(error)) from None
        kinds = [kind.__name__ for kind in type(error).__mro__]
        if said["may_raise"] and (not said["raises"] or said["raises"] in kinds):
            return
        raise AssertionError("{DISAGREES}: " + said["call"] + " raised " + repr(error)[:200]) from None
    if said["may_raise"]:
        raise AssertionError("{DISAGREES}: " + said["call"] + " raised nothing, it is " + repr(value)[:200])
    import ast
    expected = ast.literal_eval(said["expected"])
    if _counter_plain(value) != _counter_plain(expected):
        told = said["call"] + " is " + repr(value)[:200] + ", expected " + said["expected"]
        raise AssertionError("{DISAGREES}: " + told)
"""
_HALVES = DISAGREES.rsplit(" ", 1)
_JAVASCRIPT = f"""\
{{
  const said = @SETTINGS@;
  const holds = ['{_HALVES[0]}', '{_HALVES[1]}: '].join(' ');
  const plain = (value) =>
    JSON.stringify([value], (_, one) =>
      typeof one === 'number' ? (Number.isFinite(one) ? Number(one.toPrecision(9)) : String(one))
      : one === undefined ? 'undefined' : one);
  if (typeof @NAME@ !== 'function') throw new Error('The call cannot be made: there is no @NAME@');
  let value, error;
  try {{ value = @CALL@; }} catch (caught) {{ error = caught ?? new Error('nothing'); }}
  if (error && !said.mayThrow) throw new Error(holds + said.call + ' threw ' + error);
  if (!error && said.mayThrow)
    throw new Error(holds + said.call + ' threw nothing, it is ' + plain(value));
  const expected = @EXPECTED@;
  if (!error && plain(value) !== plain(expected))
    throw new Error(holds + said.call + ' is ' + plain(value) + ', expected ' + plain(expected));
}}
"""
"""`throw` is what the layout counts as a check; a promise is not waited for and equals nothing.

The marker stands there in halves: Node prints the line that threw.
"""
