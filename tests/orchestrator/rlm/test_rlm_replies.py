import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.rlm.errors import QuestionError
from orchestrator.rlm.replies import (
    Notes,
    Reading,
    ReplyError,
    answer_schema,
    check_schema,
    describe_shape,
    parse_answer,
    parse_reply,
)

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.mark.parametrize(
    "wrapping", ["{}", "```json\n{}\n```", "Here you are: {} Anything else?", "set {{x}} or { } then {}"]
)
def test_a_reply_is_found_in_its_wrapping(wrapping):
    reply = wrapping.replace("{}", '{"relevant": true, "notes": "n", "quotes": ["q"]}')

    assert parse_reply(Reading, reply) == Reading(relevant=True, notes="n", quotes=("q",))


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("", "no whole JSON"),
        ("I cannot.", "no whole JSON"),
        ('{"notes": "cut o', "no whole JSON"),
        ('{"a":' * 100_000, "no whole JSON"),
        ('{"notes": 3, "quotes": []}', "notes: Input should be a valid string"),
        ('{"notes": "x"}', "quotes: Field required"),
    ],
)
def test_a_reply_of_another_form_says_what_is_wrong(reply, message):
    with pytest.raises(ReplyError, match=message) as caught:
        parse_reply(Notes, reply)

    assert caught.value.text == reply


@given(st.text().filter(lambda text: "{" not in text) | st.text(alphabet='{}[]":a1,'))
def test_no_reply_breaks_the_reader(reply):
    with pytest.raises(ReplyError):
        parse_reply(Notes, reply)


def test_an_answer_that_fits_its_schema_is_taken():
    answer = parse_answer(SCHEMA, '{"answer": {"n": 3}, "quotes": []}')

    assert answer.answer == {"n": 3}


@pytest.mark.parametrize(("schema", "value"), [(SCHEMA, {"n": "three"}), (None, ["a", "list"])])
def test_an_answer_that_does_not_fit_says_so(schema, value):
    with pytest.raises(ReplyError, match="does not fit"):
        parse_answer(schema, json.dumps({"answer": value, "quotes": []}))


def test_the_definitions_of_a_shape_move_to_where_references_look():
    shape = {"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}

    wrapped = answer_schema(shape)

    assert wrapped["properties"]["answer"] == {"$ref": "#/$defs/n"}
    assert wrapped["$defs"] == {"n": {"type": "integer"}}
    check_schema(wrapped)


def test_a_shape_is_described_in_the_prompt():
    assert describe_shape(None) == '"the answer"'
    assert '"required": ["n"]' in describe_shape(SCHEMA)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "no such type"},
        {"properties": []},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"anyOf": [{"$ref": "#/$defs/missing"}]},
        {"properties": {"child": {"$ref": "#"}}},
    ],
)
def test_a_schema_that_is_none_or_points_elsewhere_is_refused(schema):
    with pytest.raises(QuestionError, match="output_schema"):
        check_schema(schema)


def test_a_property_may_be_called_like_a_reference():
    check_schema({"properties": {"$ref": {"type": "string"}}, "enum": [1, "x"]})
