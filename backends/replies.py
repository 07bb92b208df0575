"""Judge what a server replied: the error that a status, a body or an `error` key stands for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from backends.errors import (
    BackendBusy,
    BackendError,
    BackendTimeout,
    BackendUnavailable,
    ConnectionLost,
    ContextTooLong,
    MalformedReply,
    ModelLoading,
    ModelNotFound,
    RequestRefused,
    ServerFailed,
)

_QUOTED_CHARACTERS = 400
_FIRST_ERROR_STATUS = 400
_FIRST_SERVER_ERROR = 500
_OK = 200
_PAYMENT_REQUIRED = 402
_UNAVAILABLE = 503
_WRONG_PLACE = {404, 405}
_REDIRECTS = range(300, 400)

_BY_STATUS: dict[int, type[BackendError]] = {
    401: RequestRefused,
    402: RequestRefused,
    403: RequestRefused,
    408: BackendTimeout,
    413: ContextTooLong,
    429: BackendBusy,
    502: ServerFailed,
    503: BackendBusy,
    504: BackendTimeout,
    529: BackendBusy,
}

_BY_WORDING: tuple[tuple[re.Pattern[str], type[BackendError]], ...] = tuple(
    (re.compile("|".join(wordings), re.IGNORECASE | re.DOTALL), kind)
    for kind, wordings in (
        (
            ContextTooLong,
            (
                r"exceed_context_size|context_length_exceeded|request_too_large|n_keep",
                r"context.?(?:length|size|window|limit)|(?:maximum|max|input) .{0,20}context",
                r"context the overflows",
                r"(?:prompt|input) (?:is )?too long|too many (?:input )?tokens|token count .{0,40}exceeds",
            ),
        ),
        (
            ModelNotFound,
            (
                r"model_not_found|no models? (?:is |are )?loaded|(?:unknown|invalid|no such) model",
                r"not_found_error.{0,40}model|models?\b.{0,200}?(?:not found|not exist|not available)",
            ),
        ),
        (
            ServerFailed,
            (r"out of memory|crashed|unexpectedly stopped|unloaded",),
        ),
        (
            BackendBusy,
            (r"overloaded|rate.?limit|server busy|unavailable",),
        ),
        (
            RequestRefused,
            (
                r"authentication|permission_error|billing|api.?key",
                r"invalid_request|content_policy|content_filter",
            ),
        ),
    )
)
_LOADING = re.compile(
    r"(?:still )?loading (?:the )?model|model is (?:still )?(?:being )?load(?:ing|ed)", re.IGNORECASE
)
_QUOTA = re.compile(r"insufficient_quota|credit balance", re.IGNORECASE)
_RETRY_DELAY = re.compile(r'"retryDelay":\s*"(\d+(?:\.\d+)?)s"')

_ADVICE: dict[type[BackendError], str] = {
    BackendBusy: "Ask again later, or lower its `max_concurrent` in escalation.toml.",
    BackendTimeout: "Ask again, or give it more time.",
    BackendUnavailable: "Ask again later, or take its tiers out of escalation.toml.",
    ConnectionLost: "Ask again; if it stays, look into the server's log.",
    ContextTooLong: "Shorten the prompt, ask for fewer tokens, or load the model with a larger context.",
    MalformedReply: "Ask again; if it stays, look into the server's log.",
    ModelLoading: "Wait until the model is loaded.",
    ModelNotFound: "Load or download it there, or name another model in escalation.toml.",
    RequestRefused: "Change what the message names.",
    ServerFailed: "Ask again later, or look into the server's log.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked for what; every message names it."""

    backend: str
    where: str
    """The address, or the path of the file, as a person knows it."""
    model: str = ""
    api_key_env: str = ""

    def error(
        self, kind: type[BackendError], what: str, advice: str = "", retry_after_seconds: float | None = None
    ) -> BackendError:
        """Make the error: who, what happened, what to do."""
        about = f" asked for model {self.model!r}" if self.model else ""
        return kind(
            f"Backend {self.backend!r} at {self.where}{about}: {what.rstrip('. ')}."
            f" {advice or _ADVICE[kind]}",
            backend=self.backend,
            model=self.model,
            retry_after_seconds=retry_after_seconds,
        )


class ErrorDetail(BaseModel):
    """What stands under `error` where it is an object."""

    message: str = ""
    type: str | None = None
    code: int | str | None = None


class Reply(BaseModel):
    """What every reply can be: its own fields all optional, or an error that came with status 200."""

    error: ErrorDetail | str | None = None


ReplyShape = TypeVar("ReplyShape", bound=Reply)


def read(text: str, shape: type[ReplyShape], asked: Asked) -> ReplyShape:
    """Read JSON of the expected shape.

    Raises:
        MalformedReply: It is not JSON, or JSON of another shape.
        BackendError: It holds an `error` key; which error, its words tell.
    """
    try:
        reply = shape.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        what = f"the reply is not what the API promises ({place} {first['msg']}): {_quoted(text)}".replace(
            "( ", "("
        )
        raise asked.error(MalformedReply, what, _address_advice(text)) from error
    if reply.error is not None:
        raise _error_in_reply(reply.error, asked)
    return reply


def error_from_status(
    status: int, headers: Mapping[str, str], body: str, asked: Asked, now: datetime
) -> BackendError:
    """Translate a status other than 200; header names are lower case."""
    kind = _kind(status, body, asked)
    return asked.error(
        kind,
        f"status {status}, {_message(body)}",
        _advice(status, kind, body, asked),
        _retry_after_seconds(headers, body, now),
    )


def not_json(content_type: str, asked: Asked) -> BackendError:
    """Say that a web page came instead of an answer."""
    return asked.error(MalformedReply, f"a page of type {content_type!r} came back", _address_advice("<html"))


def _error_in_reply(error: ErrorDetail | str, asked: Asked) -> BackendError:
    detail = ErrorDetail(message=error) if isinstance(error, str) else error
    is_status = isinstance(detail.code, int) and detail.code >= _FIRST_ERROR_STATUS
    status = int(detail.code) if is_status and detail.code is not None else _OK
    said = " ".join(str(part) for part in (detail.type, detail.code, detail.message) if part)
    kind = _kind(status, said, asked)
    return asked.error(
        kind, f"an error inside the answer, {_quoted(said)}", _advice(status, kind, said, asked)
    )


def _kind(status: int, said: str, asked: Asked) -> type[BackendError]:
    if _QUOTA.search(said):
        return RequestRefused
    if status == _UNAVAILABLE and _LOADING.search(said):
        return ModelLoading
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    for wording, kind in _BY_WORDING:
        if wording.search(said) and (asked.model or kind is not ModelNotFound):
            return kind
    if status >= _FIRST_SERVER_ERROR:
        return ServerFailed
    return MalformedReply if status == _OK else RequestRefused


def _advice(status: int, kind: type[BackendError], said: str, asked: Asked) -> str:
    table = f"[backends.{asked.backend}]"
    if status in {401, 403}:
        named = f"Put a valid key into the environment variable {asked.api_key_env!r}."
        return (
            named if asked.api_key_env else f"Name the variable that holds the key: `api_key_env` in {table}."
        )
    if status == _PAYMENT_REQUIRED or _QUOTA.search(said):
        return "Add credit to that account, or take its tiers out of escalation.toml."
    if kind is RequestRefused and (status in _WRONG_PLACE or status in _REDIRECTS):
        return f"Correct `url` in {table}; redirects are not followed."
    return ""


def _retry_after_seconds(headers: Mapping[str, str], body: str, now: datetime) -> float | None:
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return milliseconds / 1000
    after = headers.get("retry-after", "")
    if (seconds := _number(after)) is not None:
        return seconds
    if after:
        return _seconds_until(after, now)
    delay = _RETRY_DELAY.search(body)
    return float(delay[1]) if delay else None


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text.strip()) else None


def _seconds_until(http_date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


class _ErrorBody(Reply):
    message: str | None = None
    detail: str | None = None


def _message(body: str) -> str:
    """Find the sentence for people in the body of an error, else quote the body."""
    try:
        parsed = _ErrorBody.model_validate_json(body)
    except ValidationError:
        return _quoted(body)
    error = parsed.error
    said = error.message if isinstance(error, ErrorDetail) else error
    return _quoted(said or parsed.message or parsed.detail or body)


def _quoted(text: str) -> str:
    short = " ".join(text.split())
    return repr(short if len(short) <= _QUOTED_CHARACTERS else short[:_QUOTED_CHARACTERS] + "...")


def _address_advice(text: str) -> str:
    is_page = text.lstrip()[:1] == "<"
    return "That is a web page and no model server; correct `url` in escalation.toml." if is_page else ""
