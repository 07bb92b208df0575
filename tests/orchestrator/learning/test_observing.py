from dataclasses import replace

import pytest

from orchestrator.cache import CACHED
from orchestrator.fallback import STOOD_IN
from orchestrator.learning.beliefs import NOTHING, Beliefs
from orchestrator.learning.counts import Count
from orchestrator.learning.observing import (
    AGREED,
    CONTESTED,
    DISAGREED,
    Case,
    count_tries,
    observe,
    observe_review,
)
from orchestrator.outcome import Attempt
from validators.verdict import Verdict

RETRY = {"how": "retry"}
CASE = Case("standard_dev", "code", demanded=("tests",))
WORK = ("m-weak", "standard_dev", "code")


def verdict(name, status="passed"):
    return Verdict(name, status, 0.0 if status == "unavailable" else 1.0)


def failed(number, tier="weak", **changes):
    made = Attempt(
        number, tier, f"m-{tier}", "b", verdicts=(verdict("tests", "failed"),), cost_usd=0.1, seconds=2.0
    )
    return replace(made, **changes)


def passed(number, tier="weak", **changes):
    made = {"verdicts": (verdict("syntax"), verdict("tests")), "approved": True}
    return failed(number, tier, **{**made, **changes})


def taught(attempts, case=CASE, beliefs=NOTHING):
    """Sum up what the attempts teach, by kind and key."""
    counts = {}
    for one in observe(beliefs, case, attempts):
        row = (one.kind, one.key)
        counts[row] = counts.get(row, Count()).plus(one)
    return counts


def test_the_first_answer_of_a_tier_says_how_often_it_passes_what_it_costs_and_how_long_it_takes():
    counts = taught([passed(1)])

    assert counts["worker", (*WORK, "first")] == Count(1, 0, seconds=2.0, usd=0.1)
    assert counts["run", WORK] == Count(1, 0)


def test_a_tier_that_is_asked_after_another_failed_is_counted_apart():
    counts = taught([failed(1), passed(2, "strong")])

    assert counts["worker", (*WORK, "first")].no == 1
    assert counts["worker", ("m-strong", *WORK[1:], "later")].yes == 1
    assert ("worker", ("m-strong", *WORK[1:], "first")) not in counts


def test_retries_are_counted_by_their_number_and_not_as_first_answers():
    counts = taught([failed(1), failed(2, **RETRY), passed(3, **RETRY)])

    assert counts["retry", ("m-weak", "standard_dev", "1")].no == 1
    assert counts["retry", ("m-weak", "standard_dev", "2")].yes == 1
    assert counts["worker", (*WORK, "first")].total == 1


def test_from_the_third_retry_on_they_are_one():
    counts = taught([failed(number) for number in range(1, 7)])

    assert counts["retry", ("m-weak", "standard_dev", "3")].no == 3


@pytest.mark.parametrize("trouble", ["unavailable", "refused", "context"])
def test_a_model_that_could_not_be_asked_learns_nothing_and_makes_nobody_later(trouble):
    counts = taught([failed(1, trouble=trouble, verdicts=()), passed(2, "strong")])

    assert all(key[0] == "m-strong" for kind, key in counts if kind == "worker")
    assert ("worker", ("m-strong", *WORK[1:], "first")) in counts


@pytest.mark.parametrize("trouble", ["malformed", "truncated", "no_candidate"])
def test_an_answer_without_work_is_the_models_failure(trouble):
    assert taught([failed(1, trouble=trouble, verdicts=())])["worker", (*WORK, "first")].no == 1


def test_work_that_was_never_run_says_nothing_about_being_right():
    syntax = passed(1, verdicts=(verdict("syntax"), verdict("examples", "unavailable")))

    assert ("run", WORK) not in taught([syntax], Case("quick_edit", "code"))


def test_work_that_did_not_get_as_far_as_its_tests_is_wrong_all_the_same():
    broken = failed(1, verdicts=(verdict("syntax", "failed"),))

    assert taught([broken])["run", WORK] == Count(0, 1)
    assert not any(kind == "run" for kind, _ in taught([broken], Case("standard_dev", "code")))


def test_what_was_told_about_an_approved_answer_is_kept_beside_it():
    counts = taught([failed(1), passed(2, **RETRY)])
    at_once = taught([passed(1)])

    assert 0.5 < counts["told", WORK].yes < at_once["told", WORK].yes < 1
    assert counts["told", WORK].total == pytest.approx(1)


def test_authors_who_do_not_agree_say_that_the_tests_let_something_through():
    agreed = passed(1, verdicts=(verdict("tests"), verdict("agreement")))
    alone = failed(1, verdicts=(verdict("tests"), verdict("agreement", "failed")))

    assert taught([agreed])["gate", ("tests", "standard_dev")].yes == AGREED
    assert taught([alone])["gate", ("tests", "standard_dev")].yes == DISAGREED
    assert taught([alone])["gate_told", ("tests", "standard_dev")].yes == pytest.approx(6 / 7, abs=0.001)


def test_two_authors_who_contradict_each_other_leave_either_in_doubt():
    verdicts = (verdict("tests"), verdict("agreement", "unavailable"))

    counts = taught([passed(1, verdicts=verdicts, support="contested")])

    assert counts["gate", ("tests", "standard_dev")].yes == CONTESTED


def test_a_comparison_that_could_not_be_made_teaches_nothing_about_gates():
    attempt = passed(1, verdicts=(verdict("tests"), verdict("agreement", "unavailable")))

    assert not any(kind == "gate" for kind, _ in taught([attempt]))


def test_the_model_that_the_route_names_is_the_one_that_learns():
    case = replace(CASE, models={"weak": "qwen"})

    assert ("worker", ("qwen", *WORK[1:], "first")) in taught([passed(1)], case)


@pytest.mark.parametrize("right", [True, False])
def test_a_persons_word_is_about_the_worker_and_the_gate_that_bore_most(right):
    said = observe_review(NOTHING, CASE, passed(1), right=right)

    assert {(one.kind, one.key): one.yes for one in said if one.kind != "gate_told"} == {
        ("sound", WORK): float(right),
        ("gate", ("tests", "standard_dev")): float(right),
    }


def test_a_persons_word_about_work_that_had_not_passed_teaches_nothing():
    assert observe_review(NOTHING, CASE, failed(1), right=True) == ()


def test_only_an_answer_that_was_told_what_fails_is_a_second_word():
    assert [count_tries(one) for one in (passed(1), passed(2, how="confirm"), passed(3, how="retry"))] == [
        1,
        1,
        2,
    ]


def test_samples_that_were_asked_for_at_once_are_one_try():
    samples = [failed(1, turn=1, seconds=4.0), failed(2, turn=1), passed(3, turn=1)]

    counts = taught([*samples, failed(4, turn=2, how="retry")])

    assert counts["worker", (*WORK, "first")] == Count(1, 0, seconds=4.0, usd=pytest.approx(0.3))
    assert counts["run", WORK] == Count(1, 2)
    assert counts["retry", ("m-weak", "standard_dev", "1")].no == 1


def test_a_second_author_is_no_later_tier_where_nobody_failed():
    counts = taught([passed(1), passed(2, "strong", how="confirm")])

    assert ("worker", ("m-strong", *WORK[1:], "first")) in counts


def test_what_was_learned_before_a_task_was_resumed_is_not_learned_again():
    attempts = [failed(1), passed(2, "strong")]

    said = observe(NOTHING, CASE, attempts, since=1)

    assert {one.key[0] for one in said if one.kind == "worker"} == {"m-strong"}
    assert observe(NOTHING, CASE, attempts, since=2) == ()


def test_work_that_passed_nothing_but_a_linter_says_nothing_about_gates():
    lint = passed(1, verdicts=(verdict("lint"), verdict("agreement")))

    assert not any(kind == "gate" for kind, _ in taught([lint]))


def test_what_is_told_rests_on_what_was_learned_before():
    beliefs = Beliefs({("run", WORK): Count(0, 50)})

    assert taught([passed(1)], beliefs=beliefs)["told", WORK].yes < taught([passed(1)])["told", WORK].yes


@pytest.mark.parametrize("make", [passed, failed])
@pytest.mark.parametrize("warning", [CACHED, f"{STOOD_IN}, because 'one' could not be asked: it is down"])
def test_an_answer_that_is_not_the_workers_own_of_now_teaches_nothing(make, warning):
    assert taught([make(1, warnings=(warning,))]) == {}


def test_after_a_cached_answer_that_failed_the_next_tier_is_asked_later_all_the_same():
    counts = taught([failed(1, warnings=(CACHED,)), passed(2, "strong")])

    assert {key[3] for kind, key in counts if kind == "worker"} == {"later"}
