"""Hostile programs against every sandbox that runs here: `python -m benchmarks.hostile [SANDBOX ...]`.

The programs are those of the tests, tests/sandbox/attempts.py. Prints how many of each group held, and which
did not.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

import anyio

from sandbox.errors import SandboxError
from tests.sandbox import attempts, boxes

_LEFT_OUT = ("seatbelt without Apple", "none")
"""Those that isolate nothing here."""


async def main() -> None:
    chosen = sys.argv[1:] or [name for name in boxes.BOXES if name not in _LEFT_OUT]
    groups = ", ".join(f"{name} {len(programs)}" for name, (programs, _) in attempts.GROUPS.items())
    print(f"Programs: {groups}.\n")
    print(f"| sandbox | {' | '.join(attempts.GROUPS)} | not held | seconds |")
    print(f"|---|{'---|' * (len(attempts.GROUPS) + 2)}")
    for name in chosen:
        reason = boxes.obstacle(name)
        if reason:
            print(f"| {name} |{' not run |' * len(attempts.GROUPS)} {reason[:120]} | - |")
        else:
            await measure(name)


async def measure(name: str) -> None:
    began = time.monotonic()
    cells, broken = [], []
    for programs, run in attempts.GROUPS.values():
        lost = [attempt for attempt in programs if await try_one(boxes.BOXES[name](), run, attempt)]
        cells.append(f"{len(programs) - len(lost)}/{len(programs)}")
        broken += lost
    print(f"| {name} | {' | '.join(cells)} | {'; '.join(broken) or '-'} | {time.monotonic() - began:.0f} |")


async def try_one(box, run, attempt) -> str:
    """Return what went wrong; a sandbox that did not even run held nothing."""
    folder = Path(tempfile.mkdtemp())
    try:
        with attempts.surroundings(folder) as around, anyio.fail_after(90):
            return await run(box, attempt, around)
    except (SandboxError, TimeoutError) as error:
        return f"not run: {error}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    anyio.run(main)
