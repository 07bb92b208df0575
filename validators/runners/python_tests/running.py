"""Run the tests beside the candidate; everything is read and removed before the candidate's first line."""

import ast
import faulthandler
import functools
import importlib
import importlib.util
import json
import os
import shutil
import sys
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
    source = Path(TESTS).read_text("utf-8")
    sys.path[0] = str(Path.cwd())
    sys.argv = [TESTS]
    report = Reporter(settings["secret"], functools.partial(os.write, REPORT_FD))
    shutil.rmtree(folder)
    try:
        tree = ast.parse(source, TESTS)
    except SyntaxError as error:
        report.record("unusable", message=f"The tests are no Python: {error}.")
    else:
        faulthandler.enable(REPORT_FD)
        faulthandler.dump_traceback_later(settings["seconds"], file=REPORT_FD)
        run(source, tree, settings["candidate"], report)
    report.record("end")
    sys.stdout.flush()
    os._exit(0)


def run(source: str, tree: ast.Module, candidate: str, report: Reporter) -> None:
    """Say how many tests there are, import the candidate and run them."""
    pytest = needs_pytest(tree)
    if pytest and importlib.util.find_spec("pytest") is None:
        report.record(
            "unusable", message="The tests need pytest. Install it beside the server, or use unittest."
        )
        return
    report.record("start", collected=count_tests(tree) or bool(uncalled_check(tree)))
    names: dict[str, object] = {}
    if candidate:
        try:
            names = public_names(import_candidate(candidate))
        except BaseException as error:  # noqa: BLE001 - the untrusted program may raise anything
            report.failed("import of the candidate", error)
            return
    if pytest:
        from .with_pytest import run_pytest  # noqa: PLC0415 - it may not be installed

        run_pytest(names, report)
    else:
        Path(TESTS).unlink()
        run_plain(source, tree, names, report)


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
