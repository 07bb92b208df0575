"""The figures in the words of results: what `report`, the status tool and the page are made from. Pure."""

from collections.abc import Sequence

from backends.backend import ModelInfo
from orchestrator.answers import Answer
from orchestrator.learning.calibration import Curve
from orchestrator.policy import Policy
from orchestrator.servers import Finding
from orchestrator.statistics import PairRow, Standings, TypeRow, WorkerRow

MAX_MODELS = 20
"""Names told of one backend: a hosted one lists hundreds."""


def tell_report(
    findings: Sequence[Finding], standings: Standings, policy: Policy, curve: Curve | None = None
) -> Answer:
    """Say what is served and loaded, what was spent and saved, and who succeeds at what."""
    told: Answer = {
        "backends": [_tell_backend(one) for one in findings],
        "budget": {
            "spent_today_usd": round(standings.spent_today_usd, 6),
            "usd_per_day": policy.guards.usd_per_day,
            "usd_per_task": policy.guards.usd_per_task,
            "spent_usd": round(standings.spent_usd, 6),
            "saved_usd": round(standings.saved_usd, 6),
            "task_types": _tell_limits(standings, policy),
        },
        "tasks": dict(standings.tasks),
        "task_types": [_tell_type(row) for row in standings.types],
        "workers": [_tell_worker(row) for row in standings.workers],
        "pairs": [_tell_pair(row) for row in standings.pairs],
    }
    if curve is not None and curve.count:
        told["calibration"] = _tell_curve(curve)
    return told


def _tell_curve(curve: Curve) -> Answer:
    return {
        "labels": curve.count,
        "ece": round(curve.ece, 4),
        "brier": round(curve.brier, 4),
        "bins": [
            {"stated": round(one.confidence, 3), "observed": round(one.right, 3), "count": one.count}
            for one in curve.bins
        ],
    }


def _tell_backend(finding: Finding) -> Answer:
    told: Answer = {
        "backend": finding.backend,
        "reachable": finding.health.reachable,
        "detail": finding.health.detail,
        "models": [model.name for model in finding.models[:MAX_MODELS]],
    }
    loaded = [_tell_model(model) for model in finding.models if model.loaded]
    if loaded:
        told["loaded"] = loaded
    return told


def _tell_model(model: ModelInfo) -> Answer:
    told: Answer = {"model": model.name}
    if model.size_bytes is not None:
        told["size_gb"] = round(model.size_bytes / 1e9, 2)
    if model.context_tokens is not None:
        told["context_tokens"] = model.context_tokens
    return told


def _tell_limits(standings: Standings, policy: Policy) -> list[Answer]:
    """Say how the task types stand that have a budget of their own."""
    today = {row.task_type: row.cost_today_usd for row in standings.types}
    return [
        {
            "task_type": name,
            "spent_today_usd": round(today.get(name, 0.0), 6),
            "usd_per_day": rules.usd_per_day,
            "usd_per_task": rules.usd_per_task,
        }
        for name, rules in policy.task_types.items()
        if rules.usd_per_day is not None or rules.usd_per_task is not None
    ]


def _tell_type(row: TypeRow) -> Answer:
    return {
        "task_type": row.task_type,
        "tasks": row.tasks,
        "accepted": row.accepted,
        "taken_back": row.taken_back,
        "escalations": row.escalations,
        "attempts": row.attempts,
        "cost_usd": round(row.cost_usd, 6),
        "saved_usd": round(row.saved_usd, 6),
        "mean_seconds": round(row.seconds / max(1, row.tasks), 2),
    }


def _tell_worker(row: WorkerRow) -> Answer:
    return {
        "task_type": row.task_type,
        "tier": row.tier,
        "model": row.model,
        "attempts": row.attempts,
        "success_rate": round(row.approved / row.attempts, 3),
        "cost_usd": round(row.cost_usd, 6),
        "mean_seconds": round(row.mean_seconds, 2),
    }


def _tell_pair(row: PairRow) -> Answer:
    return {
        "worker": row.tier,
        "model": row.model,
        "checker": row.checker,
        "judged": row.judged,
        "approved": row.approved,
        "overturned": row.overturned,
    }
