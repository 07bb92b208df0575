"""Run the tests beside the candidate; everything is read and removed before the candidate's first line.

What tests and candidate share is one process: `guarding` notices what was replaced in it, but a program
written to search the interpreter's memory can still find the secret of the report.
"""

import ast
import builtins
import faulthandler
import fcntl
import functools
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from types import ModuleType
from typing import TypedDict

from .collecting import count_tests, idle_test, needs_pytest, uncalled_check, used_modules
from .guarding import Guard, check_guard, take_guard
from .plain import prepare, run_plain
from .reporting import TESTS, Reporter, open_record

REPORT_FD = 3
_BUILTINS = frozenset(vars(builtins))
_MODULES = (
    *(".asserting", ".cases", ".collecting", ".guarding", ".in_commands", ".plain", ".reporting", ".running"),
    ".with_pytest",
)
_HIDDEN_FD = 100
"""Above what a candidate would guess; descriptor 3 itself is closed."""


class Settings(TypedDict):
    """What lies beside this package."""

    secret: str
    candidate: str
    """The file whose names the tests know; empty when they import what they need."""
    files: list[str]
    seconds: float


def main() -> None:
    """Run what the settings say, and end whatever the candidate left running."""
    folder = sys.path[0]
    settings: Settings = json.loads(_read(f"{folder}/settings.json"))
    channel = fcntl.fcntl(REPORT_FD, fcntl.F_DUPFD_CLOEXEC, _HIDDEN_FD)
    os.close(REPORT_FD)
    record = open_record(settings["secret"], functools.partial(os.write, channel))
    faulthandler.enable(channel)
    faulthandler.register(signal.SIGALRM, channel)
    signal.setitimer(signal.ITIMER_REAL, settings["seconds"])
    source = _read(TESTS).decode()
    end = functools.partial(os._exit, 0)
    run(source, folder, settings["candidate"], Reporter(record, settings["files"]))
    record("end")
    sys.stdout.flush()
    end()


def run(source: str, folder: str, candidate: str, report: Reporter) -> None:
    """Choose how to run the tests, say how many there are, import the candidate and run them."""
    try:
        tree = ast.parse(source, TESTS)
        idle, used = idle_test(tree), used_modules(source, tree)
        count = count_tests(source, tree) or len(uncalled_check(source, tree)[:1])
        run_tests = choose_runner(source, tree)
    except SyntaxError as error:
        report.record("unusable", message=f"The tests are no Python: {error}.")
        return
    except ModuleNotFoundError:
        report.record("unusable", message="The tests need pytest. Install it beside the server.")
        return
    if idle:
        report.record(
            "unusable", message=f"{idle!r} yields, so nothing in it would run. Make it a plain test."
        )
        return
    report.record("start", collected=str(count))
    vanish(folder)
    judge_run(functools.partial(load, candidate), run_tests, used, report)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def vanish(folder: str) -> None:
    """Leave nothing of the runner that could be found by a path or a name."""
    for place, folders, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(f"{place}/{name}")
        for name in folders:
            os.rmdir(f"{place}/{name}")
    os.rmdir(folder)
    if os.path.exists(TESTS):
        os.unlink(TESTS)
    sys.path[0] = os.getcwd()
    sys.argv = [TESTS]
    for name in ("", *_MODULES):
        sys.modules.pop(f"{__package__}{name}", None)


def judge_run(
    load_names: Callable[[], Mapping[str, object]],
    run_tests: Callable[[Mapping[str, object], Reporter], None],
    used: Iterable[str],
    report: Reporter,
) -> None:
    """Load the candidate and run the tests, with what they judge by, and use, as it was before."""
    guard = take_guard(used)
    check: Callable[[Guard], None] = check_guard
    try:
        names = load_names()
        check(guard)
    except BaseException as error:  # noqa: BLE001 - the untrusted program may raise anything
        report.failed("import of the candidate", error)
        return
    run_tests(names, report)
    try:
        check(guard)
    except BaseException as error:  # noqa: BLE001 - what is compared may be the candidate's
        report.failed("end of the tests", error)


def choose_runner(source: str, tree: ast.Module) -> Callable[[Mapping[str, object], Reporter], None]:
    """Return what runs these tests; it and all it needs is imported by then.

    Raises:
        ModuleNotFoundError: They need pytest, which is not installed.
    """
    if needs_pytest(source, tree):
        return functools.partial(importlib.import_module(".with_pytest", __package__).run_pytest, source)
    return functools.partial(run_plain, prepare(source, tree))


def load(path: str) -> Mapping[str, object]:
    """Import the candidate, if there is one to import, and return the names that the tests may use."""
    return public_names(import_candidate(path)) if path else {}


def import_candidate(path: str) -> ModuleType:
    """Import a file under the name its path gives it and as `solution`."""
    name = path.removesuffix(".py").replace("/", ".")
    module = importlib.import_module(name) if "/" in path else _execute(name, f"{os.getcwd()}/{path}")
    sys.modules.setdefault("solution", module)
    return module


def _execute(name: str, path: str) -> ModuleType:
    """Do what importing a file beside the tests comes to, for a tenth of the time."""
    module = ModuleType(name)
    module.__file__ = path
    code = compile(_read(path), path, "exec", dont_inherit=True)
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 - the point
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def public_names(module: ModuleType) -> dict[str, object]:
    """Return what `from module import *` would give, but nothing that would hide a builtin."""
    chosen: Collection[str] = getattr(module, "__all__", None) or [
        name for name in vars(module) if not name.startswith("_")
    ]
    return {name: getattr(module, name) for name in chosen if name not in _BUILTINS}
