import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.learning.beliefs import NOTHING
from orchestrator.learning.calibration import Curve, Judged, Pair, calibrate, label_pairs
from orchestrator.learning.observing import AGREED, DISAGREED
from orchestrator.outcome import Attempt
from validators.verdict import Verdict

TESTS = Verdict("tests", "passed", 1.0)


def judged(*verdicts, approved=True, **changes):
    attempt = Attempt(1, "weak", "m", "b", verdicts=verdicts or (TESTS,), approved=approved)
    return Judged(**{"task_type": "standard_dev", "domain": "", "attempt": attempt, **changes})


def agreement(status):
    return Verdict("agreement", status, 0.0 if status == "unavailable" else 1.0)


def test_confidence_that_keeps_its_word_has_no_error():
    pairs = [Pair(0.8, float(number < 8)) for number in range(10)]

    curve = calibrate(pairs)

    (only,) = curve.bins
    assert (only.low, only.high, only.count) == (0.8, 0.9, 10)
    assert curve.ece == pytest.approx(0)
    assert curve.brier == pytest.approx(0.16)


def test_boasting_is_measured_over_all_pairs():
    curve = calibrate([Pair(0.95, 0.0)] * 3 + [Pair(0.25, 0.0)])

    assert [(one.confidence, one.right) for one in curve.bins] == [(0.25, 0.0), (pytest.approx(0.95), 0.0)]
    assert curve.ece == pytest.approx((3 * 0.95 + 0.25) / 4)


def test_nothing_to_hold_it_against_is_no_error():
    assert calibrate([]) == Curve((), 0, 0.0, 0.0)


@given(st.lists(st.builds(Pair, st.floats(0, 1), st.floats(0, 1)), min_size=1), st.integers(1, 20))
def test_every_pair_is_in_one_bin_and_errors_stay_within_one(pairs, bins):
    curve = calibrate(pairs, bins)

    assert sum(one.count for one in curve.bins) == len(pairs)
    assert 0 <= curve.ece <= 1
    assert 0 <= curve.brier <= 1


@pytest.mark.parametrize(("word", "right"), [("approve", 1.0), ("reject", 0.0), ("retry", 0.0)])
def test_a_review_is_held_against_what_had_been_told(word, right):
    assert label_pairs([judged(review=word, told=0.83)], NOTHING) == (Pair(0.83, right),)


def test_what_was_not_told_is_estimated():
    (pair,) = label_pairs([judged(review="approve")], NOTHING)

    assert pair.confidence == pytest.approx(6 / 7, abs=0.001)


@pytest.mark.parametrize(("status", "right"), [("passed", AGREED), ("failed", DISAGREED)])
def test_a_stronger_gate_labels_what_the_gates_before_it_said(status, right):
    row = judged(TESTS, agreement(status), approved=status == "passed")

    (pair,) = label_pairs([row], NOTHING)

    assert (pair.confidence, pair.right) == (pytest.approx(6 / 7, abs=0.001), right)


def test_a_persons_word_goes_before_a_gates():
    row = judged(TESTS, agreement("passed"), review="reject", told=0.97)

    assert label_pairs([row], NOTHING) == (Pair(0.97, 0.0),)


@pytest.mark.parametrize(
    "row",
    [
        judged(),
        judged(review="skip"),
        judged(review="approve", approved=False),
        judged(TESTS, agreement("unavailable")),
        judged(Verdict("tests", "failed", 1.0), agreement("passed"), approved=False),
    ],
)
def test_what_nobody_judged_afterwards_makes_no_pair(row):
    assert label_pairs([row], NOTHING) == ()


def test_a_confidence_of_one_falls_into_the_last_bin():
    (only,) = calibrate([Pair(1.0, 1.0)]).bins

    assert (only.low, only.high) == (0.9, 1.0)
