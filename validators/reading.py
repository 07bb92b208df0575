"""Read what a stranger wrote without giving it more time or trust than it deserves."""

_LARGEST_PART = 128 * 1024
_LONGEST_LINE = 2000
_MOST_DIGITS = 9


def excerpt(text: str) -> str:
    """Return a text, or where it is long its first and its last 128 Ki characters."""
    if len(text) <= 2 * _LARGEST_PART:
        return text
    return f"{text[:_LARGEST_PART]}\n{text[-_LARGEST_PART:]}"


def last_lines(text: str, number: int) -> list[str]:
    """Return the last lines of a text, each cut at 2000 characters."""
    lines = text.rstrip()[-_LARGEST_PART:].splitlines()
    return [line[:_LONGEST_LINE] for line in lines[-number:]]


def number_in(text: str) -> int:
    """Return the number that a text is; 0 where it is none, or one too long to be true."""
    return int(text) if len(text) <= _MOST_DIGITS and text.isdecimal() else 0
