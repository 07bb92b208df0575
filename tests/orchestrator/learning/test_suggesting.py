import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import packaged_policy
from orchestrator.learning.beliefs import NOTHING, Beliefs
from orchestrator.learning.counts import Count
from orchestrator.learning.suggesting import suggest
from orchestrator.policy_parse import parse_policy

PACKAGED = tomllib.loads(packaged_policy().read_text(encoding="utf-8"))
POLICY = parse_policy(PACKAGED)
BALANCED, QUALITY = "qwen3-30b-a3b-2507", "qwen2.5-coder-32b-instruct"


def change(**keys):
    """Change keys of standard_dev in the packaged policy."""
    types = PACKAGED["task_types"]
    return parse_policy(
        {**PACKAGED, "task_types": {**types, "standard_dev": {**types["standard_dev"], **keys}}}
    )


def record(model, passes, right, seen=100):
    work, passed = (model, "standard_dev", "code"), seen * passes
    return {
        ("worker", (*work, "first")): Count(passed, seen - passed, seconds=10 * seen),
        ("sound", work): Count(passed * right, passed * (1 - right)),
    }


def retry(model, number, yes, no):
    return {("retry", (model, "standard_dev", str(number))): Count(yes, no)}


def believe(*records):
    return Beliefs({row: count for one in records for row, count in one.items()})


WEAK_IS_BAD = believe(record(BALANCED, 0.4, 0.3), record(QUALITY, 0.9, 0.98))


def test_nothing_is_suggested_before_anything_was_seen():
    assert suggest(POLICY, NOTHING) == ()


def test_a_tier_that_is_not_worth_asking_is_taken_out_of_the_route_and_the_reason_is_said():
    (found,) = suggest(POLICY, WEAK_IS_BAD)

    assert found.diff == (
        "  [task_types.standard_dev]",
        '- route = ["local_balanced", "local_quality", "haiku"]',
        '+ route = ["local_quality", "haiku"]',
    )
    assert "without local_balanced: local_balanced passes 41 %" in found.why


def test_retries_that_seldom_pass_at_any_tier_are_suggested_away():
    seldom = believe(*(retry(model, 2, 0, 30) for model in (BALANCED, QUALITY, "claude-haiku-5-5")))
    seldom = Beliefs(
        {**believe(record(BALANCED, 0.8, 0.97), record(QUALITY, 0.8, 0.97)).counts, **seldom.counts}
    )
    haiku = record("claude-haiku-5-5", 0.8, 0.97)

    suggested = suggest(POLICY, Beliefs({**seldom.counts, **haiku}))

    (found,) = (one for one in suggested if one.key == "attempts_per_tier")
    assert (found.before, found.after) == (3, 2)
    assert "attempt 3 at a tier seldom passes" in found.why


def test_one_tier_that_mends_its_work_keeps_the_retries_of_all():
    mixed = believe(retry(BALANCED, 2, 0, 30), record(BALANCED, 0.8, 0.97), retry(QUALITY, 2, 15, 15))

    assert suggest(POLICY, mixed) == ()


@pytest.mark.parametrize(
    ("samples", "passes", "again", "expected"),
    [(1, 0.6, 15, (1, 2)), (1, 0.6, 3, None), (3, 0.97, 3, (3, 1)), (3, 0.6, 15, None)],
)
def test_samples_follow_how_often_one_answer_is_enough(samples, passes, again, expected):
    policy = change(samples=samples)
    beliefs = believe(record(BALANCED, passes, 0.97), retry(BALANCED, 1, again, 30 - again))

    found = {one.key: (one.before, one.after) for one in suggest(policy, beliefs)}

    assert found.get("samples") == expected


@given(
    st.lists(
        st.builds(
            record, st.sampled_from([BALANCED, QUALITY, "claude-haiku-5-5"]), st.floats(0, 1), st.floats(0, 1)
        ),
        max_size=3,
    ),
    st.lists(
        st.builds(retry, st.just(BALANCED), st.integers(1, 3), st.floats(0, 50), st.floats(0, 50)), max_size=3
    ),
)
def test_what_guards_the_work_is_never_touched_and_what_is_suggested_can_be_written(records, retried):
    for found in suggest(POLICY, believe(*records, *retried)):
        section, _, added = found.diff
        written = tomllib.loads(f"{section.strip()}\n{added.removeprefix('+ ')}")

        assert found.key in {"route", "attempts_per_tier", "samples"}
        assert written["task_types"]["standard_dev"] == {found.key: found.after}
        assert change(**{found.key: found.after})
