"""Turn a task and what was tried into the next request. Pure: the same state gives the same prompt."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backends.backend import Message, Request, Sampling
from orchestrator.decide import Try
from orchestrator.outcome import DOUBTING, FRESH, Attempt
from orchestrator.policy import TaskTypeName, TierPolicy
from orchestrator.prompts import render
from orchestrator.route import Served
from orchestrator.task import Task
from validators.verdict import Candidate, Diagnostic, Verdict

PLAN_TOKENS = 1024
TESTS = 12
"""Asked for at once of a model that writes tests."""
SAMPLE_TEMPERATURE = 0.7
MAX_DIAGNOSTICS = 12
MAX_DIAGNOSTIC_CHARS = 600

VERDICT_SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": ["approve", "reject"]},
        "failing_input": {"type": "string", "maxLength": 400},
        "expected": {"type": "string", "maxLength": 400},
        "quote": {"type": "string", "maxLength": 400},
        "reason": {"type": "string", "maxLength": 400},
    },
    "required": ["verdict"],
}
"""The verdict comes first. It alone is required: a reply that lacks a proof still says what it says."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A file that the worker is shown."""

    path: str
    """Relative to the workspace where it lies inside, else absolute."""
    text: str


@dataclass(frozen=True, slots=True)
class Brief:
    """Everything about a task that a prompt may hold."""

    task: Task
    context: tuple[Shown, ...] = ()
    guidance: str = ""
    """What a person said when sending the task back."""
    voice: str = ""
    """How the policy addresses workers of such tasks, before the rules that hold for all."""
    plan: str = ""
    """The strategy that was made before the work."""


def pick_base(attempts: Sequence[Attempt], step: Try) -> Attempt | None:
    """Choose the candidate to revise: a retry's own last one, an escalation's best one."""
    with_work = [attempt for attempt in attempts if attempt.files or attempt.removed]
    if not with_work or step.how in FRESH:
        return None  # a second author who saw the first one's work would be none
    if step.how == "retry":
        own = [attempt for attempt in with_work if attempt.tier == step.tier.tier]
        if own or any(attempt.approved for attempt in with_work):
            return own[-1] if own else None
        return with_work[-1]
    return pick_best(with_work)


def pick_best(attempts: Sequence[Attempt]) -> Attempt | None:
    """Choose the work that stands: the last that another author confirms, else the last that passed.

    Where none passed, that which got furthest: most validators passed, the later one on a tie.
    """
    with_work = [attempt for attempt in attempts if attempt.files or attempt.removed]
    passed = [attempt for attempt in with_work if attempt.approved]
    agreed = [attempt for attempt in passed if attempt.support == "agreed"]
    if passed:
        return (agreed or passed)[-1]
    return max(with_work, key=lambda one: (one.passed, one.number)) if with_work else None


def write_request(
    brief: Brief, step: Try, attempts: Sequence[Attempt], tier: TierPolicy, sample: int = 0
) -> Request:
    """Write what the worker is asked now; each `sample` but the first is drawn with more chance."""
    base = pick_base(attempts, step)
    values = {
        "task": brief.task.task.strip(),
        "language": f"\nLanguage: {brief.task.language}\n" if brief.task.language else "",
        "requirements": _requirements(brief),
        "target": f"\nThe answer becomes the file {brief.task.write_to}\n" if brief.task.write_to else "",
        "context": _context(brief.context),
        "tests": _tests(brief.task) + _plan(brief),
    }
    if base is None:
        text = render("worker", **values) + _explain_refusal(attempts)
    else:
        name = "revise" if base.tier == step.tier.tier else "escalate"
        remarks = describe_verdicts(base.verdicts)
        text = render(name, **values, candidate=show_files(base.files), diagnostics=remarks)
    return Request(
        model=step.tier.model,
        messages=(Message("system", _system(brief)), Message("user", text.strip())),
        max_tokens=_max_tokens(step, attempts),
        sampling=_draw(Sampling(**tier.sampling.model_dump()), sample),
        context_tokens=step.tier.context_tokens,
    )


def write_plan(brief: Brief, served: Served) -> Request:
    """Write what is asked before the work: a strategy, not the answer."""
    text = render(
        "plan",
        task=brief.task.task.strip(),
        requirements=_requirements(brief),
        context=_context(brief.context),
        tests=_tests(brief.task),
    )
    return Request(
        model=served.model,
        messages=(Message("system", render("plan_system").strip()), Message("user", text.strip())),
        max_tokens=min(PLAN_TOKENS, served.max_output_tokens),
        sampling=Sampling(temperature=0.0),
        context_tokens=served.context_tokens,
    )


def _system(brief: Brief) -> str:
    return "\n\n".join(part for part in (brief.voice.strip(), render("worker_system").strip()) if part)


def _plan(brief: Brief) -> str:
    return (
        f"\nA plan that was made for it; leave it where it is wrong:\n{brief.plan.strip()}\n"
        if brief.plan
        else ""
    )


def _draw(sampling: Sampling, sample: int) -> Sampling:
    """Give each further sample its own seed and enough temperature to differ."""
    if sample == 0:
        return sampling
    warm = max(SAMPLE_TEMPERATURE, sampling.temperature or 0.0)
    return replace(sampling, temperature=warm, seed=(sampling.seed or 0) + sample)


def write_tests(brief: Brief, served: Served, schema: Mapping[str, object]) -> Request:
    """Write what a model is asked that writes tests from the task alone; no candidate is shown."""
    text = render(
        "generate_tests", task=brief.task.task.strip(), requirements=_requirements(brief), count=str(TESTS)
    )
    return Request(
        model=served.model,
        messages=(Message("user", text.strip()),),
        max_tokens=min(2048, served.max_output_tokens),
        sampling=Sampling(temperature=0.0),
        schema=schema,
        context_tokens=served.context_tokens,
    )


def write_check(
    brief: Brief,
    candidate: Candidate,
    served: Served,
    task_type: TaskTypeName,
    verdicts: Sequence[Verdict],
    vote: int = 0,
) -> Request:
    """Write what the checker is asked about a candidate, and what it need not judge again.

    Each further `vote` is drawn with more chance.
    """
    work = show_files(candidate.files)
    text = render(
        "check",
        task=brief.task.task.strip(),
        requirements=_requirements(brief),
        checked=_checked(verdicts),
        tag=f"work-{_mark(work)}",
        candidate=work,
        question=render(f"check_{task_type}").strip(),
    )
    return Request(
        model=served.model,
        messages=(Message("system", render("check_system").strip()), Message("user", text.strip())),
        max_tokens=2048,
        sampling=_draw(Sampling(temperature=0.0), vote),
        schema=VERDICT_SCHEMA,
        context_tokens=served.context_tokens,
        logprobs=True,
    )


def _checked(verdicts: Sequence[Verdict]) -> str:
    """Name the gates that passed and what they showed."""
    passed = [
        f"- {one.validator} passed{f': {shown}' if (shown := ' '.join(one.reason.split())[:120]) else ''}"
        for one in verdicts
        if one.status == "passed"
    ]
    told = "\n".join(passed)
    return f"\nMachines have checked this already; do not judge it again:\n{told}\n" if told else ""


def describe_verdicts(verdicts: Sequence[Verdict]) -> str:
    """Write the failed verdicts, and a checker's doubts, as a list that a model can work with."""
    lines = [
        f"- {verdict.validator}: {_place(remark)}{remark.message[:MAX_DIAGNOSTIC_CHARS]}"
        for verdict in verdicts
        if verdict.status == "failed" or (verdict.validator in DOUBTING and verdict.status == "unavailable")
        for remark in verdict.diagnostics[:MAX_DIAGNOSTICS]
    ]
    return "\n".join(lines) or "- it could not be used at all"


def show_files(files: Mapping[str, str]) -> str:
    """Write files as paths with fenced blocks; a fence is longer than any inside its text."""
    shown = []
    for path, text in files.items():
        longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
        fence = "`" * (longest + 1)
        shown.append(f"{path}\n{fence}\n{text.rstrip()}\n{fence}")
    return "\n\n".join(shown)


def _place(remark: Diagnostic) -> str:
    place = ":".join(str(part) for part in (remark.file, remark.line, remark.column) if part)
    return f"{place}: " if place else ""


def _mark(text: str) -> str:
    """Name a text by itself, so that no text can hold its own closing tag."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _context(shown: Sequence[Shown]) -> str:
    """Fence each file with a tag that it cannot hold, since the tag depends on its text."""
    parts = []
    for one in shown:
        tag = f"context-{_mark(one.text)}"
        parts.append(f'\n<{tag} path="{one.path}">\n{one.text}\n</{tag}>\n')
    return "".join(parts)


def _requirements(brief: Brief) -> str:
    said = [text.strip() for text in (brief.task.requirements, brief.guidance) if text.strip()]
    return "\nRequirements:\n" + "\n".join(said) + "\n" if said else ""


def _tests(task: Task) -> str:
    return f"\nIt must pass these tests:\n```\n{task.tests.strip()}\n```\n" if task.tests else ""


def _explain_refusal(attempts: Sequence[Attempt]) -> str:
    """Say why the last reply could not be used, so that no prompt is sent twice as it was."""
    if attempts and attempts[-1].trouble in {"no_candidate", "malformed"}:
        return f"\nThe last reply could not be used:\n{attempts[-1].message}\n"
    return ""


def _max_tokens(step: Try, attempts: Sequence[Attempt]) -> int:
    """Give an answer that was cut off twice the room, as far as the context allows."""
    cut_off = any(one.trouble == "truncated" and one.tier == step.tier.tier for one in attempts)
    return min(step.tier.max_output_tokens * (2 if cut_off else 1), step.tier.context_tokens // 2)
