import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.confidence import (
    BEHAVIOUR,
    CERTAIN,
    EVIDENCE,
    estimate_confidence,
    from_odds,
    strongest_gate,
    to_odds,
)
from orchestrator.task import VALIDATORS
from validators.verdict import Verdict

ASIDE = {"lint", "security"}


def passed(*names, trust=1.0):
    return [Verdict(name, "passed", trust) for name in names]


def test_a_gate_that_failed_leaves_nothing():
    assert estimate_confidence([*passed("tests"), Verdict("semantic", "failed", 1.0)], prior=0.9) == 0


def test_every_validator_that_says_something_about_the_work_has_a_worth():
    assert set(EVIDENCE) == set(VALIDATORS) - ASIDE


def test_a_worker_that_is_often_right_is_trusted_more_for_the_same_gates():
    weak = estimate_confidence(passed("tests"), prior=0.41)
    strong = estimate_confidence(passed("tests"), prior=0.88)

    assert (weak, strong) == (pytest.approx(0.81, abs=0.01), pytest.approx(0.98, abs=0.01))


def test_a_second_author_who_agrees_adds_more_than_another_look_at_the_same_behaviour():
    tests = estimate_confidence(passed("tests"))
    looked_again = estimate_confidence(passed("tests", "examples"))
    agreed = estimate_confidence(passed("tests", "agreement"))

    assert tests < looked_again < agreed
    assert agreed == pytest.approx(36 / 37, abs=0.001)


def test_gates_that_see_the_same_do_not_multiply():
    together = to_odds(estimate_confidence(passed("examples", "tests")))

    assert together < EVIDENCE["tests"] * EVIDENCE["examples"] / 2


def test_what_passed_only_after_a_retry_is_trusted_less_but_never_less_than_unjudged_work():
    first, again = (estimate_confidence(passed("tests"), tries=tries) for tries in (1, 2))

    assert again == pytest.approx(0.73, abs=0.01)
    assert again < first
    assert estimate_confidence(passed("syntax"), tries=2) == 0.5


def test_learned_ratios_take_the_place_of_the_table():
    assert estimate_confidence(passed("tests"), ratios={"tests": 1.0}) == 0.5
    assert estimate_confidence(passed("tests"), ratios={}) == 0.5


@given(
    names=st.lists(st.sampled_from(sorted(EVIDENCE)), max_size=6, unique=True),
    more=st.sampled_from(sorted(EVIDENCE)),
    prior=st.floats(0.03, 0.97),
    tries=st.integers(1, 3),
)
def test_one_more_passed_gate_never_lowers_confidence(names, more, prior, tries):
    without = estimate_confidence(passed(*names), prior=prior, tries=tries)
    beside = estimate_confidence(passed(*names, more), prior=prior, tries=tries)

    assert min(prior, CERTAIN) - 0.001 <= without <= beside + 0.001 <= CERTAIN + 0.001


@given(st.permutations(BEHAVIOUR))
def test_the_order_of_verdicts_does_not_matter(names):
    assert estimate_confidence(passed(*names)) == pytest.approx(
        estimate_confidence(passed(*BEHAVIOUR)), abs=0.001
    )


def test_the_gate_that_bears_most_is_named():
    verdicts = [*passed("syntax", "tests", "lint"), Verdict("agreement", "unavailable", 0.0)]

    assert strongest_gate(verdicts) == "tests"
    assert strongest_gate(passed("lint")) == ""
    assert strongest_gate(passed("syntax", "tests"), {"syntax": 3.0, "tests": 2.0}) == "syntax"


@given(st.floats(0.001, 0.999))
def test_odds_and_probabilities_are_two_ways_to_say_the_same(probability):
    assert from_odds(to_odds(probability)) == pytest.approx(probability)
