"""Judge any candidate, whoever wrote it: the work behind `validate_outcome`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from backends.backend import Completion
from orchestrator.assemble import assemble_files
from orchestrator.bench import Bench
from orchestrator.confidence import estimate_confidence
from orchestrator.extract import extract
from orchestrator.judging import Checker, is_approved
from orchestrator.patches import parse_patches
from orchestrator.prompting import Brief, write_check
from orchestrator.route import Served
from orchestrator.taking import read_patched
from orchestrator.task import VALIDATORS, Task
from orchestrator.world import World
from validators.languages import by_path, ending, find_language
from validators.validator import Given, judge_in_order
from validators.verdict import Candidate, Diagnostic, Verdict

_ONLY_IN_TASKS: Mapping[str, str] = {
    "agreement": "It holds the work of several authors against each other",
    "generated_tests": "Its tests are written by a model from the task alone",
}
"""What only a task that the orchestrator has done can be judged by, and why."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Work to be judged, and by what."""

    output: str = ""
    """A reply or plain source; ignored when `files` is given."""
    files: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    validators: tuple[str, ...] = ()
    """Which ones; all that have something to judge by when empty."""
    given: Given = field(default_factory=Given)


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts; `passed` only when one passed, none failed, and nothing asked for is missing."""

    passed: bool
    confidence: float
    verdicts: tuple[Verdict, ...]


async def validate_submission(world: World, submission: Submission) -> Judgement:
    """Run the validators, cheapest first, and stop at the first failure."""
    candidate, problems = _take_candidate(world, submission)
    if candidate is None:
        verdict = Verdict("extraction", "failed", 1.0, problems)
        return Judgement(passed=False, confidence=0.0, verdicts=(verdict,))
    asked = {*submission.validators, *_given(submission.given)}
    shown = {"examples"} if submission.given.task and "tests" not in asked else set()
    wanted = asked if submission.validators else {"syntax", "compile", *shown, *asked}
    names = [name for name in VALIDATORS if name in wanted]
    bench = Bench(world.sandbox, world.limits, lint_blocks=world.policy.validators.lint == "block")
    verdicts: list[Verdict] = []
    if "semantic" in names:
        bench = replace(bench, checker=await _find_checker(world, submission, verdicts))
    async for verdict in judge_in_order(bench.pick(names), candidate, submission.given):
        verdicts.append(verdict)  # noqa: PERF401 - the checker is told what the list holds when asked
    if "semantic" in names and bench.checker is None:
        reason = "No tier is served here that could judge; run `orchestrator doctor`."
        verdicts.append(Verdict("semantic", "unavailable", 0.0, reason=reason))
    verdicts += _only_in_tasks(names)
    passed = is_approved(verdicts, tuple(asked))
    return Judgement(passed, estimate_confidence(verdicts) if passed else 0.0, tuple(verdicts))


def _only_in_tasks(names: Sequence[str]) -> list[Verdict]:
    """Say of what was asked for and cannot judge work that comes from elsewhere why it does not."""
    told = "; it judges only within a task that the orchestrator does. Leave it out here."
    return [
        Verdict(name, "unavailable", 0.0, reason=f"{_ONLY_IN_TASKS[name]}{told}")
        for name in names
        if name in _ONLY_IN_TASKS
    ]


def _take_candidate(world: World, submission: Submission) -> tuple[Candidate | None, tuple[Diagnostic, ...]]:
    language = find_language(submission.language) or submission.language
    if submission.files:
        by_name = [found for path in submission.files if (found := by_path(path))]
        return Candidate(dict(submission.files), language or next(iter(by_name), "text")), ()
    given = submission.given
    known = read_patched(world.roots, given.workspace, submission.output)
    extraction = extract(submission.output, language=language, known=known)
    if extraction.problems and language and _is_bare(submission.output):
        return _assembled(Candidate({f"solution.{ending(language)}": submission.output}, language), given), ()
    if extraction.problems or not (extraction.files or extraction.removed):
        said = Diagnostic(f"no work found in the output ({', '.join(extraction.flags) or 'empty'})")
        return None, tuple(extraction.problems) or (said,)
    candidate = Candidate(extraction.files, extraction.language, extraction.removed)
    return (candidate if "edits" in extraction.flags else _assembled(candidate, given)), ()


def _is_bare(output: str) -> bool:
    return "```" not in output and bool(output.strip()) and not parse_patches(output)


def _assembled(candidate: Candidate, given: Given) -> Candidate:
    """Complete a single file with what its task and its tests hold, as the work of a worker is completed."""
    files, _ = assemble_files(candidate.files, candidate.language, given.task, given.tests)
    return replace(candidate, files=files)


def _given(given: Given) -> tuple[str, ...]:
    """Name the validators that the caller gave something for: they must pass."""
    tests = ("tests",) if given.tests or given.test_command else ()
    return (*tests, "benchmark") if given.benchmark_command else tests


async def _find_checker(world: World, submission: Submission, verdicts: Sequence[Verdict]) -> Checker | None:
    """Take the strongest free tier that is served here; judging never spends money on its own."""
    free = [name for name in world.policy.tiers_by_rank() if not world.policy.tiers[name].paid]
    survey = await world.servers.survey(free, "code")
    served = [tier for tier in survey.values() if isinstance(tier, Served)]
    if not served:
        return None
    tier = served[-1]
    said = submission.given.task or "Do what the work itself claims to do."
    brief = Brief(Task(said, requirements=submission.given.requirements))

    async def ask(work: Candidate) -> Completion:
        request = write_check(brief, work, tier, "standard_dev", verdicts)
        return await world.servers.complete(tier, request)

    return Checker(ask, f"{tier.tier} ({tier.model})", verdicts)
