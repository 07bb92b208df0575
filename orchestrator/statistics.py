"""What the ledger says about workers, checkers, task types and money: the work behind status and report.

All figures are read in one transaction, so they fit together while other processes go on. Money counts
honestly: only work that is accepted now saved anything, and all that was spent, on whatever, is taken off.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

import apsw

from orchestrator.money import today
from orchestrator.orchestrator import Orchestrator
from orchestrator.outcome import UNREACHED
from orchestrator.policy import Policy

RECENT = 5_000
"""Attempts that worker/checker pairs are read from: who checked stands inside the record."""


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """How one tier fares at one task type."""

    task_type: str
    tier: str
    attempts: int
    approved: int
    cost_usd: float
    mean_seconds: float
    model: str = ""


@dataclass(frozen=True, slots=True)
class PairRow:
    """How a worker and a checker fare together, of late."""

    tier: str
    model: str
    checker: str
    judged: int
    approved: int
    overturned: int
    """Approved, and a person took the task back later."""

    @property
    def held_rate(self) -> float:
        """Share of judged work that was approved and held, with one good and one bad case added."""
        return (self.approved - self.overturned + 1) / (self.judged + 2)


@dataclass(frozen=True, slots=True)
class TypeRow:
    """How tasks of one type fare, and what they cost and saved."""

    task_type: str
    tasks: int
    accepted: int
    taken_back: int
    """Accepted once, then rejected, skipped or reopened by a person, and not accepted again."""
    escalations: int
    attempts: int
    cost_usd: float
    cost_today_usd: float
    worth_usd: float = 0.0
    """What the dearest tier of the policy, asked once, would have cost for the accepted work."""
    seconds: float = 0.0
    """Of all attempts together."""

    @property
    def saved_usd(self) -> float:
        """What was not spent; below zero where more was spent than the dearest tier would have cost."""
        return self.worth_usd - self.cost_usd


@dataclass(frozen=True, slots=True)
class Standings:
    """Counts, money and success since the ledger began."""

    tasks: Mapping[str, int]
    """Status to how many."""
    workers: tuple[WorkerRow, ...]
    spent_today_usd: float
    spent_usd: float
    saved_usd: float
    """Of all task types; what analyses cost is not in it."""
    types: tuple[TypeRow, ...] = ()
    """The most common first."""
    pairs: tuple[PairRow, ...] = ()
    """The best first."""


async def read_standings(orchestrator: Orchestrator) -> Standings:
    """Read the figures in one go."""
    policy, day = orchestrator.config.policy, today()

    def ask(db: apsw.Connection) -> Standings:
        db.execute("BEGIN")
        try:
            return _read(db, policy, day)
        finally:
            db.execute("ROLLBACK")

    return await orchestrator.world.records.ledger.read(ask)


def _read(db: apsw.Connection, policy: Policy, today: str) -> Standings:
    spent = "SELECT coalesce(sum(coalesce(settled_usd, reserved_usd)), 0) FROM money"
    taken_back = _read_taken_back(db)
    types = _read_types(db, policy, today, taken_back)
    return Standings(
        tasks=_count(db, "SELECT status, count(*) FROM tasks WHERE kind = 'task' GROUP BY status"),
        workers=_read_workers(db),
        spent_today_usd=float(db.execute(spent + " WHERE day = ?", (today,)).get),
        spent_usd=float(db.execute(spent).get),
        saved_usd=sum(row.saved_usd for row in types),
        types=types,
        pairs=_read_pairs(db, taken_back),
    )


def _count(db: apsw.Connection, query: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in db.execute(query)}


def _read_workers(db: apsw.Connection) -> tuple[WorkerRow, ...]:
    """Group the attempts that reached a model: the others say nothing about a worker."""
    query = (
        "SELECT task_type, tier, count(*), sum(approved), sum(cost_usd), avg(seconds), model FROM attempts"
        " WHERE trouble NOT IN ('unavailable', 'refused') GROUP BY task_type, tier, model"
        " ORDER BY task_type, count(*) DESC, tier, model"
    )
    return tuple(WorkerRow(*row) for row in db.execute(query))


def _read_taken_back(db: apsw.Connection) -> Mapping[str, str]:
    """Find the tasks that were accepted until a person took them back, with their types."""
    query = (
        "SELECT DISTINCT tasks.task_id, tasks.task_type FROM decisions AS back JOIN tasks USING (task_id)"
        " WHERE back.kind = 'review' AND status != 'accepted'"
        " AND json_extract(back.detail, '$.action') IN ('reject', 'skip', 'retry') AND EXISTS"
        " (SELECT 1 FROM decisions AS before WHERE before.task_id = back.task_id AND before.id < back.id"
        " AND (before.kind = 'accepted'"
        " OR (before.kind = 'review' AND json_extract(before.detail, '$.action') = 'approve'"
        " AND json_extract(before.detail, '$.was') IS NOT 'needs_approval')))"  # that was a yes to money
    )
    return {str(task_id): str(task_type) for task_id, task_type in db.execute(query)}


def _read_types(
    db: apsw.Connection, policy: Policy, today: str, taken_back: Mapping[str, str]
) -> tuple[TypeRow, ...]:
    tries = _read_tries(db, policy)
    money = _read_money(db, today)
    back = Counter(taken_back.values())
    query = (
        "SELECT task_type, count(*), sum(status = 'accepted') FROM tasks WHERE kind = 'task'"
        " GROUP BY task_type ORDER BY count(*) DESC, task_type"
    )
    rows = list[TypeRow]()
    for name, tasks, accepted in db.execute(query):
        tried, (cost, cost_today) = tries.get(name, Tries()), money.get(name, (0.0, 0.0))
        row = TypeRow(name, tasks, accepted, back[name], tried.escalations, tried.attempts, cost, cost_today)
        rows.append(replace(row, worth_usd=tried.worth_usd, seconds=tried.seconds))
    return tuple(rows)


def _read_money(db: apsw.Connection, today: str) -> dict[str, tuple[float, float]]:
    query = (
        "SELECT tasks.task_type, sum(usd), sum(usd * (day = ?)) FROM"
        " (SELECT task_id, day, coalesce(settled_usd, reserved_usd) AS usd FROM money)"
        " JOIN tasks USING (task_id) WHERE kind = 'task' GROUP BY tasks.task_type"
    )
    return {str(name): (float(ever), float(now)) for name, ever, now in db.execute(query, (today,))}


class Try(NamedTuple):
    """What the figures need of one attempt; a tuple, as a hundred thousand of them are made."""

    task_id: str
    round: int
    task_type: str
    tier: str
    approved: int
    trouble: str
    tokens_in: int
    tokens_out: int
    seconds: float
    how: str = ""
    """`confirm` where a second author was asked, whatever had been approved."""


@dataclass(slots=True)
class Tries:
    """The attempts at one task type, added up."""

    attempts: int = 0
    escalations: int = 0
    worth_usd: float = 0.0
    seconds: float = 0.0


def _read_tries(db: apsw.Connection, policy: Policy) -> dict[str, Tries]:
    prices = {(tier.usd_per_mtok_in, tier.usd_per_mtok_out) for tier in policy.tiers.values()}
    accepted = {
        str(task_id): int(round_)
        for task_id, round_ in db.execute("SELECT task_id, round FROM tasks WHERE status = 'accepted'")
    }
    rows = db.execute(
        "SELECT task_id, round, task_type, tier, approved, trouble, tokens_in, tokens_out, seconds,"
        """ iif(instr(record, '"how":"confirm"'), 'confirm', '') FROM attempts ORDER BY task_id, number"""
    )
    return add_up(map(Try._make, rows), accepted, prices)


def add_up(
    tries: Iterable[Try], accepted: Mapping[str, int], prices: Collection[tuple[float, float]]
) -> dict[str, Tries]:
    """Add up attempts by task type. Pure.

    Args:
        tries: Ordered by task and number.
        accepted: Accepted tasks with their last round. Of each the last approved attempt of that round is
            priced at the dearest tier, else the last one, which a person approved.
        prices: USD per million tokens in and out, of all tiers.
    """
    sums: dict[str, Tries] = {}
    for task_id, group in groupby(tries, key=attrgetter("task_id")):
        attempts = list(group)
        told = sums.setdefault(attempts[0].task_type, Tries())
        told.attempts += len(attempts)
        told.escalations += sum(_is_escalation(one, two) for one, two in pairwise(attempts))
        told.seconds += sum(one.seconds for one in attempts)
        last = [one for one in attempts if one.round == accepted.get(task_id)]
        if last:
            taken = ([one for one in last if one.approved] or last)[-1]
            told.worth_usd += max(taken.tokens_in * a + taken.tokens_out * b for a, b in prices) / 1e6
    return sums


def _is_escalation(one: Try, two: Try) -> bool:
    """Tell whether verdicts sent the task to another tier, as `decide.count_escalations` does."""
    if one.tier == two.tier or one.round != two.round or two.how == "confirm":
        return False
    return one.trouble not in UNREACHED


def _read_pairs(db: apsw.Connection, taken_back: Mapping[str, str]) -> tuple[PairRow, ...]:
    query = (
        "SELECT tier, model, json_extract(record, '$.checker') AS checker, count(*), sum(approved),"
        " sum(approved AND task_id IN (SELECT value FROM json_each(?))) FROM attempts"
        " WHERE at >= coalesce((SELECT at FROM attempts ORDER BY at DESC LIMIT 1 OFFSET ?), 0)"
        " AND json_extract(record, '$.checker') != '' GROUP BY tier, model, checker"
    )
    rows = db.execute(query, (json.dumps([*taken_back]), RECENT - 1))
    return tuple(sorted((PairRow(*row) for row in rows), key=lambda row: (-row.held_rate, row.tier)))
