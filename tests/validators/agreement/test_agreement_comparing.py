"""What results of several programs say about each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.agreement.comparing import Comparison, compare
from validators.agreement.inputs import Input
from validators.agreement.judging import judge_agreement
from validators.agreement.results import Result, read_results
from validators.agreement.seeds import Seeds

SEEDS = Seeds("f", (), ((0,),))
INPUTS = tuple(Input((number,), "near") for number in range(20))


def values(*texts):
    return tuple(Result("value", text) for text in texts)


def same(text="1"):
    return values(*[text] * len(INPUTS))


def but(place, text, rest="1"):
    return values(*[text if number == place else rest for number in range(len(INPUTS))])


def compared(*results, seeds=SEEDS, bounded=True):
    return compare(results, INPUTS, seeds, bounded=bounded)


def test_two_programs_that_return_the_same_agree():
    verdict = judge_agreement(compared(same(), same()), 1)

    assert (verdict.validator, verdict.status, verdict.diagnostics) == ("agreement", "passed", ())
    assert verdict.reason == "1 other author returned the same in 20 calls"
    assert 0.9 < verdict.confidence < 1


def test_one_differing_value_keeps_them_apart_and_shows_the_call():
    verdict = judge_agreement(compared(same(), but(7, "[5, ]")), 1)

    assert verdict.status == "unavailable"
    (diagnostic,) = verdict.diagnostics
    assert diagnostic.message == (
        "f(7) returns [5] here, but 1 in another program for the same task. "
        "One of them is wrong: work out from the task which value is right."
    )


def test_values_too_long_to_show_differ_by_their_digests():
    long = tuple(Result("long", "digest") for _ in INPUTS)
    other = tuple(Result("long", "another") for _ in INPUTS)

    assert judge_agreement(compared(long, long), 1).status == "passed"
    (diagnostic,) = judge_agreement(compared(long, other), 1).diagnostics
    assert "f(0) returns a long value here, but a long value in another program" in diagnostic.message


def test_where_no_bounds_are_stated_a_rare_difference_may_come_from_a_bad_argument():
    one_of_twenty = compared(same(), but(7, "2"), bounded=False)
    one_of_two = compared(same(), values(*["1", "2"] * 10), bounded=False)

    assert judge_agreement(one_of_twenty, 0).status == "passed"
    assert (
        judge_agreement(one_of_twenty, 0).confidence < judge_agreement(compared(same(), same()), 0).confidence
    )
    assert judge_agreement(one_of_two, 0).status == "unavailable"


def test_against_two_that_do_the_same_a_program_fails():
    comparison = compared(same(), but(3, "9"), same())

    assert judge_agreement(comparison, 1).status == "failed"
    assert judge_agreement(comparison, 2).status == "passed"
    assert comparison.clusters == ((0, 2), (1,))


def test_two_against_two_decide_nothing():
    comparison = compared(same(), same(), same("2"), same("2"))

    assert {judge_agreement(comparison, number).status for number in range(4)} == {"unavailable"}


def test_more_authors_are_stronger_evidence():
    two, three = compared(same(), same()), compared(same(), same(), same())

    assert judge_agreement(three, 0).confidence > judge_agreement(two, 0).confidence


def test_answers_of_one_author_are_no_evidence_for_each_other():
    verdict = judge_agreement(compared(same(), same()), 1, authors=("a", "a"))

    assert verdict.status == "unavailable"


def test_a_lone_program_waits_for_a_second_author():
    verdict = judge_agreement(compared(same()), 0)

    assert (verdict.status, verdict.reason) == ("unavailable", "No second author's program passes yet.")


ERROR = Result("error", "IndexError")


def test_few_exceptions_say_nothing_but_a_call_that_does_not_end_does():
    raising = (*same()[:18], *[ERROR] * 2)
    slow = (*same()[:19], Result("timeout"))

    assert judge_agreement(compared(same(), raising), 1).status == "passed"
    assert "takes too long" in judge_agreement(compared(same(), slow), 1).diagnostics[0].message


@pytest.mark.parametrize(
    ("raised", "bounded", "agrees"), [(3, True, False), (10, False, True), (11, False, False)]
)
def test_a_program_that_raises_often_where_another_returns_does_not_do_the_same(raised, bounded, agrees):
    raising = (*same()[raised:], *[ERROR] * raised)

    comparison = compared(same(), raising, bounded=bounded)

    assert comparison.pairs[0].agrees is agrees
    assert agrees or judge_agreement(comparison, 1).reason == (
        "On many calls one program raises an exception where another returns a value."
    )


def test_what_raises_on_bad_arguments_in_both_programs_parts_nobody():
    raising = (*same()[:4], *[ERROR] * 16)

    assert judge_agreement(compared(raising, raising), 1).status == "passed"


def test_a_majority_fails_a_program_only_by_a_call_that_shows_it():
    raising = (*same()[:4], *[ERROR] * 16)

    verdict = judge_agreement(compared(same(), same(), raising), 2)

    assert (verdict.status, verdict.diagnostics) == ("unavailable", ())


def test_few_values_say_nothing():
    raising = (*values("1", "1"), *[Result("error", "IndexError")] * 18)

    assert judge_agreement(compared(same(), raising), 1).reason == "Too few calls returned values."


def test_values_are_the_same_as_python_compares_them():
    comparison = compared(but(0, "(1, 2.0, )"), but(0, "[1, 2.0000000001, ]"))
    ordered = compared(but(0, "[1, 2, ]"), but(0, "[2, 1, ]"))
    free = compared(but(0, "[1, 2, ]"), but(0, "[2, 1, ]"), seeds=Seeds("f", (), ((0,),), any_order=True))

    assert comparison.pairs[0].agrees
    assert not ordered.pairs[0].agrees
    assert free.pairs[0].agrees


def test_the_shortest_differing_call_is_shown_with_the_names_of_its_arguments():
    inputs = (
        Input(([1] * 9, 3), "near"),
        Input(([1], 2), "near"),
        *[Input((number, number), "near") for number in range(3)],
    )
    seeds = Seeds("Solution().f", ("nums", "k"), (([1], 2),))
    comparison = compare([values(*"11111"), values(*"22111")], inputs, seeds, bounded=True)

    assert (
        judge_agreement(comparison, 0)
        .diagnostics[0]
        .message.startswith("Solution().f(nums=[1], k=2) returns 1 here, but 2")
    )


def test_an_obstacle_is_passed_on():
    assert judge_agreement(Comparison(2, obstacle="No sandbox."), 0).reason == "No sandbox."


RESULTS = st.builds(
    Result, st.sampled_from(["value", "error", "timeout", "missing"]), st.sampled_from(["1", "2", "x"])
)


@given(
    st.lists(st.lists(RESULTS, min_size=20, max_size=20).map(tuple), min_size=1, max_size=4), st.booleans()
)
def test_agreeing_is_mutual_and_everyone_is_in_one_group(results, bounded):
    forth, back = compared(*results, bounded=bounded), compared(*results[::-1], bounded=bounded)

    assert sorted(one for group in forth.clusters for one in group) == list(range(len(results)))
    assert sum(pair.agrees for pair in forth.pairs) == sum(pair.agrees for pair in back.pairs)


@given(st.text(max_size=300), st.integers(0, 4))
def test_no_report_breaks_the_reading(report, count):
    assert len(read_results(report, count)) == count
