"""Finding a quote in its source: exact, then normalised, then with the small slips a model makes. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from typing import Literal

from orchestrator.rlm.slips import align, slips_allowed

How = Literal["exact", "normalised", "fuzzy"]
Span = tuple[int, int]
Place = tuple[str, int, int]
"""A text, and from where to where it is looked at."""
Find = Callable[[str, int, int], Span | None]

_SYMBOLS = r"<>=+%$€£~^&@/\\"
"""Punctuation that carries meaning; all other is as free as white space."""
_DASHES = r"\-\u2212\u2013"
_MINUS = rf"[\s(\[=<>,:][{_DASHES}]"
_TOKEN = re.compile(rf"(?<![^\s(\[=<>,:])[{_DASHES}]\d[^\W_]*|[^\W_]+|(?!(?<=\n)>)[{_SYMBOLS}]")
"""A word, a negative number, or a symbol; `>` at the start of a line only marks a quotation."""
_FREE = rf"(?:(?![{_SYMBOLS}])[\W_]|(?<=\n)>)"
_ALPHABETIC = "0-9A-Za-z\u00c0-\u024f\u0370-\u052f"
"""Scripts that part words by spaces, where half a word is no quote."""
_ELLIPSIS = re.compile(r"\s*[\[(]?\s*(?:\.{3,}|…)\s*[\])]?\s*")

_LEAST_CHARACTERS = 3
_LEAST_PART_TOKENS = 2
"""On each side of an ellipsis."""
_LARGEST_GAP = 1000
"""Characters that an ellipsis may leave out."""
_LEAST_FUZZY_TOKENS = 4
_MOST_TOKENS = 400
"""Of a quote that is looked for other than exactly."""
_HITS_PER_ANCHOR = 20


@dataclass(frozen=True, slots=True)
class Located:
    """Where a quote stands, by character offsets into the source, and how it was found."""

    start: int
    end: int
    how: How


def locate(quote: str, text: str, start: int = 0, end: int | None = None) -> Located | None:
    """Find a quote between two offsets of a text; None when it is not there (see `locate_first`)."""
    found = locate_first(quote, [(text, start, len(text) if end is None else end)])
    return found[1] if found else None


def locate_first(quote: str, places: Sequence[Place]) -> tuple[int, Located] | None:
    """Find a quote in the first of several places that has it best; also returns that place's index.

    Exact first; then without regard to case, white space, free punctuation and emphasis; then with an
    ellipsis, or with about one slip in eight words (`slips.align`). A word that the source does not have,
    a changed number and a dropped negation are no slips but another claim. A quote of fewer than three
    letters or digits proves nothing and is not looked for.
    """
    quote = quote.strip()
    tokens = _TOKEN.findall(quote)
    if sum(map(len, tokens)) < _LEAST_CHARACTERS:
        return None
    for how, find in _finders(quote, tokens):
        for index, place in enumerate(places):
            span = find(*place)
            if span:
                return index, Located(*span, how)
    return None


def lines_of(text: str, start: int, end: int) -> tuple[int, int]:
    """Count the lines on which a span begins and ends, from 1."""
    first = text.count("\n", 0, start) + 1
    return first, first + text.count("\n", start, max(start, end - 1))


def _finders(quote: str, tokens: Sequence[str]) -> Iterator[tuple[How, Find]]:
    """Yield ever more forgiving ways to look for a quote; each is prepared only when it is reached."""
    yield "exact", partial(_find_exact, quote)
    if len(tokens) > _MOST_TOKENS:
        return
    yield "normalised", partial(_search, _pattern(tokens))
    parts = [found for part in _ELLIPSIS.split(quote) if (found := _TOKEN.findall(part))]
    if len(parts) > 1 and min(map(len, parts)) >= _LEAST_PART_TOKENS:
        yield "fuzzy", partial(_find_parts, [_pattern(part) for part in parts])
    if len(tokens) >= _LEAST_FUZZY_TOKENS:
        yield "fuzzy", partial(_find_slipped, tokens, _anchor_patterns(tokens))


def _find_exact(quote: str, text: str, start: int, end: int) -> Span | None:
    if text.find(quote, start, end) < 0:  # many times faster than the pattern, and most often the answer
        return None
    return _search(re.compile(_whole(re.escape(quote), quote)), text, start, end)


def _search(pattern: re.Pattern[str], text: str, start: int, end: int) -> Span | None:
    match = pattern.search(text, start, end)
    return match.span() if match else None


def _whole(pattern: str, quote: str) -> str:
    """Keep a pattern from matching half a word at either end of the quote."""
    before = f"(?<![{_ALPHABETIC}])" if re.match(f"[{_ALPHABETIC}]", quote) else ""
    after = f"(?![{_ALPHABETIC}])" if re.search(f"[{_ALPHABETIC}]$", quote) else ""
    return before + pattern + after


def _pattern(tokens: Sequence[str]) -> re.Pattern[str]:
    """Match the tokens in order with nothing but free punctuation between them."""
    pieces = [_literal(tokens[0])]
    for left, right in pairwise(tokens):
        pieces += [_FREE + ("+" if _is_word(left) and _is_word(right) else "*"), _literal(right)]
    return re.compile(_whole("".join(pieces), tokens[0][0] + tokens[-1][-1]), re.IGNORECASE)


def _literal(token: str) -> str:
    if token[0].isdigit():
        return f"(?<!{_MINUS})" + re.escape(token)
    return f"[{_DASHES}]{token[1:]}" if len(token) > 1 and not _is_word(token) else re.escape(token)


def _is_word(token: str) -> bool:
    return token[0].isalnum()


def _find_parts(parts: Sequence[re.Pattern[str]], text: str, start: int, end: int) -> Span | None:
    """Find a quote that leaves something out at an ellipsis."""
    first, *others = parts
    for match in islice(first.finditer(text, start, end), _HITS_PER_ANCHOR):
        stop: int | None = match.end()
        for other in others:
            span = _search(other, text, stop, min(end, stop + _LARGEST_GAP)) if stop is not None else None
            stop = span[1] if span else None
        if stop is not None:
            return match.start(), stop
    return None


def _find_slipped(
    tokens: Sequence[str], anchors: Sequence[re.Pattern[str]], text: str, start: int, end: int
) -> Span | None:
    """Find a quote with slips around pairs of words that were copied right."""
    wanted = [token.casefold() for token in tokens]
    reach = 2 * sum(map(len, tokens)) + 80
    for anchor in anchors:
        for hit in islice(anchor.finditer(text, start, end), _HITS_PER_ANCHOR):
            low, high = max(start, hit.start() - reach), min(end, hit.start() + reach)
            window = list(_TOKEN.finditer(text, low, high))
            found = align(wanted, [match[0].casefold() for match in window])
            if found:
                return window[found[0]].start(), window[found[1]].end()
    return None


def _anchor_patterns(tokens: Sequence[str]) -> list[re.Pattern[str]]:
    """Take pairs of the tokens, longest first, and enough of them to outlive all slips."""
    pairs = [tokens[index : index + 2] for index in range(0, len(tokens) - 1, 2)]
    pairs.sort(key=lambda pair: -len("".join(pair)))
    return [_pattern(pair) for pair in pairs[: 2 * slips_allowed(len(tokens)) + 1]]
