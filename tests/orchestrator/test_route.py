import tomllib
from dataclasses import replace

import pytest

from orchestrator.config import packaged_policy
from orchestrator.policy_parse import parse_policy
from orchestrator.route import (
    Missing,
    RouteError,
    Served,
    choose_task_type,
    pick_checker,
    plan_route,
    select_tiers,
    tiers_of_interest,
)
from orchestrator.task import Task, TaskError

POLICY = parse_policy(tomllib.loads(packaged_policy().read_text(encoding="utf-8")))
ALL_SERVED = {
    name: Served(name, "b", f"m-{name}", 8192, 1024, tier.paid) for name, tier in POLICY.tiers.items()
}


def test_tiers_nobody_serves_are_left_out_and_named():
    survey = {**ALL_SERVED, "haiku": Missing("haiku", "ANTHROPIC_API_KEY is not set")}

    route = plan_route(Task("x"), POLICY, "standard_dev", 4, survey)

    assert [tier.tier for tier in route.tiers] == ["local_balanced", "local_quality"]
    assert route.left_out == (Missing("haiku", "ANTHROPIC_API_KEY is not set"),)


def test_what_the_caller_gave_must_pass_and_runs_in_order_of_cost():
    task = Task("x", tests="assert True", benchmark_command="true", validators=("semantic",))

    route = plan_route(task, POLICY, "quick_edit", 1, ALL_SERVED)

    assert route.validators == ("syntax", "scope", "tests", "benchmark", "semantic")
    assert route.demanded == ("tests", "benchmark", "semantic")


def test_the_examples_of_a_task_are_judged_by_unless_tests_are_given():
    without = plan_route(Task("x"), POLICY, "quick_edit", 1, ALL_SERVED)
    given = plan_route(Task("x", test_command="true"), POLICY, "quick_edit", 1, ALL_SERVED)
    demanded = plan_route(
        Task("x", tests="assert 1", validators=("examples",)), POLICY, "quick_edit", 1, ALL_SERVED
    )

    assert "examples" in without.validators
    assert "examples" not in given.validators
    assert "examples" in demanded.validators


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("", "", ("local_balanced", "local_quality", "haiku")),
        ("local_quality", "", ("local_quality", "haiku")),
        ("", "local_quality", ("local_balanced", "local_quality")),
        ("local_fast", "", ("local_fast", "local_balanced", "local_quality", "haiku")),
        ("opus", "", ("opus",)),
        ("opus", "haiku", ()),
    ],
)
def test_start_and_end_cut_the_route(start, end, expected):
    assert select_tiers(Task("x", start_tier=start, max_tier=end), POLICY, "standard_dev") == expected


def test_a_tier_that_is_none_is_refused_with_the_names_there_are():
    with pytest.raises(RouteError, match="start_tier 'gpt' is no tier. There are: local_fast, "):
        select_tiers(Task("x", start_tier="gpt"), POLICY, "standard_dev")


def test_the_task_type_is_the_callers_or_follows_from_the_complexity():
    assert choose_task_type(Task("x", task_type="critical"), POLICY, 1) == "critical"
    assert choose_task_type(Task("x"), POLICY, 1) == "quick_edit"
    with pytest.raises(RouteError, match="no task type 'huge'. There are: quick_edit"):
        choose_task_type(Task("x", task_type="huge"), POLICY, 1)


def test_the_named_checker_is_surveyed_with_the_route():
    assert tiers_of_interest(Task("x"), POLICY, "quick_edit") == ("local_fast", "flash")
    assert tiers_of_interest(Task("x", start_tier="haiku"), POLICY, "standard_dev") == (
        "haiku",
        "local_balanced",
    )


@pytest.mark.parametrize(
    ("task_type", "worker", "checker"),
    [
        ("quick_edit", "local_fast", None),
        ("standard_dev", "haiku", "local_balanced"),
        ("critical", "sonnet", "opus"),
        ("critical", "opus", "opus"),
    ],
)
def test_the_checker_is_the_one_the_policy_assigns(task_type, worker, checker):
    route = plan_route(Task("x"), POLICY, task_type, 5, ALL_SERVED)

    chosen = pick_checker(route, ALL_SERVED[worker], ALL_SERVED)

    assert (chosen.tier if chosen else None) == checker


def test_a_tier_that_is_not_asked_any_more_still_checks():
    route = plan_route(Task("x"), POLICY, "critical", 9, ALL_SERVED)
    learned = replace(route, tiers=(ALL_SERVED["sonnet"],))

    assert pick_checker(learned, ALL_SERVED["sonnet"], ALL_SERVED) == ALL_SERVED["opus"]


def test_the_same_tier_can_check_and_an_absent_checker_is_nobody():
    data = tomllib.loads(packaged_policy().read_text(encoding="utf-8"))
    data["task_types"]["quick_edit"]["checker"] = "same"
    route = plan_route(Task("x"), parse_policy(data), "quick_edit", 1, ALL_SERVED)
    standard = plan_route(Task("x"), POLICY, "standard_dev", 4, ALL_SERVED)

    assert pick_checker(route, ALL_SERVED["flash"], ALL_SERVED) == ALL_SERVED["flash"]
    assert (
        pick_checker(standard, ALL_SERVED["haiku"], {"local_balanced": Missing("local_balanced", "")}) is None
    )


@pytest.mark.parametrize(("text", "said"), [("  ", "empty"), ("x" * 1_000_001, "1,000,001 characters")])
def test_a_task_that_is_none_is_refused(text, said):
    with pytest.raises(TaskError, match=said):
        Task(text)
