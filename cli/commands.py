"""What each command does; each returns its exit code."""

import argparse
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import anyio
from rich.console import Console

from backends.errors import BackendError
from cli import show
from cli.batching import batch
from cli.doctor import examine, write_policy
from cli.live import Live
from cli.reading import (
    BROKEN_WORLD,
    DONE,
    INTERRUPTED,
    NOT_DONE,
    WRONG_USE,
    UsageError,
    name_in,
    read_file,
    read_schema,
    read_task,
    split,
)
from cli.reporting import report
from orchestrator import answers, planning
from orchestrator.analysis import AnalysisWish, analyze_documents
from orchestrator.answers import Answer
from orchestrator.config import load_config, state_home, trust
from orchestrator.errors import EXPECTED
from orchestrator.ledger import LedgerError
from orchestrator.orchestrator import Orchestrator, new_id
from orchestrator.review import decide, list_waiting
from orchestrator.task import Task
from orchestrator.validation import Submission, validate_submission
from sandbox.errors import SandboxError
from validators.validator import Given


def run_command(arguments: argparse.Namespace) -> int:
    """Run one command; what went wrong is said in one sentence on stderr."""
    try:
        return anyio.run(_run, arguments)
    except (*EXPECTED, UsageError) as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"orchestrator: {error}", markup=False)
        broken = isinstance(error, BackendError | LedgerError | OSError | SandboxError)
        return BROKEN_WORLD if broken else WRONG_USE
    except KeyboardInterrupt:
        return INTERRUPTED


async def _run(arguments: argparse.Namespace) -> int:
    command = COMMANDS[arguments.command]
    config = load_config(arguments.config, os.environ, Path.cwd())
    for warning in config.warnings if arguments.command != "trust" else ():
        Console(stderr=True).print(f"orchestrator: {warning}", style="yellow", markup=False)
    orchestrator = Orchestrator(config, os.environ, Path.cwd())
    try:
        return await command(orchestrator, arguments)
    finally:
        with anyio.CancelScope(shield=True):
            await orchestrator.aclose()


async def run(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Delegate one task, or go on with one."""
    task_id = given.resume or new_id()
    task = None if given.resume else read_task(given)
    with Live(quiet=given.json) as live:
        if task is None:
            if given.yes:
                await orchestrator.world.records.approve_paid(task_id)
            outcome = await orchestrator.resume(task_id, live.report)
        else:
            live.name(f"task {task_id}; to go on with it later: orchestrator run --resume {task_id}")
            outcome = await orchestrator.execute(task, live.report, task_id, approved_paid=given.yes)
    show.tell(given, answers.tell_outcome(outcome, detail=given.detail), show.show_outcome)
    if outcome.status == "stopped" and any("doctor" in step for step in outcome.next_steps):
        return BROKEN_WORLD
    return DONE if outcome.status == "accepted" else NOT_DONE


async def classify(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Say how hard a task is and what would be tried."""
    task = Task(given.task, workspace=given.workspace, context_files=tuple(given.context))
    show.tell(given, await planning.plan(orchestrator, task), show.show_classification)
    return DONE


async def validate(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Judge files."""
    roots = orchestrator.world.roots
    places = [roots.resolve(path, base=orchestrator.folder) for path in given.paths]
    workspace = roots.resolve(given.workspace, base=orchestrator.folder) if given.workspace else None
    base = workspace or orchestrator.folder
    files = {name_in(place, base): roots.read_text(str(place)).text for place in places}
    submission = Submission(
        files=files,
        language=given.language,
        validators=split(given.validators),
        given=Given(
            task=given.task,
            requirements=given.requirements,
            tests=read_file(given.tests),
            test_command=given.test_command,
            benchmark_command=given.benchmark_command,
            workspace=str(workspace or ""),
        ),
    )
    judgement = await validate_submission(orchestrator.world, submission)
    show.tell(given, answers.tell_judgement(judgement), show.show_judgement)
    return DONE if judgement.passed else NOT_DONE


async def analyze(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Answer a question about documents."""
    schema = read_schema(given.schema)
    wish = AnalysisWish(
        given.question, tuple(given.paths), mode=given.mode, output_schema=schema, tier=given.tier
    )
    with Live(quiet=given.json) as live:
        run_id = given.resume or new_id()
        answer = await analyze_documents(orchestrator, run_id, wish, live.report, resume=bool(given.resume))
    show.tell(given, answer, show.show_analysis)
    return DONE if answer["status"] == "answered" else NOT_DONE


async def review(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """List what waits, or take the person's word."""
    if given.action == "list":
        show.tell(given, answers.tell_waiting(await list_waiting(orchestrator)), show.show_waiting)
        return DONE
    if not given.task_id:
        raise UsageError(f"Which task? orchestrator review {given.action} TASK_ID")
    record = await decide(orchestrator, given.task_id, given.action, given.comment, is_person=True)
    goes_on = record.status == "stopped" or (record.status == "needs_approval" and record.approved_paid)
    then = [f"orchestrator run --resume {record.task_id}"] if goes_on else []
    told: Answer = {"task_id": record.task_id, "status": record.status, "next_steps": then}
    if goes_on:
        told["message"] = "money is allowed for it" if record.approved_paid else "it begins anew"
    show.tell(given, told, show.show_classification)
    return DONE


async def doctor(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Say what is found on this machine and what the routes become."""
    answer = await examine(orchestrator, probes=given.probe)
    show.tell(given, answer, show.show_doctor)
    return DONE if answer["healthy"] else NOT_DONE


async def init(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Write an escalation.toml from the models found here."""
    place = Path(given.path)
    if place.exists():
        raise UsageError(f"{str(place)!r} is there already. Move it away, or name another file.")
    text = await write_policy(orchestrator)
    if not text:
        raise UsageError("No local model was found, nothing was written. Start LM Studio or Ollama first.")
    place.write_text(text, encoding="utf-8")
    trust(place, orchestrator.config.home)
    Console().print(f"Wrote {place}, and trusted it. Read it, then run: orchestrator doctor", soft_wrap=True)
    return DONE


async def demo(_: Orchestrator, given: argparse.Namespace) -> int:
    """Delegate three small tasks through the real server."""
    from cli.demo import show_demo  # noqa: PLC0415 - the MCP client is heavy and only the demo needs it

    return await show_demo(scripted=given.scripted, as_json=given.json)


async def trust_file(_: Orchestrator, given: argparse.Namespace) -> int:
    """Remember that the user trusts a file as it is now."""
    digest = trust(Path(given.path).absolute(), state_home(os.environ))
    Console().print(f"Trusted {given.path} (SHA-256 {digest[:12]}…); any change has to be trusted again.")
    return DONE


Command = Callable[[Orchestrator, argparse.Namespace], Awaitable[int]]
COMMANDS: Mapping[str, Command] = {
    "run": run,
    "batch": batch,
    "classify": classify,
    "validate": validate,
    "analyze": analyze,
    "review": review,
    "report": report,
    "doctor": doctor,
    "init": init,
    "demo": demo,
    "trust": trust_file,
}
