"""What escalation.toml had better say by what was learned: routes, retries, samples. Pure.

Validators, checkers and guards are never touched: what is believed rests on them.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backends.backend import ModelInfo
from backends.matching import resolve
from orchestrator.learning.beliefs import Beliefs, Chance, Worker, pass_chance, retry_chance
from orchestrator.learning.starting import Option, Terms, choose_start, price_answer, retries
from orchestrator.policy import Policy, TaskTypePolicy

PROMPT_TOKENS = 1500
"""Of a task whose tier has not been asked yet."""

SURE = 20.0
"""Observations before a change of `samples` is suggested."""

OFTEN, SELDOM = 0.9, 0.35
"""A first answer that passes so often needs no second beside it; a retry that passes so often had better been
asked for at once, where asking is free."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One key of escalation.toml, what it is and what it had better be."""

    section: str
    key: str
    before: object
    after: object
    why: str

    @property
    def diff(self) -> tuple[str, ...]:
        """The change as lines of TOML."""
        old, new = (json.dumps(value, ensure_ascii=False) for value in (self.before, self.after))
        return f"  [{self.section}]", f"- {self.key} = {old}", f"+ {self.key} = {new}"


def suggest(policy: Policy, beliefs: Beliefs) -> tuple[Suggestion, ...]:
    """Say what to change, one task type after the other; nothing where too little was seen."""
    return tuple(
        found for name, rules in policy.task_types.items() for found in _of_type(policy, beliefs, name, rules)
    )


def _of_type(policy: Policy, beliefs: Beliefs, name: str, rules: TaskTypePolicy) -> Iterator[Suggestion]:
    domain = _usual_domain(beliefs, name)
    options = [_option(policy, beliefs, name, domain, tier) for tier in rules.route]
    terms = Terms(
        task_type=name,
        domain=domain,
        attempts_per_tier=rules.attempts_per_tier,
        wanted_confidence=rules.wanted_confidence,
        usd_per_hour=policy.learning.usd_per_hour,
        compares="agreement" in rules.validators,
        money_approved=not policy.guards.ask_before_paid,
    )
    section = f"task_types.{name}"
    start = choose_start(beliefs, options, terms)
    if start.skipped:
        yield Suggestion(section, "route", list(rules.route), list(start.tiers), start.reason)
    workers = [Worker(option.model, name, domain, option.rank) for option in options]
    yield from _attempts(beliefs, workers, section, rules)
    free = [worker for worker, option in zip(workers, options, strict=True) if not option.paid]
    yield from _samples(beliefs, free, section, rules)


def _attempts(
    beliefs: Beliefs, workers: Sequence[Worker], section: str, rules: TaskTypePolicy
) -> Iterator[Suggestion]:
    wanted = 1 + max(retries(beliefs, worker, rules.attempts_per_tier - 1) for worker in workers)
    if wanted < rules.attempts_per_tier:
        chances = [retry_chance(beliefs, worker, wanted) for worker in workers]
        said = ", ".join(
            f"{worker.model} {100 * chance.mean:.0f} % of {chance.seen:.0f}"
            for worker, chance in zip(workers, chances, strict=True)
        )
        why = f"attempt {wanted + 1} at a tier seldom passes: {said}"
        yield Suggestion(section, "attempts_per_tier", rules.attempts_per_tier, wanted, why)


def _samples(
    beliefs: Beliefs, workers: Sequence[Worker], section: str, rules: TaskTypePolicy
) -> Iterator[Suggestion]:
    if not workers:
        return
    worker = workers[0]
    first, again = pass_chance(beliefs, worker), retry_chance(beliefs, worker, 1)
    if rules.samples > 1 and _is_sure(first) and first.mean >= OFTEN:
        why = f"{worker.model} passes {100 * first.mean:.0f} % at once"
        yield Suggestion(section, "samples", rules.samples, 1, why)
    if rules.samples == 1 and _is_sure(again) and again.mean >= SELDOM:
        why = f"a second answer of {worker.model} passes {100 * again.mean:.0f} %; two at once save the wait"
        yield Suggestion(section, "samples", 1, 2, why)


def _is_sure(chance: Chance) -> bool:
    return chance.seen >= SURE


def _usual_domain(beliefs: Beliefs, task_type: str) -> str:
    """Take the domain that most of the tasks of this type belonged to."""
    seen: Counter[str] = Counter()
    for (kind, key), count in beliefs.counts.items():
        if kind == "worker" and key[1] == task_type:
            seen[key[2]] += round(1000 * count.total)
    return max(seen, key=seen.__getitem__, default="")


def _option(policy: Policy, beliefs: Beliefs, task_type: str, domain: str, tier: str) -> Option:
    """Find the model that serves a tier among those that were seen at this task type."""
    rules = policy.tiers[tier]
    names = {key[0] for kind, key in beliefs.counts if kind == "worker" and key[1] == task_type}
    pattern = rules.patterns(domain or "code")[0]
    found = resolve(Worker(pattern, task_type).name, [ModelInfo(name) for name in sorted(names)])
    usd = price_answer(policy, tier, PROMPT_TOKENS)
    return Option(tier, found.name if found else pattern, rules.rank, rules.paid, usd)
