"""The words of every result: the keys that hosts, scripts and the web see (DESIGN.md, section 4). Pure."""

from collections.abc import Sequence

from orchestrator.classify import Classification
from orchestrator.outcome import Attempt, Outcome
from orchestrator.policy import Policy
from orchestrator.prompting import show_files
from orchestrator.records import TaskRecord
from orchestrator.route import Route, Served, Survey, pick_checker
from orchestrator.validation import Judgement
from validators.verdict import Diagnostic, Verdict

Answer = dict[str, object]
MAX_OUTPUT_CHARS = 30_000
MAX_REMARKS = 5


def tell_outcome(outcome: Outcome, *, detail: bool = False) -> Answer:
    """Say how a task stands; compact unless `detail` asks for every attempt.

    Where files were written, their text is not repeated: the caller reads them if it wants to.
    """
    best, last = outcome.best, outcome.attempts[-1] if outcome.attempts else None
    told: Answer = {
        "task_id": outcome.task_id,
        "status": outcome.status,
        "output": _output(outcome),
        "files": [
            {"path": one.path, "diff": _cut(one.diff), "applied": one.applied}
            for one in outcome.files
            if detail or not one.applied
        ]
        or [{"path": one.path, "applied": one.applied} for one in outcome.files],
        "task_type": outcome.task_type,
        "complexity": outcome.complexity,
        "worker": best.model if best else "",
        "checker": best.checker if best else "",
        "tier": best.tier if best else "",
        "attempts": len(outcome.attempts),
        "escalations": outcome.escalations,
        "confidence": outcome.confidence,
        "verdicts": [tell_verdict(one, detail=detail) for one in (best or last or _NOTHING).verdicts],
        "cost_usd": round(outcome.cost_usd, 6),
        "saved_usd": round(outcome.saved_usd, 6),
        "tokens_in": sum(attempt.tokens_in for attempt in outcome.attempts),
        "tokens_out": sum(attempt.tokens_out for attempt in outcome.attempts),
        "latency_ms": round(outcome.seconds * 1000),
        "message": outcome.message,
        "next_steps": list(outcome.next_steps),
    }
    if detail:
        told["history"] = [_tell_attempt(attempt) for attempt in outcome.attempts]
    return told


def tell_running(run_id: str, key: str) -> Answer:
    """Say that a task (`task_id`) or an analysis (`run_id`) goes on after the call that began it."""
    return {
        key: run_id,
        "status": "running",
        "message": "still at work; it goes on without this call",
        "next_steps": [f"Call again with resume={run_id!r} to wait for it"],
    }


def tell_verdict(verdict: Verdict, *, detail: bool = False) -> Answer:
    """Say what one validator found; `detail` adds the receipt."""
    told: Answer = {
        "validator": verdict.validator,
        "status": verdict.status,
        "confidence": verdict.confidence,
        "seconds": round(verdict.seconds, 3),
        "diagnostics": [
            _tell_diagnostic(one) for one in verdict.diagnostics[: None if detail else MAX_REMARKS]
        ],
    }
    if verdict.reason:
        told["reason"] = verdict.reason
    if detail:
        receipt = verdict.receipt
        told["receipt"] = {
            "tool": receipt.tool,
            "command": receipt.command,
            "exit_code": receipt.exit_code,
            "digest": receipt.digest,
        }
    return told


def tell_judgement(judgement: Judgement) -> Answer:
    """Say what became of a submission."""
    verdicts = judgement.verdicts
    return {
        "passed": judgement.passed,
        "confidence": judgement.confidence,
        "verdicts": [tell_verdict(one) for one in verdicts],
        "validators_run": [one.validator for one in verdicts if one.status != "unavailable"],
        "unavailable": [
            {"validator": one.validator, "reason": one.reason}
            for one in verdicts
            if one.status == "unavailable"
        ],
    }


def tell_classification(
    classification: Classification, route: Route, survey: Survey, policy: Policy, tokens_in: int
) -> Answer:
    """Say what a task looks like and what would be tried for it."""
    worker = route.tiers[0] if route.tiers else None
    checker = pick_checker(route, worker, survey) if worker else None
    return {
        "task_type": route.task_type,
        "complexity": route.complexity,
        "domain": classification.domain,
        "language": classification.language,
        "confidence": classification.confidence,
        "reasons": list(classification.reasons),
        "worker": worker.model if worker else "",
        "checker": checker.model if checker else "",
        "route": [tier.tier for tier in route.tiers],
        "left_out": [{"tier": one.tier, "reason": one.reason} for one in route.left_out],
        "validators": list(route.validators),
        "attempts_per_tier": route.attempts_per_tier,
        "estimated_cost_usd": _estimate_cost(worker, policy, tokens_in),
        "estimated_seconds": _estimate_seconds(worker),
        "fallback": route.tiers[1].tier if len(route.tiers) > 1 else route.when_exhausted,
    }


def tell_waiting(records: Sequence[TaskRecord]) -> Answer:
    """List what waits for a person."""
    return {"waiting": [_tell_record(record) for record in records]}


_NOTHING = Attempt(0, "", "", "")


def _output(outcome: Outcome) -> str:
    if outcome.best is None or any(one.applied for one in outcome.files):
        return ""
    if len(outcome.best.files) == 1:
        return _cut(next(iter(outcome.best.files.values())))
    return _cut(show_files(outcome.best.files))


def _cut(text: str) -> str:
    if len(text) <= MAX_OUTPUT_CHARS:
        return text
    return f"{text[:MAX_OUTPUT_CHARS]}\n[{len(text) - MAX_OUTPUT_CHARS:,} more characters were left out]"


def _tell_diagnostic(remark: Diagnostic) -> Answer:
    return {
        "file": remark.file,
        "line": remark.line,
        "column": remark.column,
        "severity": remark.severity,
        "code": remark.code,
        "message": remark.message,
    }


def _tell_attempt(attempt: Attempt) -> Answer:
    return {
        "number": attempt.number,
        "tier": attempt.tier,
        "model": attempt.model,
        "approved": attempt.approved,
        "trouble": attempt.trouble,
        "message": attempt.message,
        "verdicts": [tell_verdict(one, detail=True) for one in attempt.verdicts],
        "seconds": round(attempt.seconds, 3),
        "cost_usd": attempt.cost_usd,
        "warnings": list(attempt.warnings),
    }


def _tell_record(record: TaskRecord) -> Answer:
    told = record.told
    return {
        "task_id": record.task_id,
        "status": record.status,
        "task": record.description[:200],
        "task_type": record.task_type,
        "message": told.message if told else "",
    }


def _estimate_cost(worker: Served | None, policy: Policy, tokens_in: int) -> float:
    if worker is None:
        return 0.0
    tier = policy.tiers[worker.tier]
    dollars = tokens_in * tier.usd_per_mtok_in + worker.max_output_tokens / 4 * tier.usd_per_mtok_out
    return round(dollars / 1e6, 6)


def _estimate_seconds(worker: Served | None) -> float:
    """Guess from an answer of a quarter of its room at 30 tokens/s local, 80 tokens/s hosted."""
    if worker is None:
        return 0.0
    return round(worker.max_output_tokens / 4 / (80 if worker.paid else 30), 1)
