"""The command `orchestrator`: its options, and which function each command is."""

import argparse
import io
import runpy
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Protocol

from orchestrator.task import VALIDATORS

DESCRIPTION = "Delegate work to the cheapest model that can do it; believe nothing until it has been checked."
EPILOG = (
    "Exit codes: 0 accepted or passed, 1 not, 2 wrong use, 3 broken world (no model answers, no sandbox, a "
    "full disk). Progress goes to stderr, with --json only on a terminal."
)


def make_parser() -> argparse.ArgumentParser:
    """Describe all commands."""
    parser = argparse.ArgumentParser("orchestrator", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {version('escalation-orchestrator')}"
    )
    parser.add_argument("--config", default="", metavar="PATH", help="escalation.toml to use")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("mcp", help="serve MCP over stdio (what Claude starts)")
    for add in (_add_run, _add_batch, _add_classify, _add_validate, _add_analyze, _add_review, _add_report):
        add(commands)
    doctor = _add_plain(commands, "doctor", "what is found on this machine and what the routes become")
    doctor.add_argument(
        "--probe", action="store_true", help="ask each free tier's model what its server does with it"
    )
    demo = _add_plain(
        commands, "demo", "delegate three small tasks through the real server, to watch it work"
    )
    demo.add_argument(
        "--scripted", action="store_true", help="use the scripted models even if others are found"
    )
    init = _add_plain(commands, "init", "write an escalation.toml from the models found here")
    init.add_argument("path", nargs="?", default="escalation.toml")
    trust = _add_plain(commands, "trust", "allow an escalation.toml that came with a folder, as it is now")
    trust.add_argument("path", nargs="?", default="escalation.toml")
    return parser


class Commands(Protocol):
    """What argparse gives to add commands to."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser:  # noqa: A002
        """Add one command."""
        ...


def _add_plain(commands: Commands, name: str, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, nothing else")
    return parser


def _add_judging(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--language", default="", help="of the work; else told by the file names and the words"
    )
    parser.add_argument("--tests", default="", metavar="FILE", help="test source, run beside the work")
    parser.add_argument(
        "--test-command", default="", metavar="CMD", help="run in a throw-away copy of the workspace"
    )
    parser.add_argument(
        "--benchmark-command", default="", metavar="CMD", help="e.g. 'python b.py => seconds < 2'"
    )
    parser.add_argument("--workspace", default="", metavar="DIR", help="the project folder")
    parser.add_argument("--requirements", default="", metavar="TEXT", help="what else must hold")
    parser.add_argument("--validators", default="", metavar="A,B", help=",".join(VALIDATORS))


def _add_run(commands: Commands) -> None:
    parser = _add_plain(commands, "run", "delegate one task")
    parser.add_argument("task", nargs="?", default="", help="what to do; - reads it from stdin")
    _add_judging(parser)
    parser.add_argument(
        "--context", action="append", default=[], metavar="FILE", help="file the worker is shown"
    )
    parser.add_argument("--write-to", default="", metavar="FILE", help="the file that the answer becomes")
    parser.add_argument("--apply", action="store_true", help="write the files when the work is accepted")
    parser.add_argument(
        "--task-type", default="", help="quick_edit, standard_dev, complex_architecture or critical"
    )
    parser.add_argument("--complexity", type=float, metavar="0-10", help="instead of the classifier's")
    parser.add_argument("--domain", default="", help="code, general, reasoning or extraction")
    parser.add_argument("--start-tier", default="", help="begin here instead of at the route's first tier")
    parser.add_argument("--max-tier", default="", help="go no further up than this")
    parser.add_argument("--max-cost-usd", type=float, help="at most this much; 0 leaves paid tiers out")
    parser.add_argument("--timeout-seconds", type=float, help="for the whole task")
    parser.add_argument("--resume", default="", metavar="TASK_ID", help="go on with a task")
    parser.add_argument("--fresh", action="store_true", help="ask anew what the cache could answer")
    parser.add_argument(
        "--yes", action="store_true", help="allow paid tiers for this task, inside the budgets"
    )
    parser.add_argument("--detail", action="store_true", help="every attempt with its receipts")


def _add_batch(commands: Commands) -> None:
    parser = _add_plain(commands, "batch", "delegate many tasks from a file; an interrupted batch goes on")
    parser.add_argument(
        "tasks",
        metavar="TASKS.jsonl",
        help="each line a JSON object with the arguments of orchestrator_execute_with_escalation",
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="RESULTS.jsonl",
        help="a line for each task as it ends; tasks that ended there are not done again, so name a new "
        "file for new work",
    )
    parser.add_argument(
        "--jobs", type=int, default=0, metavar="N", help="tasks at once; else what the local servers take"
    )
    parser.add_argument(
        "--yes", action="store_true", help="allow paid tiers for all these tasks, inside the budgets"
    )


def _add_classify(commands: Commands) -> None:
    parser = _add_plain(commands, "classify", "say how hard a task is and what would be tried")
    parser.add_argument("task")
    parser.add_argument("--context", action="append", default=[], metavar="FILE")
    parser.add_argument("--workspace", default="", metavar="DIR")


def _add_validate(commands: Commands) -> None:
    parser = _add_plain(commands, "validate", "judge files, whoever wrote them")
    parser.add_argument("paths", nargs="+", metavar="FILE")
    parser.add_argument("--task", default="", help="what the files should do, for the checker")
    _add_judging(parser)


def _add_analyze(commands: Commands) -> None:
    parser = _add_plain(commands, "analyze", "answer a question about long documents, with located quotes")
    parser.add_argument("question")
    parser.add_argument("paths", nargs="+", metavar="PATH")
    parser.add_argument("--mode", default="auto", choices=("auto", "direct", "map"))
    parser.add_argument("--tier", default="")
    parser.add_argument("--schema", default="", metavar="FILE", help="JSON Schema of the answer")
    parser.add_argument("--resume", default="", metavar="RUN_ID")


def _add_review(commands: Commands) -> None:
    parser = _add_plain(commands, "review", "what waits for a person, and the person's word")
    parser.add_argument(
        "action", nargs="?", default="list", choices=("list", "approve", "reject", "retry", "skip")
    )
    parser.add_argument("task_id", nargs="?", default="")
    parser.add_argument("--comment", default="", help="why; a retry shows it to the worker")


def _add_report(commands: Commands) -> None:
    parser = _add_plain(
        commands, "report", "success by worker and task type, cost, honest savings, budgets, models"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--html", default="", metavar="FILE", help="write one page with pictures instead")
    what.add_argument(
        "--verify",
        nargs="?",
        const="",
        metavar="DIGEST",
        help="look for a changed row in the record of all money; with a digest that was noted before, also "
        "for a record that was written anew",
    )
    what.add_argument(
        "--suggest", action="store_true", help="the changes to escalation.toml that the outcomes suggest"
    )
    what.add_argument("--reset-learning", action="store_true", help="forget what was learned from outcomes")
    what.add_argument(
        "--export", default="", metavar="FILE", help="write every task to a .jsonl or .csv file"
    )
    what.add_argument(
        "--prune",
        type=float,
        metavar="DAYS",
        help="drop the texts of tasks that ended so long ago; counts and money stay",
    )


def main() -> None:
    """Run one command and leave with its exit code."""
    arguments = make_parser().parse_args()
    if arguments.command == "mcp":
        sys.argv = ["mcp_server", *(["--config", arguments.config] if arguments.config else [])]
        runpy.run_module("mcp_server", run_name="__main__")
        return
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a mark still shows the words
    from cli.commands import run_command  # noqa: PLC0415 - the server above must not pay for it

    leave: Callable[[int], None] = sys.exit
    leave(run_command(arguments))


if __name__ == "__main__":
    main()
