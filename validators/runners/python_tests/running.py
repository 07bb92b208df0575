"""Run the tests beside the candidate; everything is read and removed before the candidate's first line."""

import ast
import faulthandler
import functools
import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from .collecting import count_tests, needs_pytest, uncalled_check
from .plain import run_plain
from .reporting import TESTS, Reporter

REPORT_FD = 3


def main() -> None:
    """Run what the settings say that lie beside this package, and end whatever the candidate left running."""
    folder = Path(sys.path[0])
    settings = json.loads((folder / "settings.json").read_text("utf-8"))
    report = Reporter(settings["secret"], functools.partial(os.write, REPORT_FD))
    faulthandler.enable(REPORT_FD)
    faulthandler.dump_traceback_later(settings["seconds"], file=REPORT_FD)
    run(Path(TESTS).read_text("utf-8"), folder, settings["candidate"], report)
    report.record("end")
    sys.stdout.flush()
    os._exit(0)


def run(source: str, folder: Path, candidate: str, report: Reporter) -> None:
    """Choose how to run the tests, say how many there are, import the candidate and run them."""
    try:
        tree = ast.parse(source, TESTS)
        run_tests = choose_runner(source, tree)
    except SyntaxError as error:
        report.record("unusable", message=f"The tests are no Python: {error}.")
        return
    except ModuleNotFoundError:
        report.record("unusable", message="The tests need pytest. Install it beside the server.")
        return
    report.record("start", collected=count_tests(tree) or bool(uncalled_check(tree)))
    shutil.rmtree(folder)
    sys.path[0] = str(Path.cwd())
    sys.argv = [TESTS]
    try:
        names = public_names(import_candidate(candidate)) if candidate else {}
    except BaseException as error:  # noqa: BLE001 - the untrusted program may raise anything
        report.failed("import of the candidate", error)
        return
    run_tests(names, report)


def choose_runner(source: str, tree: ast.Module) -> Callable[[Mapping[str, object], Reporter], None]:
    """Return what runs these tests; it and all it needs is imported by then.

    Raises:
        ModuleNotFoundError: They need pytest, which is not installed.
    """
    if needs_pytest(tree):
        return importlib.import_module(".with_pytest", __package__).run_pytest  # type: ignore[no-any-return]
    return functools.partial(run_plain, source, tree)


def import_candidate(path: str) -> ModuleType:
    """Import a file under the name its path gives it and as `solution`."""
    name = path.removesuffix(".py").replace("/", ".")
    module = importlib.import_module(name)
    sys.modules.setdefault("solution", module)
    return module


def public_names(module: ModuleType) -> dict[str, object]:
    """Return what `from module import *` would give."""
    chosen = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    return {name: getattr(module, name) for name in chosen}
