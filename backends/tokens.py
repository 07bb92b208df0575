"""Estimate tokens where no server has counted them yet."""

import math
from collections.abc import Sequence

from backends.backend import Message, Usage

BYTES_PER_TOKEN = 3.5
TOKENS_PER_MESSAGE = 8
"""What a chat template adds around one message."""
SURELY_CUT_CHARACTERS_PER_TOKEN = 10
"""No tokenizer in use packs prose or code this densely."""


LEAST_BYTES_PER_TOKEN = 1.0
MOST_BYTES_PER_TOKEN = 4.2
"""English prose has more; a prompt that is code has not."""
_LEARNED_FROM_BYTES = 2000
"""Shorter prompts are mostly the chat template."""
_SAFETY = 0.95
_FORGIVING = 0.1
"""How far one look at a lighter prompt raises what was learned from a denser one."""


def estimate_tokens(messages: Sequence[Message], bytes_per_token: float = BYTES_PER_TOKEN) -> int:
    """Estimate from above; by bytes, because scripts other than Latin cost more per character."""
    return math.ceil(_bytes(messages) / bytes_per_token) + TOKENS_PER_MESSAGE * len(messages)


def learn_bytes_per_token(known: float, messages: Sequence[Message], usage: Usage) -> float:
    """Correct what is known of a model by what its server counted: down at once, up slowly.

    A count that a cut prompt or an uncounted cache explains as well teaches nothing.
    """
    size = _bytes(messages)
    counted = usage.tokens_in - TOKENS_PER_MESSAGE * len(messages)
    if size < _LEARNED_FROM_BYTES or counted <= 0 or size / counted > 2 * MOST_BYTES_PER_TOKEN:
        return known
    seen = min(MOST_BYTES_PER_TOKEN, max(LEAST_BYTES_PER_TOKEN, _SAFETY * size / counted))
    return seen if seen < known else known + _FORGIVING * (seen - known)


def _bytes(messages: Sequence[Message]) -> int:
    return sum(len(message.content.encode("utf-8", "replace")) for message in messages)


def prompt_was_cut(messages: Sequence[Message], usage: Usage) -> bool:
    """Tell whether the server read so few tokens that part of the prompt must be missing.

    Servers drop the middle or the start of a prompt that does not fit and still answer 200; the count of
    tokens read is the only trace. Zero means that the server does not count.
    """
    characters = sum(len(message.content) for message in messages)
    return 0 < usage.tokens_in < characters / SURELY_CUT_CHARACTERS_PER_TOKEN
