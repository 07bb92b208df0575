"""Notice when what the tests are judged by was replaced while the candidate ran."""

import builtins
import inspect
import sys
from collections.abc import Iterator

_WATCHED = ("unittest.case", "unittest.loader", "unittest.result", "unittest.suite", "asyncio.runners")
_OFTEN_REPLACED = frozenset({"input", "open", "print"})
"""Tests of programs for a terminal put their own in place; nothing is judged by them."""
Guard = dict[str, object]


class Tampered(Exception):
    """The candidate, or something that ran beside it, replaced a part of what judges it."""


def take_guard() -> Guard:
    """Note all functions and classes by which tests are judged."""
    return dict(_judging())


def check_guard(guard: Guard) -> None:
    """Compare with what was noted.

    Raises:
        Tampered: The message names the parts that were replaced.
    """
    now = dict(_judging())
    replaced = sorted(name for name in guard if guard[name] is not now.get(name))
    if replaced:
        raise Tampered(f"It replaces {', '.join(replaced[:3])}, by which the tests judge. Do without it.")


def _judging() -> Iterator[tuple[str, object]]:
    for name, value in vars(builtins).items():
        if name not in _OFTEN_REPLACED and callable(value):
            yield name, value
    for name in list(sys.modules):
        if name in _WATCHED or name.startswith(("_pytest.", "pluggy.")):
            yield from _of_module(name)


def _of_module(name: str) -> Iterator[tuple[str, object]]:
    for key, value in vars(sys.modules[name]).items():
        if inspect.isroutine(value) or inspect.isclass(value):
            yield f"{name}.{key}", value
        if inspect.isclass(value) and value.__module__ == name:
            for attribute, part in vars(value).items():
                if _judges(part):
                    yield f"{name}.{key}.{attribute}", part


def _judges(part: object) -> bool:
    return inspect.isroutine(part) or isinstance(part, property | classmethod | staticmethod)
