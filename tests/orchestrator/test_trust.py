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
        ({"route": ["haiku", "local_balanced"]}, "route = ['haiku', 'local_balanced']"),
        ({"route": "opus"}, "route = 'opus'"),
        ({"attempts_per_tier": 9}, "attempts_per_tier = 9"),
        ({"attempts_per_tier": "9"}, "attempts_per_tier = '9'"),
        ({"checker": "same"}, "checker = 'same'"),
        ({"checker": None}, "leaves out checker"),
        ({"validators": ["syntax"]}, "validators = ['syntax']"),
        ({"validators": None}, "leaves out validators"),
    ],
)
def test_more_is_named(changes, said):
    (found,) = loosening(**changes)

    assert found.startswith("task_types.standard_dev")
    assert found.endswith(said)


def test_a_review_may_not_be_dropped():
    critical = {"complexity": [9, 10], "route": ["sonnet"], "checker": "next", "when_exhausted": "review"}
    entry = {**critical, "validators": list(OWN.task_types["critical"].validators)}

    found = list(find_loosening({"task_types": {"critical": entry}}, OWN))

    assert found == ["task_types.critical leaves out review"]


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
    ("section", "names"), [({"lint": "block"}, 0), ({"lint": "advise"}, 0), ({"lint": "x"}, 1)]
)
def test_lint_may_block_more_and_never_less(section, names):
    assert len(list(find_loosening({"validators": section}, OWN))) == names


def test_lint_that_blocks_for_the_user_may_not_be_made_to_advise():
    strict = parse_policy({**OWN.model_dump(exclude_unset=True), "validators": {"lint": "block"}})

    assert list(find_loosening({"validators": {"lint": "advise"}}, strict)) == [
        "validators = {'lint': 'advise'}"
    ]
    assert list(find_loosening({"validators": {"lint": "block"}}, strict)) == []


@pytest.mark.parametrize(
    ("own", "found"), [(1, ["task_types.standard_dev leaves out attempts_per_tier"]), (3, [])]
)
def test_attempts_may_be_left_out_only_where_the_default_is_not_more(own, found):
    types = {**OWN.model_dump(exclude_unset=True)["task_types"]}
    types["standard_dev"] = {**STANDARD, "attempts_per_tier": own}
    trusted = parse_policy({**OWN.model_dump(exclude_unset=True), "task_types": types})
    entry = {key: value for key, value in STANDARD.items() if key != "attempts_per_tier"}

    assert list(find_loosening({"task_types": {"standard_dev": entry}}, trusted)) == found
