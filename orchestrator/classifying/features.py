"""Turn a request into the numbers that the trained model weighs."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.classifying.hints import hint_patterns
from orchestrator.signals import SIGNALS

TITLE = 200
BODY = 1_000
_WORD = re.compile(r"[a-z_$@]+|\d+|[^\w\s]")
_HUMP = re.compile(r"([a-z])([A-Z])")
_ENDINGS = ("ing", "ed", "es", "s", "ly")
_LETTERS = (3, 4, 5)
_BODY_WEIGHT = 0.3
_PAIR_WEIGHT = 0.5
_LETTER_WEIGHT = 0.3
_SHAPE_WEIGHT = 0.1
_HINT_WEIGHT = 0.8
_BODY_SIGN = 0.5


@dataclass(frozen=True, slots=True)
class Features:
    """One request in numbers."""

    grams: Mapping[str, float]
    """Words, pairs of words and pieces of words; of length one as a vector."""
    signs: Mapping[str, float]
    """Signals, hints and the request's shape, by name."""


def split_title(text: str) -> tuple[str, str]:
    """Split off the first line, at most 200 characters: it says what is wanted, the rest explains."""
    first, _, rest = text.strip().partition("\n")
    return first[:TITLE], f"{first[TITLE:]}\n{rest}".strip()


def read_features(title: str, body: str) -> Features:
    """Read the features of a request; of the body only its first 1 000 characters."""
    body = body[:BODY]
    return Features(_grams(title, body), {**_signs(title.lower(), body.lower()), **_shape(title, body)})


def _words(text: str) -> list[str]:
    return _WORD.findall(_HUMP.sub(r"\1 \2", text).lower())


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def _grams(title: str, body: str) -> dict[str, float]:
    """Count grams, damped by the square root, and bring them to length one."""
    found: defaultdict[str, float] = defaultdict(float)
    words = _words(title)
    for part, weight in ((words, 1.0), (_words(body), _BODY_WEIGHT)):
        stems = [_stem(word) for word in part]
        for stem in stems:
            found[stem] += weight
        for pair in zip(["^", *stems], [*stems, "$"], strict=True):
            found[" ".join(pair)] += weight * _PAIR_WEIGHT
    for piece in _pieces(words):
        found[piece] += _LETTER_WEIGHT
    length = math.sqrt(sum(found.values())) or 1.0
    return {gram: math.sqrt(count) / length for gram, count in found.items()}


def _pieces(words: list[str]) -> Iterator[str]:
    """Yield the three to five letters long pieces of words, their edges marked."""
    for word in words:
        edged = f"|{word}|"
        for size in _LETTERS:
            for start in range(len(edged) - size + 1):
                yield f"~{edged[start : start + size]}"


def _signs(title: str, body: str) -> dict[str, float]:
    signs: dict[str, float] = {}
    for signal in SIGNALS:
        if signal.pattern.search(title):
            signs[signal.reason] = 1.0
        elif body and signal.pattern.search(body):
            signs[f"body: {signal.reason}"] = _BODY_SIGN
    for name, pattern in hint_patterns().items():
        count = len(set(pattern.findall(title)))
        if count:
            signs[name] = _HINT_WEIGHT * math.sqrt(min(2, count))
        count = len(set(pattern.findall(body)))
        if count:
            signs[f"body: {name}"] = _HINT_WEIGHT * _BODY_SIGN * math.sqrt(min(3, count))
    return signs


def _shape(title: str, body: str) -> dict[str, float]:
    """Measure how the request is written, not what it says."""
    words = len(_words(title))
    shape = {
        "shape: words": min(words, 30) / 10,
        "shape: very short": words <= 4,
        "shape: short": 5 <= words <= 8,
        "shape: long": words > 14,
        "shape: no body": not body,
        "shape: body": math.log1p(len(body)) / 4,
        "shape: long body": len(body) > 400,
        "shape: names in ticks": min(4, title.count("`") + body.count("`")) / 4,
        "shape: code": "```" in body or "Traceback" in body,
        "shape: list": bool(re.search(r"^\s{0,8}(?:[-*]|\d{1,2}[.)])\s", body, re.MULTILINE)),
        "shape: camel case": bool(_HUMP.search(title)),
        "shape: call": bool(re.search(r"\w\(\)", title)),
        "shape: file": bool(re.search(r"\w\.(?:mdx?|[jt]sx?|py|json|toml|ya?ml|go|rs|java|c|cpp)\b", title)),
        "shape: capitals": bool(re.search(r"\b[A-Z]{2,}\b", title)),
    }
    return {name: _SHAPE_WEIGHT * float(value) for name, value in shape.items() if value}
