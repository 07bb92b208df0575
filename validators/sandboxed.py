"""What validators that run programs share: a broken world becomes a verdict, a verdict a receipt."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import anyio

from sandbox.errors import SandboxError, UnsafePath
from sandbox.packing import check_path
from sandbox.program import Execution, Limits
from validators.reading import last_lines
from validators.verdict import Candidate, Diagnostic, Receipt, Status, Verdict

Decision = tuple[Status, tuple[Diagnostic, ...], str]
"""Status, diagnostics and reason of a verdict."""
UNSAFE_PATH = "unsafe path"
_TAIL_LINES = 25
_LINES_READ = 1000
_NOISE = ("node:internal/", "java.base/")
"""What lines of a stack hold that are inside of the language."""
_ENDS = {
    "timed_out": "The program did not end within {seconds:g} s.",
    "out_of_memory": "The program took more than {memory} MiB of memory.",
    "too_much_output": "The program wrote more than {output} KiB.",
    "killed": "The program was killed: it took more than {cpu} s of processor time, or killed itself.",
}


async def judge_sandboxed(
    name: str, candidate: Candidate, judge: Callable[[], Awaitable[Verdict]]
) -> Verdict:
    """Judge, time it, and say `unavailable` where the sandbox is what failed.

    A candidate with a path that leads out of its folder fails before anything reads or writes it.
    """
    began = anyio.current_time()
    try:
        for path in candidate.files:
            check_path(path)
        verdict = await judge()
    except UnsafePath as error:
        remark = Diagnostic(str(error), code=UNSAFE_PATH)
        verdict = Verdict(name, "failed", confidence=1.0, diagnostics=(remark,))
    except SandboxError as error:
        verdict = unavailable(name, str(error))
    return replace(
        verdict,
        seconds=anyio.current_time() - began,
        receipt=replace(verdict.receipt, digest=candidate.digest),
    )


def to_verdict(name: str, decision: Decision, confidence: float, receipt: Receipt | None = None) -> Verdict:
    """Return the verdict that a decision comes to; `confidence` is for one that judges."""
    status, diagnostics, reason = decision
    trust = 0.0 if status == "unavailable" else confidence
    return Verdict(name, status, trust, diagnostics, reason, receipt=receipt or Receipt())


def unavailable(name: str, reason: str) -> Verdict:
    """Return the verdict that judges nothing."""
    return Verdict(name, "unavailable", confidence=0.0, reason=reason)


def describe_end(execution: Execution, limits: Limits) -> str:
    """Say which limit a program passed; empty when it ended by itself."""
    return _ENDS.get(execution.end, "").format(
        seconds=limits.seconds,
        memory=limits.memory_bytes >> 20,
        output=limits.output_bytes >> 10,
        cpu=limits.cpu_seconds,
    )


def tail(execution: Execution) -> str:
    """Return the last lines a program wrote, those to stderr last, without stacks of the language itself."""
    written = [*last_lines(execution.stdout, _LINES_READ), *last_lines(execution.stderr, _LINES_READ)]
    lines = [line for line in written if not (line[:1].isspace() and any(part in line for part in _NOISE))]
    return "\n".join(lines[-_TAIL_LINES:]).strip()
