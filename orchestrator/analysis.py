"""Run one analysis of documents: choose the reader, pay, remember, tell (the work behind `rlm_analyze`)."""

import glob
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import anyio
import anyio.to_thread

from backends.backend import Completion, JsonSchema, Message, Request, Sampling
from orchestrator.adapters import read_json, write_json
from orchestrator.answers import Answer
from orchestrator.asking import Asking, open_purse
from orchestrator.cache import Cache
from orchestrator.events import Event, Report
from orchestrator.orchestrator import LEASE_SECONDS, Orchestrator
from orchestrator.records import Opening, TaskRecord
from orchestrator.rlm.analyse import analyse
from orchestrator.rlm.analysis import Analysis, AnalysisLimits, Ask, Citation, Progress, Question
from orchestrator.rlm.errors import QuestionError, Spent
from orchestrator.rlm.sources import Source, read_sources
from orchestrator.route import Missing, RouteError, Served
from orchestrator.steps import Steps
from orchestrator.world import World

ANSWER_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class AnalysisWish:
    """What a caller of `rlm_analyze` asked for."""

    question: str
    paths: tuple[str, ...] = ()
    text: str = ""
    mode: str = "auto"
    output_schema: Mapping[str, object] | None = None
    tier: str = ""
    max_cost_usd: float | None = None
    max_calls: int = 200
    timeout_seconds: float | None = None


async def analyze_documents(
    orchestrator: Orchestrator, run_id: str, wish: AnalysisWish, report: Report, *, resume: bool = False
) -> Answer:
    """Answer a question about documents with located quotes, or go on with an analysis that stopped.

    Raises:
        AnalysisError: The question, the schema or a document cannot be worked with.
        PathRefused: A path lies outside the allowed roots.
        RouteError: No tier is served here that may read.
        UnknownTask: There is no analysis to resume.
    """
    records, started = orchestrator.world.records, time.monotonic()
    record = await orchestrator.find(run_id, "analysis") if resume else None
    if record is not None:
        record = record if record.status == "accepted" else await orchestrator.take_over(record)
        if record.status == "accepted":
            return dict(json.loads(record.outcome))
        wish = _resumed(record, wish)
    question = await anyio.to_thread.run_sync(_prepare_question, orchestrator, wish)
    served = await _choose_reader(orchestrator.world, wish)
    if record is None:
        opening = Opening(run_id, "analysis", wish.question, write_json(wish))
        await records.open_task(opening, orchestrator.owner, LEASE_SECONDS)
    policy = orchestrator.config.policy
    asking = Asking(
        run_id,
        open_purse(policy, None, wish.max_cost_usd, approved_by_person=False),
        orchestrator.world.servers,
        records,
        Steps(records, run_id),
        Cache(records, policy.cache),
    )
    await report(Event("route", f"{served.tier} ({served.model}) reads {len(question.sources)} document(s)"))

    async def tell(progress: Progress) -> None:
        await report(
            Event("read", f"{progress.message} ({progress.read:,} of {progress.total:,} characters)")
        )

    answer_tokens = min(ANSWER_TOKENS, served.max_output_tokens)
    limits = AnalysisLimits(served.context_tokens, wish.max_calls, answer_tokens=answer_tokens)
    longest = policy.guards.seconds_per_task
    deadline = started + min(wish.timeout_seconds or longest, longest)
    async with orchestrator.lease(run_id):
        found = await analyse(question, _ask_through(asking, served, deadline), limits, on_progress=tell)
    answer = _tell(run_id, found, await records.spent(run_id), time.monotonic() - started)
    await records.close_run(
        run_id, "accepted" if found.status == "answered" else "stopped", json.dumps(answer)
    )
    return answer


def _resumed(record: TaskRecord, now: AnalysisWish) -> AnalysisWish:
    """Take question and documents from the ledger, and the limits of this call: they may have been raised."""
    asked = read_json(AnalysisWish, record.request)
    limits = {key: getattr(now, key) for key in ("max_calls", "max_cost_usd", "timeout_seconds")}
    return replace(asked, **limits)


def _prepare_question(orchestrator: Orchestrator, wish: AnalysisWish) -> Question:
    if not wish.paths and not wish.text:
        raise QuestionError("Nothing to read: give paths of documents, or text.")
    places = [place for path in wish.paths for place in _expand(orchestrator, path)]
    reading = read_sources(places)
    given = (Source("text", wish.text),) if wish.text else ()
    return Question(
        wish.question, (*given, *reading.sources), wish.mode, wish.output_schema, warnings=reading.warnings
    )


def _expand(orchestrator: Orchestrator, path: str) -> list[Path]:
    """Resolve a path, or every match of a glob, inside the allowed roots."""
    roots, folder = orchestrator.world.roots, orchestrator.folder
    if not glob.has_magic(path):
        return [roots.resolve(path, base=folder)]
    matches = sorted(glob.glob(path, root_dir=folder, recursive=True))  # noqa: PTH207 - takes absolute ones too
    if not matches:
        raise QuestionError(f"No file matches {path!r} in {str(folder)!r}.")
    return [roots.resolve(match, base=folder) for match in matches]


async def _choose_reader(world: World, wish: AnalysisWish) -> Served:
    """Take the tier that was named, else the strongest free one that is served here."""
    policy = world.policy
    if wish.tier and wish.tier not in policy.tiers:
        raise RouteError(f"tier {wish.tier!r} is no tier. There are: {', '.join(policy.tiers_by_rank())}.")
    free = tuple(name for name in policy.tiers_by_rank() if not policy.tiers[name].paid)
    survey = await world.servers.survey((wish.tier,) if wish.tier else free, "extraction")
    served = [tier for tier in survey.values() if isinstance(tier, Served)]
    if not served:
        reasons = "; ".join(tier.reason for tier in survey.values() if isinstance(tier, Missing))
        raise RouteError(f"No tier that may read is served here ({reasons}). Run `orchestrator doctor`.")
    if served[-1].paid and policy.guards.ask_before_paid:
        raise RouteError(
            f"Tier {served[-1].tier!r} costs money and nobody approved it. Name a free tier, "
            "or set [guards] ask_before_paid = false."
        )
    return served[-1]


def _ask_through(asking: Asking, served: Served, deadline: float) -> Ask:
    answer_tokens = min(ANSWER_TOKENS, served.max_output_tokens)

    async def ask(step_key: str, prompt: str, schema: JsonSchema | None, /) -> Completion:
        request = Request(
            model=served.model,
            messages=(Message("user", prompt),),
            max_tokens=answer_tokens,
            sampling=Sampling(temperature=0.0),
            schema=schema,
            context_tokens=served.context_tokens,
        )
        try:
            with anyio.fail_after(max(0.0, deadline - time.monotonic())):
                return await asking.ask(f"rlm/{step_key}", served, request)
        except TimeoutError as error:
            raise Spent("the time limit is used up") from error

    return ask


def _tell(run_id: str, found: Analysis, cost_usd: float, seconds: float) -> Answer:
    return {
        "run_id": run_id,
        "status": found.status,
        "answer": found.answer,
        "citations": [_tell_citation(one) for one in found.citations],
        "coverage": round(found.coverage, 4),
        "confidence": found.confidence,
        "mode_path": list(found.mode_path),
        "calls": found.calls,
        "cost_usd": round(cost_usd, 6),
        "tokens_in": found.tokens_in,
        "tokens_out": found.tokens_out,
        "latency_ms": round(seconds * 1000),
        "warnings": list(found.warnings),
    }


def _tell_citation(citation: Citation) -> Answer:
    told = asdict(citation)
    return {
        **{key: told[key] for key in ("path", "start", "end", "quote", "verified")},
        "lines": list(citation.lines),
    }
