"""Decide when a server that failed is asked again; time and draws come in."""

from dataclasses import dataclass
from typing import Literal

from backends.errors import (
    BackendBusy,
    BackendError,
    BackendTimeout,
    BackendUnavailable,
    ModelLoading,
    NoConnection,
)

OPENS_AFTER = 3
"""Failures in a row that open the circuit; one refused connection is enough."""
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
PROBE_SECONDS = 15.0
"""How long one request may try whether the server is back before another may."""
LONGEST_REST_SECONDS = 600.0
"""A server that asks for a longer rest is tried nevertheless."""
PATIENCE_SECONDS = 20.0
"""How long one call waits in all for a server that has no room."""
PATIENCE_WITH_ANOTHER_SECONDS = 2.0
"""The same where another server may be asked instead."""
MOST_TRIES = 5
MOST_DOUBLINGS = 5
"""A server may be down all night, and no float is large enough for that many."""
LOADING_PAUSE_SECONDS = 0.5
"""A server that loads a model is not asked more often, even where it says that it may be."""
PATIENCE_WHILE_OPEN_SECONDS = 3.0
"""A call waits this long for a circuit to let it try: a server that stumbled is no reason to escalate."""
LOOK_SECONDS = 0.25
"""How often a call that waits looks whether another one's probe was answered."""

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Circuit:
    """How a server did lately."""

    failures: int = 0
    """In a row."""
    openings: int = 0
    """In a row: each keeps it open twice as long."""
    closed_from: float = 0.0
    """The moment from which it is asked again."""


def state_of(circuit: Circuit, now: float) -> State:
    """Say whether the server is asked as usual, not at all, or once to see whether it is back."""
    if not circuit.openings:
        return "closed"
    return "open" if now < circuit.closed_from else "half_open"


def begin_probe(circuit: Circuit, now: float) -> Circuit:
    """Let one request through and no other meanwhile; one that never reports back stops nobody for long."""
    return Circuit(circuit.failures, circuit.openings, now + PROBE_SECONDS)


def after_answer(circuit: Circuit, error: BackendError | None, now: float, draw: float) -> Circuit:
    """Return the circuit after one request.

    Args:
        circuit: As it was.
        error: What the request ended with; a server that says no is alive.
        now: Seconds on any clock that never goes back.
        draw: A number in [0, 1), so that many processes do not come back at the same moment.
    """
    if isinstance(error, BackendBusy):
        return _rested(circuit, error.retry_after_seconds, now)
    if not isinstance(error, BackendUnavailable | BackendTimeout):
        return Circuit()
    failures = circuit.failures + 1
    if failures < OPENS_AFTER and not circuit.openings and not isinstance(error, NoConnection):
        return Circuit(failures)
    pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(circuit.openings, MOST_DOUBLINGS))
    return Circuit(failures, circuit.openings + 1, now + pause * (0.5 + draw))


def _rested(circuit: Circuit, wanted: float | None, now: float) -> Circuit:
    """Leave a server alone that said for how long; it is alive."""
    if wanted is None or wanted <= PATIENCE_SECONDS:
        return Circuit()
    return Circuit(0, max(1, circuit.openings), now + min(wanted, LONGEST_REST_SECONDS))


@dataclass(frozen=True, slots=True)
class Waited:
    """What one call has waited so far for a server without room."""

    tries: int = 0
    seconds: float = 0.0


def pause_before_retry(error: BackendError, waited: Waited, patience: float, draw: float) -> float | None:
    """Return how long to wait before the same server is asked again; `None` gives up.

    What the server asks for is kept to, and never shortened. Without a word from it the pauses double. One
    that ran out of room in the middle of an answer is not asked again: that answer may have been charged for.
    """
    if not isinstance(error, BackendBusy) or error.worked_on:
        return None
    loading = isinstance(error, ModelLoading)
    if waited.tries >= MOST_TRIES and not loading:
        return None
    wanted = error.retry_after_seconds
    own = min(8.0, 2.0 ** min(waited.tries, MOST_DOUBLINGS)) * (0.5 + draw / 2)
    pause = own if wanted is None else wanted * (1 + 0.1 * draw) + 0.05 * draw
    pause = max(pause, LOADING_PAUSE_SECONDS) if loading else pause
    return pause if waited.seconds + pause <= patience else None


def pause_while_open(circuit: Circuit, now: float, patience: float) -> float | None:
    """Return how long to wait before looking at an open circuit again; `None` when it stays open too long."""
    left = circuit.closed_from - now
    return None if left > patience else min(LOOK_SECONDS, max(0.0, left))
