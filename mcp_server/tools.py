"""The six tools: what each is called, says, takes and does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import ValidationError

from mcp_server.desk import Desk
from mcp_server.schemas import (
    AnalyzeArguments,
    ClassifyArguments,
    ExecuteArguments,
    ReviewArguments,
    StatusArguments,
    ValidateArguments,
    make_schema,
)
from orchestrator.events import Event, Report

Call = Literal["execute", "classify", "validate", "analyze", "review", "status"]
"""A function of `mcp_server.calls`, which is loaded with all that works when the first tool is called."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """One row of the table below."""

    name: str
    description: str
    arguments: type[ArgModelBase]
    call: Call
    hints: ToolAnnotations


READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)

TOOLS = (
    ToolSpec(
        "orchestrator_execute_with_escalation",
        "Delegate one coding or writing task. A local model does it; syntax, compiler, tests in a sandbox or "
        "a checker judge it; failures are retried with the diagnostics, then escalated to stronger models. "
        "Give paths, not file contents, and tests whenever you can: they decide. Returns the checked work "
        "with its verdicts. status: accepted | needs_review | needs_approval | skipped | stopped | running "
        "(call again with resume=task_id).",
        ExecuteArguments,
        "execute",
        ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False),
    ),
    ToolSpec(
        "classify_task",
        "Say how hard a task is, which models would try it, who checks, and what it may cost. Asks no model.",
        ClassifyArguments,
        "classify",
        READS,
    ),
    ToolSpec(
        "validate_outcome",
        "Judge code, yours or anyone's: syntax, compiler, the task's examples, tests in a sandbox, "
        "benchmark, checker model. validators=['tests'] runs the workspace's own tests. Returns passed "
        "and precise diagnostics.",
        ValidateArguments,
        "validate",
        READS,
    ),
    ToolSpec(
        "rlm_analyze",
        "Answer a question about documents too long to read yourself, by local models, with quotes that were "
        "located in the source.",
        AnalyzeArguments,
        "analyze",
        READS,
    ),
    ToolSpec(
        "orchestrator_review",
        "List delegated work that waits for a person; pass on the decision: approve, reject, retry, skip.",
        ReviewArguments,
        "review",
        ToolAnnotations(read_only_hint=False, destructive_hint=True),
    ),
    ToolSpec(
        "orchestrator_status",
        "Backends and models found here, budgets, success by worker, cost and savings.",
        StatusArguments,
        "status",
        READS,
    ),
)


class DelegationTool(Tool):
    """A tool whose argument errors are one line each."""

    async def run(  # the SDK's signature
        self,
        arguments: dict[str, Any],
        context: Context[Any, Any],
        convert_result: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:  # noqa: ANN401
        """Run as the SDK does, and say in our words what is wrong with the arguments."""
        try:
            return await super().run(arguments, context, convert_result)
        except UnexpectedToolError:
            raise  # a ValidationError behind this one is our own bug
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            raise ToolError(_describe(self.name, error.__cause__, self.parameters)) from error.__cause__


def make_tools(desk: Desk) -> list[Tool]:
    """Make the SDK's tools from the table."""
    return [_make_tool(spec, desk) for spec in TOOLS]


def _make_tool(spec: ToolSpec, desk: Desk) -> Tool:
    async def call(context: Context[Any, Any], **arguments: object) -> CallToolResult:
        from mcp_server.calls import CALLS  # noqa: PLC0415 - a host waits for the list of tools
        from orchestrator.errors import EXPECTED  # noqa: PLC0415 - the same

        given = spec.arguments.model_construct(None, **arguments)  # the SDK has checked them
        try:
            answer = await CALLS[spec.call](desk, given, _report_to(context))
        except EXPECTED as error:
            raise ToolError(str(error)) from error
        return _render(answer)

    return DelegationTool(
        fn=call,
        name=spec.name,
        title=None,
        description=spec.description,
        parameters=make_schema(spec.arguments),
        fn_metadata=FuncMetadata(arg_model=spec.arguments),
        is_async=True,
        context_kwarg="context",
        annotations=spec.hints,
        meta={"anthropic/alwaysLoad": True} if spec.call == "execute" else None,
    )


def _render(answer: Mapping[str, object]) -> CallToolResult:
    """Say the same as text and as structure: hosts show their model one of the two."""
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=dict(answer))


def _report_to(context: Context[Any, Any]) -> Report:
    told = 0

    async def report(event: Event) -> None:
        nonlocal told
        told += 1
        await context.report_progress(told, None, event.message)

    return report


def _describe(tool: str, error: ValidationError, parameters: Mapping[str, Any]) -> str:
    lines = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'arguments'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    ]
    return f"{tool}: {'; '.join(lines)}. It takes: {', '.join(parameters['properties'])}."
