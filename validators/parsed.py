"""What a parser says of a text, and the limits that hold for every parser."""

from dataclasses import dataclass

from validators.verdict import Diagnostic

MAX_BYTES = 256 * 1024
"""Of one text; beyond it a degenerate answer is likelier than a real file."""
DEADLINE_SECONDS = 2.0
MAX_REMARKS = 20


class ParserLimitError(Exception):
    """The parser came to no result within its limits; the message says why."""


@dataclass(frozen=True, slots=True)
class Parse:
    """What a parser said about one text."""

    errors: tuple[Diagnostic, ...]
    """Without a file name; at most `MAX_REMARKS`."""
    tool: str
    """With its version."""
    broken_share: float = 0.0
    """The part of the text, 0-1, that the parser could not make sense of; 1 for parsers that stop at once."""


def stopped(error: Diagnostic, tool: str) -> Parse:
    """Return what a parser says that stops at the first error."""
    return Parse((error,), tool, broken_share=1.0)
