"""What may not be taken lightly: rules raise a task's type and never lower it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.classify import ContextFile, classify
from orchestrator.classifying.safety import demand_safety

GRAVE = (
    "An attacker can use SQL injection here.",
    "The login can be bypassed by anyone.",
    "This needs a database migration.",
    "Refunds are paid twice to some customers.",
    "There is a risk of data loss.",
    "A race condition shows under load.",
)
NAMED = (
    "It also stores passwords.",
    "It reads credit cards.",
    "It adds a column to the table.",
    "It touches customer data.",
    "It must be thread-safe.",
)
REQUESTS = (
    "Fix a typo",
    "Rename the variable x to count",
    "Add a flag to the build command",
    "Redesign the plugin system",
    "Bump the version",
    "Write a Python function that adds two numbers",
)


@given(st.sampled_from(REQUESTS), st.sampled_from(GRAVE + NAMED), st.booleans())
def test_a_sentence_about_harm_is_never_a_quick_edit(request_text, sentence, is_first):
    parts = (sentence, request_text) if is_first else (request_text, sentence)

    assert classify("\n".join(parts)).complexity >= 3
    assert classify(" ".join(parts)).complexity >= 3


@given(
    st.sampled_from(REQUESTS),
    st.lists(st.sampled_from(GRAVE + NAMED) | st.text(max_size=40), max_size=4),
    st.sampled_from(GRAVE + NAMED) | st.text(max_size=40),
)
def test_saying_more_never_lowers_what_safety_demands(title, lines, more):
    text = "\n".join((title, *lines))

    before = demand_safety(title, text)
    after = demand_safety(title, f"{text}\n{more}")

    assert after.floor >= before.floor


@given(st.text(max_size=200), st.lists(st.sampled_from(GRAVE), min_size=1, max_size=3))
def test_the_classification_is_never_below_the_floor(text, sentences):
    classification = classify("\n".join((*sentences, text)))

    assert classification.complexity >= classification.floor >= 3


@pytest.mark.parametrize("sentence", GRAVE)
def test_grave_words_in_the_title_make_a_task_critical(sentence):
    safety = demand_safety(sentence, sentence)

    assert safety.floor == 9
    assert safety.reasons
    assert all(reason.endswith(": critical") for reason in safety.reasons)


@pytest.mark.parametrize("sentence", NAMED)
def test_a_name_alone_only_keeps_a_task_from_being_a_quick_edit(sentence):
    safety = demand_safety(sentence, sentence)

    assert safety.floor == 3
    assert all(reason.endswith(": no quick edit") for reason in safety.reasons)


@pytest.mark.parametrize(
    "text",
    [
        "Fix typo in the security docs",
        "Add the security page to the menu",
        "Inject the logger",
        "Rename the token stream",
        "Sort the table of contents",
        "Charge the battery in the simulation",
        "Lock the header row while scrolling",
    ],
)
def test_words_that_only_sound_dangerous_raise_nothing(text):
    assert demand_safety(text, text).floor == 0


def test_the_wording_of_something_grave_is_not_critical():
    assert demand_safety("Fix typo in the data loss warning", "Fix typo in the data loss warning").floor == 3


@pytest.mark.parametrize(
    "path", ["app/migrations/0004_add_name.py", "src/billing/invoice.ts", "server/auth/session.go"]
)
def test_a_risky_file_in_the_context_keeps_a_task_from_being_a_quick_edit(path):
    assert classify("Fix a typo", [ContextFile(path, 100, 10)]).complexity == 3


def test_an_ordinary_file_in_the_context_raises_nothing():
    assert classify("Fix a typo", [ContextFile("docs/authors.md", 100, 10)]).complexity < 3
