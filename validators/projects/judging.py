"""Run a project's own tests for a candidate, those that it touches first, and without it if need be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from anyio import to_thread

from sandbox.program import Limits, Sandbox
from validators.previous import is_in_place
from validators.projects.affected import affected_tests
from validators.projects.deciding import Runs, decide_project, is_hopeless, needs_repeat
from validators.projects.detecting import Found, find_runner, judges
from validators.projects.looking import Sight, look_at
from validators.projects.running import Order, Ran, order_program, read_run
from validators.runners.python_start import Runner
from validators.runners.tampering import find_hiding
from validators.sandboxed import Decision
from validators.toolchains import find_tool
from validators.validator import Given
from validators.verdict import Candidate

_MOST_KEPT = 32
_WITH_TESTS_INSIDE = (".rs",)
"""Sources that often hold tests themselves, which a candidate that rewrites them may lose."""
_NONE_FOUND = (
    "No tests were given, and no test runner for {language!r} was found in the workspace. "
    "Give tests or a test_command."
)


class Baselines:
    """What the tests of untouched projects said; good as long as their files stay the same."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], Ran] = {}

    def get(self, key: tuple[str, ...]) -> Ran | None:
        """Return what is known."""
        return self._kept.get(key)

    def keep(self, key: tuple[str, ...], ran: Ran) -> None:
        """Keep a run, and forget the oldest when there are many."""
        self._kept[key] = ran
        while len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]


BASELINES = Baselines()
"""Of this process: validators are made anew for each attempt."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision, and the run that it rests on."""

    decision: Decision
    ran: Ran | None = None
    command: str = ""


class ProjectTests:
    """Judges by the tests that a project has."""

    def __init__(self, sandbox: Sandbox, limits: Limits, baselines: Baselines = BASELINES) -> None:
        self._sandbox = sandbox
        self._limits = limits
        self._baselines = baselines

    async def judge(self, candidate: Candidate, given: Given) -> Judged:
        """Run the touched tests, then all; where the touched ones do not pass, that is the end."""
        sight = await to_thread.run_sync(look_at, given.workspace, candidate.files, candidate.removed)
        changed = (*candidate.files, *candidate.removed)
        found = find_runner(sight.before, candidate.language, changed)
        found = found or find_runner(sight.after, candidate.language, changed)
        if found is None:
            return Judged(("unavailable", (), _NONE_FOUND.format(language=candidate.language)))
        if absent := _absent(found, sight) or _hidden(found, sight, candidate):
            return Judged(("unavailable", (), absent))
        order = Order(
            found,
            given.workspace,
            sight.environment,
            self._limits,
            files=candidate.files,
            removed=candidate.removed,
            judged=_judged(candidate),
        )
        in_place = await is_in_place(given.workspace, candidate)
        if chosen := _touched(found, sight, candidate):
            first = await self._conclude(replace(order, chosen=chosen), sight, in_place=in_place)
            if first.decision[0] != "passed":
                return first
        return await self._conclude(order, sight, in_place=in_place)

    async def _conclude(self, order: Order, sight: Sight, *, in_place: bool) -> Judged:
        """Run, and run again or without the candidate where the first run leaves a question.

        Where the candidate is what the workspace holds there is no run without it: nothing is excused.
        """
        runs = Runs(await self._run(order))
        changed = (*order.files, *order.removed)
        touches_judges = any(judges(path) or path.endswith(_WITH_TESTS_INSIDE) for path in changed)
        questions = not runs.now.clean or not runs.now.report.whole or (touches_judges and not order.chosen)
        if questions and not in_place:
            runs = replace(runs, before=await self._before(order, sight))
        runs = replace(runs, removed=tuple(_seen_from(order.found.folder, order.removed)))
        if needs_repeat(runs.now, runs.before):
            runs = replace(runs, again=await self._run(order))
        counts = order.found.runner.read is not None or order.found.runner.name == "pytest"
        decision = decide_project(runs, sight.after.paths, counts=counts, partial=bool(order.chosen))
        return Judged(decision, runs.now, order.command)

    async def _before(self, order: Order, sight: Sight) -> Ran:
        """Return what all tests say without the candidate, run once for a state of the project."""
        found = order.found
        key = (
            order.workspace,
            sight.digest,
            found.runner.name,
            found.folder,
            found.all,
            repr(order.limits),
        )
        known = self._baselines.get(key)
        if known is None:
            known = await self._run(replace(order, chosen=(), files={}, removed=(), judged=()))
            if not is_hopeless(known):  # or one slow run would excuse every failure from then on
                self._baselines.keep(key, known)
        return known

    async def _run(self, order: Order) -> Ran:
        runner = Runner()
        return read_run(order, runner, await self._sandbox.run(order_program(order, runner)))


def _absent(found: Found, sight: Sight) -> str:
    """Say what the runner lacks on this machine or in the project; empty when it can run."""
    runner = found.runner
    if runner.tools and find_tool(runner.tools) is None:
        return f"The project's tests need {runner.tools[0]!r}, which is not installed here. {runner.install}"
    if runner.name == "pytest" and not sight.before.pytest:
        return f"The project's tests need pytest, which is not installed. {runner.install}"
    begin = f"{found.folder}/" if found.folder else ""
    for need in runner.needs:
        if f"{begin}{need}" not in sight.before.present:
            return f"The project's tests need {begin}{need}, which is not there. Run `npm install`."
    return ""


def _hidden(found: Found, sight: Sight, candidate: Candidate) -> str:
    """Say which new file would be loaded instead of what pytest needs itself, where it starts in a folder."""
    if not found.folder or found.runner.name != "pytest":
        return ""
    new = [path for path in candidate.files if path.endswith(".py") and path not in sight.before.paths]
    hiding = (remark for path in _seen_from(found.folder, new) for remark in find_hiding(path))
    return next((f"In {found.folder!r}, {one.file!r} cannot be judged: {one.message}" for one in hiding), "")


def _judged(candidate: Candidate) -> Sequence[str]:
    """Return the files that may not skip tests: all that are no tests."""
    return [path for path in candidate.files if not judges(path)]


def _seen_from(folder: str, paths: Iterable[str]) -> list[str]:
    """Return paths as they are in a folder."""
    return [path.removeprefix(f"{folder}/") for path in paths]


def _touched(found: Found, sight: Sight, candidate: Candidate) -> tuple[str, ...]:
    layout = sight.after.at(found.folder)
    begin = f"{found.folder}/" if found.folder else ""
    changed = _seen_from(found.folder, (*candidate.files, *candidate.removed))
    tests = {path: layout.texts.get(path, "") for path in layout.tests(found.runner.language)}
    tests |= {
        path: candidate.files[f"{begin}{path}"] for path in tests if f"{begin}{path}" in candidate.files
    }
    return affected_tests(found, tests, changed)
