"""Answer from a script: a backend without a model, for tests, demonstrations and dry runs."""

from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Annotated, Literal

import anyio
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backends.answer import Piece
from backends.asking import ask, whole
from backends.backend import Completion, Delta, FinishReason, Health, ModelInfo, Request, Usage
from backends.config import BackendConfig, Timeouts
from backends.errors import (
    BackendError,
    BackendTimeout,
    BackendUnavailable,
    ContextTooLong,
    MalformedReply,
    ModelNotFound,
    RequestRefused,
)
from backends.replies import Asked
from backends.tokens import estimate_tokens

Failure = Literal["", "context", "malformed", "model", "refused", "timeout", "unavailable"]

_FAILURES: dict[str, type[BackendError]] = {
    "context": ContextTooLong,
    "malformed": MalformedReply,
    "model": ModelNotFound,
    "refused": RequestRefused,
    "timeout": BackendTimeout,
    "unavailable": BackendUnavailable,
}
_CHARACTERS_PER_TOKEN = 4
_DEFAULT_TEXT = "I do not know this task."


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `<think>` blocks in it are separated as in any model's."""

    text: str = ""
    finish: FinishReason = "stop"
    delay_seconds: float = 0.0
    """Waited before the first piece."""
    failure: Failure = ""
    """Raised instead of answering."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is answered when the prompt holds a keyword: one after the other, then the last for ever."""

    keyword: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """What one model says. Of several rules that fit, the last wins; the default is for none."""

    default: Answer = Answer(_DEFAULT_TEXT)
    rules: tuple[Rule, ...] = ()


class ScriptedBackend:
    """Plays models that say what their scripts hold."""

    def __init__(self, name: str, scripts: Mapping[str, Script], timeouts: Timeouts | None = None) -> None:
        """Take the scripts by model name."""
        self.name = name
        self._scripts = dict(scripts)
        self._timeouts = timeouts or Timeouts()
        self._asked = Asked(name, "its script")
        self._answered: Counter[tuple[str, str]] = Counter()

    async def complete(self, request: Request) -> Completion:
        """Ask once and wait for the whole answer."""
        return await whole(self.stream(request))

    async def stream(self, request: Request) -> AsyncGenerator[Delta | Completion]:
        """Ask once; yield pieces as they come, and the whole `Completion` last."""
        asked = replace(self._asked, model=request.model)
        if request.model not in self._scripts:
            named = ", ".join(repr(name) for name in self._scripts)
            raise asked.error(ModelNotFound, f"it serves only {named}")
        answer = self._next_answer(request)
        async with aclosing(ask(_pieces(answer, request, asked), request, asked, self._timeouts)) as pieces:
            async for piece in pieces:
                yield piece

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """List the models that have a script."""
        return tuple(ModelInfo(name, loaded=True) for name in self._scripts)

    async def health(self) -> Health:
        """Say that a script always answers."""
        return Health(reachable=True, detail=f"A script with {len(self._scripts)} models answers.")

    async def aclose(self) -> None:
        """Do nothing: a script holds nothing."""

    def _next_answer(self, request: Request) -> Answer:
        script = self._scripts[request.model]
        prompt = "\n".join(message.content for message in request.messages)
        fitting = [rule for rule in script.rules if rule.keyword in prompt]
        if not fitting:
            return script.default
        rule, key = fitting[-1], (request.model, fitting[-1].keyword)
        turn = min(self._answered[key], len(rule.answers) - 1)
        self._answered[key] += 1
        return rule.answers[turn]


async def _pieces(answer: Answer, request: Request, asked: Asked) -> AsyncGenerator[Piece]:
    await anyio.sleep(answer.delay_seconds)
    if answer.failure:
        raise asked.error(_FAILURES[answer.failure], "the script says that it fails")
    step = _CHARACTERS_PER_TOKEN
    text = answer.text[: request.max_tokens * step]
    for start in range(0, len(text), step):
        yield Piece(text[start : start + step])
    finish: FinishReason = "length" if len(text) < len(answer.text) else answer.finish
    usage = Usage(estimate_tokens(request.messages), ceil(len(text) / step))
    yield Piece(finish=finish, usage=usage, model=request.model, last=True)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _AnswerFile(_Strict):
    text: str = ""
    finish: FinishReason = "stop"
    delay_seconds: float = 0.0
    failure: Failure = ""


_OneAnswer = str | _AnswerFile
_Turns = Annotated[tuple[_OneAnswer, ...], Field(min_length=1)]


class _ScriptFile(_Strict):
    default: _OneAnswer = _DEFAULT_TEXT
    rules: tuple[tuple[str, _OneAnswer | _Turns], ...] = ()


class _File(_Strict):
    models: dict[str, _ScriptFile]


def load_scripted(config: BackendConfig) -> ScriptedBackend:
    """Read the JSON file at `path`.

    It holds `{"models": {NAME: {"default": ANSWER, "rules": [[KEYWORD, ANSWER], ...]}}}`. An answer is
    a text, an object with the fields of `Answer`, or a list of both to be given in turn.

    Raises:
        RequestRefused: There is no such file, or it does not hold that.
    """
    asked = Asked(config.name, config.path)
    try:
        file = _File.model_validate_json(Path(config.path).expanduser().read_text("utf-8"))
    except OSError as error:
        advice = f"Correct `path` in [backends.{config.name}]."
        raise asked.error(RequestRefused, f"the script cannot be read ({error.strerror})", advice) from error
    except ValidationError as error:
        raise asked.error(
            RequestRefused, f"the script is malformed ({error})", "Correct the file."
        ) from error
    scripts = {name: _script(script) for name, script in file.models.items()}
    return ScriptedBackend(config.name, scripts, config.timeouts)


def _script(script: _ScriptFile) -> Script:
    rules = tuple(Rule(keyword, _answers(answers)) for keyword, answers in script.rules)
    return Script(_answer(script.default), rules)


def _answers(answers: _OneAnswer | tuple[_OneAnswer, ...]) -> tuple[Answer, ...]:
    several = answers if isinstance(answers, tuple) else (answers,)
    return tuple(_answer(answer) for answer in several)


def _answer(answer: _OneAnswer) -> Answer:
    return Answer(answer) if isinstance(answer, str) else Answer(**answer.model_dump())
