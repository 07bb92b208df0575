"""Tell the changes that a reply orders from those that its code quotes, as the sample of a test does."""

from dataclasses import dataclass

from orchestrator.edits import parse_edits
from orchestrator.fences import Block, find_blocks
from orchestrator.patches import parse_patches
from orchestrator.selection import definitions
from validators.languages import LANGUAGES, TEXT
from validators.parsers import parses

_LENIENT = frozenset({TEXT, "bash", "markdown", "html", "yaml", "css"})
"""A patch may parse as one of these."""


@dataclass(frozen=True, slots=True)
class Quoting:
    """A reply without the blocks of code that quote changes."""

    text: str
    blocks: tuple[str, ...] = ()

    def restore(self, text: str) -> str:
        """Put the blocks back into a part of the reply."""
        for number, block in enumerate(self.blocks):
            text = text.replace(_mark(number), block)
        return text


def set_aside(reply: str, language: str) -> Quoting:
    """Take out of a peeled reply each finished block of code that only quotes edits and patches."""
    if not _holds_changes(reply):
        return Quoting(reply)
    quoting = [block.text for block in find_blocks(reply, language) if _only_quotes(block)]
    kept = tuple(text for text in dict.fromkeys(quoting) if text in reply)
    for number, text in enumerate(kept):
        reply = reply.replace(text, _mark(number))
    return Quoting(reply, kept)


def _holds_changes(text: str) -> bool:
    return bool(parse_edits(text) or parse_patches(text))


def _only_quotes(block: Block) -> bool:
    """Tell whether a block is a whole program, which no edit and no patch is."""
    return (
        block.is_closed
        and bool(block.tag)
        and block.language in LANGUAGES
        and block.language not in _LENIENT
        and _holds_changes(block.text)
        and bool(definitions(block.text, block.language))
        and parses(block.text, block.language)
    )


def _mark(number: int) -> str:
    """Name what is set aside; no peeled reply holds this character."""
    return f"\x00{number}\x00\n"
