"""Put an answer together from its pieces, and believe only one that is whole."""

from dataclasses import dataclass

from backends.backend import Completion, Delta, FinishReason, Request, TokenLogprob, Usage
from backends.errors import BackendError, MalformedReply, RequestRefused
from backends.matching import same_model
from backends.replies import Asked
from backends.schemas import pick_json
from backends.thinking import ThinkingSplitter, split_thinking
from backends.tokens import prompt_was_cut


@dataclass(frozen=True, slots=True)
class Piece:
    """What one chunk of any API says."""

    text: str = ""
    reasoning: str = ""
    finish: FinishReason | None = None
    usage: Usage | None = None
    """Counted so far: later counts include earlier ones."""
    model: str = ""
    last: bool = False
    """The API's own mark that nothing follows: `[DONE]`, `message_stop`, `done`."""
    warning: str = ""
    logprobs: tuple[TokenLogprob, ...] = ()


class Draft:
    """An answer that is still being written."""

    def __init__(self, request: Request, asked: Asked) -> None:
        self._request = request
        self._asked = asked
        self._splitter = ThinkingSplitter()
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._warnings: list[str] = []
        self._logprobs: list[TokenLogprob] = []
        self._finish: FinishReason | None = None
        self._usage = Usage()
        self._model = ""
        self._ended = False
        self.begun = False
        """Anything came from the server, be it without a word."""

    def add(self, piece: Piece) -> Delta:
        """Take a piece in; return what a reader may see of it now."""
        self.begun = True
        self._text.append(piece.text)
        self._reasoning.append(piece.reasoning)
        self._logprobs.extend(piece.logprobs)
        self._finish = self._finish or piece.finish
        self._model = piece.model or self._model
        self._ended = self._ended or piece.last
        if piece.usage is not None:
            self._usage = _later(self._usage, piece.usage)
        if piece.warning:
            self._warnings.append(piece.warning)
        text, thought = self._splitter.feed(piece.text)
        return Delta(text, piece.reasoning + thought)

    def close(self) -> Delta:
        """Return what was held back in case a tag was coming."""
        return Delta(*self._splitter.close())

    def completion(self, seconds: float) -> Completion:
        """Return the whole answer.

        Raises:
            MalformedReply: It was cut off, is empty, or does not fit the schema.
            RequestRefused: A content filter left nothing of it, or the schema cannot be used.
        """
        text, inline = split_thinking("".join(self._text))
        reasoning = "".join(self._reasoning) + inline
        finish = self._whole()
        if finish == "stop" and self._request.schema is not None:
            text = self._json(text, reasoning)
        self._refuse_empty(text, finish)
        return Completion(
            text=text,
            model=self._model or self._request.model,
            finish=finish,
            usage=self._usage,
            reasoning=reasoning,
            seconds=seconds,
            warnings=(*self._warnings, *self._doubts()),
            logprobs=tuple(self._logprobs),
        )

    def _whole(self) -> FinishReason:
        if self._finish is not None and self._ended:
            return self._finish
        size = sum(len(part) for part in self._text)
        missing = "end mark" if self._finish else "finish reason"
        raise self._error(
            MalformedReply, f"the answer was cut off after {size} characters: no {missing} came"
        )

    def _json(self, text: str, reasoning: str) -> str:
        schema = self._request.schema or {}
        try:
            picked, warning = pick_json(text, reasoning, schema)
        except LookupError as error:
            raise self._error(RequestRefused, str(error)) from error
        except ValueError as error:
            raise self._error(MalformedReply, f"the answer does not fit the JSON Schema: {error}") from error
        if warning:
            self._warnings.append(warning)
        return picked

    def _refuse_empty(self, text: str, finish: FinishReason) -> None:
        if text.strip() or finish == "length":
            return
        if finish == "content_filter":
            raise self._error(
                RequestRefused, "its content filter refused to answer", "Rephrase, or ask another model."
            )
        raise self._error(MalformedReply, f"the answer is empty (finish reason {finish!r})")

    def _doubts(self) -> list[str]:
        doubts = []
        if self._model and not same_model(self._request.model, self._model):
            doubts.append(f"another model answered: {self._model!r} instead of {self._request.model!r}")
        if prompt_was_cut(self._request.messages, self._usage):
            doubts.append(
                f"the prompt may have been cut: the server read only {self._usage.tokens_in} tokens"
            )
        return doubts

    def _error(self, kind: type[BackendError], what: str, advice: str = "") -> BackendError:
        return self._asked.error(kind, what, advice)


def _later(earlier: Usage, later: Usage) -> Usage:
    return Usage(
        max(earlier.tokens_in, later.tokens_in),
        max(earlier.tokens_out, later.tokens_out),
        max(earlier.tokens_cached, later.tokens_cached),
    )
