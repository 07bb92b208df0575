"""Examine this machine: what is served where, what the routes become, what holds untrusted code."""

import json

from backends.errors import BackendError
from orchestrator.answers import Answer
from orchestrator.ledger import LedgerError
from orchestrator.orchestrator import Orchestrator
from orchestrator.policy import TaskTypeName
from orchestrator.route import Missing, Served, Survey, select_tiers
from orchestrator.servers import Finding
from orchestrator.task import Task
from sandbox.errors import SandboxUnavailable


async def examine(orchestrator: Orchestrator, *, probes: bool = False) -> Answer:
    """Look at everything a task would need; contacts the backends, asks no model unless it `probes`."""
    policy = orchestrator.config.policy
    findings = await orchestrator.world.servers.inspect()
    survey = await orchestrator.world.servers.survey(tuple(policy.tiers), "code")
    routes = [_describe_route(name, orchestrator, survey) for name in policy.task_types]
    silent = {one.backend for one in findings if not one.health.reachable and not one.policy.api_key_env}
    tiers = [_describe_tier(name, orchestrator, survey, silent) for name in policy.tiers_by_rank()]
    notes = [tier.note for tier in survey.values() if isinstance(tier, Served) and tier.note]
    return {
        "policy": str(orchestrator.config.source),
        "ledger": await _describe_ledger(orchestrator),
        "sandbox": await _describe_sandbox(orchestrator),
        "backends": [_describe_backend(one) for one in findings],
        "tiers": tiers,
        "routes": routes,
        "capabilities": await _probe_all(orchestrator, survey) if probes else [],
        "warnings": [*orchestrator.config.warnings, *notes],
        "healthy": any(route["route"] for route in routes),
    }


async def _probe_all(orchestrator: Orchestrator, survey: Survey) -> list[Answer]:
    """Ask each model that costs nothing once; an answer of an earlier day is believed."""
    return [
        await _probe(orchestrator, served)
        for served in survey.values()
        if isinstance(served, Served) and not served.paid
    ]


async def _probe(orchestrator: Orchestrator, served: Served) -> Answer:
    try:
        found = await orchestrator.world.servers.capabilities(served)
    except BackendError as error:
        return {"tier": served.tier, "model": served.model, "reason": str(error)}
    return {
        "tier": served.tier,
        "model": served.model,
        "schema": found.schema,
        "logprobs": found.logprobs,
        "context_tokens": found.context_tokens,
    }


async def write_policy(orchestrator: Orchestrator) -> str:
    """Write the policy in force with its local tiers set to what is served here.

    A local tier keeps its glob where a model matches; else it takes the largest models found, strongest last.

    Returns:
        The text of the file; empty when no local server has a model.
    """
    source = orchestrator.config.source.read_text(encoding="utf-8")
    policy = orchestrator.config.policy
    survey = await orchestrator.world.servers.survey(tuple(policy.tiers), "code")
    findings = await orchestrator.world.servers.inspect()
    found = sorted(
        {
            (model.size_bytes or 0, model.name)
            for one in findings
            if one.health.reachable
            for model in one.models
        }
    )
    if not found:
        return ""
    missing = [name for name in policy.tiers_by_rank() if _is_local_gap(name, orchestrator, survey)]
    for name, (_, model) in zip(reversed(missing), reversed(found), strict=False):
        pattern = policy.tiers[name].patterns("code")[0]
        source = source.replace(f'model = "{pattern}"', f"model = {json.dumps(model)}")
    return source


def _is_local_gap(name: str, orchestrator: Orchestrator, survey: Survey) -> bool:
    tier = orchestrator.config.policy.tiers[name]
    return not tier.paid and isinstance(survey[name], Missing)


def _describe_route(name: TaskTypeName, orchestrator: Orchestrator, survey: Survey) -> Answer:
    wanted = select_tiers(Task(name), orchestrator.config.policy, name)
    found = [survey[tier] for tier in wanted]
    return {
        "task_type": name,
        "route": [one.tier for one in found if isinstance(one, Served)],
        "left_out": [one.tier for one in found if isinstance(one, Missing)],
    }


def _describe_tier(name: str, orchestrator: Orchestrator, survey: Survey, silent: set[str]) -> Answer:
    found, backends = survey[name], orchestrator.config.policy.tiers[name].backends
    if isinstance(found, Missing):
        nobody = f"no answer from {' or '.join(backends)}"
        return {"tier": name, "served": False, "reason": nobody if silent >= set(backends) else found.reason}
    return {"tier": name, "served": True, "backend": found.backend, "model": found.model, "paid": found.paid}


def _describe_backend(finding: Finding) -> Answer:
    models = [
        {
            "name": model.name,
            "loaded": model.loaded,
            "context_tokens": model.context_tokens,
            "quantization": model.quantization,
        }
        for model in finding.models
    ]
    return {
        "backend": finding.backend,
        "kind": finding.policy.kind,
        "reachable": finding.health.reachable,
        "detail": finding.health.detail,
        "models": [str(model["name"]) for model in models],
        "details": models,
    }


async def _describe_ledger(orchestrator: Orchestrator) -> str:
    ledger = orchestrator.world.records.ledger
    try:
        await ledger.write(lambda _: None)
    except LedgerError as error:
        return str(error)
    return str(ledger.path)


async def _describe_sandbox(orchestrator: Orchestrator) -> str:
    sandbox = orchestrator.world.sandbox
    try:
        return f"{await sandbox.check()} Level: {sandbox.level}."
    except SandboxUnavailable as error:
        return f"none holds, so tests and compilers are refused: {error}"
