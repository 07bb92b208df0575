"""Run a command of the project's own in a throw-away copy of its folder."""

import os
import sys

from sandbox.program import Limits, Program
from validators.toolchains import surrounding_tools
from validators.validator import Given
from validators.verdict import Candidate

_TOOLS = ("cargo", "rustc", "node", "tsc", "go", "javac", "ruby", "php", "uv")
"""What commands are likely to need; they are shown and on PATH even when they live in the home folder."""


def command_program(command: str, candidate: Candidate, given: Given, limits: Limits) -> Program:
    """Return the program that runs a command by `sh -c` with the candidate's files in place."""
    tools = surrounding_tools(_TOOLS)
    folders = dict.fromkeys(os.path.dirname(tool.path) for tool in tools)  # noqa: PTH120 - text in, text out
    search = (f"{sys.prefix}/bin", *folders, "/usr/local/bin", "/usr/bin", "/bin")
    return Program(
        argv=("/bin/sh", "-c", command),
        files=candidate.files,
        tree=given.workspace or None,
        environment={"PATH": os.pathsep.join(search), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1"},
        readable=tuple(dict.fromkeys(path for tool in tools for path in tool.readable)),
        limits=limits,
    )
