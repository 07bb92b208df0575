import pytest

from orchestrator.config import load_config, packaged_policy, trust
from orchestrator.policy import PolicyError

TIGHTER = """
[guards]
usd_per_task = 0.10
ask_before_paid = true
[task_types.quick_edit]
complexity = [0, 3]
route = ["local_fast"]
validators = ["syntax", "compile", "scope", "examples"]
"""


QUICK = (
    '[task_types.quick_edit]\ncomplexity = [0, 3]\nroute = ["local_fast", "flash"]\n'
    'validators = ["syntax", "scope", "examples"]\n'
)


@pytest.fixture
def environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return {"ORCHESTRATOR_HOME": str(tmp_path / "home")}


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def test_the_packaged_policy_is_taken_where_there_is_no_other(environment, project):
    config = load_config("", environment, project)

    assert config.source == packaged_policy()
    assert config.warnings == ()


def test_a_named_file_wins_over_the_environment_and_the_folder(environment, project, tmp_path):
    named, other = tmp_path / "named.toml", tmp_path / "other.toml"
    for place in (named, other, project / "escalation.toml"):
        place.write_text(packaged_policy().read_text())

    by_option = load_config(str(named), {**environment, "ORCHESTRATOR_CONFIG": str(other)}, project)
    by_variable = load_config("", {**environment, "ORCHESTRATOR_CONFIG": str(other)}, project)

    assert by_option.source == named
    assert by_variable.source == other


def test_a_strange_file_may_tighten(environment, project):
    (project / "escalation.toml").write_text(TIGHTER)

    policy = load_config("", environment, project).policy

    assert policy.guards.usd_per_task == 0.10
    assert policy.guards.usd_per_day == 5.00
    assert policy.task_types["quick_edit"].route == ["local_fast"]
    assert policy.task_types["critical"].review == "always"


def test_what_a_strange_file_leaves_out_stays_as_the_user_says(environment, project):
    (project / "escalation.toml").write_text('[task_types.critical]\nroute = ["opus"]\n')

    critical = load_config("", environment, project).policy.task_types["critical"]

    assert critical.route == ["opus"]
    assert (critical.review, critical.checker, critical.attempts_per_tier) == ("always", "next", 2)


@pytest.mark.parametrize(
    "text",
    [
        '[backends.mine]\nkind = "openai"\nurl = "https://example.org"\n',
        "[guards]\nusd_per_day = 500.0\n",
        QUICK.replace("[0, 3]", "[0, 9.9]"),
        QUICK.replace('"local_fast", "flash"', '"opus"'),
        QUICK.replace('"local_fast", "flash"', '"flash", "local_fast"'),
        QUICK + "attempts_per_tier = 20\n",
        QUICK + 'checker = "opus"\n',
        QUICK + 'when_exhausted = "review"\nreview = "sometimes"\n',
        "[guards]\nask_before_paid = false\n",
        '[guards]\nroots = ["/"]\n',
        "[sandbox]\nallow_unsandboxed = true\n",
        '[task_types.critical]\ncomplexity = [9, 10]\nroute = ["opus"]\nvalidators = ["syntax"]\n',
        (
            '[task_types.standard_dev]\ncomplexity = [3, 6]\nroute = ["haiku"]\n'
            'validators = ["syntax", "compile", "tests"]\n'
        ),
    ],
)
def test_a_strange_file_that_loosens_is_left_out_with_a_warning(environment, project, text):
    (project / "escalation.toml").write_text(text)

    config = load_config("", environment, project)

    assert config.source == packaged_policy()
    assert "is not trusted" in config.warnings[0]
    assert "orchestrator trust" in config.warnings[0]


def test_a_trusted_file_counts_whole_until_it_changes(environment, project):
    place = project / "escalation.toml"
    place.write_text(packaged_policy().read_text().replace("usd_per_day = 5.00", "usd_per_day = 50.0"))

    trust(place, project.parent / "home")
    trusted = load_config("", environment, project)
    place.write_text(place.read_text() + "\n# changed\n")
    changed = load_config("", environment, project)

    assert trusted.policy.guards.usd_per_day == 50.0
    assert changed.policy.guards.usd_per_day == 5.0


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read"), ("= 1", "not TOML"), ("x = 1", "x: unknown")]
)
def test_a_file_that_is_no_policy_is_refused_by_name(environment, project, tmp_path, content, said):
    place = tmp_path / "bad.toml"
    if content is not None:
        place.write_text(content)

    with pytest.raises(PolicyError, match="bad.toml") as refused:
        load_config(str(place), environment, project)

    assert said in str(refused.value)
