"""Dataclasses to JSON and back, with the adapters made once."""

from typing import TypeVar

from pydantic import TypeAdapter

Value = TypeVar("Value")


_MADE: dict[type[object], TypeAdapter[object]] = {}


def _make(kind: type[object]) -> TypeAdapter[object]:
    """Make an adapter at its first use: that takes milliseconds, using it microseconds."""
    if kind not in _MADE:
        _MADE[kind] = TypeAdapter(kind)
    return _MADE[kind]


def read_json(kind: type[Value], text: str) -> Value:
    """Read a value of `kind`; what the ledger holds was written by `write_json`."""
    value = _make(kind).validate_json(text)
    if not isinstance(value, kind):
        raise TypeError(f"{kind.__name__} expected, not {type(value).__name__}")
    return value


def write_json(value: object) -> str:
    """Write a dataclass as JSON."""
    return _make(type(value)).dump_json(value).decode()
