"""Find what a task calls and with which literal arguments, in its tests and in its text. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from validators.agreement.calls import Args, Call, find_calls
from validators.runners.example_texts import find_shown

MOST_TEXT = 100_000
_MOST_SEEDS = 60
_MOST_ARGUMENTS = 12
"""What takes more is no function that arguments can be made up for: every two of them may hang together."""
_CLASS = re.compile(r"^[ \t]*class[ \t]+(?P<name>\w+)", re.MULTILINE)
_FUNCTION = re.compile(r"^(?P<margin>[ \t]*)(?:async[ \t]+)?def[ \t]+(?P<name>\w+)[ \t]*\(", re.MULTILINE)
_ANY_ANSWER = re.compile(
    r"\b(?:return|output|print|find|give|choose)\s+any(?:\s+(?:one|of|valid|such|possible|correct|answer|solution)\b|\.)"
    r"|\bany\s+(?:valid|possible|correct|of\s+(?:them|these|the\s+(?:valid|possible|correct)))\b"
    r"[^.\n]{0,40}\b(?:answers?|solutions?|is\s+(?:accepted|fine|ok))"
    r"|\b(?:there\s+(?:are|may\s+be|can\s+be)|if)\s+(?:multiple|several|more\s+than\s+one)\s+"
    r"(?:valid\s+|possible\s+|correct\s+)?(?:answers|solutions|such)[^.\n]{0,60}\bany\b",
    re.IGNORECASE,
)
_ANY_ORDER = re.compile(
    r"\bin\s+any\s+order\b|\border\s++(?:of\s++[^.\n]{1,60}?\s++)?(?:does\s+not|doesn't)\s+matter\b|\bany\s+order\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Seeds:
    """What is called, and the arguments it was seen to be called with."""

    call: str
    """What stands before the brackets: `f`, `Solution().f`."""
    names: tuple[str, ...]
    """Of the last arguments, those given by keyword."""
    rows: tuple[Args, ...]
    """All of one length, no two alike, in the order seen."""
    any_order: bool = False
    """The text leaves the order of what a result lists free."""
    any_answer: bool = False
    """The text accepts one of several right results: differing ones say nothing."""


def find_seeds(text: str, tests: str) -> Seeds | None:
    """Return the callee and the arguments that tests and examples show; None when they show none.

    Args:
        text: The words of the task.
        tests: Python source; what it asserts is not used, only what it calls.
    """
    text = text[:MOST_TEXT]
    calls = [*find_calls(tests)]
    entry = _most_called(calls) or _defined(text)
    if not entry:
        return None
    calls += _shown(text, entry)
    kept = _alike([call for call in calls if call.callee == entry])
    if not kept:
        return None
    rows = tuple({repr(call.args): call.args for call in kept}.values())[:_MOST_SEEDS]
    if not 0 < len(rows[0]) <= _MOST_ARGUMENTS:
        return None
    return Seeds(entry, kept[0].names, rows, bool(_ANY_ORDER.search(text)), bool(_ANY_ANSWER.search(text)))


def _alike(calls: list[Call]) -> list[Call]:
    """Return the calls of the commonest form; the first of equally common ones."""
    forms = Counter((len(call.args), call.names) for call in calls)
    commonest = forms.most_common(1)
    return [call for call in calls if (len(call.args), call.names) == commonest[0][0]]


def _most_called(calls: list[Call]) -> str:
    counts = Counter(call.callee for call in calls)
    return counts.most_common(1)[0][0] if counts else ""


def _defined(text: str) -> str:
    """Return the one function, or the first method of a class, whose head the text shows."""
    found = [match for match in _FUNCTION.finditer(text) if not match["name"].startswith("_")]
    if not found:
        return ""
    last = found[-1]
    if not last["margin"]:
        return last["name"]
    kinds = [match["name"] for match in _CLASS.finditer(text, 0, found[0].start())]
    return f"{kinds[-1]}().{found[0]['name']}" if kinds else found[0]["name"]


def _shown(text: str, entry: str) -> Iterator[Call]:
    """Yield the calls that the examples of a text make."""
    name = entry.rpartition(".")[2]
    for shown in find_shown(text, {name}):
        found = find_calls(shown.call or _call_with(shown.inputs))
        for call in found:
            if not shown.call or call.callee.rpartition(".")[2] == name:
                yield Call(entry, call.names, call.args)


def _call_with(inputs: Sequence[tuple[str, str]]) -> str:
    """Write inputs as a call; each may be followed by a comment."""
    named = all(name for name, _ in inputs)
    given = (f"{name if named else ''}{'=' * named}({source}\n)" for name, source in inputs)
    return f"f({', '.join(given)})"
