"""What tests that a model wrote come to: a pass, a failure against a sure group, or doubt."""

import pytest

from validators.generated.deciding import decide
from validators.generated.measured import COMPLETE
from validators.generated.results import Ran, find_usable, read_results
from validators.runners.example_calls import Example

GOOD = Ran("passed")
BAD = Ran("failed", "f(2) gives 3, expected 4")
CRASH = Ran("raised", "f(-1) raises KeyError: -1, expected 0")
MUTE = Ran("silent")


def test_a_lone_candidate_that_passes_everything_passes_with_the_measured_confidence():
    judged = decide([[GOOD] * 8])

    assert (judged.status, judged.confidence) == ("passed", COMPLETE[1][-1])
    assert judged.reason == "8 of 8 generated tests pass"
    assert judged.diagnostics == ()


def test_a_lone_candidate_that_fails_one_is_in_doubt_and_told_which():
    judged = decide([[GOOD] * 8 + [BAD]])

    assert (judged.status, judged.confidence) == ("unavailable", 0.0)
    assert judged.reason == "8 of 9 generated tests pass: that is doubt, no proof."
    assert [(one.message, one.severity, one.code) for one in judged.diagnostics] == [
        ("f(2) gives 3, expected 4", "note", "generated_test")
    ]


@pytest.mark.parametrize("rows", [[[]], [[MUTE] * 9], [[GOOD, GOOD, MUTE]]])
def test_too_few_tests_that_can_be_run_say_nothing(rows):
    judged = decide(rows)

    assert (judged.status, judged.diagnostics) == ("unavailable", ())
    assert "are needed" in judged.reason


def test_a_group_that_is_sure_passes_its_members_although_a_test_fails():
    judged = decide([[GOOD] * 9 + [BAD]] * 5)

    assert judged.status == "passed"
    assert (
        judged.reason
        == "9 of 10 generated tests pass; 5 of 5 candidates pass the same 9, this one among them"
    )


def test_a_candidate_that_stands_against_a_sure_group_fails_with_what_the_group_passes():
    wrong_test = Ran("failed", "f(9) gives 9, expected 1")

    judged = decide([[GOOD, GOOD, BAD, CRASH, wrong_test], *[[GOOD, GOOD, GOOD, GOOD, BAD]] * 5])

    assert (judged.status, judged.confidence) == ("failed", 0.9)
    assert [(one.message, one.severity) for one in judged.diagnostics] == [
        (BAD.told, "error"),
        (CRASH.told, "error"),
    ]


def test_two_that_disagree_are_both_in_doubt():
    rows = [[GOOD, GOOD, BAD, BAD], [BAD, BAD, GOOD, GOOD]]

    assert decide(rows).status == decide(rows[::-1]).status == "unavailable"


def test_only_the_shortest_remarks_are_kept():
    row = [Ran("failed", "x" * number) for number in range(20, 8, -1)]

    assert [len(one.message) for one in decide([row]).diagnostics] == [9, 10, 11, 12, 13]


def test_what_breaks_every_one_of_several_candidates_is_no_test():
    assert find_usable([[GOOD, CRASH]] * 3) == (0,)
    assert find_usable([[GOOD, CRASH]] * 2) == (0, 1)
    assert find_usable([[GOOD, CRASH, MUTE], [MUTE, BAD, MUTE], [MUTE, MUTE, MUTE]]) == (0, 1)


@pytest.mark.parametrize(
    ("answer", "outcome", "told"),
    [
        ({"outcome": "value", "text": "4"}, "passed", ""),
        ({"outcome": "value", "text": "5"}, "failed", "f(2) gives 5, expected 4"),
        ({"outcome": "other", "text": "<object>"}, "failed", "f(2) gives <object>, expected 4"),
        ({"outcome": "other", "text": "<object>", "foreign": "1"}, "silent", ""),
        (
            {"outcome": "error", "text": "KeyError: 2", "file": "solution.py"},
            "raised",
            "f(2) raises KeyError: 2, expected 4",
        ),
        ({"outcome": "error", "text": "TypeError: f() takes 0 arguments", "file": ""}, "silent", ""),
        ({"outcome": "timeout"}, "raised", "f(2) comes to no end in time, expected 4"),
        ({"outcome": "silent"}, "raised", "f(2) ends the program, expected 4"),
        ({"outcome": "changes"}, "silent", ""),
        ({}, "silent", ""),
    ],
)
def test_an_answer_counts_by_what_it_shows(answer, outcome, told):
    assert read_results("", [Example("f(2)", 4, 0)], {0: answer}) == (Ran(outcome, told),)


def test_where_any_answer_will_do_a_result_says_nothing():
    task = "Return any valid answer."

    assert read_results(task, [Example("f(2)", 4, 0)], {0: {"outcome": "value", "text": "5"}}) == (MUTE,)
