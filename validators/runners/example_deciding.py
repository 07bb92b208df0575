"""Decide from what came of a task's examples. Pure.

Examples in tasks are wrong or loosely written in one to four of a hundred, so a single one that is
contradicted among others is a remark; see docs/decisions/014.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from validators.runners.example_calls import Example
from validators.runners.example_values import agree, agree_in_any_order, read_value
from validators.sandboxed import Decision
from validators.verdict import Diagnostic

CODE = "example"
NONE_SHOWN = "The task shows no examples that can be run."
NONE_COMPARED = "None of the task's examples can be compared with what came of it."
Answer = Mapping[str, str]
_ANY_ORDER = re.compile(r"\bany\s+order\b", re.IGNORECASE)
_ANY_ANSWER = re.compile(
    r"\b(?:return|output|print|find|accept\w*)\s+any\s+(?:one\s+)?(?:of\s+(?:them|these|the)|valid|such|answer|solution)"
    r"|\bany\s+(?:valid|correct)\s+(?:answer|solution|output|result)",
    re.IGNORECASE,
)
_LONGEST = 160
_KEPT = 10


@dataclass(frozen=True, slots=True)
class Tally:
    """What the examples that can be compared say."""

    agreed: int
    contradictions: tuple[Diagnostic, ...]
    missing: tuple[str, ...] = ()
    """Modules that are not installed here."""


def read_answers(records: Iterable[Mapping[str, object]]) -> dict[int, Answer]:
    """Return the answers by number; of a record that a candidate forged only what could be one."""
    answers: dict[int, Answer] = {}
    for record in records:
        number = str(record.get("number"))
        if number.isdecimal() and len(number) < 4:
            answers[int(number)] = {key: str(value) for key, value in record.items()}
    return answers


def tally(task: str, examples: Sequence[Example], answers: Mapping[int, Answer]) -> Tally:
    """Hold what came of each example against what the task shows.

    What says nothing is not counted: an example that is broken itself, that was not run, whose result changes
    from call to call or cannot be written out, and all of them where the task leaves the result open.
    """
    if _ANY_ANSWER.search(task) and not _ANY_ORDER.search(task):
        return Tally(0, ())
    same = agree_in_any_order if _ANY_ORDER.search(task) else agree
    agreed = 0
    contradictions: list[Diagnostic] = []
    missing: list[str] = []
    for number, example in enumerate(examples):
        answer = answers.get(number, {})
        missing += [answer["missing"]] if answer.get("missing") else []
        if answer.get("outcome") == "value" and same(_value(answer.get("text", "")), example.expected):
            agreed += 1
        elif told := _contradiction(answer):
            contradictions.append(_remark(example, answer, told))
    return Tally(agreed, tuple(contradictions), tuple(dict.fromkeys(missing)))


def _value(text: str) -> object:
    try:
        return read_value(text)
    except ValueError:  # cut, or no answer of ours
        return ...


def _contradiction(answer: Answer) -> str:
    """Say what came instead of the result that was shown; nothing where that says nothing."""
    text = shortened(answer.get("text", ""))
    match answer.get("outcome"):
        case "value":
            return f"gives {text}"
        case "other":
            return "" if answer.get("foreign") else f"gives {text}"
        case "error" if answer.get("missing") or (
            answer.get("code") == "NameError" and not answer.get("file")
        ):
            return ""
        case "error":
            return f"raises {text}"
        case "timeout":
            return "comes to no end in time"
        case "silent":
            return "ends the program"
        case _:
            return ""


def _remark(example: Example, answer: Answer, told: str) -> Diagnostic:
    expected = shortened(repr(example.expected))
    line = answer.get("line", "")
    return Diagnostic(
        f"{shortened(example.call)} {told}, but line {example.line} of the task shows {expected}",
        file=answer.get("file", ""),
        line=int(line) if line.isdecimal() and len(line) < 8 else 0,
        severity="warning",
        code=CODE,
    )


def decide(found: Tally) -> Decision:
    """Pass when all examples agree, fail against most of them, or against half where that is two and more.

    In between nobody can tell whether the candidate is wrong or an example.
    """
    wrong = len(found.contradictions)
    total = found.agreed + wrong
    if total == 0:
        missing = f"Not installed beside the server: {', '.join(found.missing)}." if found.missing else ""
        return "unavailable", (), missing or NONE_COMPARED
    told = f"{found.agreed} of {total} examples of the task agree"
    remarks = found.contradictions[:_KEPT]
    if wrong == 0:
        return "passed", (), told
    if found.agreed == 0 or (wrong > 1 and 2 * wrong >= total):
        return "failed", tuple(replace(remark, severity="error") for remark in remarks), told
    return "unavailable", remarks, f"{told}: the candidate is wrong, or the example is."


def shortened(text: str) -> str:
    """Cut a long text in the middle."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"
