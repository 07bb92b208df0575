"""Run a command of the project's own in a throw-away copy of its folder."""

import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace

from sandbox.profiles import PROJECT, fit
from sandbox.program import Execution, Limits, Program
from validators.environments import Environment, find_environment
from validators.toolchains import Tool, surrounding_tools
from validators.validator import Given
from validators.verdict import Candidate

_TOOLS = ("cargo", "rustc", "node", "tsc", "go", "javac", "ruby", "php", "uv")
"""What commands are likely to need; they are shown and on PATH even when they live in the home folder."""
FIND_SOURCES = (
    'IFS=:; for place in $SOURCES; do IN_PLACE="$IN_PLACE:$PWD/$place"; done; unset IFS; export IN_PLACE'
)
"""Words of shell that say where the sources are which are installed in place."""
_START = """\
import os, sys
sys.path += [place for place in os.environ.get("IN_PLACE", "").split(":") if place]
"""
"""What each Python does first that a watched command starts.

Sources come last, as `.pth` files have them: nothing of a candidate hides a module that is imported before
our plugin has its secret.
"""
_WATCH = (
    f'mv "$1" "$TMPDIR" 2>/dev/null; command=$2; {FIND_SOURCES}; export PYTHONPATH="$TMPDIR/$1"; '
    'export PYTEST_ADDOPTS="-p given_tests_runner.in_commands"; '
    'export REPORT="$TMPDIR/report"; mkdir "$REPORT"; shift 2; '
    'for file do touch -c "./$file" 2>/dev/null; done; '
    '/bin/sh -c "$command"; code=$?; cat "$REPORT"/* 2>/dev/null | head -c 2000000 >&3; exit $code'
)
"""Takes the plugin out of the tree, and has every pytest that the command starts report through it.

The files of the candidate are touched, or what builds by age would take its last build for up to date.
"""
_ABSENT_CODES = frozenset({126, 127})
_ABSENT = re.compile(
    r"^(?:/bin/)?sh: (?:line )?\d+: (?P<word>[^\n]+): (?:command not found|not found|Permission denied)$",
    re.MULTILINE,
)
"""How the shell of the command says, in its own name, that there is no such program."""
_BEFORE_WORDS = frozenset({"&&", "||", ";", "|", "&", "(", "{", "!", "then", "do", "else"})


def command_program(command: str, candidate: Candidate, given: Given, limits: Limits) -> Program:
    """Return the program that runs a command by `sh -c` with the candidate's files in place.

    The virtual environment of the workspace comes first on PATH, with what is installed in it in place.
    """
    tools = shown_tools()
    venv = find_environment(given.workspace) if given.workspace else None
    environment = {"PATH": search_path(tools, venv), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1"}
    if venv and venv.sources:
        environment["PYTHONPATH"] = os.pathsep.join(venv.sources)
    readable = (*(path for tool in tools for path in tool.readable), *(venv.readable if venv else ()))
    program = Program(
        argv=("/bin/sh", "-c", command),
        files=candidate.files,
        tree=given.workspace or None,
        removed=candidate.removed if given.workspace else (),
        environment=environment,
        readable=tuple(dict.fromkeys(readable)),
        limits=limits,
    )
    return fit(program, PROJECT)


def shown_tools() -> tuple[Tool, ...]:
    """Return what commands are likely to need and lies outside the system's folders."""
    return surrounding_tools(_TOOLS)


def search_path(tools: Iterable[Tool], venv: Environment | None) -> str:
    """Return the PATH on which a project's commands find its own Python, else the server's, and the tools."""
    folders = dict.fromkeys(os.path.dirname(tool.path) for tool in tools)  # noqa: PTH120 - text in, text out
    own = (f"{venv.folder}/bin",) if venv else ()
    return os.pathsep.join((*own, f"{sys.prefix}/bin", *folders, "/usr/local/bin", "/usr/bin", "/bin"))


def watched(program: Program, runner: Mapping[str, str], folder: str, command: str = "") -> Program:
    """Return the program of a command whose pytest reports over descriptor 3.

    Args:
        program: As `command_program` returns it.
        runner: The files of the Python runner, which holds the plugin.
        folder: The folder they all lie in.
        command: Instead of the program's own, with words that have it write a report.
    """
    environment = dict(program.environment)
    return replace(
        program,
        argv=("/bin/sh", "-c", _WATCH, "sh", folder, command or program.argv[-1], *program.files),
        files={**program.files, **runner, **start_files(folder)},
        environment={"SOURCES": environment.pop("PYTHONPATH", ""), **environment},
        report_fd=True,
    )


def start_files(folder: str) -> dict[str, str]:
    """Return what Python imports by itself, before and instead of what a project has by these names."""
    return {f"{folder}/sitecustomize.py": _START, f"{folder}/usercustomize.py": ""}


def absent_program(command: str, execution: Execution) -> str:
    """Return the program of the command that the shell did not find; empty where something else failed."""
    if execution.exit_code not in _ABSENT_CODES:
        return ""
    called = _called_words(command)
    return next(
        (found["word"] for found in _ABSENT.finditer(execution.stderr) if found["word"] in called), ""
    )


def _called_words(command: str) -> set[str]:
    """Return the words of a command that stand where a program's name does."""
    lexer = shlex.shlex(command.replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    called = set()
    first = True
    try:
        for word in lexer:
            if first and not re.match(r"\w+=", word):
                called.add(word)
                first = False
            first = first or word in _BEFORE_WORDS
    except ValueError:  # a quote is never closed, which the shell will have said
        return called
    return called
