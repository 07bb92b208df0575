"""Estimate tokens where no server has counted them yet."""

import math
from collections.abc import Sequence

from backends.backend import Message, Usage

BYTES_PER_TOKEN = 3.5
TOKENS_PER_MESSAGE = 8
"""What a chat template adds around one message."""
SURELY_CUT_CHARACTERS_PER_TOKEN = 10
"""No tokenizer in use packs prose or code this densely."""


def estimate_tokens(messages: Sequence[Message]) -> int:
    """Estimate from above; by bytes, because scripts other than Latin cost more per character."""
    size = sum(len(message.content.encode("utf-8", "replace")) for message in messages)
    return math.ceil(size / BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE * len(messages)


def prompt_was_cut(messages: Sequence[Message], usage: Usage) -> bool:
    """Tell whether the server read so few tokens that part of the prompt must be missing.

    Servers drop the middle or the start of a prompt that does not fit and still answer 200; the count of
    tokens read is the only trace. Zero means that the server does not count.
    """
    characters = sum(len(message.content) for message in messages)
    return 0 < usage.tokens_in < characters / SURELY_CUT_CHARACTERS_PER_TOKEN
