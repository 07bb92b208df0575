"""Peel from a model's reply what is no part of the answer: thoughts, chat tokens, escape codes, envelopes."""

import json
import re
from dataclasses import dataclass, field

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u200b\u2060\ufeff]")
_THOUGHT = re.compile(
    r"(?<![\"'`\\])(?:<(?P<close>/?)(?:think|thinking|thought|reasoning)>|\[(?P<shut>/?)THINK\])(?![\"'`])",
    re.IGNORECASE,
)
_FINAL_CHANNEL = "<|channel|>final<|message|>"
_END_OF_TURN = re.compile(
    r"(?:<\|(?:im_end|end|eot_id|eom_id|endoftext|end_of_text|end_of_turn|return|end_of_role)\|>"
    r"|<end_of_turn>|<\uff5cend\u2581of\u2581sentence\uff5c>|\[/?INST\]"
    r"|<step>(?: Source: \w+)?)[ \t]*(?:\n|$)"
)
_START_OF_TURN = re.compile(
    r"^\s*(?:<\|(?:im_start|start|start_header_id|start_of_role|begin_of_text|assistant)\|>"
    r"|<start_of_turn>|<s>|\[/INST\])[ \t]*(?:assistant|model)?(?:<\|[a-z_]+\|>)*[ \t]*\n*",
)
_SPACE_TOKEN = re.compile(r"^ (?=\S)")
"""Tokenisers of the Llama 2 family put a space before the first word."""
_RESPONSE = re.compile(r"^(?:### Response:?|@@ Response:?)[ \t]*\n", re.MULTILINE)
"""Models that are run with a foreign template repeat the prompt up to this line."""
_ENVELOPES = ("answer", "final_answer", "solution", "response", "code")
_CODE_KEYS = ("code", "solution", "answer", "content", "source", "output")
_NAME_KEYS = ("path", "name", "filename", "file")


@dataclass(frozen=True, slots=True)
class Reply:
    """What is left of a reply."""

    text: str
    is_cut: bool = False
    """The model was still thinking when the reply ended."""
    files: dict[str, str] = field(default_factory=dict)
    """Named files that an envelope of JSON held; then `text` is empty."""


def peel(reply: str) -> Reply:
    """Take off the layers around the answer; linear in the length of the reply."""
    text = _ANSI.sub("", reply.replace("\r\n", "\n").replace("\r", "\n"))
    text = _INVISIBLE.sub("", text)
    text = _RESPONSE.split(text.rpartition(_FINAL_CHANNEL)[2])[-1]
    text = _without_tokens(text)
    text, is_cut = _without_thoughts(text)
    text = _once(_without_envelope(_SPACE_TOKEN.sub("", text.strip("\n"))))
    return Reply(text, is_cut)


def open_json(text: str) -> Reply | None:
    """Read an answer that came as JSON (`{"code": "..."}`, `{"files": {...}}`), bare or in a fence."""
    bare = text.strip()
    if bare.startswith("```") and bare.endswith("```"):
        bare = bare.partition("\n")[2][:-3].strip()
    if not (bare.startswith("{") and bare.endswith("}")):
        return None
    try:
        value = json.loads(bare, strict=False)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # no JSON, or lone surrogates in it, which are no text
        return None
    files = _named_files(value.get("files"))
    if files:
        return Reply("", files=files)
    code = _first_text(value, _CODE_KEYS)
    return Reply(code) if code else None


def _named_files(value: object) -> dict[str, str]:
    if isinstance(value, dict):
        return {name: text for name, text in value.items() if isinstance(text, str)}
    if not isinstance(value, list):
        return {}
    entries = [entry for entry in value if isinstance(entry, dict)]
    named = {_first_text(entry, _NAME_KEYS): _first_text(entry, (*_CODE_KEYS, "text")) for entry in entries}
    return {name: text for name, text in named.items() if name and text}


def _first_text(value: dict[str, object], keys: tuple[str, ...]) -> str:
    found = (value[key] for key in keys if key in value)
    return next((text for text in found if isinstance(text, str)), "")


def _without_tokens(text: str) -> str:
    """Cut at the first end of a turn that stands outside a fence: what follows is another turn."""
    text = _START_OF_TURN.sub("", text)
    for match in _END_OF_TURN.finditer(text):
        before = text[: match.start()]
        if before.strip() and before.count("```") % 2 == 0:
            return before
    if text.rstrip().endswith(("</s>", "<|im_end|>")):
        return text.rstrip().removesuffix("</s>").removesuffix("<|im_end|>")
    return text


def _without_thoughts(text: str) -> tuple[str, bool]:
    """Drop thoughts; one that never ends is kept when there is nothing else, as the answer may be in it."""
    kept: list[str] = []
    position = 0
    is_open = False
    for tag in _THOUGHT.finditer(text):
        if tag["close"] or tag["shut"]:
            if not is_open:
                kept.clear()
        elif is_open or text[text.rfind("\n", 0, tag.start()) + 1 : tag.start()].strip():
            continue
        else:
            kept.append(text[position : tag.start()])
        is_open = not (tag["close"] or tag["shut"])
        position = tag.end()
    if not is_open:
        return "".join(kept) + text[position:], False
    said = "".join(kept)
    return (said if said.strip() else text[position:]), True


def _without_envelope(text: str) -> str:
    """Open `<answer>` and its kind, the last one of them, when the tags stand on their own."""
    for name in _ENVELOPES:
        end = text.rfind(f"</{name}>")
        start = text.rfind(f"<{name}>", 0, end) if end >= 0 else -1
        line_start = text.rfind("\n", 0, start) + 1
        if (
            start >= 0
            and not text[line_start:start].strip()
            and not text[end:].partition("\n")[0].count("<", 1)
        ):
            return text[start + len(name) + 2 : end].strip("\n")
    return text


def _once(text: str) -> str:
    """Give one copy of a text that is nothing but the same lines two to four times."""
    lines = [line for line in text.split("\n") if line.strip()]
    for times in (2, 3, 4):
        size = len(lines) // times
        if size > 1 and lines == lines[:size] * times:
            return _head(text, size)
    return text


def _head(text: str, wanted: int) -> str:
    """Cut a text before its line number `wanted`, counting from 0 those that hold anything."""
    starts = [match.start() for match in re.finditer(r"^(?=[^\S\n]*\S)", text, re.MULTILINE)]
    return text[: starts[wanted]].rstrip("\n")
