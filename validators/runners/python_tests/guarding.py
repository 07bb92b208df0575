"""Notice when what the tests are judged by was replaced while the candidate ran."""

import builtins
import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, ModuleType, WrapperDescriptorType

_WATCHED = (
    *("unittest.case", "unittest.async_case", "unittest.loader", "unittest.result", "unittest.suite"),
    *("asyncio.runners", "asyncio.base_events", "asyncio.tasks"),
)
_OFTEN_REPLACED = frozenset({"input", "open", "print"})
"""Tests of programs for a terminal put their own in place; nothing is judged by them."""
_PARTS = (
    *(type, ModuleType, FunctionType, BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType),
    *(property, classmethod, staticmethod),
)
Guard = list[tuple[str, Mapping[str, object], dict[str, object]]]
"""Of the modules, and of each module and class by which tests are judged: its names now and before."""


class Tampered(Exception):
    """The candidate, or something that ran beside it, replaced a part of what judges it."""


def take_guard(used: Iterable[str] = ()) -> Guard:
    """Note all functions and classes by which tests are judged.

    Args:
        used: Modules of the standard library that the tests check by; they are imported.
    """
    for name in used:
        importlib.import_module(name)
    modules = {name: sys.modules[name] for name in (*_watched(), *used)}
    noted = [(place, names, dict(names)) for place, names in _judging(modules)]
    return [("module ", sys.modules, {**modules}), *noted]


def check_guard(guard: Guard) -> None:
    """Compare with what was noted.

    Raises:
        Tampered: The message names the parts that were replaced.
    """
    replaced = sorted(_replaced(guard))
    if replaced:
        raise Tampered(f"It replaces {', '.join(replaced[:3])}, by which the tests judge. Do without it.")


def _watched() -> list[str]:
    """Return what is loaded of what judges; all modules are looked through only where pytest is."""
    found = [name for name in _WATCHED if name in sys.modules]
    if "pytest" in sys.modules:
        found += ["ast", *(name for name in sys.modules if name.startswith(("_pytest.", "pluggy.")))]
    return found


def _judging(modules: Mapping[str, ModuleType]) -> Iterator[tuple[str, Mapping[str, object]]]:
    yield "", vars(builtins)
    for name, module in modules.items():
        yield f"{name}.", vars(module)
        for key, value in vars(module).items():
            if isinstance(value, type) and value.__module__ == name:
                yield f"{name}.{key}.", vars(value)


def _replaced(guard: Guard) -> Iterator[str]:
    for place, names, before in guard:
        for name, value in before.items():
            if names.get(name) is not value and _judges(value) and (place or name not in _OFTEN_REPLACED):
                yield f"{place}{name}"


def _judges(part: object) -> bool:
    return isinstance(part, _PARTS)
