from dataclasses import replace

import anyio
import pytest

from backends.backend import Completion, Usage
from backends.errors import BackendUnavailable, ContextTooLong, RequestRefused
from orchestrator.rlm.analyse import analyse
from orchestrator.rlm.analysis import Question
from orchestrator.rlm.errors import QuestionError, SourceError, Spent
from orchestrator.rlm.sources import Source
from tests.orchestrator.rlm.honest import (
    LIST_SCHEMA,
    SMALL,
    HonestModel,
    ask_about,
    book,
    ignore,
    long_fact,
    question,
    reply,
)


class Failing(HonestModel):
    """Fails as often as told for the part that names person2."""

    def __init__(self, failures, error=None, text=""):
        super().__init__()
        self.failures, self.error, self.text = failures, error, text

    def answer(self, kind, prompt):
        if kind == "read" and "person2 is" in prompt and self.failures:
            self.failures -= 1
            if self.error:
                raise self.error
            return Completion(self.text, "m", "length", Usage())
        return super().answer(kind, prompt)


@pytest.mark.parametrize(
    "model",
    [Failing(1, BackendUnavailable("gone", backend="b")), Failing(1, text='{"relevant": tr')],
    ids=["server", "malformed"],
)
async def test_a_part_that_fails_once_is_asked_again(model):
    found = await ask_about(question(book(5)), model)

    assert found.coverage == 1.0
    assert len(found.citations) == 5
    assert len([step for step in model.steps("read") if "/again/" in step]) == 1


async def test_a_malformed_reply_is_shown_to_the_model_with_what_is_wrong():
    model = Failing(1, text="Sorry, I cannot.")

    await ask_about(question(book(5)), model)

    [again] = [prompt for step, prompt in model.prompts.items() if "/again/" in step]
    assert "There is no whole JSON object in it" in again
    assert "Sorry, I cannot." in again


@pytest.mark.parametrize(
    ("failures", "model"),
    [
        (2, Failing(2, BackendUnavailable("the server is gone", backend="b"))),
        (1, Failing(1, RequestRefused("the policy says no", backend="b"))),
        (2, Failing(2, text="not json")),
    ],
    ids=["retryable", "refused", "malformed"],
)
async def test_a_part_that_keeps_failing_costs_coverage_and_not_the_answer(failures, model):
    found = await ask_about(question(book(5)), model)

    assert found.status == "answered"
    assert len(found.citations) == 4
    assert 0.5 < found.coverage < 1
    assert "1 of" in found.warnings[0]
    assert found.confidence < 0.95


async def test_a_dead_server_is_an_error_soon():
    calls = 0

    async def ask(step_key, prompt, schema, /):
        nonlocal calls
        calls += 1
        raise BackendUnavailable("nobody answers", backend="b")

    with pytest.raises(BackendUnavailable):
        await ask_about(question(book(60)), ask)
    assert calls <= 2 * (5 + 3)


async def test_a_model_that_never_answers_in_form_fails_without_an_exception():
    async def ask(step_key, prompt, schema, /):
        return Completion("Hm.", "m", "stop", Usage())

    found = await ask_about(question(book(60)), ask)

    assert (found.status, found.answer, found.coverage, found.confidence) == ("failed", "", 0.0, 0.0)
    assert "parts were not read" in found.warnings[1]


class Poor(HonestModel):
    """Has money for so many calls."""

    def __init__(self, calls):
        super().__init__()
        self.left = calls

    def answer(self, kind, prompt):
        if not self.left:
            raise Spent("no money left")
        self.left -= 1
        return super().answer(kind, prompt)


async def test_spent_money_ends_in_what_was_found_so_far():
    found = await ask_about(question(book(20)), Poor(6))

    assert found.status == "stopped"
    assert "The code of person0 is 7000." in found.answer
    assert len(found.citations) >= 2
    assert 0 < found.coverage < 1
    assert "no money left" in " ".join(found.warnings)


@pytest.mark.parametrize("mode", ["direct", "map"])
async def test_no_money_at_all_ends_in_an_empty_answer(mode):
    found = await ask_about(question("A short text.", mode=mode), Poor(0))

    assert (found.status, found.answer, found.coverage, found.confidence) == ("stopped", "", 0.0, 0.0)
    assert "no money left" in found.warnings[0]


async def test_too_few_calls_keep_some_for_making_the_answer():
    model = HonestModel()

    found = await ask_about(question(book(40)), model, replace(SMALL, max_calls=6))

    assert found.status == "stopped"
    assert found.calls == 5
    assert len(model.steps("answer")) == 1
    assert found.answer.startswith("The code of person0 is 7000.")
    assert "Raise max_calls" in found.warnings[0]


async def test_a_single_call_reads_one_part_and_tells_its_notes():
    found = await ask_about(question(book(40)), HonestModel(), replace(SMALL, max_calls=1))

    assert (found.status, found.calls) == ("stopped", 1)
    assert "person0" in found.answer


async def test_notes_are_shortened_where_merging_fails():
    class NoMerge(HonestModel):
        def answer(self, kind, prompt):
            if kind == "merge":
                raise BackendUnavailable("gone", backend="b")
            return super().answer(kind, prompt)

    found = await ask_about(question(*map(long_fact, range(200))), NoMerge(), replace(SMALL, max_calls=2000))

    assert found.status == "answered"
    assert "shortened instead of merged" in found.warnings[0]


async def test_a_server_that_dies_before_the_answer_leaves_the_notes():
    class NoAnswer(HonestModel):
        def answer(self, kind, prompt):
            if kind == "answer":
                raise BackendUnavailable("gone", backend="b")
            return super().answer(kind, prompt)

    found = await ask_about(question(book(5)), NoAnswer())

    assert found.status == "failed"
    assert "The code of person4 is 7004." in found.answer
    assert len(found.citations) == 5
    assert found.confidence == 0.0


async def test_an_answer_that_does_not_fit_its_schema_is_asked_for_once_more():
    class Careless(HonestModel):
        def answer(self, kind, prompt):
            if "Your last reply" in prompt:
                return super().answer(kind, prompt)
            return reply(answer="a string", quotes=[])

    model = Careless(schema=LIST_SCHEMA)
    found = await ask_about(question("The code of x is 1.", output_schema=LIST_SCHEMA), model)

    assert (found.answer, found.calls) == (["The code of x is 1."], 2)


@pytest.mark.parametrize(
    ("schema", "text", "status"),
    [
        (LIST_SCHEMA, '{"answer": 1, "quotes": []}', "failed"),
        (None, "It is 1.", "answered"),
        (None, '{"answer', "failed"),
    ],
)
async def test_an_answer_in_the_wrong_form_is_given_as_it_is(schema, text, status):
    async def ask(step_key, prompt, schema, /):
        return Completion(text, "m", "stop", Usage())

    found = await ask_about(question("The code of x is 1.", output_schema=schema), ask)

    assert (found.status, found.answer, found.calls) == (status, text, 2)
    assert "as the model wrote it" in found.warnings[0]


async def test_a_prompt_that_does_not_fit_after_all_is_read_in_parts():
    class Narrow(HonestModel):
        def answer(self, kind, prompt):
            if kind == "direct":
                raise ContextTooLong("too long", backend="b")
            return super().answer(kind, prompt)

    asked = question(book(3, 5))

    found = await ask_about(asked, Narrow())

    assert (found.status, found.mode_path) == ("answered", ("direct", "map"))
    assert found.calls >= 3
    with pytest.raises(ContextTooLong):
        await ask_about(replace(asked, mode="direct"), Narrow())


async def test_cancelling_ends_every_call():
    started, ended = 0, 0

    async def ask(step_key, prompt, schema, /):
        nonlocal started, ended
        started += 1
        try:
            await anyio.sleep_forever()
        finally:
            ended += 1

    async def cancel_when_all_run(scope):
        while started < 3:
            await anyio.lowlevel.checkpoint()
        scope.cancel()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(cancel_when_all_run, group.cancel_scope)
            await analyse(question(book(20)), ask, SMALL, on_progress=ignore)

    assert started == ended == 3


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        (Question("  ", (Source("a", "x"),)), QuestionError, "question is empty"),
        (Question("q", ()), SourceError, "no source"),
        (Question("q", (Source("a.txt", " \n"),)), SourceError, "'a.txt'"),
        (Question("q", (Source("a", "x"),), "repl"), QuestionError, "not built yet"),
        (Question("q", (Source("a", "x"),), "search"), QuestionError, "not built yet"),
        (Question("q", (Source("a", "x"),), "guess"), QuestionError, "no mode 'guess'"),
        (Question("q", (Source("a", "x"),), output_schema={"type": 3}), QuestionError, "output_schema"),
        (Question("q", (Source("a", "x " * 9000),), "direct"), QuestionError, "Take mode 'map'"),
        (Question("q " * 9000, (Source("a", "x"),)), QuestionError, "Ask more briefly"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anything_is_asked(asked, error, message):
    model = HonestModel()

    with pytest.raises(error, match=message):
        await ask_about(asked, model)
    assert model.prompts == {}


async def test_limits_that_allow_nothing_are_refused():
    with pytest.raises(QuestionError, match="at least 1"):
        await ask_about(question("x"), HonestModel(), replace(SMALL, parallel=0))
