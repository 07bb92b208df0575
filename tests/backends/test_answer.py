import anyio
import pytest

from backends.answer import Draft, Piece
from backends.asking import ask, whole
from backends.backend import Completion, Delta, Message, Request, Usage
from backends.config import Timeouts
from backends.errors import (
    BackendBusy,
    BackendTimeout,
    ContextTooLong,
    MalformedReply,
    ModelNotFound,
    RequestRefused,
)
from backends.replies import Asked
from backends.schemas import misfit

ASKED = Asked("lab", "http://127.0.0.1:1", model="m")
NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def completion(*pieces: Piece, schema=None, prompt="hello") -> Completion:
    draft = Draft(Request("m", (Message("user", prompt),), schema=schema), ASKED)
    for piece in pieces:
        draft.add(piece)
    return draft.completion(1.0)


def said(text: str, finish="stop", **more) -> tuple[Piece, Piece]:
    return Piece(text, **more), Piece(finish=finish, last=True)


def test_an_answer_without_its_end_mark_is_cut_off():
    with pytest.raises(MalformedReply, match="cut off after 2 characters: no end mark came"):
        completion(Piece("42", finish="stop"))


def test_an_answer_without_a_finish_reason_is_cut_off():
    with pytest.raises(MalformedReply, match="no finish reason came"):
        completion(Piece("42"), Piece(last=True))


@pytest.mark.parametrize("text", ["", " \n", "<think>only thoughts</think>"])
def test_an_empty_answer_is_malformed(text):
    with pytest.raises(MalformedReply, match="empty"):
        completion(*said(text))


def test_an_answer_of_thoughts_that_ran_out_of_tokens_is_told_by_its_finish():
    result = completion(Piece(reasoning="hm, "), *said("<think>let me see", "length"))

    assert (result.text, result.reasoning, result.finish) == ("", "hm, let me see", "length")


def test_a_content_filter_that_leaves_nothing_is_a_refusal():
    with pytest.raises(RequestRefused, match="content filter"):
        completion(*said("", "content_filter"))


def test_a_content_filter_that_leaves_something_is_told_by_its_finish():
    assert completion(*said("I would rather not", "content_filter")).finish == "content_filter"


def test_counts_grow_and_the_last_model_name_counts():
    usage = [Piece(usage=Usage(10, 1, 5), model="m"), Piece(usage=Usage(0, 9), model="other")]

    result = completion(*usage, *said("x"))

    assert result.usage == Usage(10, 9, 5)
    assert result.warnings == ("another model answered: 'other' instead of 'm'",)


def test_a_prompt_that_was_hardly_read_is_a_warning():
    result = completion(*said("x", usage=Usage(100, 1)), prompt="word " * 1000)

    assert result.warnings == ("the prompt may have been cut: the server read only 100 tokens",)


@pytest.mark.parametrize(
    ("text", "reasoning", "warning"),
    [
        ('{"n": 1}', "thoughts", None),
        ("", '{"n": 1}', "the answer stood in the reasoning"),
        ('```json\n{"n": 1}\n```', "", "the JSON stood in a code fence: the server ignores schemas"),
    ],
)
def test_json_is_found_where_servers_put_it(text, reasoning, warning):
    result = completion(*said(text, reasoning=reasoning), schema=NUMBER)

    assert result.text == '{"n": 1}'
    assert result.warnings == ((warning,) if warning else ())


@pytest.mark.parametrize(
    ("text", "place"),
    [('{"n": "x"}', r"\$\.n"), ("{}", r"\$: 'n' is a required"), ("n", "JSON"), ("[" * 9999, "JSON")],
)
def test_json_that_does_not_fit_is_malformed_with_the_place(text, place):
    with pytest.raises(MalformedReply, match=place):
        completion(*said(text), schema=NUMBER)


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"$ref": "http://127.0.0.1:9/schema.json"}])
def test_a_schema_that_cannot_be_used_is_refused_and_nothing_is_fetched(schema):
    with pytest.raises(RequestRefused, match="JSON Schema cannot be used"):
        completion(*said("{}"), schema=schema)


def test_json_cut_off_by_length_is_not_held_against_the_schema():
    assert completion(*said('{"n": ', "length"), schema=NUMBER).text == '{"n": '


def test_a_fitting_text_has_no_misfit():
    assert misfit('{"n": 1}', NUMBER) == ""


async def pieces(*given: Piece, pause_seconds: float = 0):
    for piece in given:
        await anyio.sleep(pause_seconds)
        yield piece


def asking(source, timeouts=None):
    return ask(source, Request("m", (Message("user", "hello"),)), ASKED, timeouts or Timeouts())


async def test_what_is_held_back_for_a_tag_comes_before_the_end():
    stream = [piece async for piece in asking(pieces(Piece("<thi"), Piece(finish="stop", last=True)))]

    assert stream[0] == Delta("<thi")
    assert stream[1].text == "<thi"


async def test_empty_pieces_are_no_sign_of_life():
    timeouts = Timeouts(first_token_seconds=0.05)

    with pytest.raises(BackendTimeout):
        await whole(asking(pieces(*[Piece()] * 100, pause_seconds=0.01), timeouts))


async def test_a_slow_reader_is_not_held_against_the_server():
    stream = asking(pieces(*said("a b")), Timeouts(first_token_seconds=0.05, stall_seconds=0.05))
    await anext(stream)
    await anyio.sleep(0.1)

    assert (await anext(stream)).text == "a b"


@pytest.mark.parametrize(
    ("before", "worked_on"), [((), False), ((Piece(),), True)], ids=["at once", "in the middle"]
)
@pytest.mark.parametrize("kind", [BackendBusy, ContextTooLong, ModelNotFound, RequestRefused])
async def test_an_error_after_anything_came_was_worked_on(kind, before, worked_on):
    async def breaking():
        for piece in before:
            yield piece
        raise kind("it says no", backend="lab")

    with pytest.raises(kind) as error:
        await whole(asking(breaking()))

    assert error.value.worked_on is worked_on


async def test_an_answer_that_a_filter_emptied_was_worked_on():
    with pytest.raises(RequestRefused, match="content filter") as error:
        await whole(asking(pieces(*said("", "content_filter"))))

    assert error.value.worked_on


async def test_pieces_after_the_end_mark_are_not_waited_for():
    source = pieces(*said("42"), Piece("more"))

    assert (await whole(asking(source))).text == "42"


async def test_a_stream_without_a_completion_is_our_own_bug():
    async def nothing():
        return
        yield

    with pytest.raises(AssertionError):
        await whole(nothing())
