"""What is told while a task runs: which tier, which attempt, which validator, why it failed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["route", "try", "answer", "verdict", "attempt", "money", "finish", "read"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, in words for a person."""

    kind: Kind
    message: str
    good: bool | None = None
    """Whether it is good news, bad news or neither; colours the live view."""


Report = Callable[[Event], Awaitable[None]]


async def tell_nobody(event: Event) -> None:
    """Drop the event."""
