"""Break the validators' decisions one place at a time and count how many breaks their tests notice.

Each mutant runs in a fork that has pytest loaded already: the module is compiled from a changed tree when
the tests import it. A sample is drawn with a fixed seed; what no test could notice counts as missed.

Usage: python benchmarks/mutation.py [--sample N] [--seconds S] [MODULE ...]
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import hypothesis
import pytest
from figures import table

ROOT = Path(__file__).parents[1]
TESTS: Mapping[str, Sequence[str]] = {
    "validators.runners.example_values": ("example_values",),
    "validators.runners.example_texts": ("example_texts",),
    "validators.runners.example_calls": ("example_calls",),
    "validators.runners.example_deciding": ("example_deciding",),
    "validators.runners.counting": ("suite_counting", "suite_reading"),
    "validators.runners.python_report": ("suite_deciding", "suite_python"),
    "validators.runners.deciding": ("suite_deciding",),
    "validators.runners.python_tests.collecting": ("suite_python",),
    "validators.runners.tampering": ("cheats",),
    "validators.naming": ("gate",),
    "validators.returning": ("gate",),
    "validators.unfinished": ("gate", "syntax"),
    "validators.remarks": ("remarks", "compiling"),
    "validators.benchmark": ("benchmark",),
}
"""Module to the test files that are to notice; sandboxed ones are left out where pure ones judge the same."""
SWAPS: Mapping[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}
Change = tuple[str, Callable[[], None]]


def changes(tree: ast.Module) -> Iterator[Change]:
    """Yield what can be broken in a tree, each with the deed that breaks it."""
    quiet = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for field, value in ast.iter_fields(node):
            for place, part in enumerate(value if isinstance(value, list) else [value]):
                if type(part) in SWAPS:
                    new = SWAPS[type(part)]()
                    yield (
                        f"{line}: {type(part).__name__} -> {type(new).__name__}",
                        _put(node, field, place, new),
                    )
                elif (
                    isinstance(part, ast.Constant) and id(part) not in quiet and (other := _other(part.value))
                ):
                    told = f"{part.lineno}: {part.value!r:.40} -> {other[0]!r:.40}"
                    yield told, _put(node, field, place, ast.Constant(other[0]))
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            yield (
                f"{line}: not ({ast.unparse(node.test):.50})",
                _put(node, "test", 0, ast.UnaryOp(ast.Not(), node.test)),
            )
        if isinstance(node, ast.Return) and node.value and not isinstance(node.value, ast.Constant):
            yield f"{line}: return None", _put(node, "value", 0, ast.Constant(None))


def _other(value: object) -> tuple[object] | None:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int | float):
        return (value + 1,)
    return ("",) if isinstance(value, str) and value else None


def _put(node: ast.AST, field: str, place: int, new: ast.AST) -> Callable[[], None]:
    def deed() -> None:
        value = getattr(node, field)
        if isinstance(value, list):
            value[place] = new
        else:
            setattr(node, field, new)

    return deed


class Broken(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from a changed tree."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self._module = module
        self._tree = tree

    def find_spec(self, fullname, path, target=None):  # noqa: ARG002
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._module else None

    def exec_module(self, module):
        exec(compile(self._tree, str(path_of(self._module)), "exec"), module.__dict__)  # noqa: S102


def path_of(module: str) -> Path:
    return ROOT / f"{module.replace('.', '/')}.py"


def survives(module: str, tree: ast.Module, seconds: int) -> bool:
    """Run the module's tests against a changed tree in a fork; true when none of them fails."""
    child = os.fork()
    if child == 0:
        os.setsid()
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        signal.alarm(seconds)
        sys.meta_path.insert(0, Broken(module, tree))
        hypothesis.settings.register_profile(
            "mutation", max_examples=25, deadline=None, derandomize=True, database=None
        )
        hypothesis.settings.load_profile("mutation")
        files = [str(ROOT / "tests" / "validators" / f"test_{name}.py") for name in TESTS[module]]
        options = [
            "-x",
            "-q",
            "-m",
            "not slow",
            "-p",
            "no:cacheprovider",
            "-W",
            "ignore::pytest.PytestAssertRewriteWarning",
        ]
        os._exit(int(pytest.main([*options, *files])))
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0


def measure(module: str, sample: int, seconds: int, deadline: float) -> tuple[int, list[str]] | None:
    """Return how many mutants were run and which survived; None where the tests fail without any change."""
    tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
    if not survives(module, tree, 10 * seconds):
        return None
    total = sum(1 for _ in changes(tree))
    chosen = sorted(random.Random(module).sample(range(total), min(sample, total)))  # noqa: S311
    missed, ran = [], 0
    for number in chosen:
        if time.monotonic() > deadline:
            break
        broken = copy.deepcopy(tree)
        told, deed = list(changes(broken))[number]
        deed()
        ran += 1
        if survives(module, ast.fix_missing_locations(broken), seconds):
            missed.append(told)
    return ran, missed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", default=list(TESTS))
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--seconds", type=int, default=60, help="of one run of the tests")
    parser.add_argument("--minutes", type=float, default=20)
    given = parser.parse_args()
    os.chdir(ROOT)
    os.nice(10)
    deadline = time.monotonic() + 60 * given.minutes
    rows = []
    for module in given.modules:
        found = measure(module, given.sample, given.seconds, deadline)
        ran, missed = found or (0, [])
        killed = ran - len(missed)
        rows.append((module, ran, killed, f"{100 * killed / ran:.0f} %" if ran else "tests fail unchanged"))
        print(f"{module}: {killed} of {ran}", *missed, sep="\n  ", file=sys.stderr, flush=True)
    print(table(("module", "mutants run", "noticed", "score"), rows))


if __name__ == "__main__":
    main()
