"""Votes of a checker: when they are decided, and how sure one was."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backends.backend import TokenLogprob
from validators.voting import probability_of_approval, tally

votes = st.lists(st.sampled_from(["approve", "reject", None]), max_size=9)


@pytest.mark.parametrize(
    ("given_votes", "k", "decision"),
    [
        ([], 1, None),
        (["approve"], 1, "approve"),
        (["reject"], 1, "reject"),
        ([None], 1, "undecided"),
        (["approve", "approve"], 3, "approve"),
        (["approve", "reject"], 3, None),
        (["reject", "approve", "reject"], 3, "reject"),
        ([None, None], 3, "undecided"),
        ([None, "approve"], 3, None),
        (["approve", "reject"], 2, "undecided"),
        (["approve"] * 3, 5, "approve"),
        (["approve"] * 2, 5, None),
    ],
)
def test_more_than_half_of_the_wanted_votes_decide(given_votes, k, decision):
    assert tally(given_votes, k) == decision


@given(votes, votes, st.integers(1, 9))
def test_no_later_vote_changes_what_was_decided(first, later, k):
    decided = tally(first, k)

    if decided and len(first) + len(later) <= k:
        assert tally([*first, *later], k) == decided


@given(votes, st.integers(1, 9))
def test_votes_are_decided_when_all_are_given(given_votes, k):
    if len(given_votes) >= k:
        assert tally(given_votes, k) is not None


def tokens(*parts, **top):
    """Make tokens; the alternatives belong to the one that is named `at`."""
    at = top.pop("at")
    return tuple(
        TokenLogprob(text, math.log(0.5), tuple(top["other"].items()) if number == at else ())
        for number, text in enumerate(parts)
    )


@pytest.mark.parametrize(
    ("parts", "at", "other", "expected"),
    [
        (('{"', "verdict", '":', ' "', "approve", '"}'), 4, {"reject": math.log(0.5)}, 0.5),
        (('{"verdict": "', "app", "rove", '"}'), 1, {"re": math.log(0.125), "yes": -1.0}, 0.8),
        (('{"verdict":', ' "rej', 'ect"}'), 1, {' "approve': math.log(0.25), ' "app': math.log(0.25)}, 0.5),
        (("Verdict: ", "Approve"), 1, {"Reject": math.log(0.5)}, 0.5),
        (('{"verdict": "', "approve", '"}'), 1, {}, 1.0),
    ],
)
def test_the_token_with_which_the_verdict_begins_is_weighed(parts, at, other, expected):
    assert probability_of_approval(tokens(*parts, at=at, other=other)) == pytest.approx(expected)


def test_the_verdict_counts_and_no_other_word_like_it():
    said = (
        TokenLogprob('{"reason": "I approve", ', -0.1),
        TokenLogprob('"verdict": "', -0.1),
        TokenLogprob("reject", math.log(0.9), (("approve", math.log(0.1)),)),
    )

    assert probability_of_approval(said) == pytest.approx(0.1)


@pytest.mark.parametrize("parts", [(), ("no", " verdict"), ('{"verdict": "',), ("{", "}")])
def test_without_a_verdict_nothing_is_known(parts):
    assert probability_of_approval(tokens(*parts, at=-1, other={})) is None


def test_probabilities_of_nothing_are_no_probability():
    assert probability_of_approval((TokenLogprob("approve", -math.inf),)) is None


@given(
    st.lists(
        st.builds(
            TokenLogprob,
            st.text() | st.sampled_from(["approve", " rej", '"verdict": "']),
            st.floats(),
            st.just((("reject", 1e300),)) | st.just(()),
        )
    )
)
@example([TokenLogprob("approve", 1000.0)])
def test_a_probability_is_one_whatever_a_server_says(found):
    said = probability_of_approval(found)

    assert said is None or 0 <= said <= 1
