"""Which validators judge a submission that names none."""

import pytest

from orchestrator.config import load_config, packaged_policy
from orchestrator.orchestrator import Orchestrator
from orchestrator.validation import Submission, validate_submission
from validators.validator import Given

TASK = "Write double.\n\ndouble(2) == 4\ndouble(3) == 6\n"
WRONG = "```python\ndef double(x):\n    return x + 1\n```"


@pytest.fixture
async def world(tmp_path):
    config = load_config(str(packaged_policy()), {"ORCHESTRATOR_HOME": str(tmp_path)}, tmp_path)
    orchestrator = Orchestrator(config, {}, tmp_path)
    yield orchestrator.world
    await orchestrator.aclose()


async def test_an_answer_that_contradicts_the_examples_of_its_task_does_not_pass(world):
    judgement = await validate_submission(world, Submission(WRONG, language="python", given=Given(task=TASK)))

    assert not judgement.passed
    assert judgement.verdicts[-1].validator == "examples"
    assert "double(2) gives 3" in judgement.verdicts[-1].diagnostics[0].message


async def test_a_task_without_examples_blocks_nothing(world):
    judgement = await validate_submission(
        world, Submission(WRONG, language="python", given=Given(task="Write it."))
    )

    assert judgement.passed
    assert judgement.verdicts[-1].status == "unavailable"


async def test_tests_say_more_than_examples(world):
    given = Given(task=TASK, tests="assert double(3) == 4")

    judgement = await validate_submission(world, Submission(WRONG, language="python", given=given))

    assert judgement.passed
    assert "examples" not in [verdict.validator for verdict in judgement.verdicts]


async def test_examples_that_are_asked_for_must_agree_beside_tests(world):
    given = Given(task=TASK, tests="assert double(3) == 4")

    judgement = await validate_submission(
        world, Submission(WRONG, language="python", validators=("examples",), given=given)
    )

    assert not judgement.passed


async def test_what_judges_only_within_a_task_says_so_and_does_not_pass(world):
    judgement = await validate_submission(
        world, Submission(WRONG, language="python", validators=("syntax", "agreement", "generated_tests"))
    )

    assert not judgement.passed
    told = {verdict.validator: (verdict.status, verdict.reason) for verdict in judgement.verdicts[1:]}
    assert {status for status, _ in told.values()} == {"unavailable"}
    assert set(told) == {"agreement", "generated_tests"}
    assert all("only within a task" in reason for _, reason in told.values())
