"""What `.gitignore` leaves out, as git itself sees it."""

import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.ignoring import is_ignored, parse_rules, read_ignored

parts = st.sampled_from(
    ["a", "*", "*.log", "a?", "[ab]", "[!a]", "**", "src", "\\*", "b*", "[^b]*", ".env", "a**b"]
)
rules = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "!", "/"]),
    st.lists(parts, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "", "/"]),
)
names = st.sampled_from(["a", "b", "ab", "a.log", "x y", "src", "build", ".env"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join).filter(lambda path: path != "src")


@pytest.fixture
def project(tmp_path):
    if not shutil.which("git"):
        pytest.skip("git is not installed here")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "src").mkdir()
    return tmp_path


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(rules, max_size=4),
    st.lists(rules, max_size=1),
    st.lists(paths, min_size=1, max_size=20, unique=True),
)
def test_git_leaves_out_the_same(project, top, inner, asked):
    (project / ".gitignore").write_text("\n".join(top))
    (project / "src/.gitignore").write_text("\n".join(inner))

    said = subprocess.run(
        ["git", "-C", str(project), "check-ignore", "--no-index", "-z", "--stdin"],
        input="\0".join(asked) + "\0",
        capture_output=True,
        text=True,
        check=False,
    )

    assert read_ignored(project, asked) == {path for path in said.stdout.split("\0") if path}


@pytest.mark.parametrize("line", ["", "# words", "/", "!", "x" * 600, "[z-a]"])
def test_a_line_that_says_nothing_is_no_rule(line):
    rules = parse_rules([line])

    assert not any(rule.fits(["x" * 600]) for rule in rules)


def test_the_exclusions_of_the_clone_count_and_a_missing_file_rules_nothing(tmp_path):
    (tmp_path / ".git/info").mkdir(parents=True)
    (tmp_path / ".git/info/exclude").write_text("secret\r\n")

    assert read_ignored(tmp_path, ["secret", "public", "deep/secret"]) == {"secret", "deep/secret"}


def test_a_pattern_made_to_take_long_does_not():
    hostile = parse_rules(["*a" * 60 + "b", "**/" * 100 + "b"])

    assert not is_ignored("a" * 240, {".": hostile})


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/stdin")])
def test_rules_that_are_no_regular_file_rule_nothing_and_are_not_waited_for(tmp_path, make):
    make(tmp_path / ".gitignore")
    (tmp_path / ".git/info").mkdir(parents=True)
    make(tmp_path / ".git/info/exclude")

    assert read_ignored(tmp_path, ["a.py"]) == frozenset()
