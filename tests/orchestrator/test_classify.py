"""How hard a request looks, of what kind it is and in which language."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.classify import ContextFile, classify
from orchestrator.signals import DOMAINS, SIGNALS


@pytest.mark.parametrize(
    "text",
    [
        "Fix typo in README",
        "Update the documentation of parse()",
        "Rename the variable x to count",
        "Fix indentation in utils.py",
        "Bump version to 1.2.3",
        "Correct port",
        "Add a missing import",
        "Fix typo in the security docs",
    ],
)
def test_small_things_are_quick_edits(text):
    assert classify(text).complexity < 3


@pytest.mark.parametrize(
    "text",
    [
        "Write a Python function that merges two sorted lists",
        "The date picker does not close when escape is pressed",
        "Add a --verbose flag to the build command",
        "Bug: parse() raises KeyError\n\nTraceback (most recent call last):\n  ...",
        "Write a function that validates a credit card number with the Luhn algorithm",
        'Complete this function:\n\ndef mean(xs: list[float]) -> float:\n    """Return the mean of xs."""',
        "Given a list of words, return the longest one. Write it in JavaScript.",
    ],
)
def test_ordinary_work_is_standard(text):
    assert 3 <= classify(text).complexity < 6


@pytest.mark.parametrize(
    "text",
    [
        "Redesign the plugin system",
        "Implement a websocket server with reconnection",
        "Migrate the build from webpack to vite",
        "Replace every handler in all services",
        "Remove deprecated options, a breaking change",
        "Tidy up\n\nThis is a redesign across the code base, from scratch and breaking for plugins",
    ],
)
def test_work_that_reaches_far_is_complex(text):
    assert 6 <= classify(text).complexity < 9


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Fix SQL injection in the login form", "security"),
        ("Add a column to the users table and backfill it", "migration"),
        ("Optimize the hot path of the tokenizer", "performance"),
        ("Fix a race condition between the workers", "concurrency"),
        ("Refunds are paid twice", "money"),
        ("Harden it\n\nUntrusted input causes a deadlock and data loss", "security"),
    ],
)
def test_what_can_do_harm_is_critical_and_says_why(text, word):
    classification = classify(text)

    assert classification.complexity >= 9
    assert any(word in reason and reason.endswith(": critical") for reason in classification.reasons)


def test_every_classification_has_a_reason():
    assert classify("do it").reasons == ("shows no sign of special size or risk",)


@pytest.mark.parametrize("text", ["do it", "Let keep_3 subtract.", "task: other", "xyzzy", "??"])
def test_a_request_that_says_nothing_known_is_ordinary_work(text):
    classification = classify(text)

    assert 3 <= classification.complexity < 6
    assert classification.confidence < 0.5


@given(st.text(max_size=200))
def test_without_a_rule_a_task_is_critical_only_when_that_is_likelier_than_not(text):
    classification = classify(text)

    is_critical = classification.complexity >= 9
    assert not is_critical or classification.floor >= 9 or classification.probabilities[-1] >= 0.5


def test_requirements_raise_the_complexity_within_the_band():
    few = classify("Write a queue class\n\n- push\n- pop")
    many = classify("Write a queue class\n\n" + "- one more thing\n" * 12)

    assert few.complexity < many.complexity < 6


def test_much_context_raises_the_complexity_and_is_said():
    files = [ContextFile(f"src/{number}.py", 40_000, 1_000) for number in range(8)]

    classification = classify("Add a flag", files)

    assert classification.complexity > classify("Add a flag").complexity
    assert {"comes with 8 files", "comes with 8000 lines of context"} <= set(classification.reasons)


def test_a_diff_over_many_files_raises_the_complexity_and_is_said():
    diff = "".join(f"--- a/{name}.py\n+++ b/{name}.py\n@@ -1 +1 @@\n-a\n+b\n" for name in "abcde")

    classification = classify(f"Add a flag\n\n{diff}")

    assert "shows a diff of 5 files" in classification.reasons


def test_tests_among_the_context_are_said_and_never_move_a_task_to_an_easier_type():
    text = "Write a Python function that merges two sorted lists"

    classification = classify(text, [ContextFile("tests/test_merge.py", 900, 30)])

    assert 3 <= classification.complexity < classify(text).complexity
    assert "comes with tests" in classification.reasons


def test_context_alone_never_makes_a_task_critical():
    files = [ContextFile(f"{number}.py", 9**9, 9**9) for number in range(100)]

    assert classify("Redesign the plugin system", files).complexity < 9


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Summarize this article", "extraction"),
        ("List all the names in this letter", "extraction"),
        ("Prove that the square root of two is irrational", "reasoning"),
        ("Compare renting with buying", "reasoning"),
        ("Draft an email to my landlord", "general"),
        ("Translate this into French", "general"),
        ("Explain this function", "code"),
        ("Draft an email about `main.py`", "code"),
        ("Do the thing", "code"),
    ],
)
def test_the_domain_follows_what_is_asked_for(text, domain):
    assert classify(text).domain == domain


def test_prose_is_not_weighed_by_the_words_it_is_about():
    assert classify("Summarize this report on security vulnerabilities").complexity < 3
    assert 3 <= classify("Summarize this: " + "word " * 4000).complexity < 6


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Fix the bug in src/main.rs", "rust"),
        ("Fix this\n```ts\nlet x = 1\n```", "typescript"),
        ("Write it in Go please", "go"),
        ("A C++ class for matrices", "cpp"),
        ("A C# record", "csharp"),
        ("Sort a list in C", "c"),
        ("Write a shell script that counts files", "bash"),
        ("Convert config.json handling in app.py", "python"),
        ("Update data.json", "json"),
        ("Do it\n\nWe use Django", "python"),
        ("Let it go", ""),
        ("Write a poem", ""),
    ],
)
def test_the_language_comes_from_files_fences_or_words(text, language):
    assert classify(text).language == language


def test_the_language_comes_from_the_context_when_the_text_names_no_file():
    context = [ContextFile("a.go", 10, 1), ContextFile("b.go", 10, 1), ContextFile("x.py", 10, 1)]

    assert classify("Do the JavaScript thing", context).language == "go"


def test_what_matters_is_found_at_the_end_of_a_huge_text():
    text = "Look at this log\n" + "all is well\n" * 400_000 + "the passwords leak and threads deadlock"

    assert classify(text).complexity >= 9


@given(
    st.text(max_size=500),
    st.lists(st.builds(ContextFile, st.text(max_size=9), st.integers(0, 10**9), st.integers(0, 10**7))),
)
def test_every_text_gets_a_classification_within_bounds(text, context):
    classification = classify(text, context)

    assert 0 <= classification.complexity <= 10
    assert 0 <= classification.confidence <= 1
    assert classification.reasons
    assert classification.complexity >= classification.floor
    assert not classification.probabilities or sum(classification.probabilities) == pytest.approx(1)


@settings(deadline=None)
@given(st.sampled_from(["a", "a ", "a.", "a/", "```", "add ", "migrate x ", "extract ", "- "]))
def test_repetition_costs_no_more_than_text(piece):
    assert classify(piece * (20_000 // len(piece))).complexity <= 10


def test_each_reason_is_told_apart():
    reasons = [signal.reason for signal in SIGNALS] + [reason for _, _, reason in DOMAINS]

    assert len(reasons) == len(set(reasons))
