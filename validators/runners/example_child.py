"""Call what a candidate defines, each example in a process of its own; runs inside the sandbox.

What is expected is not here: a candidate that breaks out of its call finds nothing to agree with.
"""

import importlib
import json
import os
import resource
import select
import shutil
import signal
import sys
import time
import traceback
from collections import deque
from functools import partial
from math import isfinite, isnan
from pathlib import Path
from types import CoroutineType
from typing import Any, TypedDict

REPORT_FD = 3
_LONGEST = 20_000
_SHORT = 300
_SLOW_SECONDS = 1.0
"""What takes longer is not called a second time to see whether it changes."""
_MOST_TIMEOUTS = 2
_HOLDING: dict[type, str] = {list: "[]", tuple: "()", deque: "[]", set: "set", frozenset: "set"}
_PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes, dict, *_HOLDING})
Answer = dict[str, str]


class Call(TypedDict):
    """One example."""

    setup: list[str]
    call: str


class Settings(TypedDict):
    """What lies beside this file."""

    secret: str
    modules: list[str]
    """The candidate's files whose names the calls use."""
    command: list[str]
    """What makes the calls in another language; the call is added to it."""
    calls: list[Call]
    cpu_seconds: int
    seconds: float


def main() -> None:
    """Make every call and report what came of it."""
    folder = Path(sys.argv[1])
    settings: Settings = json.loads((folder / "settings.json").read_text("utf-8"))
    shutil.rmtree(folder)
    sys.path.insert(0, str(Path.cwd()))
    timeouts = 0
    for number, call in enumerate(settings["calls"]):
        began = time.monotonic()
        answer = ask(call, settings)
        if answer["outcome"] == "value" and time.monotonic() - began < _SLOW_SECONDS:
            answer = answer if ask(call, settings) == answer else {"outcome": "changes"}
        record = {"secret": settings["secret"], "number": str(number), **answer}
        os.write(REPORT_FD, f"{json.dumps(record)}\n".encode())
        timeouts += answer["outcome"] in {"timeout", "starved"}
        if timeouts == _MOST_TIMEOUTS:
            return


def ask(call: Call, settings: Settings) -> Answer:
    """Make one call in a child; what it leaves running is killed."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        os.setsid()
        _confine(settings["cpu_seconds"])
        _answer(call, settings, there)
    os.close(there)
    said = _listen(here, settings["seconds"])
    os.close(here)
    status, used = _end(child)
    if said is None and used < settings["cpu_seconds"] / 2:
        return {"outcome": "starved"}  # it slept, or had no processor: that says nothing of its result
    if said is None or (not said.endswith(b"\n") and _ran_out(status)):
        return {"outcome": "timeout"}
    return _read(said)


def _read(said: bytes) -> Answer:
    try:
        answer = json.loads(said)
    except ValueError:
        return {"outcome": "silent"}
    if not isinstance(answer, dict) or "outcome" not in answer:
        return {"outcome": "silent"}
    return {str(key): str(value)[:_LONGEST] for key, value in answer.items()}


def _confine(cpu_seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _answer(call: Call, settings: Settings, channel: int) -> None:
    """Write the answer and end, whatever the candidate does."""
    os.dup2(channel, REPORT_FD)
    if settings["command"]:
        os.set_inheritable(REPORT_FD, True)
        os.execv(settings["command"][0], [*settings["command"], call["call"]])  # noqa: S606
    write = partial(os.write, REPORT_FD)
    end = partial(os._exit, 0)
    told = json.dumps(call_python(call, settings["modules"]))
    write(f"{told}\n".encode())
    end()


def _listen(channel: int, seconds: float) -> bytes | None:
    """Read one line; None when it does not come in time."""
    deadline = time.monotonic() + seconds
    said = b""
    while not said.endswith(b"\n") and len(said) < 4 * _LONGEST:
        ready, _, _ = select.select([channel], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        part = os.read(channel, 1 << 16)
        if not part:
            break
        said += part
    return said


def _end(child: int) -> tuple[int, float]:
    """Kill a child with its group; return its status and the processor time that it took."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    return status, usage.ru_utime + usage.ru_stime


def _ran_out(status: int) -> bool:
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL}


def call_python(call: Call, modules: list[str]) -> Answer:
    """Import the candidate, make the call, and say what came of it."""
    try:
        scope = load(modules)
    except (SyntaxError, NameError) as error:
        return describe(error, modules)
    except BaseException as error:  # noqa: BLE001 - what it needs to be loaded may just not be here
        return {**describe(error, modules), "outcome": "unloaded"}
    try:
        for statement in call["setup"]:
            exec(statement, scope)  # noqa: S102 - the point
        value = eval(call["call"], scope)  # noqa: S307 - the point
        if isinstance(value, CoroutineType):
            value = importlib.import_module("asyncio").run(value)
        return tell(value, modules)
    except BaseException as error:  # noqa: BLE001 - the untrusted program may raise anything
        return describe(error, modules)


def load(modules: list[str]) -> dict[str, object]:
    """Return the names of the candidate's files."""
    scope: dict[str, object] = {}
    for path in modules:
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        sys.modules.setdefault("solution", module)
        scope.update({name: value for name, value in vars(module).items() if not name.startswith("__")})
    return scope


def tell(value: object, modules: list[str]) -> Answer:
    """Write a plain value out; of others say what they are and what they print as."""
    text = spell(value)
    if text is not None and len(text) < _LONGEST:
        return {"outcome": "value", "text": text}
    kind = type(value)
    own = text is None and (kind.__module__ == "builtins" or _is_of(kind.__module__, modules))
    return {"outcome": "other", "text": repr(value)[:_SHORT], "foreign": "" if own else "1"}


def _is_of(module: str, files: list[str]) -> bool:
    return f"{module.replace('.', '/')}.py" in files


def spell(value: Any) -> str | None:  # noqa: ANN401 - it may be anything
    """Write a value as a literal; None for what is none, or holds such.

    Of a class derived from a plain one only the plain part counts, taken by the plain class's own methods.
    """
    base: Any = next((kind for kind in type(value).__mro__ if kind in _PLAIN), None)
    if base is None:
        return None
    if base is float and not isfinite(value):
        return "nan" if isnan(value) else float.__repr__(value)
    if base is dict:
        return _listed("{}", [_pair(key, one) for key, one in dict.items(value)])
    if base not in _HOLDING:
        return str(base.__repr__(value))
    return _listed(_HOLDING[base], [spell(one) for one in base.__iter__(value)])


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


def describe(error: BaseException, modules: list[str]) -> Answer:
    """Say what was raised, and where in the candidate if it came that far."""
    kind = type(error).__name__
    places = [
        (path, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        for path in modules
        if f"/{frame.f_code.co_filename}".endswith(f"/{path}")
    ]
    file, line = places[-1] if places else ("", 0)
    missing = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
    text = f"{kind}: {error}"[:_SHORT]
    return {
        "outcome": "error",
        "text": text,
        "code": kind,
        "file": file,
        "line": str(line),
        "missing": missing,
    }


if __name__ == "__main__":
    main()
