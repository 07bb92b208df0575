"""Asking a model until its reply can be used, and counting what it took."""

import hashlib
from collections.abc import Callable
from typing import TypeVar

from backends.backend import JsonSchema
from backends.errors import BackendError
from orchestrator.prompts import render
from orchestrator.rlm.analysis import Ask
from orchestrator.rlm.errors import Spent
from orchestrator.rlm.findings import shorten
from orchestrator.rlm.replies import ReplyError

_REPLY_SHOWN = 1000
"""Characters of an unusable reply that the model sees again."""

T = TypeVar("T")


class Asking:
    """Asks at most `max_calls` times, and counts calls and tokens."""

    def __init__(self, ask: Ask, max_calls: int) -> None:
        self._ask = ask
        self._max_calls = max_calls
        self.calls = 0
        self.tokens_in = 0
        self.tokens_out = 0

    async def ask(self, step: str, prompt: str, schema: JsonSchema, parse: Callable[[str], T]) -> T:
        """Ask, and once again when the server failed for the moment or the reply cannot be used.

        Raises:
            BackendError: The model could not be asked.
            ReplyError: The second reply cannot be used either.
            Spent: No further call is allowed.
        """
        try:
            return parse(await self._once(step, prompt, schema))
        except BackendError as error:
            if not error.retryable:
                raise
            again = prompt
        except ReplyError as error:
            reply = shorten(error.text, _REPLY_SHOWN)
            again = render("answer_again", prompt=prompt, problem=str(error), reply=reply)
        return parse(await self._once(f"{step}/again", again, schema))

    async def _once(self, step: str, prompt: str, schema: JsonSchema) -> str:
        if self.calls >= self._max_calls:
            raise Spent(f"All {self._max_calls} calls are used up. Raise max_calls.")
        self.calls += 1
        digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        completion = await self._ask(f"{step}/{digest}", prompt, schema)
        self.tokens_in += completion.usage.tokens_in
        self.tokens_out += completion.usage.tokens_out
        return completion.text
