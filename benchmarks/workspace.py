"""Measure how long a program waits for its workspace: mounted copy-on-write, or copied.

The tree is made up. It is copied, too, where a pipe lies in it, so the same tree plus one pipe shows the
other way. What is shown is the time over a run in an empty folder; of that, the time over a bare program.

Usage: python benchmarks/workspace.py [--files 5000] [--runs 15]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio
from figures import percentile, table

from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Program

ARGV = (sys.executable, "-I", "-S", "-c", "pass")
FILES_PER_FOLDER = 50
CONTENT = "value = 1\n" * 400


def make_tree(folder: Path, files: int) -> Path:
    for number in range(files):
        path = folder / f"package{number // FILES_PER_FOLDER}" / f"module{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CONTENT, encoding="utf-8")
    return folder


async def timed(box: Bubblewrap, tree: Path | None) -> float:
    began = time.perf_counter()
    execution = await box.run(Program(ARGV, tree=str(tree) if tree else None))
    seconds = time.perf_counter() - began
    if execution.end != "exited" or execution.exit_code != 0:
        raise SystemExit(f"The program did not run: {execution}")
    return seconds


def timed_bare() -> float:
    began = time.perf_counter()
    subprocess.run(ARGV, check=True)
    return time.perf_counter() - began


async def measure(files: int, runs: int) -> None:
    box = Bubblewrap()
    print(await box.check(), end="\n\n")
    bare, empty, mounted, copied = [], [], [], []
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        plain, odd = make_tree(Path(first), files), make_tree(Path(second), files)
        os.mkfifo(odd / "pipe")
        for _ in range(runs):
            bare.append(timed_bare())
            empty.append(await timed(box, None))
            mounted.append(await timed(box, plain))
            copied.append(await timed(box, odd))
    rows = [
        (name, *(f"{percentile(values, 50) * 1e3:.1f}" for values in (seconds, over(seconds, empty))))
        for name, seconds in (
            ("bare program", bare),
            ("isolated, empty folder", empty),
            ("isolated, mounted copy-on-write", mounted),
            ("isolated, copied", copied),
        )
    ]
    print(table((f"{files} files, {runs} runs", "p50 ms", "over an empty run"), rows))


def over(seconds: list[float], others: list[float]) -> list[float]:
    return [one - other for one, other in zip(seconds, others, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()
    anyio.run(measure, arguments.files, arguments.runs)


if __name__ == "__main__":
    main()
