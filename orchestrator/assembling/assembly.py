"""What assembling makes of an answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assembly:
    """A completed file and what was done to it."""

    text: str
    added: tuple[str, ...] = ()
    """Names that were bound, or `signature`, `closing }`, `package`, `export`, `<?php`, `class Name`."""
