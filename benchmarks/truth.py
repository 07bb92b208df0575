"""Judge code by tests that the engine never saw: the data's own worker in our sandbox, remembered."""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.choose import choose
from sandbox.program import Limits, Program, Sandbox

CPU_SECONDS = 4
TOTAL_SECONDS = 60
"""Both as when the recorded verdicts were measured."""


@dataclass(slots=True)
class Judge:
    """Runs tests one by one in the namespace of a program.

    Verdicts are one letter a test: p passed, f assertion failed, e other exception, t timed out,
    x not reached; a single S, E or T: the program did not compile, raised, timed out.
    """

    worker: Path
    cache: Path
    _sandbox: Sandbox = field(default_factory=choose)
    _known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.cache.exists():
            lines = self.cache.read_text(encoding="utf-8").splitlines()
            self._known = dict(json.loads(line) for line in lines)

    async def passes(self, program: str, tests: Sequence[str]) -> bool:
        return has_passed(await self.letters(program, tests))

    async def letters(self, program: str, tests: Sequence[str]) -> str:
        job = {
            "id": 0,
            "code": program,
            "tests": tests,
            "cpu": CPU_SECONDS,
            "total": TOTAL_SECONDS,
            "stop_on_fail": True,
        }
        text = json.dumps(job)
        key = hashlib.sha256(text.encode()).hexdigest()
        if key not in self._known:
            self._known[key] = await self._run(text)
            with self.cache.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps([key, self._known[key]]) + "\n")
        return self._known[key]

    async def _run(self, job: str) -> str:
        seconds = 4 * TOTAL_SECONDS
        execution = await self._sandbox.run(
            Program(
                argv=("/bin/sh", "-c", f"{sys.executable} worker.py < job.jsonl"),
                files={"worker.py": self.worker.read_text(encoding="utf-8"), "job.jsonl": job + "\n"},
                limits=Limits(seconds=seconds, cpu_seconds=seconds),
            )
        )
        if not execution.stdout.startswith("{"):
            sys.exit(f"The judge's worker failed ({execution.end}): {execution.stderr[-2000:]}")
        return str(json.loads(execution.stdout)["r"])


def has_passed(letters: str) -> bool:
    return set(letters) == {"p"}
