"""Prepare the job of a task: what its workers are told and shown, what judges them, what they may cost."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from orchestrator.asking import Asking, open_purse
from orchestrator.bench import Bench
from orchestrator.cache import Cache
from orchestrator.classify import Classification
from orchestrator.events import Event, Report
from orchestrator.job import Job
from orchestrator.laying import Laid
from orchestrator.prompting import Brief, Shown
from orchestrator.records import TaskRecord
from orchestrator.roots import Roots
from orchestrator.route import Route
from orchestrator.steps import Steps
from orchestrator.task import Task
from orchestrator.world import World
from validators.languages import by_path, find_language
from validators.validator import Given

if TYPE_CHECKING:
    from validators.agreement.seeds import Seeds


MIN_AUTHORS = 2


def _prepare_asking(world: World, record: TaskRecord, route: Route, report: Report) -> Asking:
    purse = open_purse(
        world.policy, route.task_type, record.task.max_cost_usd, approved_by_person=record.approved_paid
    )
    steps = Steps(world.records, record.task_id, record.round, is_new=record.is_new)

    async def tell(message: str) -> None:
        await report(Event("answer", message))

    cache = Cache(world.records, world.policy.cache, fresh=record.task.fresh)
    return Asking(record.task_id, purse, world.servers, world.records, steps, cache, tell)


async def prepare_job(
    world: World, record: TaskRecord, classification: Classification, laid: Laid, report: Report
) -> Job:
    """Read what the worker is shown and wire what its attempts need.

    Raises:
        PathRefused: A context file lies outside the allowed roots.
    """
    task = replace(record.task, language=_find_language(record.task, classification))
    context, files = _read_context(world.roots, task)
    given = Given(
        task=task.task,
        requirements=task.requirements,
        tests=task.tests,
        test_command=task.test_command,
        benchmark_command=task.benchmark_command,
        workspace=task.workspace,
    )
    voice = world.policy.voices.get(laid.route.voice)
    brief = Brief(task, context, record.guidance, voice.system if voice else "")
    bench = Bench(world.sandbox, world.limits, lint_blocks=world.policy.validators.lint == "block")
    asking = _prepare_asking(world, record, laid.route, report)
    return Job(
        brief=brief,
        given=given,
        route=laid.route,
        survey=laid.survey,
        files=files,
        roots=world.roots,
        asking=asking,
        bench=bench,
        report=report,
        seeds=await _find_seeds(task, laid.route),
        beliefs=laid.beliefs,
    )


async def _find_seeds(task: Task, route: Route) -> "Seeds | None":
    """Find what authors can be compared on, where that is wanted and there can be more than one."""
    if "agreement" not in route.validators or task.language != "python" or len(route.tiers) < MIN_AUTHORS:
        return None
    from validators.agreement.seeds import find_seeds  # noqa: PLC0415 - a server must start without parsers

    said = f"{task.task}\n{task.requirements}"
    seeds = await to_thread.run_sync(find_seeds, said, task.tests)  # long tests take a while to read
    return None if seeds is None or seeds.any_answer else seeds


def _find_language(task: Task, classification: Classification) -> str:
    """Take the language that was named, else that of the file to write, else what the words suggest."""
    if task.language:
        return find_language(task.language) or task.language
    return by_path(task.write_to) or classification.language


def _read_context(roots: Roots, task: Task) -> tuple[tuple[Shown, ...], dict[str, str]]:
    """Read what the worker is shown, the present text of the answer's file included."""
    target = Path(task.workspace) / task.write_to if task.workspace and task.write_to else None
    paths = [path for path in task.context_files if target is None or Path(path) != target]
    shown = tuple(Shown(_label(path, task.workspace), roots.read_text(path).text) for path in paths)
    if target is None or not target.is_file():
        return shown, {}
    present = Shown(task.write_to, roots.read_text(str(target)).text)
    return (present, *shown), {present.path: present.text}


def _label(path: str, workspace: str) -> str:
    inside = workspace and Path(path).is_relative_to(workspace)
    return str(Path(path).relative_to(workspace)) if inside else path
