"""Ask the language's own parser, in the sandbox, whether an error that a grammar found is one.

Grammars lag behind their languages and know no dialects; where the real parser is installed, its word is the
last one, and its message is better.
"""

import re
from dataclasses import dataclass

from sandbox.errors import SandboxError, UnsafePath
from sandbox.profiles import COMPILER
from sandbox.program import Execution, Sandbox
from validators.compilers import CHECKS, Check
from validators.parsed import Parse
from validators.plans import make_plan, tool_program
from validators.remarks import by_pattern, keep_first, own_remarks
from validators.toolchains import find_tool
from validators.verdict import Candidate, Diagnostic

_LIMITS = COMPILER.limits(seconds=20)

_GOFMT = Check(
    tool="gofmt",
    binaries=("gofmt",),
    arguments=("-e", "-l"),
    read=by_pattern(r"^(?P<file>[^\s:]+\.go):(?P<line>\d+):(?P<column>\d+): (?P<message>.+)$"),
    install="",
    endings=("go",),
)


@dataclass(frozen=True, slots=True)
class _Judge:
    """A tool that knows the language's grammar."""

    check: Check
    syntax: str = ""
    """Finds, in `code message`, an error of syntax, where the tool has others as well."""


_JUDGES = {
    "bash": _Judge(CHECKS["bash"][0]),
    "go": _Judge(_GOFMT),
    "javascript": _Judge(CHECKS["javascript"][0]),
    "php": _Judge(CHECKS["php"][0]),
    "ruby": _Judge(CHECKS["ruby"][0]),
    "rust": _Judge(CHECKS["rust"][0], r"^ (?!cannot find|can't find|cannot determine|aborting due|unused)"),
    "typescript": _Judge(CHECKS["typescript"][0], r"^TS1\d\d\d "),
    "tsx": _Judge(CHECKS["tsx"][0], r"^TS(?:1|17)\d\d\d "),
}
"""A missing module or name is no error of syntax: rustc gives those a code, tsc another thousand."""


async def appeal(sandbox: Sandbox, path: str, text: str, language: str) -> Parse | None:
    """Return what the language's own parser says; None where it is not here or gives no clear answer."""
    judge = _JUDGES.get(language)
    tool = find_tool(judge.check.binaries) if judge else None
    if judge is None or tool is None:
        return None
    plan = make_plan(judge.check, tool, Candidate({path: text}, language))
    if not plan.originals:
        return None
    try:
        execution = await sandbox.run(tool_program(judge.check, tool, plan, _LIMITS))
    except (SandboxError, UnsafePath):
        return None
    return rule(language, execution, plan.originals)


def rule(language: str, execution: Execution, originals: dict[str, str]) -> Parse | None:
    """Read a ruling; an exit code that no remark explains is none."""
    judge = _JUDGES[language]
    if execution.end != "exited":
        return None
    remarks = own_remarks(judge.check.read(execution.stdout + execution.stderr), originals)
    errors = tuple(remark for remark in remarks if remark.severity == "error")
    wrong = tuple(_plain(one) for one in errors if re.search(judge.syntax, f"{one.code} {one.message}"))
    is_clear = execution.exit_code == 0 or wrong or (judge.syntax and errors)
    return Parse(keep_first(wrong), judge.check.tool, broken_share=float(bool(wrong))) if is_clear else None


def _plain(error: Diagnostic) -> Diagnostic:
    return Diagnostic(error.message, line=error.line, column=error.column, code="syntax")
