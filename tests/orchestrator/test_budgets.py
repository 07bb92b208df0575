import pytest

from orchestrator.asking import open_purse
from orchestrator.budgets import expect_usd, find_runaway
from orchestrator.outcome import Attempt
from orchestrator.policy import Guards, TierPolicy
from orchestrator.policy_parse import parse_policy

LIMITS = Guards(attempts_per_task=3, tokens_per_task=1000)
DEAR = TierPolicy(
    rank=1, backend="b", model="m", usd_per_mtok_in=1.0, usd_per_mtok_out=10.0, max_output_tokens=1000
)
FREE = TierPolicy(rank=-1, backend="b", model="m")


def attempts(*tokens):
    return [
        Attempt(number, "t", "m", "b", tokens_in=one, tokens_out=one) for number, one in enumerate(tokens, 1)
    ]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ([], ""),
        (attempts(10, 10), ""),
        (attempts(10, 10, 10), "all 3 attempts of attempts_per_task are used up"),
        (attempts(499), ""),
        (attempts(250, 250), "1,000 tokens were used, tokens_per_task is 1,000"),
    ],
)
def test_a_task_that_runs_away_is_stopped_although_it_costs_nothing(made, reason):
    assert find_runaway(made, LIMITS) == reason


def test_the_next_call_is_expected_to_be_as_long_as_those_before():
    assert expect_usd(DEAR, 1000, attempts(200, 400)) == pytest.approx(0.001 + 0.003)


def test_the_first_call_is_expected_to_fill_a_part_of_its_room():
    assert expect_usd(DEAR, 0) == pytest.approx(0.0025)


def test_no_answer_is_expected_to_be_longer_than_its_room():
    assert expect_usd(DEAR, 0, attempts(10**6)) == pytest.approx(0.01)


def policy(*, ask_before_paid=True, **rules):
    quick = {"complexity": [0, 10], "route": ["t"], "validators": ["syntax"], **rules}
    return parse_policy(
        {
            "backends": {"b": {"kind": "scripted", "path": "x"}},
            "tiers": {"t": {"rank": 1, "backend": "b", "model": "m"}},
            "task_types": {"quick_edit": quick},
            "guards": {"usd_per_task": 0.5, "usd_per_day": 5.0, "ask_before_paid": ask_before_paid},
        }
    )


@pytest.mark.parametrize(
    ("rules", "cap", "usd"),
    [
        ({}, None, 0.5),
        ({"usd_per_task": 0.2}, None, 0.2),
        ({"usd_per_task": 0.2}, 0.1, 0.1),
        ({"usd_per_task": 0.9}, 0.8, 0.5),
        ({"usd_per_task": 0.0}, 0.8, 0.0),
    ],
)
def test_a_task_may_cost_the_least_of_what_guards_type_and_caller_allow(rules, cap, usd):
    assert open_purse(policy(**rules), "quick_edit", cap, approved_by_person=False).task_usd == usd


def test_a_purse_knows_who_said_yes_and_what_the_type_may_cost_in_a_day():
    nobody = open_purse(policy(usd_per_day=1.0), "quick_edit", None, approved_by_person=False)
    person = open_purse(policy(), "quick_edit", None, approved_by_person=True)
    by_policy = open_purse(policy(ask_before_paid=False), None, None, approved_by_person=False)

    assert (nobody.approved, nobody.approved_by, nobody.type_usd) == (False, "", 1.0)
    assert (person.approved, person.approved_by, person.type_usd) == (True, "person", None)
    assert (by_policy.approved, by_policy.approved_by, by_policy.task_type) == (True, "policy", "")
