"""The arguments of the tools as they come over the wire, and their JSON Schemas made small."""

from typing import Annotated, Literal

from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from pydantic import ConfigDict, Field

from orchestrator.task import ValidatorName

Schema = dict[str, object]


class Arguments(ArgModelBase):
    """Arguments of a tool; a name that it does not have is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class ExecuteArguments(Arguments):
    """What `orchestrator_execute_with_escalation` takes."""

    task: Annotated[str, Field(description="What to do; not needed with resume")] = ""
    language: str = ""
    workspace: Annotated[str, Field(description="Project folder")] = ""
    context_files: Annotated[list[str], Field(description="Paths the worker is shown")] = []
    write_to: Annotated[str, Field(description="File the answer becomes, relative to workspace")] = ""
    apply: Annotated[bool, Field(description="Write the files if accepted")] = False
    tests: Annotated[str, Field(description="Test source; Python imports `solution`")] = ""
    test_command: Annotated[str, Field(description="Run in a throw-away copy of workspace")] = ""
    benchmark_command: Annotated[str, Field(description="e.g. 'python bench.py => seconds < 2'")] = ""
    requirements: str = ""
    validators: list[ValidatorName] = []
    task_type: Literal["", "quick_edit", "standard_dev", "complex_architecture", "critical"] = ""
    complexity: Annotated[float | None, Field(ge=0, le=10)] = None
    domain: Literal["", "code", "general", "reasoning", "extraction"] = ""
    start_tier: str = ""
    max_tier: str = ""
    max_cost_usd: Annotated[float | None, Field(ge=0)] = None
    timeout_seconds: Annotated[float | None, Field(gt=0)] = None
    fresh: Annotated[bool, Field(description="Not from the cache")] = False
    resume: Annotated[str, Field(description="task_id to wait for or go on with")] = ""
    detail: Annotated[bool, Field(description="Every attempt and receipt")] = False


class ClassifyArguments(Arguments):
    """What `classify_task` takes."""

    task: str
    context_files: list[str] = []
    workspace: str = ""


class ValidateArguments(Arguments):
    """What `validate_outcome` takes."""

    output: Annotated[str, Field(description="Code or a reply with fenced code; or use files")] = ""
    files: Annotated[dict[str, str], Field(description="Path to text")] = {}
    language: str = ""
    task: str = ""
    tests: str = ""
    test_command: str = ""
    benchmark_command: str = ""
    workspace: str = ""
    requirements: str = ""
    validators: list[ValidatorName] = []


class AnalyzeArguments(Arguments):
    """What `rlm_analyze` takes."""

    question: str
    paths: Annotated[list[str], Field(description="Files, folders or globs; or give text")] = []
    text: str = ""
    mode: Literal["auto", "direct", "map"] = "auto"
    output_schema: Annotated[dict[str, object], Field(description="JSON Schema of the answer")] = {}
    tier: str = ""
    max_cost_usd: Annotated[float | None, Field(ge=0)] = None
    max_calls: Annotated[int, Field(ge=1)] = 200
    timeout_seconds: Annotated[float | None, Field(gt=0)] = None
    resume: Annotated[str, Field(description="run_id")] = ""


class ReviewArguments(Arguments):
    """What `orchestrator_review` takes."""

    action: Literal["list", "approve", "reject", "retry", "skip"] = "list"
    task_id: str = ""
    comment: Annotated[str, Field(description="Why; a retry shows it to the worker")] = ""


class StatusArguments(Arguments):
    """What `orchestrator_status` takes: nothing."""


def make_schema(arguments: type[ArgModelBase]) -> Schema:
    """Write the JSON Schema of a tool's arguments without what only costs the host tokens.

    Titles repeat names, and `anyOf [T, null]` says no more than an optional `T`.
    """
    schema = arguments.model_json_schema()
    properties = {name: _shrink(dict(entry)) for name, entry in schema.get("properties", {}).items()}
    small: Schema = {"type": "object", "properties": properties}
    return {**small, "required": schema["required"]} if "required" in schema else small


def _shrink(entry: Schema) -> Schema:
    entry.pop("title", None)
    if not entry.get("default"):
        entry.pop("default", None)
    options = entry.pop("anyOf", None)
    if isinstance(options, list):
        entry = {**options[0], **entry}
    if "enum" in entry and isinstance(entry["enum"], list):
        entry["enum"] = [choice for choice in entry["enum"] if choice]
    additional = entry.get("additionalProperties")
    if additional is True:
        entry.pop("additionalProperties")
    return entry
