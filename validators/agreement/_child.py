"""Call what a candidate defines with many arguments, each call in a fork; runs inside the sandbox.

All that it reports is about its own candidate: what others return is not here, so there is nothing to forge.
"""

import asyncio
import hashlib
import importlib
import json
import os
import select
import shutil
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from inspect import iscoroutine
from itertools import islice
from math import inf, isfinite, isnan, nan
from pathlib import Path
from typing import Any, TypedDict

REPORT_FD = 3
_LONGEST = 4_000
_MOST_TIMEOUTS = 4
_PATIENCE = 6
"""So many seconds may pass for each of processor time: others work here too."""
_MOST_PARTS = 10_000
_NAMED = {"inf": inf, "nan": nan, "infj": complex(0, inf), "nanj": complex(0, nan)}
"""What Python writes where there is no literal."""
_HOLDING: dict[type, str] = {list: "[]", tuple: "()", deque: "[]", set: "set", frozenset: "set"}
_PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes, dict, *_HOLDING})


class Settings(TypedDict):
    """What lies beside this file."""

    modules: list[str]
    """The candidate's files whose names the call uses."""
    call: str
    names: list[str]
    """Of the last arguments."""
    rows: list[str]
    """Each a tuple of literals."""
    seconds: float
    """Of processor time for one call."""
    total_seconds: float


def main() -> None:
    """Load the candidate once, make every call in a fork of it, report one line for each."""
    folder = Path(sys.argv[1])
    settings: Settings = json.loads((folder / "settings.json").read_text("utf-8"))
    shutil.rmtree(folder)
    sys.path.insert(0, str(Path.cwd()))
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    rows = [eval(row, dict(_NAMED)) for row in settings["rows"]]  # noqa: S307 - our own literals
    report = os.dup(REPORT_FD)
    os.close(REPORT_FD)
    sys.setrecursionlimit(10_000)
    scope = load(settings["modules"])
    timeouts, deadline = 0, time.monotonic() + settings["total_seconds"]
    for number, row in enumerate(rows):
        outcome, text = ask(scope, settings, row)
        os.write(report, f"{json.dumps([number, outcome, text])}\n".encode())
        timeouts += outcome in {"timeout", "silent"}
        if timeouts == _MOST_TIMEOUTS or time.monotonic() > deadline:
            break
    os._exit(0)


def load(modules: list[str]) -> dict[str, object]:
    """Return the names of the candidate's files; what cannot be loaded ends the run."""
    scope: dict[str, object] = {}
    for path in modules:
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        scope.update({name: value for name, value in vars(module).items() if not name.startswith("__")})
    return scope


def ask(scope: dict[str, object], settings: Settings, row: tuple[Any, ...]) -> tuple[str, str]:
    """Make one call in a child; what it leaves running is killed."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        os.setsid()
        signal.setitimer(signal.ITIMER_PROF, settings["seconds"])
        _answer(there, call(scope, settings, row))
    os.close(there)
    said = _listen(here, _PATIENCE * settings["seconds"])
    os.close(here)
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    try:
        outcome, text = json.loads(said)
    except ValueError:  # it has written nothing, or something else than an answer
        ran_out = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF
        return ("timeout" if ran_out else "silent"), ""
    return str(outcome), str(text)[:_LONGEST]


def _answer(channel: int, answer: tuple[str, str]) -> None:
    told = f"{json.dumps(answer)}\n".encode()
    while told:
        told = told[os.write(channel, told) :]
    os._exit(0)


def _listen(channel: int, seconds: float) -> bytes:
    """Read one line, or what comes of it in time."""
    deadline = time.monotonic() + seconds
    said = b""
    while not said.endswith(b"\n") and len(said) < 4 * _LONGEST:
        ready, _, _ = select.select([channel], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(channel, 1 << 16) if ready else b""
        if not part:
            break
        said += part
    return said


def call(scope: dict[str, object], settings: Settings, row: tuple[Any, ...]) -> tuple[str, str]:
    """Make the call; a function that returns nothing is told by what it did to its arguments."""
    first = len(row) - len(settings["names"])
    try:
        function: Any = eval(settings["call"], scope)  # noqa: S307 - the point
        value = function(*row[:first], **dict(zip(settings["names"], row[first:], strict=True)))
        if iscoroutine(value):
            value = asyncio.run(value)
        if isinstance(value, Iterator):
            value = list(islice(value, _MOST_PARTS))
        text = spell(list(row) if value is None else value)
    except BaseException as error:  # noqa: BLE001 - the untrusted program may raise anything
        return "error", type(error).__name__
    if text is None:
        return "other", type(value).__name__
    if len(text) >= _LONGEST:
        return "long", hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
    return ("mutated" if value is None else "value"), text


def spell(value: Any) -> str | None:  # noqa: ANN401 - it may be anything
    """Write a value as a literal; None for what is none, or holds such.

    Of a class derived from a plain one only the plain part counts, taken by the plain class's own methods.
    """
    base: Any = next((kind for kind in type(value).__mro__ if kind in _PLAIN), None)
    if base is None:
        return _spell_number(value)
    if base is float and not isfinite(value):
        return "nan" if isnan(value) else float.__repr__(value)
    if base is dict:
        return _listed("{}", [_pair(key, one) for key, one in dict.items(value)])
    if base not in _HOLDING:
        return str(base.__repr__(value))
    return _listed(_HOLDING[base], [spell(one) for one in base.__iter__(value)])


def _spell_number(value: Any) -> str | None:  # noqa: ANN401 - it may be anything
    """Write what a numeric library returns as the number that it stands for."""
    if not hasattr(value, "tolist"):
        return None
    plain = value.tolist()
    return spell(plain) if type(plain) in _PLAIN else None


def _pair(key: object, value: object) -> str | None:
    parts = spell(key), spell(value)
    return None if None in parts else f"{parts[0]}: {parts[1]}"


def _listed(brackets: str, parts: list[str | None]) -> str | None:
    if None in parts:
        return None
    if brackets == "set":
        return _listed("{}", parts) if parts else "set()"
    inside = "".join(f"{part}, " for part in parts)
    return f"{brackets[0]}{inside}{brackets[1]}"


if __name__ == "__main__":
    main()
