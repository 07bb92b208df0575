"""Read how probable the tokens of an answer were, as OpenAI's API and Ollama's write it."""

from pydantic import BaseModel

from backends.backend import TokenLogprob

TOP_LOGPROBS = 5
"""How many other tokens are asked for at each place."""
_IMPOSSIBLE = -9999.0
"""How OpenAI writes a probability of zero; others write null."""


class Alternative(BaseModel):
    """A token that could stand at a place."""

    token: str = ""
    logprob: float | None = None


class Chosen(Alternative):
    """The token that does stand there."""

    top_logprobs: tuple[Alternative, ...] | None = None


def read_logprobs(tokens: tuple[Chosen, ...] | None) -> tuple[TokenLogprob, ...]:
    """Translate what a chunk says of its tokens."""
    return tuple(
        TokenLogprob(
            chosen.token,
            _number(chosen),
            tuple((other.token, _number(other)) for other in chosen.top_logprobs or ()),
        )
        for chosen in tokens or ()
    )


def _number(token: Alternative) -> float:
    return _IMPOSSIBLE if token.logprob is None else token.logprob
