"""Say what a request waits for, to whoever shows progress."""

from collections.abc import Awaitable, Callable

Tell = Callable[[str], Awaitable[None]]


async def tell_nobody(message: str) -> None:
    """Drop the message."""
