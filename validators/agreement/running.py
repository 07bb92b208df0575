"""Run candidates on many arguments in the sandbox, each in a run of its own, and compare them."""

import json
import secrets
from collections.abc import Sequence
from functools import cache, partial
from importlib import resources

from anyio import create_task_group, to_thread

from sandbox.errors import SandboxError, UnsafePath
from sandbox.program import Limits, Program, Sandbox
from sandbox.zygote import START
from validators.agreement.calls import Args
from validators.agreement.comparing import FEWEST, Comparison, compare
from validators.agreement.inputs import make_inputs
from validators.agreement.results import Result, read_results
from validators.agreement.seeds import Seeds
from validators.runners.example_calls import read_python
from validators.runners.python_start import importable_files
from validators.verdict import Candidate

_CALL_SECONDS = 0.5
_TOTAL_SECONDS = 8.0


_TOO_FEW = "The arguments that the task shows leave nothing to vary."
_ANY_ANSWER = "The task accepts any of several answers, so that differing ones say nothing."


async def compare_candidates(
    sandbox: Sandbox, limits: Limits, candidates: Sequence[Candidate], seeds: Seeds, text: str
) -> Comparison:
    """Call all candidates with the same made-up arguments and hold what they return against each other.

    Args:
        sandbox: Where they run.
        limits: Of each run; a single call has half a second of processor time.
        candidates: In Python, the oldest first.
        seeds: As `find_seeds` returns them.
        text: The words of the task, for what they state of the arguments.
    """
    if seeds.any_answer:
        return Comparison(len(candidates), obstacle=_ANY_ANSWER)
    inputs = await to_thread.run_sync(make_inputs, seeds, text)
    if len(inputs) < FEWEST:
        return Comparison(len(candidates), obstacle=_TOO_FEW)
    rows = [one.args for one in inputs]
    results: dict[int, tuple[Result, ...]] = {}
    obstacles: list[str] = []

    async def run(number: int, candidate: Candidate) -> None:
        try:
            results[number] = await run_candidate(sandbox, limits, candidate, seeds, rows)
        except (SandboxError, UnsafePath) as error:
            obstacles.append(str(error))

    async with create_task_group() as group:
        for number, candidate in enumerate(candidates):
            group.start_soon(run, number, candidate)
    if obstacles:
        return Comparison(len(candidates), obstacle=obstacles[0])
    ordered = [results[number] for number in range(len(candidates))]
    bounded = any(one.kind == "large" for one in inputs)
    return await to_thread.run_sync(partial(compare, ordered, inputs, seeds, bounded=bounded))


@cache
def caller() -> str:
    """Return the code that makes the calls."""
    return resources.files("validators.agreement").joinpath("_child.py").read_text("utf-8")


async def run_candidate(
    sandbox: Sandbox, limits: Limits, candidate: Candidate, seeds: Seeds, rows: Sequence[Args]
) -> tuple[Result, ...]:
    """Return what each call came to, in the order of `rows`; `missing` where nothing was heard.

    Raises:
        SandboxUnavailable: No sandbox holds here.
        UnsafePath: A path of the candidate leads out of its folder.
    """
    execution = await sandbox.run(_program(candidate, seeds, rows, limits))
    return read_results(execution.report, len(rows))


def _program(candidate: Candidate, seeds: Seeds, rows: Sequence[Args], limits: Limits) -> Program:
    files = importable_files(candidate)
    name = seeds.call.partition("(")[0].partition(".")[0]
    own = {path: text for path, text in files.items() if path.endswith(".py") and _is_importable(path)}
    modules = [path for path, text in own.items() if name in read_python({path: text}).names]
    folder = f".{secrets.token_hex(8)}"
    settings = {
        "modules": modules,
        "call": seeds.call,
        "names": seeds.names,
        "rows": [repr(row) for row in rows],
        "seconds": _CALL_SECONDS,
        "total_seconds": min(_TOTAL_SECONDS, limits.seconds / 2),
    }
    return Program(
        argv=(*START, caller(), folder),
        files={**files, f"{folder}/settings.json": json.dumps(settings)},
        limits=limits,
        report_fd=True,
    )


def _is_importable(path: str) -> bool:
    return all(part.isidentifier() for part in path.removesuffix(".py").split("/"))
