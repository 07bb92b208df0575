from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decide import (
    Ask,
    Finish,
    Standing,
    Try,
    count_escalations,
    end_unpaid,
    is_repeated,
    next_step,
)
from orchestrator.outcome import Attempt
from orchestrator.route import Missing, Route, Served
from validators.verdict import Diagnostic, Verdict

PLENTY = Standing(limit_seconds=900)


def served(name, *, paid=False):
    return Served(name, "backend", f"model-{name}", 8192, 1024, paid)


def route(*tiers, **changes):
    made = Route(
        task_type="standard_dev",
        complexity=4,
        tiers=tiers or (served("weak"), served("strong")),
        left_out=(),
        attempts_per_tier=2,
        checker="none",
        validators=("syntax",),
        demanded=(),
        when_exhausted="skip",
        review="never",
    )
    return replace(made, **changes)


def failed(tier, number=1, **changes):
    return replace(Attempt(number, tier, "m", "b", digest=f"digest-{number}"), **changes)


def test_the_first_tier_is_tried_first():
    assert next_step(route(), [], PLENTY) == Try(served("weak"), "first")


def test_a_tier_gets_its_attempts_before_the_task_escalates():
    one = [failed("weak", 1)]
    two = [*one, failed("weak", 2)]

    assert next_step(route(), one, PLENTY) == Try(served("weak"), "retry")
    assert next_step(route(), two, PLENTY) == Try(served("strong"), "escalate")


def test_the_same_candidate_twice_escalates_at_once():
    attempts = [failed("weak", 1, digest="same"), failed("weak", 2, digest="same")]

    step = next_step(route(attempts_per_tier=5), attempts, PLENTY)

    assert step == Try(served("strong"), "escalate")


@pytest.mark.parametrize("trouble", ["unavailable", "refused", "context"])
def test_a_tier_that_cannot_answer_is_left_at_once(trouble):
    step = next_step(route(), [failed("weak", trouble=trouble)], PLENTY)

    assert step == Try(served("strong"), "escalate")


@pytest.mark.parametrize("trouble", ["truncated", "malformed", "no_candidate"])
def test_an_answer_without_a_candidate_is_retried(trouble):
    assert next_step(route(), [failed("weak", trouble=trouble, digest="")], PLENTY) == Try(
        served("weak"), "retry"
    )


def test_an_approved_attempt_is_accepted():
    assert next_step(route(), [failed("weak", approved=True)], PLENTY).status == "accepted"


def test_a_critical_task_is_reviewed_although_it_passed():
    step = next_step(route(review="always"), [failed("weak", approved=True)], PLENTY)

    assert step.status == "needs_review"


def test_what_nobody_can_prove_goes_to_a_person_instead_of_up_the_ladder():
    step = next_step(route(), [failed("weak", unproven=("tests",))], PLENTY)

    assert step == Finish("needs_review", "nothing failed, but tests did not pass, so nothing is proven")


def test_a_doubt_without_proof_is_tried_again_and_in_the_end_left_to_a_person():
    doubt = Verdict("semantic", "unavailable", 0.0, (Diagnostic("looks slow", severity="note"),))
    doubted = [
        failed(tier, number, verdicts=(doubt,), unproven=("semantic",))
        for number, tier in enumerate(("weak", "weak", "strong", "strong"))
    ]

    assert next_step(route(), doubted[:1], PLENTY) == Try(served("weak"), "retry")
    assert next_step(route(), doubted[:2], PLENTY) == Try(served("strong"), "escalate")
    assert next_step(route(), doubted, PLENTY).status == "needs_review"


@pytest.mark.parametrize(("when_exhausted", "status"), [("skip", "skipped"), ("review", "needs_review")])
def test_an_exhausted_route_ends_as_the_policy_says(when_exhausted, status):
    attempts = [failed("weak", 1), failed("weak", 2), failed("strong", 3), failed("strong", 4)]

    assert next_step(route(when_exhausted=when_exhausted), attempts, PLENTY).status == status


def test_a_task_that_no_tier_has_room_for_ends_with_what_it_needs():
    attempts = [
        failed("weak", 1, trouble="context"),
        failed("strong", 2, trouble="context", message="90 of 80"),
    ]

    assert next_step(route(), attempts, PLENTY) == Finish(
        "skipped", "no tier has room for it; last: 90 of 80"
    )


def test_a_route_without_tiers_stops_and_says_why():
    step = next_step(route(tiers=(), left_out=(Missing("haiku", "no key"),)), [], PLENTY)

    assert step == Finish("stopped", "no tier of the route is served here (haiku: no key)")


def test_a_task_that_reached_nobody_is_stopped_so_that_it_can_be_resumed():
    attempts = [
        failed("weak", 1, trouble="unavailable"),
        failed("strong", 2, trouble="refused", message="no credit"),
    ]

    assert next_step(route(), attempts, PLENTY) == Finish(
        "stopped", "no tier could be asked; last: no credit"
    )


def test_time_that_is_used_up_stops_the_task():
    step = next_step(route(), [failed("weak")], Standing(elapsed_seconds=10, limit_seconds=10))

    assert step == Finish("stopped", "the time limit of 10 s is used up", limit=True)


def test_a_paid_tier_needs_a_persons_yes_once():
    paid = route(served("haiku", paid=True))

    assert next_step(paid, [], PLENTY) == Ask(served("haiku", paid=True))
    assert next_step(paid, [], replace(PLENTY, approved_paid=True)) == Try(
        served("haiku", paid=True), "first"
    )
    assert next_step(paid, [], replace(PLENTY, paid_needs_approval=False)) == Try(
        served("haiku", paid=True), "first"
    )


def test_an_attempt_at_a_tier_that_is_gone_leads_to_the_first_untried_one():
    assert next_step(route(), [failed("vanished")], PLENTY) == Try(served("weak"), "escalate")


def test_escalations_are_counted_without_fallbacks():
    attempts = [failed("weak"), failed("strong", trouble="unavailable"), failed("best")]

    assert count_escalations(attempts) == 1


def test_one_attempt_repeats_nothing():
    assert not is_repeated([])
    assert not is_repeated([failed("weak")])
    assert not is_repeated([failed("weak", digest=""), failed("weak", digest="")])


def passed(tier, number=1, support="alone", **changes):
    return failed(tier, number, approved=True, support=support, **{"confidence": 0.8, **changes})


PAID = route(served("weak"), served("haiku", paid=True), wanted_confidence=0.9)
SURER = route(wanted_confidence=0.9)


def test_work_that_is_not_sure_enough_waits_for_a_second_author_who_does_not_see_it():
    assert next_step(SURER, [passed("weak")], PLENTY) == Try(served("strong"), "confirm")


def test_work_that_is_sure_enough_is_accepted_without_a_second_author_who_is_paid():
    paid = replace(PAID, wanted_confidence=0.7)
    may_pay = replace(PLENTY, approved_paid=True)

    assert next_step(paid, [passed("weak")], may_pay).status == "accepted"
    assert next_step(paid, [passed("weak", confidence=0.6)], may_pay).how == "confirm"


def test_a_free_second_author_is_asked_unless_the_work_is_as_good_as_certain():
    modest = route(wanted_confidence=0.7)

    assert next_step(modest, [passed("weak")], PLENTY) == Try(served("strong"), "confirm")
    assert next_step(modest, [passed("weak", confidence=0.99)], PLENTY).status == "accepted"


def test_a_second_author_who_was_demanded_is_asked_whatever_confidence_is_wanted():
    assert next_step(route(demanded=("agreement",)), [passed("weak")], PLENTY) == Try(
        served("strong"), "confirm"
    )


def test_a_route_that_was_laid_anew_never_goes_down():
    ladder = (served("weak"), served("strong"), served("best"))
    learned = route(served("weak"), served("best"), ladder=ladder)

    assert next_step(learned, [failed("strong")], PLENTY) == Try(served("best"), "escalate")


def test_where_no_confidence_is_wanted_nobody_else_is_asked():
    assert next_step(route(), [passed("weak")], PLENTY).status == "accepted"


def test_work_that_another_author_confirms_is_accepted():
    attempts = [passed("weak"), passed("strong", 2, "agreed")]

    assert next_step(SURER, attempts, PLENTY).status == "accepted"


def test_a_contradiction_is_settled_by_the_strongest_author_who_passed():
    three = route(served("weak"), served("strong"), served("best"), wanted_confidence=0.9)
    attempts = [passed("weak"), passed("strong", 2, "contested")]

    assert next_step(three, attempts, PLENTY) == Try(served("best"), "confirm")
    ended = [*attempts, passed("best", 3, "contested")]
    assert next_step(three, ended, PLENTY).status == "accepted"
    assert "does it differently" in next_step(three, ended, PLENTY).reason
    assert next_step(replace(three, when_exhausted="review"), ended, PLENTY).status == "needs_review"


def test_a_contradiction_that_no_stronger_author_settled_goes_to_a_person():
    three = route(served("weak"), served("strong"), served("best"), attempts_per_tier=1)
    attempts = [passed("weak"), passed("strong", 2, "contested"), failed("best", 3)]

    assert next_step(three, attempts, PLENTY).status == "needs_review"


def test_a_second_author_who_fails_takes_nothing_from_what_passed():
    attempts = [passed("weak"), failed("strong", 2), failed("strong", 3, unproven=("tests",))]

    assert next_step(SURER, attempts[:2], PLENTY) == Try(served("strong"), "retry")
    assert next_step(SURER, attempts, PLENTY).status == "accepted"


def test_money_is_not_asked_for_only_to_be_surer():
    assert next_step(PAID, [passed("weak")], PLENTY).status == "accepted"
    assert next_step(PAID, [passed("weak")], replace(PLENTY, approved_paid=True)) == Try(
        served("haiku", paid=True), "confirm"
    )


def test_money_is_asked_for_where_two_authors_contradict_each_other():
    paid = replace(PAID, tiers=(served("weak"), served("strong"), served("haiku", paid=True)))
    attempts = [passed("weak"), passed("strong", 2, "contested")]

    assert next_step(paid, attempts, PLENTY) == Ask(served("haiku", paid=True))


def test_an_agreement_that_was_demanded_and_never_came_goes_to_a_person():
    demanding = replace(SURER, demanded=("agreement",))

    assert next_step(demanding, [passed("weak"), failed("strong", 2)], PLENTY) == Try(
        served("strong"), "retry"
    )
    assert next_step(demanding, [passed("strong")], PLENTY).status == "needs_review"
    assert next_step(demanding, [passed("strong", 1, "agreed")], PLENTY).status == "accepted"


def test_what_passed_is_taken_when_the_limits_end_the_wait_for_a_second_author():
    over = Standing(limit_seconds=900, runaway="30 attempts are used up")

    assert next_step(SURER, [passed("weak")], over).status == "accepted"
    assert next_step(SURER, [passed("weak"), passed("strong", 2, "contested")], over).status == "needs_review"
    assert next_step(SURER, [failed("weak")], over) == Finish(
        "stopped", "30 attempts are used up", limit=True
    )


def test_where_the_money_ends_what_passed_is_taken_and_else_the_task_stops():
    assert end_unpaid(PAID, [passed("weak")], "no money").status == "accepted"
    assert end_unpaid(PAID, [failed("weak")], "no money") == Finish("stopped", "no money", limit=True)


def test_a_second_author_is_no_escalation():
    attempts = [passed("weak"), passed("strong", 2, "agreed", how="confirm")]

    assert count_escalations(attempts) == 0


def test_samples_of_one_turn_count_as_one_try():
    attempts = [failed("weak", 1, turn=1), failed("weak", 2, turn=1), failed("weak", 3, turn=1)]

    assert next_step(route(), attempts, PLENTY) == Try(served("weak"), "retry")


def test_a_tier_whose_retries_never_helped_is_asked_once():
    assert next_step(route(retries={"weak": 1}), [failed("weak")], PLENTY) == Try(
        served("strong"), "escalate"
    )


TROUBLES = st.sampled_from(
    ["", "unavailable", "malformed", "context", "refused", "truncated", "no_candidate"]
)

SUPPORTS = st.sampled_from(["", "", "", "alone", "contested"])


@given(
    tiers=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True),
    attempts_per_tier=st.integers(1, 4),
    world=st.lists(st.tuples(TROUBLES, st.integers(0, 3), SUPPORTS), min_size=30, max_size=30),
)
def test_a_route_always_ends_within_its_attempts(tiers, attempts_per_tier, world):
    laid = route(*map(served, tiers), attempts_per_tier=attempts_per_tier, wanted_confidence=0.9)
    attempts = []

    while isinstance(step := next_step(laid, attempts, PLENTY), Try):
        trouble, digest, support = world[len(attempts)]
        made = failed(step.tier.tier, len(attempts) + 1, trouble=trouble, digest=str(digest), how=step.how)
        attempts.append(
            replace(made, approved=bool(support), support=support, trouble="" if support else trouble)
        )

    order = [attempt.tier for attempt in attempts]
    assert isinstance(step, Finish)
    assert len(attempts) <= len(tiers) * attempts_per_tier
    assert order == sorted(order, key=tiers.index)
