"""Decide whose turn it is at a host that holds one model at a time. Pure.

A request for the model that is there goes first, so that worker and checker do not evict each other at every
call; one that waits for another model longer than `PATIENCE_SECONDS` stops newcomers, and nobody starves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

PATIENCE_SECONDS = 20.0

Turn = Literal["join", "switch", "wait"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request in line."""

    model: str
    since: float
    """Seconds on the clock that all of them share."""


def whose_turn(mine: Waiting, *, resident: bool, waiting: Sequence[Waiting], now: float) -> Turn:
    """Say what a request may do: use the model beside others, put its own in place, or wait.

    Args:
        mine: The request.
        resident: Its model is at the host now.
        waiting: All requests in line, the longest first; `mine` may be among them.
        now: The same clock as `since`.
    """
    ahead = [other for other in waiting if other.since < mine.since and other.model != mine.model]
    if resident:
        starving = any(now - other.since > PATIENCE_SECONDS for other in ahead)
        return "wait" if starving else "join"
    return "wait" if ahead else "switch"
