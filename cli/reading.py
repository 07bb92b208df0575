"""What is given on the command line, as the orchestrator takes it; and the exit codes."""

import argparse
import json
import sys
from pathlib import Path

from orchestrator.task import Task

DONE, NOT_DONE, WRONG_USE, BROKEN_WORLD = 0, 1, 2, 3
INTERRUPTED = 130


class UsageError(ValueError):
    """A command was given something it cannot use."""


def read_task(given: argparse.Namespace) -> Task:
    """Make the task that `run` was given."""
    return Task(
        task=sys.stdin.read() if given.task == "-" else given.task,
        language=given.language,
        workspace=given.workspace,
        context_files=tuple(given.context),
        write_to=given.write_to,
        apply=given.apply,
        tests=read_file(given.tests),
        test_command=given.test_command,
        benchmark_command=given.benchmark_command,
        requirements=given.requirements,
        validators=split(given.validators),
        task_type=given.task_type,
        complexity=given.complexity,
        domain=given.domain,
        start_tier=given.start_tier,
        max_tier=given.max_tier,
        max_cost_usd=given.max_cost_usd,
        timeout_seconds=given.timeout_seconds,
        fresh=given.fresh,
    )


def read_file(path: str) -> str:
    """Read a file that the user named on the command line; the roots are for what models and hosts name."""
    try:
        return Path(path).read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path!r} cannot be read: {error}") from error


def read_schema(path: str) -> dict[str, object] | None:
    """Read a JSON Schema; nothing when no file is named."""
    try:
        schema = json.loads(read_file(path)) if path else None
    except ValueError as error:
        raise UsageError(f"{path!r} is not JSON: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{path!r} is not a JSON Schema: it is nested too deep") from error
    if schema is not None and not isinstance(schema, dict):
        raise UsageError(f"{path!r} is not a JSON Schema: it must be an object")
    return schema


def split(names: str) -> tuple[str, ...]:
    """Take names apart at their commas."""
    return tuple(name.strip() for name in names.split(",") if name.strip())


def name_in(place: Path, base: Path) -> str:
    """Name a file as seen from a folder; by its own name when it lies elsewhere."""
    return str(place.relative_to(base)) if place.is_relative_to(base) else place.name
