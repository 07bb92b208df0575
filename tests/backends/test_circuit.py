from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.circuit import (
    LOADING_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    LONGEST_REST_SECONDS,
    LOOK_SECONDS,
    OPENS_AFTER,
    PATIENCE_SECONDS,
    PROBE_SECONDS,
    Circuit,
    Waited,
    after_answer,
    begin_probe,
    pause_before_retry,
    pause_while_open,
    state_of,
)
from backends.errors import (
    BackendBusy,
    BackendTimeout,
    BackendUnavailable,
    ConnectionLost,
    ContextTooLong,
    MalformedReply,
    ModelLoading,
    ModelNotFound,
    NoConnection,
    RequestRefused,
    ServerFailed,
)

FAILURES = (NoConnection, ConnectionLost, BackendTimeout, BackendUnavailable, ServerFailed)
ALIVE = (ContextTooLong, MalformedReply, ModelNotFound, RequestRefused, BackendBusy, ModelLoading)


def failed(kind, retry_after=None):
    return kind("it failed", backend="lab", retry_after_seconds=retry_after)


def after(*kinds, now=100.0, draw=0.5):
    circuit = Circuit()
    for kind in kinds:
        circuit = after_answer(circuit, failed(kind) if kind else None, now, draw)
    return circuit


def test_a_server_that_never_failed_is_asked():
    assert state_of(Circuit(), 0.0) == "closed"


def test_one_refused_connection_opens_the_circuit():
    assert state_of(after(NoConnection), 100.0) == "open"


@pytest.mark.parametrize("kind", [ConnectionLost, BackendTimeout, BackendUnavailable, ServerFailed])
def test_other_failures_open_it_when_they_come_in_a_row(kind):
    assert state_of(after(*[kind] * (OPENS_AFTER - 1)), 100.0) == "closed"
    assert state_of(after(*[kind] * OPENS_AFTER), 100.0) == "open"
    assert state_of(after(kind, kind, None, kind, kind), 100.0) == "closed"


@pytest.mark.parametrize("kind", ALIVE)
def test_a_server_that_says_no_is_alive(kind):
    assert after(NoConnection, kind) == Circuit()


def test_an_open_circuit_lets_one_request_try_and_no_other_meanwhile():
    circuit = after(NoConnection)
    later = circuit.closed_from

    assert state_of(circuit, later) == "half_open"
    probing = begin_probe(circuit, later)

    assert state_of(probing, later + PROBE_SECONDS / 2) == "open"
    assert state_of(probing, later + PROBE_SECONDS) == "half_open"


def test_a_probe_that_is_answered_closes_the_circuit_and_one_that_fails_opens_it_for_longer():
    first = after(NoConnection, now=0.0)
    probing = begin_probe(first, first.closed_from)

    again = after_answer(probing, failed(ConnectionLost), first.closed_from, 0.5)

    assert after_answer(probing, None, first.closed_from, 0.5) == Circuit()
    assert again.closed_from - first.closed_from == 2 * first.closed_from


def test_a_server_that_asks_for_a_long_rest_gets_it():
    rested = after_answer(Circuit(), failed(BackendBusy, 60), 100.0, 0.5)

    assert state_of(rested, 159.0) == "open"
    assert state_of(rested, 160.0) == "half_open"
    assert after_answer(Circuit(), failed(BackendBusy, 1e9), 0.0, 0.5).closed_from == LONGEST_REST_SECONDS


@given(
    st.lists(st.sampled_from(FAILURES), max_size=60),
    st.floats(0, 1, exclude_max=True),
)
def test_however_often_it_failed_it_is_tried_again_soon(kinds, draw):
    circuit = after(*kinds, now=0.0, draw=draw)

    assert state_of(circuit, 1.5 * LONGEST_PAUSE_SECONDS) in {"closed", "half_open"}


def test_a_server_that_is_down_for_days_is_still_left_alone_and_tried():
    circuit = Circuit(failures=3, openings=100_000, closed_from=0.0)

    circuit = after_answer(circuit, failed(NoConnection), 0.0, 0.5)

    assert circuit.closed_from == LONGEST_PAUSE_SECONDS


BUSY = failed(BackendBusy)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, PATIENCE_SECONDS / 2))
def test_what_the_server_asks_to_wait_is_never_shortened(draw, wanted):
    pause = pause_before_retry(failed(BackendBusy, wanted), Waited(), PATIENCE_SECONDS, draw)

    assert pause is not None
    assert pause >= wanted


@given(st.floats(0, 1, exclude_max=True))
def test_a_busy_server_is_not_waited_for_longer_than_patience(draw):
    waited = Waited()
    while (pause := pause_before_retry(BUSY, waited, PATIENCE_SECONDS, draw)) is not None:
        waited = Waited(waited.tries + 1, waited.seconds + pause)

    assert 2 <= waited.tries <= 5
    assert waited.seconds <= PATIENCE_SECONDS


def test_a_rest_longer_than_patience_is_not_waited_for():
    assert pause_before_retry(failed(BackendBusy, 21), Waited(), PATIENCE_SECONDS, 0.5) is None


def test_a_model_that_loads_is_waited_for_as_long_as_loading_may_take():
    waited = replace(Waited(), tries=40, seconds=200.0)

    assert pause_before_retry(failed(ModelLoading), waited, 300.0, 0.5) is not None
    assert pause_before_retry(BUSY, waited, 300.0, 0.5) is None


@given(st.integers(0, 100_000), st.none() | st.floats(0, 1), st.floats(0, 1, exclude_max=True))
def test_a_model_that_loads_is_not_asked_all_the_time(tries, wanted, draw):
    pause = pause_before_retry(failed(ModelLoading, wanted), Waited(tries), 300.0, draw)

    assert pause is not None
    assert LOADING_PAUSE_SECONDS <= pause <= 10


def test_a_server_that_ran_out_of_room_in_the_middle_of_an_answer_is_not_asked_again():
    error = failed(BackendBusy)
    error.worked_on = True

    assert pause_before_retry(error, Waited(), PATIENCE_SECONDS, 0.5) is None


@pytest.mark.parametrize("kind", [*FAILURES, ContextTooLong, MalformedReply, ModelNotFound, RequestRefused])
def test_what_is_not_a_lack_of_room_is_not_asked_again(kind):
    assert pause_before_retry(failed(kind), Waited(), PATIENCE_SECONDS, 0.5) is None


def test_a_call_looks_often_at_an_open_circuit_but_not_for_long():
    circuit = Circuit(1, 1, closed_from=10.0)

    assert pause_while_open(circuit, 9.9, 3.0) == pytest.approx(0.1)
    assert pause_while_open(circuit, 8.0, 3.0) == LOOK_SECONDS
    assert pause_while_open(circuit, 6.0, 3.0) is None
