from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.confidence import EVIDENCE, PRIOR
from orchestrator.learning.beliefs import (
    NOTHING,
    Beliefs,
    Chance,
    Worker,
    mean_seconds,
    mean_usd,
    pass_chance,
    ratios,
    repaired,
    retry_chance,
    rightness,
    sound_chance,
    trust,
    update,
)
from orchestrator.learning.counts import Count, Observation
from validators.verdict import Verdict

WORKER = Worker("qwen", "standard_dev", "code", rank=-2)
TESTS = [Verdict("tests", "passed", 1.0)]


def believe(**rows):
    """Name rows by kind; each is a key and what was seen."""
    return Beliefs({(kind, key): count for kind, (key, count) in rows.items()})


def test_a_higher_rank_is_expected_to_pass_more_often():
    chances = [pass_chance(NOTHING, replace(WORKER, rank=rank)).mean for rank in range(-3, 4)]

    assert chances == sorted(chances)
    assert 0.5 < chances[0] < chances[-1] < 0.95


def test_harder_task_types_and_tasks_that_others_failed_pass_less_often():
    easy = pass_chance(NOTHING, replace(WORKER, task_type="quick_edit")).mean
    hard = pass_chance(NOTHING, replace(WORKER, task_type="critical")).mean
    later = pass_chance(NOTHING, WORKER, "later").mean

    assert easy > pass_chance(NOTHING, WORKER).mean > hard
    assert later < pass_chance(NOTHING, WORKER).mean


def test_what_was_seen_takes_the_place_of_what_was_expected():
    beliefs = believe(worker=((*WORKER.key, "first"), Count(5, 95)))

    chance = pass_chance(beliefs, WORKER)

    assert chance.mean == pytest.approx(0.07, abs=0.02)
    assert chance.deviation < pass_chance(NOTHING, WORKER).deviation
    assert (chance.seen, pass_chance(NOTHING, WORKER).seen) == (100, 0)


@pytest.mark.parametrize(
    "key",
    [
        ("qwen", "standard_dev", "general", "first"),
        ("qwen", "critical", "code", "first"),
        ("qwen", "standard_dev", "code", "later"),
    ],
)
def test_a_record_elsewhere_counts_where_there_is_none_but_is_held_less_firmly(key):
    elsewhere = believe(worker=(key, Count(0, 100)))
    own = believe(worker=((*WORKER.key, "first"), Count(0, 100)))

    nothing, near, exact = (pass_chance(one, WORKER) for one in (NOTHING, elsewhere, own))

    assert nothing.mean > near.mean >= exact.mean
    assert near.yes + near.no < exact.yes + exact.no


def test_another_models_record_says_nothing():
    beliefs = believe(worker=(("llama", "standard_dev", "code", "first"), Count(0, 100)))

    assert pass_chance(beliefs, WORKER) == pass_chance(NOTHING, WORKER)


@pytest.mark.parametrize("signed", ["GPT-4o", "gpt-4o-2024-08-06", "gpt-4o:latest"])
def test_a_dated_snapshot_is_the_model_that_was_asked_for(signed):
    assert Worker(signed, "critical").key == Worker("gpt-4o", "critical").key


def test_what_people_said_outweighs_what_the_gates_told():
    told = believe(told=(WORKER.key, Count(90, 10)))
    reviewed = Beliefs({**told.counts, ("sound", WORKER.key): Count(0, 40)})

    assert sound_chance(told, WORKER).mean == pytest.approx(0.9, abs=0.01)
    assert sound_chance(reviewed, WORKER).mean < 0.25


def test_rightness_is_read_off_the_share_that_passed_its_tests():
    passes = {0.51: 0.41, 0.68: 0.62, 0.9: 0.88}  # three models of evidence: right in 44, 62, 83 %

    for passed, right in passes.items():
        beliefs = believe(run=(WORKER.key, Count(1000 * passed, 1000 * (1 - passed))))
        assert rightness(beliefs, WORKER) == pytest.approx(right, abs=0.01)


def test_of_a_worker_whose_work_was_never_run_nothing_is_known():
    beliefs = believe(worker=((*WORKER.key, "first"), Count(100, 0)))

    assert rightness(beliefs, WORKER) == pytest.approx(PRIOR)


def test_mean_latency_and_cost_come_from_the_task_type_else_from_anywhere():
    here = ("worker", (*WORKER.key, "first"))
    there = ("worker", ("qwen", "critical", "code", "first"))
    both = Beliefs({here: Count(9, 0, seconds=90, usd=9), there: Count(9, 0, seconds=900, usd=90)})
    only_there = Beliefs({there: both.counts[there]})

    assert mean_seconds(both, WORKER, otherwise=10) == 10
    assert mean_usd(both, WORKER, otherwise=1) == 1
    assert mean_seconds(only_there, WORKER, otherwise=100) == 100
    assert mean_usd(NOTHING, WORKER, otherwise=0.25) == 0.25


def test_later_retries_are_expected_to_pass_less_often():
    chances = [retry_chance(NOTHING, WORKER, number).mean for number in (1, 2, 3, 4)]

    assert chances == [pytest.approx(0.30), pytest.approx(0.12), pytest.approx(0.06), pytest.approx(0.06)]


def gate(right, wrong, told, task_type="standard_dev"):
    total = right + wrong
    return Beliefs(
        {
            ("gate", ("tests", task_type)): Count(right, wrong),
            ("gate_told", ("tests", task_type)): Count(total * told, total * (1 - told)),
        }
    )


def test_a_gate_whose_passes_turn_out_wrong_is_worth_less():
    assert ratios(gate(30, 30, told=0.86), "standard_dev")["tests"] < EVIDENCE["tests"] / 2
    assert ratios(gate(60, 0, told=0.86), "standard_dev")["tests"] > EVIDENCE["tests"]


def test_a_gate_that_keeps_its_word_keeps_its_worth():
    assert ratios(gate(86, 14, told=0.86), "standard_dev") == pytest.approx(EVIDENCE)
    assert ratios(NOTHING, "standard_dev") == EVIDENCE


def test_labels_of_another_task_type_count_half():
    here, there = gate(10, 10, 0.86), gate(10, 10, 0.86, "critical")

    here_ratio, there_ratio = (ratios(one, "standard_dev")["tests"] for one in (here, there))

    assert here_ratio < there_ratio < EVIDENCE["tests"]


@given(right=st.floats(0, 1e4), wrong=st.floats(0, 1e4), told=st.floats(0, 1))
def test_a_learned_ratio_stays_within_its_bounds(right, wrong, told):
    ratio = ratios(gate(right, wrong, told), "standard_dev")["tests"]

    assert 1 <= ratio <= 4 * EVIDENCE["tests"]


def test_trust_joins_the_worker_the_gates_and_the_tries():
    weak = believe(run=(WORKER.key, Count(20, 80)))
    strong = believe(run=(WORKER.key, Count(95, 5)))

    assert trust(weak, WORKER, TESTS) < trust(NOTHING, WORKER, TESTS) < trust(strong, WORKER, TESTS)
    assert trust(strong, WORKER, TESTS, tries=2) < trust(strong, WORKER, TESTS)


def test_mended_work_is_believed_less():
    assert repaired(Chance(9, 1)) == pytest.approx(0.80, abs=0.01)


@given(yes=st.floats(0.5, 500), no=st.floats(0.5, 500), draw=st.floats(0, 1))
def test_a_draw_is_a_probability_and_grows_with_its_number(yes, no, draw):
    chance = Chance(yes, no)

    assert 0 <= chance.draw(draw) <= chance.draw(min(1.0, draw + 0.1)) <= 1


def test_draws_lie_about_the_mean_as_wide_as_the_deviation():
    chance = Chance(30, 10)
    draws = [chance.draw((place + 0.5) / 1000) for place in range(1000)]
    mean = sum(draws) / 1000

    deviation = (sum((one - mean) ** 2 for one in draws) / 1000) ** 0.5

    assert mean == pytest.approx(chance.mean, abs=0.01)
    assert deviation == pytest.approx(chance.deviation, rel=0.15)


def test_an_update_leaves_the_beliefs_before_it_as_they_were():
    observation = Observation("worker", (*WORKER.key, "first"), yes=1)

    after = update(NOTHING, observation, now=5.0, half_life_days=30)

    assert NOTHING.counts == {}
    assert after.find("worker", (*WORKER.key, "first")).yes == 1
    assert pass_chance(after, WORKER).mean > pass_chance(NOTHING, WORKER).mean
