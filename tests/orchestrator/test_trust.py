import tomllib

import pytest

from orchestrator.config import packaged_policy
from orchestrator.policy_parse import parse_policy
from orchestrator.trust import find_loosening

OWN = parse_policy(tomllib.loads(packaged_policy().read_text(encoding="utf-8")))
STANDARD = {
    "complexity": [3, 6],
    "route": ["local_balanced", "local_quality", "haiku"],
    "attempts_per_tier": 3,
    "checker": "local_balanced",
    "validators": list(OWN.task_types["standard_dev"].validators),
    "when_exhausted": "skip",
}


def loosening(**changes):
    entry = {key: value for key, value in {**STANDARD, **changes}.items() if value is not None}
    return list(find_loosening({"task_types": {"standard_dev": entry}}, OWN))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"route": ["local_quality"]},
        {"attempts_per_tier": 1},
        {"validators": [*STANDARD["validators"], "semantic"]},
        {"when_exhausted": "review", "review": "always"},
    ],
)
def test_less_is_allowed(changes):
    assert loosening(**changes) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"complexity": [0, 9]}, "complexity = [0, 9]"),
        ({"route": ["opus"]}, "route = ['opus']"),
        ({"route": ["local_quality", "local_balanced"]}, "route = ['local_quality', 'local_balanced']"),
        ({"route": "opus"}, "route = 'opus'"),
        ({"attempts_per_tier": 9}, "attempts_per_tier = 9"),
        ({"attempts_per_tier": "9"}, "attempts_per_tier = '9'"),
        ({"checker": "same"}, "checker = 'same'"),
        ({"samples": 4}, "samples = 4"),
        ({"plan": True}, "plan = True"),
        ({"wanted_confidence": 0.5}, "wanted_confidence = 0.5"),
        ({"wanted_confidence": 0.99}, "wanted_confidence = 0.99"),
        ({"route": ["haiku"]}, "goes past free tiers to paid ones"),
        ({"validators": ["syntax"]}, "validators = ['syntax']"),
    ],
)
def test_more_is_named(changes, said):
    (found,) = loosening(**changes)

    assert found.startswith("task_types.standard_dev")
    assert found.endswith(said)


def test_what_is_left_out_loosens_nothing_because_it_stays_as_the_user_says():
    assert list(find_loosening({"task_types": {"critical": {}}}, OWN)) == []


def test_a_budget_of_a_task_type_may_only_fall():
    types = {**OWN.model_dump(exclude_unset=True)["task_types"]}
    types["standard_dev"] = {**STANDARD, "usd_per_day": 2.0}
    own = parse_policy({**OWN.model_dump(exclude_unset=True), "task_types": types})

    def found(usd):
        return list(find_loosening({"task_types": {"standard_dev": {"usd_per_day": usd}}}, own))

    assert found(1.0) == []
    assert found(3.0) == ["task_types.standard_dev.usd_per_day = 3.0"]
    assert list(find_loosening({"task_types": {"quick_edit": {"usd_per_day": 3.0}}}, own)) == []


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"guards": {"usd_per_day": 1.0, "ask_before_paid": True, "seconds_per_task": 60}}, []),
        ({"guards": {"usd_per_day": 6.0}}, ["guards.usd_per_day = 6.0"]),
        ({"guards": {"ask_before_paid": False}}, ["guards.ask_before_paid = False"]),
        ({"guards": {"roots": ["/"]}}, ["guards.roots = ['/']"]),
        ({"backends": {}}, ["[backends]"]),
        ({"guards": 7, "task_types": 7}, []),
        ({"task_types": {"odd": {}, "standard_dev": 7}}, []),
    ],
)
def test_only_limits_may_be_lowered(data, found):
    assert list(find_loosening(data, OWN)) == found


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ({"lint": "block"}, 0),
        ({"votes": 3}, 1),
        ({"lint": "advise"}, 0),
        ({"lint": "x"}, 1),
        ({"votes": 0}, 1),
        (7, 0),
    ],
)
def test_lint_may_block_more_and_never_less(section, names):
    assert len(list(find_loosening({"validators": section}, OWN))) == names


def test_lint_that_blocks_for_the_user_may_not_be_made_to_advise():
    strict = parse_policy({**OWN.model_dump(exclude_unset=True), "validators": {"lint": "block"}})

    assert list(find_loosening({"validators": {"lint": "advise"}}, strict)) == ["validators.lint = 'advise'"]
    assert list(find_loosening({"validators": {"lint": "block"}}, strict)) == []
