"""The validator `generated_tests` in real sandboxes, with what a model could have written."""

import json

import pytest

from backends.errors import BackendUnavailable
from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Limits
from validators.generated.gate import Author, GeneratedTests
from validators.validator import Given
from validators.verdict import Candidate

RIGHT = "def double(x):\n    return 2 * x\n"
ALSO_RIGHT = "def double(x):\n    return x + x\n"
WRONG = "def double(x):\n    return x ** 2\n"
TASK = "Write double(x). Example: double(1) == 2"
TESTS = ["double(0) == 0", "double(2) == 4", "double(3) == 6", "double(-1) == -2", "double('a') == 'aa'"]


def reply(*tests):
    return json.dumps({"tests": [f"assert {one}" for one in tests]})


async def judge(source, text, *others, language="python", cpu_seconds=60):
    async def ask():
        if isinstance(text, Exception):
            raise text
        return text

    candidates = [Candidate({f"other{number}.py": one}, "python") for number, one in enumerate(others)]
    limits = Limits(seconds=60, cpu_seconds=cpu_seconds)
    gate = GeneratedTests(Bubblewrap(), limits, Author(ask, "judge"), candidates)
    return await gate.judge(Candidate({"solution.py": source}, language), Given(task=TASK))


async def test_a_candidate_that_passes_all_tests_passes():
    verdict = await judge(RIGHT, reply(*TESTS))

    assert (verdict.validator, verdict.status, verdict.confidence) == ("generated_tests", "passed", 0.76)
    assert verdict.receipt.tool == "bubblewrap, tests by judge"
    assert verdict.receipt.command.startswith("double(0) == 0; double(2) == 4")
    assert verdict.receipt.digest
    assert verdict.seconds > 0


async def test_a_candidate_alone_that_fails_tests_is_only_doubted():
    verdict = await judge(WRONG, reply(*TESTS))

    assert (verdict.status, verdict.confidence) == ("unavailable", 0.0)
    assert verdict.diagnostics[0].message == "double(3) gives 9, expected 6"
    assert {one.severity for one in verdict.diagnostics} == {"note"}


async def test_others_that_agree_outvote_a_wrong_candidate():
    verdict = await judge(WRONG, reply(*TESTS), RIGHT, ALSO_RIGHT, RIGHT, ALSO_RIGHT, RIGHT)

    assert verdict.status == "failed"
    assert "5 of 6 candidates pass the same 5, this one not" in verdict.reason
    assert verdict.diagnostics[0].severity == "error"


async def test_others_that_agree_outvote_a_wrong_test():
    wrong = reply(*TESTS, "double(5) == 11")

    alone = await judge(RIGHT, wrong)
    among = await judge(RIGHT, wrong, ALSO_RIGHT, ALSO_RIGHT)

    assert (alone.status, among.status) == ("unavailable", "passed")


async def test_tests_of_what_the_task_shows_or_the_candidate_lacks_are_not_run():
    verdict = await judge(RIGHT, reply("double(1) == 3", "triple(1) == 3"))

    assert (verdict.status, verdict.reason) == (
        "unavailable",
        "judge wrote no test of what the candidate defines.",
    )


@pytest.mark.parametrize("text", ["", "I cannot write tests.", "{}", "assert"])
async def test_a_reply_without_tests_says_nothing(text):
    assert (await judge(RIGHT, text)).status == "unavailable"


async def test_an_author_that_cannot_be_asked_is_unavailable():
    verdict = await judge(RIGHT, BackendUnavailable("no server", backend="b"))

    assert (verdict.status, verdict.reason) == ("unavailable", "no server")


async def test_other_languages_are_unavailable():
    verdict = await judge("function double() {}", reply(*TESTS), language="javascript")

    assert verdict.reason == "Tests in 'javascript' are not generated."


async def test_a_candidate_cannot_agree_by_anything_but_its_results():
    cheat = "class A(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n"

    verdict = await judge(f"{cheat}def double(x): return A(9)\n", reply(*TESTS))

    assert verdict.status == "unavailable"


async def test_a_test_that_asks_for_trouble_is_never_run(tmp_path):
    verdict = await judge(RIGHT, reply(*TESTS[:3], f"double(open({str(tmp_path / 'x')!r}, 'w')) == 1"))

    assert verdict.status == "passed"
    assert "open" not in verdict.receipt.command


async def test_a_method_is_tested_by_the_name_of_the_task():
    source = "class Solution:\n    def double(self, x):\n        return 2 * x\n"

    assert (await judge(source, reply(*TESTS), RIGHT)).status == "passed"


async def test_a_candidate_that_does_not_load_leaves_nothing_to_say():
    assert (await judge("import no_such_module\n" + RIGHT, reply(*TESTS))).status == "unavailable"


@pytest.mark.slow
async def test_a_candidate_without_an_end_is_told_so():
    endless = "def double(x):\n    while x: pass\n    return x\n"

    verdict = await judge(endless, reply(*TESTS), cpu_seconds=1)

    assert verdict.status == "unavailable"
    assert verdict.diagnostics[0].message == "double(2) comes to no end in time, expected 4"


async def test_the_files_of_a_workspace_are_there_unless_the_candidate_removes_them(tmp_path):
    (tmp_path / "words.py").write_text("TWO = 2\n")
    source = "def double(x):\n    import words\n    return words.TWO * x\n"

    async def ask():
        return reply(*TESTS)

    statuses = []
    for removed in ((), ("words.py",)):
        gate = GeneratedTests(Bubblewrap(), Limits(seconds=60), Author(ask, "judge"))
        candidate = Candidate({"solution.py": source}, "python", removed)
        verdict = await gate.judge(candidate, Given(task=TASK, workspace=str(tmp_path)))
        statuses.append(verdict.status)

    assert statuses == ["passed", "unavailable"]
