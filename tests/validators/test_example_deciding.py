"""What the examples of a task come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.runners.example_calls import Example
from validators.runners.example_deciding import NONE_COMPARED, decide, read_answers, tally

SHOWN = Example("f(1)", 2, line=5)
RIGHT = {"outcome": "value", "text": "2"}
WRONG = {"outcome": "value", "text": "3"}


def judged(*answers, task="Write f.", expected=2):
    examples = [Example("f(1)", expected, line=5)] * len(answers)
    return tally(task, examples, dict(enumerate(answers)))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (WRONG, "f(1) gives 3, but line 5 of the task shows 2"),
        ({"outcome": "other", "text": "<A>", "foreign": ""}, "f(1) gives <A>, but"),
        (
            {"outcome": "error", "text": "E: x", "code": "E", "file": "a.py", "line": "7"},
            "f(1) raises E: x, but",
        ),
        (
            {"outcome": "error", "text": "NameError: x", "code": "NameError", "file": "a.py", "line": "7"},
            "raises",
        ),
        ({"outcome": "timeout"}, "f(1) comes to no end in time"),
        ({"outcome": "silent"}, "f(1) ends the program"),
        ({"outcome": "value", "text": "gibberish of a forger"}, "gives gibberish"),
    ],
)
def test_a_contradicted_example_names_the_call_what_came_and_what_is_shown(answer, told):
    found = judged(answer)

    (remark,) = found.contradictions
    assert told in remark.message
    assert (remark.file, remark.line) == ((answer["file"], 7) if "file" in answer else ("", 0))
    assert (remark.severity, remark.code) == ("warning", "example")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"outcome": "changes"},
        {"outcome": "nonsense"},
        {"outcome": "other", "text": "array([2])", "foreign": "1"},
        {"outcome": "error", "text": "NameError: x", "code": "NameError", "file": ""},
        {
            "outcome": "error",
            "text": "no numpy",
            "code": "ModuleNotFoundError",
            "file": "a.py",
            "missing": "numpy",
        },
    ],
)
def test_what_says_nothing_is_not_counted(answer):
    found = judged(answer)

    assert (found.agreed, found.contradictions) == (0, ())
    assert decide(found)[0] == "unavailable"


def test_a_missing_module_is_named():
    answer = {"outcome": "error", "code": "ModuleNotFoundError", "missing": "numpy"}

    other = {**answer, "missing": "pandas"}

    assert decide(judged(answer, answer, other))[2] == "Not installed beside the server: numpy, pandas."
    assert decide(judged({}))[2] == NONE_COMPARED


def test_a_task_that_leaves_the_order_open_is_taken_at_its_word():
    answer = {"outcome": "value", "text": "[2, 1]"}

    assert judged(answer, task="Return them in any order.", expected=[1, 2]).agreed == 1
    assert judged(answer, expected=[1, 2]).agreed == 0
    assert (
        judged(answer, task="If there are several, return any of them.", expected=[1, 2]).contradictions == ()
    )


@pytest.mark.parametrize(
    ("right", "wrong", "status"),
    [
        (1, 0, "passed"),
        (6, 0, "passed"),
        (0, 1, "failed"),
        (1, 2, "failed"),
        (2, 2, "failed"),
        (1, 1, "unavailable"),
        (3, 1, "unavailable"),
        (3, 2, "unavailable"),
        (0, 0, "unavailable"),
    ],
)
def test_one_contradicted_example_is_no_veto_and_half_of_them_are(right, wrong, status):
    decided, remarks, _ = decide(judged(*[RIGHT] * right, *[WRONG] * wrong))

    assert decided == status
    assert [one.severity for one in remarks] == (["error"] if status == "failed" else ["warning"]) * wrong


@given(st.integers(0, 12), st.integers(0, 12))
def test_more_that_agree_never_make_a_verdict_worse(right, wrong):
    order = ["failed", "unavailable", "passed"]
    verdicts = [decide(judged(*[RIGHT] * more, *[WRONG] * wrong))[0] for more in (right, right + 1)]

    assert right + wrong == 0 or order.index(verdicts[0]) <= order.index(verdicts[1])


def test_long_calls_and_results_are_cut():
    example = Example(f"f({'1' * 500})", "a" * 500, line=1)

    (remark,) = tally("", [example], {0: {"outcome": "value", "text": f"'{'b' * 5000}'"}}).contradictions

    assert len(remark.message) < 600


def test_of_forged_records_only_what_could_be_an_answer_is_read():
    records = [
        {"number": "0", "outcome": "value", "text": 2, "line": None},
        {"number": "x"},
        {"number": "9" * 5000},
        {"number": "\u00b2"},
        {},
        {"number": 1, "outcome": "error", "text": "E", "line": "9" * 5000},
    ]

    answers = read_answers(records)

    assert sorted(answers) == [0, 1]
    assert judged(answers[0]).agreed == 1
    assert judged(answers[1]).contradictions[0].line == 0


def test_an_answer_too_long_to_be_written_out_is_not_compared():
    answer = {"outcome": "value", "text": f"[0x{'f' * 5000}, 1]"}

    found = tally("return them in any order", (Example("f(1)", [1, 2], 1),), {0: answer})

    assert (found.agreed, len(found.contradictions)) == (0, 1)
