"""What is taken as a test from what a model wrote."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.generated.asserting import fit_tests, read_tests, spell_test
from validators.runners.example_calls import find_examples, read_python


def sources(reply):
    return [one.source for one in read_tests(reply)]


@pytest.mark.parametrize(
    "reply",
    [
        '{"tests": ["assert f(1) == 2", "assert f(\\"a\\") == [1]"]}',
        '```json\n{"tests": ["assert f(1) == 2",\n "assert f(\\"a\\") == [1]"]}\n```',
        '["assert f(1) == 2", "assert f(\\"a\\") == [1]"]',
        '{"tests": ["assert f(1) == 2", "assert f(\\"a\\") == [1]", "assert f(3',
        "Here they are:\n```python\nassert f(1) == 2, 'one'\nassert f('a') == [1]\n```\nRegards",
        "```\nimport os\n\ndef test_f():\n    assert f(1) == 2\n    assert f('a') == [1]\n```",
        "assert f(1) == 2\nassert f('a') == [1]  # a list\nassert f(",
        "assert f(1) == 2\nassert f( 1 ) == 2\nassert f('a') == [1]",
    ],
)
def test_assertions_are_found_however_they_are_wrapped(reply):
    assert sources(reply) == ["f(1) == 2", "f('a') == [1]"]


@pytest.mark.parametrize(
    ("assertion", "call", "expected"),
    [
        ("f(1) == 2", "f(1)", 2),
        ("-2 == f(1, k=3)", "f(1, k=3)", -2),
        ("f(1) is None", "f(1)", None),
        ("f([1, 2])", "bool(f([1, 2]))", True),
        ("not f('')", "bool(f(''))", False),
        ("abs(f(1) - 0.5) < 1e-6", "f(1)", 0.5),
        ("math.isclose(f(1), 0.5)", "f(1)", 0.5),
        ("f(1) == pytest.approx(0.5)", "f(1)", 0.5),
        ("sorted(f([3, 1])) == [1, 3]", "sorted(f([3, 1]))", [1, 3]),
        ("len(f([1])) > 2", "bool(len(f([1])) > 2)", True),
        ("f(1) == f(2)", "bool(f(1) == f(2))", True),
        ("isinstance(f(1), int)", "bool(isinstance(f(1), int))", True),
        ("Solution().go([1], k=2) == {1: 2}", "Solution().go([1], k=2)", {1: 2}),
        ("f([1] * 3)[0] == 1", "f([1] * 3)[0]", 1),
    ],
)
def test_an_assertion_becomes_a_call_and_what_is_expected(assertion, call, expected):
    (test,) = read_tests(f"assert {assertion}")

    assert (test.call, test.expected) == (call, expected)


def test_a_quoted_test_that_is_no_json_is_left_out():
    assert sources(r'["assert f(1) == \x", "assert f(2) == 3"]') == ["f(2) == 3"]


@pytest.mark.parametrize(
    "assertion",
    [
        "f(x) == 1",
        "f(os.getcwd()) == 1",
        "os.system('true') == 0",
        "f(lambda: 1) == 1",
        "f([i for i in range(3)]) == 1",
        "f(1).__class__ == int",
        "f.__globals__",
        "(y := f(1)) == 1",
        "f(f'{1}') == 1",
        "True",
        "1 == 1",
        "len([1]) == 1",
        f"f({'1' * 700}) == 1",
    ],
)
def test_what_is_no_call_with_plain_values_is_left_out(assertion):
    assert read_tests(f"assert {assertion}") == ()


def test_no_more_tests_are_read_than_can_be_used():
    assert len(read_tests("\n".join(f"assert f({number}) == 1" for number in range(500)))) == 60


@given(st.text())
def test_no_reply_breaks_the_reader(reply):
    assert isinstance(read_tests(reply), tuple)


@given(
    st.lists(st.recursive(st.integers() | st.text(max_size=5), st.lists, max_leaves=5), max_size=4), st.text()
)
def test_a_test_that_is_sent_as_json_comes_out_as_it_was(arguments, expected):
    call = f"f({', '.join(map(repr, arguments))})"
    reply = json.dumps({"tests": [f"assert {call} == {expected!r}"]})

    found = read_tests(reply)

    assert [(eval(one.call, {"f": lambda *got: list(got)}), one.expected) for one in found] in (  # noqa: S307
        [(arguments, expected)],
        [],
    )


CLASS = read_python({"solution.py": "class Solution:\n    def go(self, nums, k=1): return 1\n"})
FUNCTION = read_python({"solution.py": "def go(nums, k=1): return 1\n"})
TASK = "Example: go([1, 2], 3) == 4\n"


def test_a_method_is_called_through_its_class():
    (test,) = read_tests("assert go([1], 2) == 3")

    assert spell_test(test, CLASS).call == "Solution().go([1], 2)"
    assert spell_test(test, FUNCTION).call == "go([1], 2)"


def test_tests_of_what_the_candidate_lacks_are_left_out():
    tests = read_tests("assert go([1]) == 3\nassert come([1]) == 3\nassert go(open('x')) == 1")

    assert [one.source for one in fit_tests(tests, FUNCTION, ())] == ["go([1]) == 3"]


@pytest.mark.parametrize("definitions", [FUNCTION, CLASS])
def test_calls_that_the_task_shows_are_left_out_however_they_are_written(definitions):
    examples = find_examples(TASK, definitions, "python")
    tests = read_tests(
        "assert go([1, 2], 3) == 5\nassert go(nums=[1,2], k=3) == 4\nassert go([1, 2], 4) == 4\n"
        "assert len(go([1, 2], 3)) == 1\nassert go([1], 2, 3) == 4\nassert go([1], 2, 4) == 4\n"
        "assert go([1, 2], 3)[0] == 1"
    )

    kept = [one.source for one in fit_tests(tests, definitions, examples)]

    assert kept == [
        "go([1, 2], 4) == 4",
        "len(go([1, 2], 3)) == 1",
        "go([1], 2, 3) == 4",
        "go([1], 2, 4) == 4",
        "go([1, 2], 3)[0] == 1",
    ]
