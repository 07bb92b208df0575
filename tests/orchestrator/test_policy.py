import copy
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import packaged_policy
from orchestrator.policy import PolicyError, TierPolicy
from orchestrator.policy_parse import parse_policy

SHIPPED = tomllib.loads(packaged_policy().read_text(encoding="utf-8"))
OWNERS_MATRIX = {
    "quick_edit": (["local_fast", "flash"], 2, "none", "skip"),
    "standard_dev": (["local_balanced", "local_quality", "haiku"], 3, "local_balanced", "skip"),
    "complex_architecture": (["local_quality", "haiku", "sonnet"], 3, "local_quality", "review"),
    "critical": (["sonnet", "opus"], 2, "next", "review"),
}


def broken(path, value):
    data = copy.deepcopy(SHIPPED)
    *parents, last = path.split(".")
    place = data
    for parent in parents:
        place = place[parent]
    place[last] = value
    return data


def test_the_shipped_policy_is_the_owners_matrix():
    policy = parse_policy(SHIPPED)

    told = {
        name: (rules.route, rules.attempts_per_tier, rules.checker, rules.when_exhausted)
        for name, rules in policy.task_types.items()
    }

    assert told == OWNERS_MATRIX
    assert policy.task_types["critical"].review == "always"


@pytest.mark.parametrize(
    ("complexity", "task_type"),
    [
        (0, "quick_edit"),
        (2.99, "quick_edit"),
        (3, "standard_dev"),
        (6, "complex_architecture"),
        (8.99, "complex_architecture"),
        (9, "critical"),
        (10, "critical"),
    ],
)
def test_ranges_are_half_open_and_the_last_includes_ten(complexity, task_type):
    assert parse_policy(SHIPPED).task_type_of(complexity) == task_type


@given(st.floats(0, 10))
def test_every_complexity_has_a_task_type(complexity):
    assert parse_policy(SHIPPED).task_type_of(complexity) in OWNERS_MATRIX


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("backend", {}, "backend: unknown section; allowed are backends, tiers"),
        ("backends", {}, "backends: at least one [backends.NAME] is needed"),
        ("backends.lmstudio.kind", "lmstudioo", "backends.lmstudio.kind = 'lmstudioo'"),
        ("backends.lmstudio.url", "127.0.0.1", "must begin with http:// or https://"),
        ("backends.anthropic.url", "http://example.org", "a key would be sent in clear text"),
        ("backends.lmstudio", {"kind": "embedded"}, "backends.lmstudio.path: is missing"),
        ("tiers.haiku.backend", "nobody", "tiers.haiku.backend = 'nobody': no such backend"),
        ("tiers.haiku.backend", [], "tiers.haiku.backend: is empty"),
        ("tiers.haiku.usd_per_mtok_in", -1, "greater than or equal to 0"),
        ("tiers.haiku", {"rank": 1, "backend": "anthropic", "model": "m"}, "its price must be known"),
        ("tiers.haiku.model", "", "tiers.haiku.model: is missing"),
        ("tiers.haiku.models", ["a", "b"], "has both model and models"),
        ("tiers.haiku.max_output_tokens", 100000, "must be below context_tokens (100000)"),
        (
            "task_types.quick_edit.route",
            ["nowhere"],
            "task_types.quick_edit.route.0 = 'nowhere': no such tier",
        ),
        ("task_types.quick_edit.route", ["flash", "flash"], "names a tier twice"),
        ("task_types.quick_edit.checker", "somebody", "allowed are none, same, next"),
        ("task_types.quick_edit.complexity", [3, 3], "must rise"),
        ("task_types.quick_edit.complexity", [0, 4], "overlaps standard_dev"),
        ("task_types.quick_edit.complexity", [0, 2], "leaves a gap to standard_dev"),
        ("task_types.quick_edit.complexity", [1, 3], "must cover 0 to 10"),
        (
            "task_types.odd",
            {"complexity": [0, 1], "route": ["flash"], "validators": ["syntax"]},
            "unknown task type",
        ),
        ("task_types.quick_edit.validators", ["sintax"], "task_types.quick_edit.validators.0 = 'sintax'"),
        ("tiers.haiku", {"backend": "anthropic", "model": "m"}, "tiers.haiku.rank: is missing"),
        ("guards.usd_per_day", -5.0, "guards.usd_per_day = -5.0"),
        ("guards.usd_per_task", float("inf"), "guards.usd_per_task = inf"),
        ("sandbox.backend", "chroot", "sandbox.backend = 'chroot'"),
        ("sandbox.image", "--privileged", "sandbox.image = '--privileged'"),
        ("sandbox.image", "a b", "sandbox.image = 'a b'"),
        ("sandbox.image", "a\n", "sandbox.image = 'a\\n'"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_is_allowed(path, value, said):
    with pytest.raises(PolicyError) as refused:
        parse_policy(broken(path, value))

    assert said in str(refused.value)


def test_five_mistakes_at_once_are_all_listed():
    data = broken("guards.usd_per_day", -1)
    data["tiers"]["haiku"]["backend"] = "nobody"
    data["task_types"]["critical"]["route"] = ["sonnet", "oops"]
    data["backends"]["ollama"]["prot"] = 1
    data["extra"] = {}

    with pytest.raises(PolicyError) as refused:
        parse_policy(data, "my.toml")

    assert len(refused.value.mistakes) == 5
    assert str(refused.value).startswith("my.toml is refused, it has 5 mistakes:")


def test_models_can_share_a_tier_or_be_chosen_by_domain():
    shared = TierPolicy(rank=0, backend="b", models=["a", "b"])
    by_domain = TierPolicy(rank=0, backend="b", model="m", models={"code": "c"})
    only_domains = TierPolicy(rank=0, backend="b", models={"code": "c"})

    assert shared.patterns("code") == ("a", "b")
    assert by_domain.patterns("code") == ("c",)
    assert by_domain.patterns("general") == ("m",)
    assert only_domains.patterns("general") == ("c",)


@pytest.mark.parametrize(
    ("section", "value", "said"),
    [
        ("voices", 7, "voices: must hold tables"),
        (
            "voices",
            {"v": {"system": "x", "start_tier": "nope"}},
            "voices.v.start_tier = 'nope': no such tier",
        ),
        ("classifier", {"ask_when_unsure": "nope"}, "classifier.ask_when_unsure = 'nope': no such tier"),
        ("classifier", {"ask_when_unsure": "opus"}, "classifier.ask_when_unsure = 'opus': costs money"),
    ],
)
def test_a_section_that_names_what_is_not_there_is_refused(section, value, said):
    with pytest.raises(PolicyError, match=said):
        parse_policy({**SHIPPED, section: value})


def test_a_free_tier_may_be_asked_where_words_leave_it_open():
    policy = parse_policy({**SHIPPED, "classifier": {"ask_when_unsure": "local_fast"}})

    assert policy.classifier.ask_when_unsure == "local_fast"


def test_where_the_policy_does_not_say_who_checks_the_next_tier_does_from_five_on():
    rules = parse_policy(SHIPPED).task_types["standard_dev"].model_copy(update={"checker": None})

    assert (rules.checker_at(4.9), rules.checker_at(5.0)) == ("none", "next")
