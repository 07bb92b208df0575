"""Programs of several authors in a real sandbox, some of which try to get out of it."""

import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.choose import choose
from sandbox.program import Limits
from validators.agreement.judging import judge_agreement
from validators.agreement.running import compare_candidates, run_candidate
from validators.agreement.seeds import Seeds, find_seeds
from validators.verdict import Candidate

TESTS = "assert largest([1, 2]) == 2\nassert largest([5, 3, 4]) == 5\nassert largest([7]) == 7\n"
SEEDS = find_seeds("", TESTS)
LIMITS = Limits(seconds=30)
RIGHT = "def largest(xs):\n    return max(xs)\n"
LOOPED = """
def largest(xs):
    best = xs[0]
    for x in xs:
        best = x if x > best else best
    return best
"""
WRONG = "def largest(xs):\n    return max(xs[0], xs[-1])\n"


async def compared(*sources, seeds=SEEDS, text=""):
    candidates = [Candidate({"solution.py": source}, "python") for source in sources]
    return await compare_candidates(Bubblewrap(), LIMITS, candidates, seeds, text)


async def called(source, call, *rows):
    candidate = Candidate({"solution.py": source}, "python")
    results = await run_candidate(Bubblewrap(), LIMITS, candidate, Seeds(call, (), rows), rows)
    return [(one.outcome, one.text) for one in results]


async def test_two_right_programs_agree_and_a_wrong_one_that_passes_the_tests_does_not():
    comparison = await compared(RIGHT, WRONG, LOOPED)

    assert [judge_agreement(comparison, number).status for number in range(3)] == [
        "passed",
        "failed",
        "passed",
    ]
    assert "largest([" in judge_agreement(comparison, 1).diagnostics[0].message


async def test_a_function_that_returns_nothing_is_judged_by_what_it_does_to_its_arguments():
    source = "def f(xs):\n    xs.sort()\n"

    assert await called(source, "f", ([2, 1],)) == [("mutated", "[[1, 2, ], ]")]


async def test_nothing_is_a_value_where_a_function_returns_values_too():
    source = "def f(xs):\n    xs.sort()\n    return xs[0] if xs else None\n"

    assert await called(source, "f", ([2, 1],), ([],)) == [("value", "1"), ("value", "None")]


async def test_methods_generators_coroutines_and_own_number_types_are_told_as_plain_values():
    source = (
        "class Solution:\n    def f(self, n):\n        yield from range(n)\n"
        "async def g(n):\n    return {n: (n, 1.5)}\n"
        "class Odd:\n    pass\n"
        "def h(n):\n    return Odd()\n"
    )

    assert await called(source, "Solution().f", (2,)) == [("value", "[0, 1, ]")]
    assert await called(source, "g", (2,)) == [("value", "{2: (2, 1.5, ), }")]
    assert await called(source, "h", (2,)) == [("other", "Odd")]


async def test_no_call_sees_what_another_left():
    source = "seen = []\ndef f(n):\n    seen.append(n)\n    return len(seen)\n"

    assert await called(source, "f", (1,), (2,)) == [("value", "1"), ("value", "1")]


async def test_a_call_that_does_not_end_is_stopped_and_the_next_one_is_made():
    source = "def f(n):\n    while n:\n        pass\n    return n\n"

    assert await called(source, "f", (1,), (0,)) == [("timeout", ""), ("value", "0")]


async def test_a_program_that_cannot_be_loaded_tells_nothing():
    assert await called("import no_such_module\ndef f(n):\n    return n\n", "f", (1,)) == [("missing", "")]


FORGING = """
import os
for descriptor in range(3, 20):
    try:
        os.write(descriptor, b'[0, "value", "1"]' * 99)
    except OSError:
        pass
"""


@pytest.mark.parametrize(
    "attack",
    [
        "import os\nos._exit(0)",
        FORGING,
        "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
        "print('x' * 10_000_000)",
    ],
)
async def test_a_program_that_attacks_its_run_changes_nothing_for_the_others(attack):
    comparison = await compared(RIGHT, LOOPED, f"{attack}\n{RIGHT}")

    assert comparison.pairs[0].agrees
    assert comparison.pairs[0].informative > 10


async def test_a_task_with_several_right_answers_is_not_compared():
    seeds = find_seeds("If there are several such numbers, return any of them.", TESTS)

    comparison = await compared(RIGHT, WRONG, seeds=seeds)

    assert judge_agreement(comparison, 0).status == "unavailable"
    assert "any of several" in comparison.obstacle


async def test_without_a_sandbox_the_reason_is_told():
    candidates = [Candidate({"solution.py": RIGHT}, "python")] * 2

    comparison = await compare_candidates(choose("none"), LIMITS, candidates, SEEDS, "")

    assert "not allowed" in judge_agreement(comparison, 0).reason
