"""What models are asked to reply, and reading it. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from backends.backend import JsonSchema
from backends.schemas import misfit
from orchestrator.rlm.errors import QuestionError

_OBJECTS_TRIED = 20
_DEFINITIONS = ("$defs", "definitions")
_FIRST_ERRORS = 3

ReplyT = TypeVar("ReplyT", bound=BaseModel)


class Notes(BaseModel):
    """What a model made of other notes."""

    model_config = ConfigDict(frozen=True)

    notes: str
    quotes: tuple[str, ...]


class Reading(BaseModel):
    """What a model noted about a part of the documents."""

    model_config = ConfigDict(frozen=True)

    relevant: bool
    notes: str
    quotes: tuple[str, ...]


class Answer(BaseModel):
    """What a model answered in the end."""

    model_config = ConfigDict(frozen=True)

    answer: JsonValue
    quotes: tuple[str, ...]


class ReplyError(Exception):
    """A model's reply is not what was asked for; the message tells the model what is wrong.

    Attributes:
        text: The reply.
    """

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


def answer_schema(output_schema: JsonSchema | None) -> JsonSchema:
    """Wrap the shape asked for, so that the quotes come with the answer."""
    shape = dict(output_schema or {"type": "string"})
    definitions = {
        key: shape.pop(key) for key in _DEFINITIONS if key in shape
    }  # their `#/` is the wrapper now
    properties = {"answer": shape, "quotes": {"type": "array", "items": {"type": "string"}}}
    return {"type": "object", "properties": properties, "required": ["answer", "quotes"], **definitions}


def describe_shape(output_schema: JsonSchema | None) -> str:
    """Say in a prompt what is to stand where the answer goes."""
    if output_schema is None:
        return '"the answer"'
    return f"JSON that fits this JSON Schema: {json.dumps(output_schema, ensure_ascii=False)}"


def parse_reply(model: type[ReplyT], text: str) -> ReplyT:
    """Take the object from a reply, also out of a code fence or from between prose.

    Raises:
        ReplyError: There is none, or it has another form.
    """
    try:
        return model.model_validate(_find_object(text))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:_FIRST_ERRORS]
        )
        raise ReplyError(f"The JSON object has the wrong form: {problems}.", text) from error


def parse_answer(output_schema: JsonSchema | None, text: str) -> Answer:
    """Take the answer from a reply and hold it against the shape asked for.

    Raises:
        ReplyError: There is no answer, or it does not fit.
    """
    answer = parse_reply(Answer, text)
    problem = misfit(json.dumps(answer.answer), output_schema or {"type": "string"})
    if problem:
        raise ReplyError(f"`answer` does not fit its schema: {problem}.", text)
    return answer


def check_schema(schema: JsonSchema) -> None:
    """Refuse what is no JSON schema, or refers to anything but its own definitions.

    Raises:
        QuestionError: The message says what is wrong.
    """
    try:
        misfit("null", schema)
    except LookupError as error:
        raise QuestionError(f"`output_schema` does not serve: {error}. Give a JSON Schema.") from error
    known = {f"#/{key}/{name}" for key in _DEFINITIONS for name in schema.get(key, ())}
    for reference in _references(schema):
        if reference not in known:
            raise QuestionError(
                f"`output_schema` refers to {reference!r}. Define it in `$defs` and refer to it there."
            )


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _find_object(text: str) -> dict[str, JsonValue]:
    decoder = json.JSONDecoder()
    for brace in islice(re.finditer(r"\{", text), _OBJECTS_TRIED):
        found: dict[str, JsonValue]
        try:
            found, _ = decoder.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        if found:
            return found
    raise ReplyError("There is no whole JSON object in it.", text)
