"""Count the votes of a checker that is asked several times, and read how sure it was of one. Pure."""

import math
import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

from backends.backend import TokenLogprob

Vote = Literal["approve", "reject"] | None
"""None is a vote that could not be read, or was not given."""
Decision = Literal["approve", "reject", "undecided"]
_APPROVE, _REJECT = "approve", "reject"
_IN_JSON = re.compile(r'"verdict"\s*:\s*"\s*(?=approve|reject)', re.IGNORECASE)
_BARE = re.compile(r"(?<![A-Za-z])(?=approve|reject)", re.IGNORECASE)
_NO_LETTERS = re.compile(r"^[^A-Za-z]+")


def tally(votes: Sequence[Vote], k: int) -> Decision | None:
    """Decide by more than half of `k` votes; None while those that are missing can change it.

    A vote that could not be read counts for nobody. Without a majority in reach it is undecided.
    """
    needed, missing = k // 2 + 1, max(0, k - len(votes))
    approvals, rejections = votes.count(_APPROVE), votes.count(_REJECT)
    if approvals >= needed:
        return "approve"
    if rejections >= needed:
        return "reject"
    return None if max(approvals, rejections) + missing >= needed else "undecided"


def probability_of_approval(tokens: Sequence[TokenLogprob]) -> float | None:
    """Return P(approve) of P(approve) + P(reject) at the token with which the verdict begins.

    Args:
        tokens: Of the whole reply, in their order.

    Returns:
        None where the server said nothing of its tokens, or no verdict is found among them.
    """
    text = "".join(one.token for one in tokens)
    found = [*_IN_JSON.finditer(text)][-1:] or [*_BARE.finditer(text)][:1]
    if not found:
        return None
    ends = accumulate(len(one.token) for one in tokens)
    place = found[0].end()
    return _normalised(next(token for token, end in zip(tokens, ends, strict=True) if end > place))


def _normalised(token: TokenLogprob) -> float | None:
    logprobs = {token.token: token.logprob, **dict(token.top)}
    approve = sum(_probability(one) for text, one in logprobs.items() if _begins(text, _APPROVE))
    reject = sum(_probability(one) for text, one in logprobs.items() if _begins(text, _REJECT))
    total = approve + reject
    return approve / total if total > 0 and math.isfinite(total) else None


def _probability(logprob: float) -> float:
    return math.exp(min(logprob, 0.0))  # no more than certain, whatever a server says


def _begins(token: str, word: str) -> bool:
    """Tell whether a token is the beginning of a word, or has it in front; quotes before it do not count."""
    letters = _NO_LETTERS.sub("", token).lower()
    return bool(letters) and (word.startswith(letters) or letters.startswith(word))
