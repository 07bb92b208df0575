import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import packaged_policy
from orchestrator.learning.beliefs import NOTHING, Beliefs, Worker
from orchestrator.learning.counts import Count
from orchestrator.learning.starting import (
    Option,
    Terms,
    choose_start,
    options_of,
    retries,
)
from orchestrator.policy_parse import parse_policy
from orchestrator.route import Route, Served

POLICY = parse_policy(tomllib.loads(packaged_policy().read_text(encoding="utf-8")))
TERMS = Terms("standard_dev", "code", usd_per_hour=0.0)
WEAK, MIDDLE = Option("weak", "m-weak", -2, paid=False), Option("middle", "m-middle", -1, paid=False)
STRONG = Option("strong", "m-strong", 1, paid=True, usd=0.01)
ROUTE = (WEAK, MIDDLE, STRONG)
PLANNED = ("weak", "middle", "strong")


def record(model, passes, right, *, seen=100, usd=0.0, seconds=1.0, place="first"):
    """Say how often a model passed, and how often that was right by people's word."""
    work = (model, "standard_dev", "code")
    passed = seen * passes
    return {
        ("worker", (*work, place)): Count(passed, seen - passed, seen * seconds, seen * usd),
        ("sound", work): Count(passed * right, passed * (1 - right)),
    }


def believe(*records):
    return Beliefs({row: count for one in records for row, count in one.items()})


WEAK_IS_BAD = believe(
    record("m-weak", 0.6, 0.5), record("m-middle", 0.9, 0.98), record("m-strong", 0.95, 0.99, usd=0.01)
)


def test_before_anything_was_seen_the_route_is_the_policys():
    start = choose_start(NOTHING, ROUTE, TERMS)

    assert (start.tiers, start.skipped, start.explored) == (PLANNED, (), False)


def test_a_weak_tier_whose_passes_are_often_wrong_is_passed_over_and_the_reason_is_said():
    start = choose_start(WEAK_IS_BAD, ROUTE, TERMS)

    assert start.tiers == ("middle", "strong")
    assert "without weak: weak passes 60 % when first" in start.reason
    assert "(100 seen). Expected 97 % right of what is accepted" in start.reason


def test_a_cheap_tier_that_is_right_is_kept():
    good = believe(record("m-weak", 0.9, 0.99), record("m-middle", 0.9, 0.99), record("m-strong", 0.9, 0.99))

    assert choose_start(good, ROUTE, TERMS).tiers[0] == "weak"


def test_a_tier_that_is_dearer_and_weaker_than_a_later_one_is_left_out():
    dear = Option("dear", "m-dear", 1, paid=True, usd=0.03)
    beliefs = believe(
        record("m-weak", 0.7, 0.99),
        record("m-dear", 0.6, 0.9, usd=0.03, place="later"),
        record("m-strong", 0.9, 0.98, usd=0.01, place="later"),
    )

    start = choose_start(beliefs, (WEAK, dear, STRONG), TERMS)

    assert start.tiers == ("weak", "strong")


def test_a_tier_that_only_makes_one_wait_is_passed_over_where_waiting_costs():
    slow = believe(record("m-weak", 0.05, 0.9, seconds=300), record("m-middle", 0.9, 0.95, seconds=20))

    assert choose_start(slow, ROUTE, replace(TERMS, usd_per_hour=0.5)).tiers[0] == "middle"


def test_a_tier_that_was_hardly_seen_is_not_passed_over():
    few = believe(record("m-weak", 0.0, 0.5, seen=9), record("m-middle", 0.9, 0.98))

    assert choose_start(few, ROUTE, TERMS).tiers == PLANNED


def test_money_is_not_reached_past_the_last_free_tier_until_somebody_said_yes():
    bad = believe(record("m-weak", 0.5, 0.3), record("m-middle", 0.5, 0.3), record("m-strong", 0.9, 0.99))

    assert choose_start(bad, ROUTE, TERMS).tiers == ("middle", "strong")
    assert choose_start(bad, ROUTE, replace(TERMS, money_approved=True)).tiers == ("strong",)


def test_the_tier_that_the_caller_named_comes_first_whatever_was_learned():
    assert choose_start(WEAK_IS_BAD, ROUTE, replace(TERMS, pinned=True)).tiers[0] == "weak"


def test_the_surer_the_user_wants_to_be_the_stronger_the_start():
    beliefs = believe(
        record("m-weak", 0.7, 0.9, usd=1e-6),
        record("m-middle", 0.9, 0.94, usd=3.7e-3),
        record("m-strong", 0.95, 0.99, usd=1e-2),
    )
    approved = replace(TERMS, money_approved=True)
    starts = [
        choose_start(beliefs, ROUTE, replace(approved, wanted_confidence=wanted)).tiers[0]
        for wanted in (0.5, 0.93, 0.985)
    ]

    assert starts == ["weak", "middle", "strong"]


def test_weak_tiers_are_kept_as_authors_to_compare_with():
    beliefs = believe(
        record("m-weak", 0.65, 0.85), record("m-middle", 0.75, 0.9), record("m-strong", 0.95, 0.98, usd=0.01)
    )
    alone = replace(TERMS, wanted_confidence=0.95, money_approved=True)

    assert choose_start(beliefs, ROUTE, alone).tiers == ("strong",)
    assert choose_start(beliefs, ROUTE, replace(alone, compares=True)).tiers == PLANNED


def test_a_fixed_share_of_tasks_explores():
    exploring = replace(TERMS, explore=0.05)
    known = believe(record("m-weak", 0.8, 0.95, seen=12))
    low = choose_start(known, ROUTE, exploring, (0.04, *[0.001] * 3, *[0.999] * 6))
    high = choose_start(known, ROUTE, exploring, (0.06, *[0.001] * 3, *[0.999] * 6))
    new = choose_start(NOTHING, ROUTE, exploring, (0.04, *[0.001] * 3, *[0.999] * 6))

    assert (low.tiers, low.explored) == (("middle", "strong"), True)
    assert "to learn more about the others" in low.reason
    assert (high.tiers, high.explored) == (PLANNED, False)
    assert (new.tiers, new.explored) == (PLANNED, False)


def test_critical_tasks_never_explore():
    terms = replace(TERMS, task_type="critical", explore=0.5)

    known = believe(record("m-weak", 0.8, 0.95, seen=12))
    start = choose_start(known, ROUTE, terms, (0.0, *[0.001] * 3, *[0.999] * 6))

    assert (start.tiers, start.explored) == (PLANNED, False)


def test_a_route_of_which_nothing_is_served_has_no_start():
    assert choose_start(NOTHING, (), TERMS).tiers == ()


options = st.lists(
    st.builds(
        Option,
        tier=st.sampled_from("abcdef"),
        model=st.sampled_from("xyz"),
        rank=st.integers(-3, 3),
        paid=st.booleans(),
        usd=st.floats(0, 1),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda option: option.tier,
)


@given(
    options=options,
    records=st.lists(
        st.builds(record, st.sampled_from("xyz"), st.floats(0, 1), st.floats(0, 1), usd=st.floats(0, 1)),
        max_size=3,
    ),
    draws=st.lists(st.floats(0, 1, exclude_max=True), min_size=16, max_size=16),
    pinned=st.booleans(),
    approved=st.booleans(),
)
def test_whatever_was_learned_a_start_keeps_to_the_route_and_to_the_money(
    options, records, draws, pinned, approved
):
    terms = replace(TERMS, explore=0.5, pinned=pinned, money_approved=approved)

    start = choose_start(believe(*records), options, terms, draws)

    names = [option.tier for option in options]
    paid = {option.tier for option in options if option.paid}
    assert [name for name in names if name in start.tiers] == list(start.tiers)
    assert start.tiers[-1] == names[-1]
    assert set(start.tiers) | set(start.skipped) == set(names)
    assert not pinned or start.tiers[0] == names[0]
    assert approved or start.tiers[0] not in paid or names[0] in paid


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=10, max_size=10))
def test_the_same_draws_give_the_same_start(draws):
    terms = replace(TERMS, explore=0.5)

    assert choose_start(WEAK_IS_BAD, ROUTE, terms, draws) == choose_start(WEAK_IS_BAD, ROUTE, terms, draws)


def test_tiers_are_priced_by_the_policy():
    served = [
        Served(name, "b", f"m-{name}", 8192, 1024, POLICY.tiers[name].paid)
        for name in ("local_fast", "haiku")
    ]
    route = Route("quick_edit", 1.0, tuple(served), (), 2, "none", ("syntax",), (), "skip", "never")

    free, paid = options_of(route, POLICY, tokens_in=10_000)

    assert (free.usd, free.paid, free.rank) == (0, False, -3)
    assert paid.usd == pytest.approx((10_000 * 0.10 + 800 * 0.50) / 1e6)


def retry(number, yes, no):
    return {("retry", ("m-weak", "standard_dev", str(number))): Count(yes, no)}


WORKER = Worker("m-weak", "standard_dev")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([], 2),
        ([retry(1, 0, 5)], 2),
        ([retry(1, 0, 12)], 0),
        ([retry(1, 5, 10), retry(2, 0, 10)], 1),
        ([retry(1, 5, 10), retry(2, 4, 6)], 2),
    ],
)
def test_a_retry_is_left_out_once_it_was_seen_to_be_worth_little(seen, expected):
    assert retries(believe(*seen), WORKER, allowed=2) == expected


@given(st.integers(0, 19), st.lists(st.builds(retry, st.integers(1, 3), st.floats(0, 50), st.floats(0, 50))))
def test_no_worker_gets_more_retries_than_the_policy_allows(allowed, seen):
    assert 0 <= retries(believe(*seen), WORKER, allowed) <= allowed


def test_where_authors_are_compared_one_tier_is_never_left_alone():
    weak_and_middle_fail = believe(
        record("m-weak", 0.02, 0.5), record("m-middle", 0.02, 0.5), record("m-strong", 0.99, 0.99, usd=0.001)
    )
    terms = replace(TERMS, money_approved=True, compares=True, wanted_confidence=0.9)

    assert choose_start(weak_and_middle_fail, ROUTE, replace(terms, compares=False)).tiers == ("strong",)
    assert len(choose_start(weak_and_middle_fail, ROUTE, terms).tiers) > 1
