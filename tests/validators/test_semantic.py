"""What a checker's word is worth: garbage passes nothing, and a rejection needs proof that holds."""

import contextlib
import json
import math
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.backend import Completion, TokenLogprob, Usage
from backends.errors import BackendUnavailable
from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Limits
from validators.reviewing import Review, find_quote, read_review, write_counter_example
from validators.semantic import APPROVAL, QUOTED, REPRODUCED, Means, Semantic, is_doubt
from validators.suite import Tests
from validators.validator import Given
from validators.verdict import Candidate

PYTHON = """\
class Stack:
    def __init__(self, items=()):
        self.items = list(items)

    def top(self):
        return self.items[0]


def add(a, b):
    return a - b


def pair(a):
    return (a, 0.1 + 0.2)


def loop(n):
    while n:
        pass


def strict(n):
    if n < 0:
        raise ValueError("negative")
    return n
"""
JAVASCRIPT = """\
function add(a, b) {
  return a - b;
}
function half(a) { if (a % 2) throw new RangeError('odd'); return a / 2; }
"""
TASK = "Write add(a, b), which returns the sum.\nNegative numbers are allowed."
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def rejection(call="", expected="", quote="", reason="it subtracts"):
    said = {
        "verdict": "reject",
        "failing_input": call,
        "expected": expected,
        "quote": quote,
        "reason": reason,
    }
    return json.dumps(said)


async def judge(reply, files=None, language="python", *, was_run=False, seconds=20.0):
    async def ask(candidate):
        if isinstance(reply, Exception):
            raise reply
        return Completion(reply, "judge", "stop", Usage(1, 1))

    tests = Tests(Bubblewrap(), Limits(seconds=seconds))
    means = Means(tests, lambda: was_run)
    candidate = Candidate(files or {"solution.py": PYTHON}, language)
    return await Semantic(ask, "judge", means).judge(candidate, Given(task=TASK))


async def test_an_approval_passes():
    verdict = await judge('{"verdict": "approve", "failing_input": "", "quote": "", "reason": ""}')

    assert (verdict.status, verdict.confidence, verdict.receipt.tool) == ("passed", APPROVAL, "judge")
    assert verdict.receipt.digest


GARBAGE = [
    "",
    "looks fine to me",
    "I would approve this, but",
    '{"verdict": "maybe"}',
    '{"verdict": true}',
    '["approve"]',
    "approve or reject",
    "not approved",
    '{"verdict": "approve"} {"verdict": "reject"}',
    '{"approve": {"verdict": ["approve"]}}',
    "{" * 5000,
    '{"verdict": "appr',
    "null",
]


@pytest.mark.parametrize("reply", GARBAGE)
async def test_garbage_is_no_verdict(reply):
    verdict = await judge(reply)

    assert verdict.status == "unavailable"
    assert "did not answer as asked" in verdict.reason


async def test_a_checker_that_cannot_be_asked_is_unavailable():
    verdict = await judge(BackendUnavailable("no server", backend="b"))

    assert (verdict.status, verdict.reason) == ("unavailable", "no server")


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ('```json\n{"verdict": "approve"}\n```', "approve"),
        ('Here is my verdict:\n{"verdict": "Rejected", "reason": "x"}\nRegards', "reject"),
        ('<think>{"verdict": "reject"}</think>{"verdict": "approve"}', "approve"),
        ("**Verdict: approve.**", "approve"),
        ("REJECT", "reject"),
        ("My verdict is: approved", "approve"),
        ('for {x} in {y}: {"verdict": "approve"}', "approve"),
    ],
)
def test_a_reply_that_ignores_its_schema_is_still_read(reply, verdict):
    assert read_review(reply).verdict == verdict


def test_values_of_other_kinds_are_read_as_they_are_written():
    said = {
        "verdict": "reject",
        "failing_input": "`f(1)`",
        "expected": [1, 2],
        "quote": None,
        "defects": ["a", "b"],
    }

    assert read_review(json.dumps(said)) == Review("reject", "f(1)", "[1, 2]", "", "a; b")
    assert read_review('{"verdict": "reject", "quote": "' + "x" * 500 + '"}').quote == ""


@given(st.text())
def test_no_reply_breaks_the_reader(reply):
    with contextlib.suppress(ValueError):
        assert read_review(reply).verdict in reply.lower()


PROVEN = {
    "another value": ("add(2, 3)", "5", "add(2, 3) is -1, expected 5"),
    "a keyword": ("add(2, b=3)", "5", "add(2, b=3) is -1, expected 5"),
    "a crash inside": ("Stack().top()", "None", "Stack().top() raised IndexError"),
    "nothing raised": ("strict(1)", "raises ValueError", "strict(1) raised nothing, it is 1"),
    "another error": ("strict(-1)", "raises KeyError", "strict(-1) raised ValueError"),
}


@pytest.mark.parametrize(("call", "expected", "shown"), PROVEN.values(), ids=PROVEN.keys())
async def test_a_counter_example_that_holds_rejects(call, expected, shown):
    verdict = await judge(rejection(call, expected), was_run=True)

    assert (verdict.status, verdict.confidence) == ("failed", REPRODUCED)
    assert verdict.diagnostics[0].message.startswith(shown)
    assert verdict.diagnostics[0].message.endswith("it subtracts")


async def test_a_call_that_never_ends_is_a_counter_example():
    verdict = await judge(rejection("loop(1)", "None"), seconds=1.0)

    assert verdict.status == "failed"
    assert verdict.diagnostics[0].message == "loop(1) does not come to an end. it subtracts"


UNPROVEN = {
    "the candidate agrees": ("add(2, 0)", "2"),
    "a tuple for a list, and noise of floats": ("pair(1)", "[1, 0.3]"),
    "the error that was wanted": ("strict(-1)", "raises ValueError"),
    "any error that was wanted": ("strict(-1)", "It should raise an error"),
    "a subclass of it": ("strict(-1)", "raises Exception"),
    "a name that nobody knows": ("sum_all(1)", "1"),
    "arguments that do not fit": ("add(1)", "1"),
    "no call": ("add", "1"),
    "no value": ("add(1, 2)", "the sum"),
    "no syntax": ("add(1,", "3"),
    "code of the checker's own": ("add(open('/etc/passwd').read(), 2)", "3"),
    "a call of a result": ("add(1, 2)(3)", "1"),
    "an expression": ("add(1, 2) or exit(1)", "3"),
    "a call of the system": ("__import__('os').system('true')", "1"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("call", "expected"), UNPROVEN.values(), ids=UNPROVEN.keys())
async def test_a_rejection_without_proof_is_advice(call, expected):
    verdict = await judge(rejection(call, expected))

    assert verdict.status == "unavailable", verdict
    assert verdict.reason.startswith("The checker rejected without proof")
    assert verdict.diagnostics[0].message.startswith("it subtracts")
    assert verdict.diagnostics[0].severity == "note"


@needs_node
@pytest.mark.parametrize(
    ("call", "expected", "shown"),
    [
        ("add(2, 3)", "5", "add(2, 3) is [-1], expected [5]"),
        ("half(3)", "1.5", "half(3) threw RangeError: odd"),
        ("half(2)", "throws RangeError", "half(2) threw nothing, it is [1]"),
    ],
)
@pytest.mark.parametrize("text", [JAVASCRIPT, f"export {{ add }};\n{JAVASCRIPT}"])
async def test_javascript_is_run_too(call, expected, shown, text):
    verdict = await judge(rejection(call, expected), {"solution.js": text}, "javascript")

    assert verdict.status == "failed"
    assert verdict.diagnostics[0].message.startswith(shown)


@needs_node
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("add(2, 0)", "2"),
        ("half(3)", "throws"),
        ("none(1)", "1"),
        ("add(process.exit(1), 2)", "3"),
        ("add(1, 2); process.exit(1)", "3"),
        ("add(1, 2)", "whatever"),
        ("add", "1"),
    ],
)
async def test_javascript_that_shows_nothing_is_advice(call, expected):
    verdict = await judge(rejection(call, expected), {"solution.js": JAVASCRIPT}, "javascript")

    assert verdict.status == "unavailable"


@pytest.mark.parametrize(
    ("quote", "file", "line"),
    [
        ("return a - b", "solution.py", 10),
        ("  return   a - b ", "solution.py", 10),
        ("Negative numbers are allowed.", "", 0),
    ],
)
async def test_a_line_that_stands_there_rejects(quote, file, line):
    verdict = await judge(rejection(quote=quote))

    assert (verdict.status, verdict.confidence) == ("failed", QUOTED)
    assert (verdict.diagnostics[0].file, verdict.diagnostics[0].line) == (file, line)


@pytest.mark.parametrize(
    ("said", "was_run"),
    [
        ({"quote": "return a - b"}, True),
        ({"quote": "return a * b"}, False),
        ({"quote": "return"}, False),
        ({"quote": "return a - b", "reason": ""}, False),
    ],
)
async def test_a_line_that_proves_nothing_is_advice(said, was_run):
    verdict = await judge(rejection(**said), was_run=was_run)

    assert verdict.status == "unavailable"
    assert ("a stronger gate has passed" in verdict.reason) == was_run


def test_languages_that_are_not_run_have_no_counter_example():
    assert write_counter_example(Review("reject", "add(1, 2)", "3"), Candidate({"a.go": ""}, "go")) == ""


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["python", "javascript"]))
def test_no_call_breaks_the_writer(call, expected, language):
    candidate = Candidate({"a.py": "f = 1"}, language)

    assert isinstance(write_counter_example(Review("reject", call, expected), candidate), str)


@given(st.text(max_size=40), st.text(max_size=80))
def test_a_quote_is_found_only_where_it_stands(quote, text):
    found = find_quote(quote, Candidate({"a.py": text}, "python"), "")

    assert found is None or "".join(quote.split()) in "".join(text.splitlines()[found.line - 1].split())


APPROVE = '{"verdict": "approve"}'
REJECT = rejection(reason="it looks wrong")


async def vote(*replies, was_run=False):
    """Ask for as many votes as there are replies; returns the verdict and how many were asked."""
    asked = []

    def ask_for(reply):
        async def ask(candidate):
            asked.append(reply)
            if isinstance(reply, Exception):
                raise reply
            return reply if isinstance(reply, Completion) else Completion(reply, "judge", "stop", Usage(1, 1))

        return ask

    first, *more = map(ask_for, replies)
    means = Means(Tests(Bubblewrap(), Limits(seconds=20)), lambda: was_run)
    semantic = Semantic(first, "judge", means, more)
    verdict = await semantic.judge(Candidate({"solution.py": PYTHON}, "python"), Given(task=TASK))
    return verdict, len(asked)


async def test_votes_stop_when_the_majority_stands():
    verdict, asked = await vote(APPROVE, APPROVE, REJECT)

    assert (verdict.status, verdict.confidence, asked) == ("passed", APPROVAL, 2)
    assert verdict.reason == "2 of 2 votes approve, 3 were wanted"


async def test_a_majority_that_is_not_unanimous_is_trusted_less():
    verdict, asked = await vote(APPROVE, REJECT, APPROVE)

    assert (verdict.status, verdict.confidence, asked) == ("passed", APPROVAL * 2 / 3, 3)


async def test_a_proven_rejection_outweighs_all_other_votes():
    verdict, asked = await vote(APPROVE, rejection("add(2, 3)", "5"), APPROVE)

    assert (verdict.status, verdict.confidence, asked) == ("failed", REPRODUCED, 2)


async def test_a_majority_of_rejections_fails_only_with_a_line_that_stands_there():
    quoted = rejection(quote="return a - b")

    with_line, _ = await vote(REJECT, APPROVE, quoted)
    without, _ = await vote(REJECT, APPROVE, REJECT)
    after_tests, _ = await vote(REJECT, APPROVE, quoted, was_run=True)

    assert (with_line.status, with_line.confidence) == ("failed", QUOTED)
    assert without.status == after_tests.status == "unavailable"
    assert is_doubt(without)


async def test_votes_without_a_majority_prove_nothing_but_are_told():
    verdict, asked = await vote(APPROVE, REJECT)

    assert (verdict.status, asked) == ("unavailable", 2)
    assert verdict.reason == "The votes came to no majority: 1 of 2 votes approve, 2 were wanted."
    assert verdict.diagnostics[0].message == "it looks wrong"


async def test_a_vote_that_is_lost_does_not_end_the_others():
    verdict, asked = await vote(BackendUnavailable("no server", backend="b"), "gibberish", APPROVE)
    other, _ = await vote("gibberish", APPROVE, APPROVE)

    assert (verdict.status, verdict.reason, asked) == ("unavailable", "no server", 2)
    assert (other.status, other.confidence) == ("passed", APPROVAL)


async def test_an_approval_is_worth_as_much_as_its_token_was_probable():
    logprobs = (
        TokenLogprob('{"verdict": "', 0.0),
        TokenLogprob("approve", math.log(0.6), (("reject", math.log(0.4)),)),
    )

    verdict, _ = await vote(Completion(APPROVE, "judge", "stop", Usage(1, 1), logprobs=logprobs))

    assert verdict.status == "passed"
    assert verdict.confidence == pytest.approx(APPROVAL * 0.6)


async def test_doubt_is_a_rejection_without_proof_and_nothing_else():
    verdicts = [
        (await vote(reply))[0]
        for reply in (
            REJECT,
            APPROVE,
            "gibberish",
            rejection("add(2, 3)", "5"),
            rejection(quote="return a - b"),
        )
    ]

    assert [is_doubt(verdict) for verdict in verdicts] == [True, False, False, False, False]
