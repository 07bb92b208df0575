"""Find the examples that a text shows: doctests, calls with their result, inputs with their output. Pure.

Texts are untrusted: every pattern takes time in proportion to what it reads, and what is read is bounded.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice

from validators.runners.example_values import Value, read_value, span_of

_MOST_CHARS = 200_000
_MOST_CALLS = 300
_MOST_EXAMPLES = 20
_MOST_LINES = 40
_MOST_INPUTS = 12

_PROMPT = re.compile(r"[ \t]*(?:(?://|#|\*|--|r?\"\"\"|r?''')[ \t]*)?>>>(?: (?P<source>.*)|$)")
_MORE = re.compile(r"[ \t]*(?:(?://|#|\*|--)[ \t]*)?\.\.\.(?: (?P<source>.*)|$)")
_MARGIN = re.compile(r"[ \t]*(?://|#|\*|--)(?=[ \t]|$)[ \t]*|[ \t]+")
_BORDER = re.compile(r"[ \t]*(?:\"\"\"|'''|```|(?:async )?def |class |function )|[^\n]*\*/")

_BEFORE_CALL = re.compile(
    r"(?:\b(?:def|function|class|not)\s+|[\w)\]]\s*(?:[-+*/%<>!&|]|[=!]=)\s*|\w\(|[!~]|\.)$"
)
"""What makes a call a part of something larger, or a definition."""
_LEADS = re.compile(
    r"""[`*]{0,2}[ \t]*(?P<mark>\#|//)?[ \t]*(?:(?:should|must|will|would)[ \t]+)?
        (?P<word>={2,3}>?|=>|-{1,3}>|[➞→⟶⇒➔⟹]|=
          |(?:(?:return|give|yield|output|equal|produce)s?|evaluates)(?:[ \t]+to)?\b|be\b|is\b)?
        [ \t]*:?[ \t]*`?""",
    re.VERBOSE,
)
"""What stands between a call and its result."""
_GOES_ON = re.compile(
    r"""`?[ \t]*(?:\*(?![/*])|/(?![/*])|[-+%<>=&|^?]|(?<=\S)[(\[]|\.\w
        |and[ \t]+[-\d"'\[({]|(?!(?:because|since|as|and|while|which|where|so|with|for)\b)\w)""",
    re.VERBOSE,
)
"""What after a value says that it is only a part of one, or that prose counts something."""
_DOUBT = re.compile(
    r"\b(?:instead|but|currently|wrong|wrongly|incorrect|incorrectly|bug|not|fails?|failing|actual|actually"
    r"|broken|before|used to|or|approximately|about)\b|n.t\b",
    re.IGNORECASE,
)
"""Words of somebody who tells what is the case and should not be, or is not sure."""
_SYMBOL = re.compile(
    r"[(,][ \t]*(?!(?:true|false|null|undefined|None|True|False|NaN|Infinity)\b)[A-Za-z]\w*[ \t]*"
    r"(?:[-+*/][ \t]*\w+[ \t]*)?[,)]"
)
"""Finds an argument that stands for any value: `f(n) = f(n - 1) + 2` makes `f(1) = 3` part of a formula."""
_QUOTED = re.compile(r""""[^"\n]*"|'[^'\n]*'""")
_INPUT = re.compile(
    r"^[ \t]*(?:[-*#>/]+[ \t]*)?Input(?:\*\*)?[ \t]*[:=](?:\*\*)?\s*", re.MULTILINE | re.IGNORECASE
)
_OUTPUT = re.compile(
    r"[ \t,;]*\s{0,20}(?:[-*#>/]+[ \t]*)?Output(?:\*\*)?[ \t]*[:=](?:\*\*)?\s*", re.IGNORECASE
)
_GIVEN = re.compile(r"\b(?:For|If|Given|When|With)[ \t]+(?=\w+[ \t]*=[ \t])")
_SHOULD = re.compile(
    r"[^\n]{0,80}?(?:\b(?:output|result|answer|function|it)[ \t]+(?:(?:should|must|will)[ \t]+)?"
    r"(?:be|is|returns?)\b|\breturns?\b|=>|->|➞|→)[ \t]*:?[ \t]*"
)
_NAMED = re.compile(r"(?!(?i:output))(?P<name>[A-Za-z_]\w*)[ \t]*[=:][ \t]*")
_BETWEEN = re.compile(r"[ \t]*(?:,|\band\b|;)\s{0,20}|\s{1,20}")


@dataclass(frozen=True, slots=True)
class Shown:
    """One example as a text shows it: a call, or inputs of whatever is to be written."""

    expected: Value
    line: int
    call: str = ""
    setup: tuple[str, ...] = ()
    """Statements that stand before the call."""
    inputs: tuple[tuple[str, str], ...] = ()
    """Name and source of each input, the name empty where there is none; only without a call."""


@dataclass(slots=True)
class _Statement:
    source: str
    line: int
    wanted: list[str] = field(default_factory=list)


def find_shown(text: str, names: Collection[str]) -> tuple[Shown, ...]:
    """Return the first examples of a text, one a line, in their order.

    Args:
        text: The words of a task.
        names: The functions whose calls are looked for outside doctests.
    """
    text = text[:_MOST_CHARS]
    found = [*_doctests(text), *_calls(text, names), *_statements(text)]
    first = {one.line: one for one in reversed(found)}
    return tuple(first[line] for line in sorted(first))[:_MOST_EXAMPLES]


def _doctests(text: str) -> Iterator[Shown]:
    for session in _sessions(text):
        for place, statement in enumerate(session):
            for expected in _wanted(statement.wanted):
                setup = tuple(one.source for one in session[:place])
                yield Shown(expected, statement.line, call=statement.source, setup=setup)


def _sessions(text: str) -> Iterator[list[_Statement]]:
    """Yield the statements of each docstring or fence."""
    session: list[_Statement] = []
    open_one: _Statement | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if prompt := _PROMPT.match(line):
            open_one = _Statement(prompt["source"] or "", number)
            session.append(open_one)
        elif open_one and not open_one.wanted and (more := _MORE.match(line)):
            open_one.source += f"\n{more['source'] or ''}"
        elif _BORDER.match(line):
            yield session
            session, open_one = [], None
        elif open_one:
            words = line[_skip(_MARGIN, line, 0) :].rstrip()
            open_one.wanted.append(words.removesuffix('"""').removesuffix("'''"))
            if not words or len(open_one.wanted) > _MOST_LINES or words.endswith(('"""', "'''")):
                open_one = None
    yield session


def _skip(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place


def _wanted(lines: list[str]) -> Iterator[Value]:
    """Yield the value that stands below a prompt; none where there could be several."""
    kept = [line for line in lines if line.strip()]
    whole = list(_values("\n".join(kept)))
    if whole or not kept:
        yield from whole
    elif len(kept) > 1 and not list(_values(kept[1])):
        yield from _values(kept[0])


def _values(source: str) -> Iterator[Value]:
    try:
        yield read_value(source)
    except ValueError:
        return


def _calls(text: str, names: Collection[str]) -> Iterator[Shown]:
    """Find `f(1) == 2` and its kind, wherever it stands."""
    if not names:
        return
    called = re.compile(rf"(?<!\w)(?P<name>{'|'.join(map(re.escape, sorted(names)))})(?=\()")
    formulas: set[str] = set()
    equations: list[tuple[str, Shown]] = []
    for match in islice(called.finditer(text), _MOST_CALLS):
        end = span_of(text, match.end())
        begin = text.rfind("\n", 0, match.start()) + 1
        before = text[max(begin, match.start() - 200) : match.start()]
        leads = _LEADS.match(text, end)
        if leads is None or not (leads["mark"] or leads["word"]) or _BEFORE_CALL.search(before):
            continue
        is_equation = leads["word"] in {"=", "=="}
        if is_equation and _SYMBOL.search(_QUOTED.sub("", text[match.end() : end])):
            formulas.add(match["name"])
        for expected in _result(text, leads.end(), before):
            line = text.count("\n", 0, match.start()) + 1
            equations.append((match["name"] * is_equation, Shown(expected, line, text[match.start() : end])))
    yield from (one for name, one in equations if name not in formulas)


def _result(text: str, start: int, before: str = "") -> Iterator[Value]:
    """Yield the value at a place if it stands alone and nobody doubts it."""
    end = span_of(text, start)
    if end == start or _GOES_ON.match(text, end):
        return
    after = text[end : end + 200].partition("\n")[0]
    if not _DOUBT.search(before) and not _DOUBT.search(after):
        yield from _values(text[start:end])


def _statements(text: str) -> Iterator[Shown]:
    """Find `Input: nums = [1, 2], k = 3 Output: 4`, and `For n = 3 the output should be 4`."""
    for opening, leading in ((_INPUT, _OUTPUT), (_GIVEN, _SHOULD)):
        for match in islice(opening.finditer(text), _MOST_CALLS):
            inputs, end = _read_inputs(text, match.end())
            leads = leading.match(text, end)
            if inputs and leads:
                line = text.count("\n", 0, match.start()) + 1
                for expected in _result(text, leads.end()):
                    yield Shown(expected, line, inputs=inputs)


def _read_inputs(text: str, start: int) -> tuple[tuple[tuple[str, str], ...], int]:
    """Read inputs from a place on, all with a name or none; return where they end."""
    inputs: list[tuple[str, str]] = []
    place = end = start
    while len(inputs) < _MOST_INPUTS:
        named = _NAMED.match(text, place)
        begin = named.end() if named else place
        stop = span_of(text, begin)
        if stop == begin or (inputs and bool(named) is not bool(inputs[0][0])):
            break
        inputs.append((named["name"] if named else "", text[begin:stop]))
        end = stop
        place = _skip(_BETWEEN, text, stop)
    return tuple(inputs), end
