"""What each tool does with its arguments; at most a screen each."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mcp_server.desk import Desk
from mcp_server.runs import Work
from mcp_server.schemas import (
    AnalyzeArguments,
    ClassifyArguments,
    ExecuteArguments,
    ReviewArguments,
    StatusArguments,
    ValidateArguments,
)
from orchestrator import answers, planning
from orchestrator.analysis import AnalysisWish, analyze_documents
from orchestrator.answers import Answer
from orchestrator.events import Report
from orchestrator.orchestrator import new_id
from orchestrator.reporting.reading import read_report
from orchestrator.review import ReviewError, decide, list_waiting
from orchestrator.task import Task
from orchestrator.validation import Submission, validate_submission
from validators.validator import Given


async def execute(desk: Desk, given: ExecuteArguments, report: Report) -> Answer:
    """Begin or rejoin a task and wait for it as long as the host does."""
    orchestrator = desk.orchestrator
    task_id = given.resume or new_id()
    if not given.resume:
        task = Task(
            **given.model_dump(exclude={"resume", "detail", "context_files", "validators"}),
            context_files=tuple(given.context_files),
            validators=tuple(given.validators),
        )

        async def work(listener: Report) -> Answer:
            outcome = await orchestrator.execute(task, listener, task_id)
            return answers.tell_outcome(outcome, detail=given.detail)
    else:

        async def work(listener: Report) -> Answer:
            return answers.tell_outcome(await orchestrator.resume(task_id, listener), detail=given.detail)

    return await _wait(desk, "task_id", task_id, work, report)


async def classify(desk: Desk, given: ClassifyArguments, report: Report) -> Answer:
    """Classify and plan; asks no model."""
    task = Task(given.task, workspace=given.workspace, context_files=tuple(given.context_files))
    return await planning.plan(desk.orchestrator, task)


async def validate(desk: Desk, given: ValidateArguments, report: Report) -> Answer:
    """Judge what was given."""
    orchestrator = desk.orchestrator
    workspace = str(orchestrator.world.roots.resolve(given.workspace)) if given.workspace else ""
    submission = Submission(
        output=given.output,
        files=given.files,
        language=given.language,
        validators=tuple(given.validators),
        given=Given(
            task=given.task,
            requirements=given.requirements,
            tests=given.tests,
            test_command=given.test_command,
            benchmark_command=given.benchmark_command,
            workspace=workspace,
        ),
    )
    return answers.tell_judgement(await validate_submission(orchestrator.world, submission))


async def analyze(desk: Desk, given: AnalyzeArguments, report: Report) -> Answer:
    """Begin or rejoin an analysis and wait for it as long as the host does."""
    orchestrator = desk.orchestrator
    run_id = given.resume or new_id()
    wish = AnalysisWish(
        question=given.question,
        paths=tuple(given.paths),
        text=given.text,
        mode=given.mode,
        output_schema=given.output_schema or None,
        tier=given.tier,
        max_cost_usd=given.max_cost_usd,
        max_calls=given.max_calls,
        timeout_seconds=given.timeout_seconds,
    )

    async def work(listener: Report) -> Answer:
        return await analyze_documents(orchestrator, run_id, wish, listener, resume=bool(given.resume))

    return await _wait(desk, "run_id", run_id, work, report)


async def review(desk: Desk, given: ReviewArguments, report: Report) -> Answer:
    """List what waits, or pass on a decision."""
    if given.action == "list":
        return answers.tell_waiting(await list_waiting(desk.orchestrator))
    if not given.task_id:
        raise ReviewError(f"Which task? Give task_id to {given.action}; action='list' names those that wait.")
    record = await decide(desk.orchestrator, given.task_id, given.action, given.comment, is_person=False)
    next_steps = [f"Call orchestrator_execute_with_escalation with resume={record.task_id!r}"]
    return {
        "task_id": record.task_id,
        "status": record.status,
        "next_steps": next_steps if record.status in {"stopped", "needs_approval"} else [],
    }


async def status(desk: Desk, given: StatusArguments, report: Report) -> Answer:
    """Say what is served here and how it has fared."""
    orchestrator = desk.orchestrator
    return {**await read_report(orchestrator), "warnings": list(orchestrator.config.warnings)}


async def _wait(desk: Desk, key: str, run_id: str, work: Work, report: Report) -> Answer:
    desk.runs.start(run_id, work)
    answer = await desk.runs.wait(run_id, desk.deadline_seconds, report)
    return answer if answer is not None else answers.tell_running(run_id, key)


CALLS: Mapping[str, Callable[[Desk, Any, Report], Awaitable[Answer]]] = {
    "execute": execute,
    "classify": classify,
    "validate": validate,
    "analyze": analyze,
    "review": review,
    "status": status,
}
