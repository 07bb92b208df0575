"""What is believed about workers and gates: counts with priors, the rarer the seen the wider. Pure.

A worker's record at a task type and domain is held against its record at that task type, this against its
record at all, and this against what its rank lets expect: each stage counts as a few observations more.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from orchestrator.confidence import EVIDENCE, PRIOR, REPAIRED, estimate_confidence, from_odds, to_odds
from orchestrator.learning.counts import Count, Key, Kind, Observation, Row, fold
from validators.verdict import Verdict

Place = Literal["first", "later"]
"""Asked first, or after another tier failed at the same task: those tasks are harder."""

_SNAPSHOT = re.compile(r"(-latest|:latest|-\d{8}|-\d{4}-\d{2}-\d{2})$")

STAGE = 4.0
"""Observations that each wider record counts for."""

TOLD = 10.0
"""Observations that the gates' own confidence counts for, against what people said."""

GATE = 10.0
"""Labels that a gate's ratio in `EVIDENCE` counts for."""

BOUND = 4.0
"""How far what was learned may move a gate's ratio, as a factor."""

EASE = {"quick_edit": 0.5, "standard_dev": 0.0, "complex_architecture": -0.4, "critical": -0.8}
"""What a task type adds to the log odds of passing, before anything was seen."""

AFTER_OTHERS = -1.0
"""What it adds that another tier failed before: -0.4 to -1.8 in two ladders of recorded answers."""

RETRIES = (0.30, 0.12, 0.06)
"""How often the first, second, third retry passes: recorded repair loops recover mostly in round one."""

RETRY_STRENGTH = 6.0


@dataclass(frozen=True, slots=True)
class Worker:
    """A model at one kind of task."""

    model: str
    task_type: str
    domain: str = ""
    rank: int = 0
    """Of its tier; what a worker of whom nothing is known is expected to do."""

    @property
    def name(self) -> str:
        """Its model in the counts: what a server signs with has a date where the policy has none."""
        return _SNAPSHOT.sub("", self.model.casefold())

    @property
    def key(self) -> Key:
        """How it is named in the counts."""
        return (self.name, self.task_type, self.domain)


@dataclass(frozen=True, slots=True)
class Chance:
    """A probability with its uncertainty: a beta distribution."""

    yes: float
    no: float
    seen: float = 0.0
    """Observations of exactly this, without what was only expected."""

    @property
    def mean(self) -> float:
        """The best single guess."""
        return self.yes / (self.yes + self.no)

    @property
    def deviation(self) -> float:
        """Standard deviation."""
        total = self.yes + self.no
        return math.sqrt(self.yes * self.no / (total * total * (total + 1)))

    def draw(self, uniform: float) -> float:
        """Turn a number in (0, 1) into a draw.

        The quantile of a logistic distribution of log odds with about the beta's spread; exact enough for
        Thompson sampling (Thompson 1933) and without special functions.
        """
        inside = min(1 - 1e-9, max(1e-9, uniform))
        spread = math.sqrt(1 / self.yes + 1 / self.no) * math.sqrt(3) / math.pi
        return _logistic(math.log(self.yes / self.no) + spread * math.log(inside / (1 - inside)))


@dataclass(frozen=True)
class Beliefs:
    """All counts, faded to the same moment."""

    counts: Mapping[Row, Count]

    @cached_property
    def by_name(self) -> Mapping[tuple[Kind, str], Sequence[tuple[Key, Count]]]:
        """The counts by kind and first part of the key, a model or a gate."""
        found: dict[tuple[Kind, str], list[tuple[Key, Count]]] = {}
        for (kind, key), count in self.counts.items():
            found.setdefault((kind, key[0]), []).append((key, count))
        return found

    def find(self, kind: Kind, key: Key) -> Count:
        """Return one count, an empty one where nothing was seen."""
        return self.counts.get((kind, key), Count())


NOTHING = Beliefs({})


def update(beliefs: Beliefs, observation: Observation, now: float, half_life_days: float) -> Beliefs:
    """Believe one observation more; what it does not touch fades when it is next looked at."""
    return Beliefs({**beliefs.counts, **fold(beliefs.counts, [observation], now, half_life_days)})


def pass_chance(beliefs: Beliefs, worker: Worker, place: Place = "first") -> Chance:
    """Say how likely the worker's first answer passes its gates."""
    prior = _expected_pass(beliefs, worker, place)
    return _narrow(beliefs, "worker", worker, prior, (place,))


def sound_chance(beliefs: Beliefs, worker: Worker) -> Chance:
    """Say how likely an answer that passed is right: what people said, else how sure the gates were."""
    expected = told_mean(beliefs, worker)
    seen = beliefs.find("sound", worker.key)
    return Chance(TOLD * expected + seen.yes, TOLD * (1 - expected) + seen.no, seen.total)


def told_mean(beliefs: Beliefs, worker: Worker) -> float:
    """Say how sure the gates alone are of what passed, in the mean; by rank where nothing passed yet."""
    told = beliefs.find("told", worker.key)
    prior = _logistic(2.3 + 0.22 * worker.rank)
    return (STAGE * prior + told.yes) / (STAGE + told.total)


def rightness(beliefs: Beliefs, worker: Worker) -> float:
    """Say how likely an answer is right before anything judged it; the prior of confidence.

    Of the answers that were run a share p passed; a wrong one passes once in `EVIDENCE['tests']`, so
    p = r + (1 - r) / that. Where nothing ran the work, nothing is known: syntax passes nearly everything.
    """
    ran = beliefs.find("run", worker.key)
    expected = PRIOR + (1 - PRIOR) / EVIDENCE["tests"]
    passed = (STAGE * expected + ran.yes) / (STAGE + ran.total)
    slack = 1 / EVIDENCE["tests"]
    return min(0.97, max(0.03, (passed - slack) / (1 - slack)))


def mean_seconds(beliefs: Beliefs, worker: Worker, otherwise: float) -> float:
    """Say how long an attempt takes; `otherwise` counts as one that was seen."""
    seen = _of_type(beliefs, worker)
    return (seen.seconds + otherwise) / (seen.total + 1)


def mean_usd(beliefs: Beliefs, worker: Worker, otherwise: float) -> float:
    """Say what an attempt costs; `otherwise` counts as one that was seen."""
    seen = _of_type(beliefs, worker)
    return (seen.usd + otherwise) / (seen.total + 1)


def retry_chance(beliefs: Beliefs, worker: Worker, retry: int) -> Chance:
    """Say how likely the retry of this number passes, counted from 1; from the third on they are one."""
    number = min(retry, len(RETRIES))
    seen = beliefs.find("retry", (worker.name, worker.task_type, str(number)))
    expected = RETRIES[number - 1]
    weight = RETRY_STRENGTH
    return Chance(weight * expected + seen.yes, weight * (1 - expected) + seen.no, seen.total)


def ratios(beliefs: Beliefs, task_type: str) -> dict[str, float]:
    """Say how much each gate's pass is worth, learned from people and from stronger gates.

    What was labelled is held against the confidence that had been told for just these answers, so it does not
    matter which answers were labelled. Other task types count half.
    """
    return {name: _learned_ratio(beliefs, name, task_type) for name in EVIDENCE}


def trust(beliefs: Beliefs, worker: Worker, verdicts: Sequence[Verdict], tries: int = 1) -> float:
    """Estimate the confidence in an answer of this worker by all that was learned."""
    prior = rightness(beliefs, worker)
    return estimate_confidence(verdicts, prior=prior, ratios=ratios(beliefs, worker.task_type), tries=tries)


def repaired(chance: Chance) -> float:
    """Say how likely an answer is right that passed only after it was told what fails."""
    return from_odds(to_odds(chance.mean) * REPAIRED)


def _learned_ratio(beliefs: Beliefs, gate: str, task_type: str) -> float:
    seen, told = Count(), Count()
    for key, count in beliefs.by_name.get(("gate", gate), ()):
        weight = 1.0 if key[1] == task_type else 0.5
        seen = seen.plus(count.scaled(weight))
        told = told.plus(beliefs.find("gate_told", key).scaled(weight))
    if not told.total:
        return EVIDENCE[gate]
    expected = min(0.99, max(0.01, told.share))
    shrunk = (GATE * expected + seen.yes) / (GATE + seen.total)
    factor = to_odds(shrunk) / to_odds(expected)
    return max(1.0, EVIDENCE[gate] * min(BOUND, max(1 / BOUND, factor)))


def _expected_pass(beliefs: Beliefs, worker: Worker, place: Place) -> float:
    """Guess from the rank, the task type and the same worker's record in the other place."""
    shift = AFTER_OTHERS if place == "later" else 0.0
    by_rank = 1.2 + 0.35 * worker.rank + EASE.get(worker.task_type, 0.0) + shift
    other: Place = "first" if place == "later" else "later"
    seen = beliefs.find("worker", (*worker.key, other))
    if not seen.total:
        return _logistic(by_rank)
    harder = AFTER_OTHERS if place == "later" else -AFTER_OTHERS
    elsewhere = math.log((seen.yes + 0.5) / (seen.no + 0.5)) + harder
    weight = min(seen.total, 2 * STAGE)
    return (STAGE * _logistic(by_rank) + weight * _logistic(elsewhere)) / (STAGE + weight)


def _narrow(beliefs: Beliefs, kind: Kind, worker: Worker, prior: float, rest: Key) -> Chance:
    """Go from all records of a model to those at the task type, to those in the domain."""
    elsewhere, at_type, exact = Count(), Count(), Count()
    for key, count in beliefs.by_name.get((kind, worker.name), ()):
        if key[3:] != rest:
            continue
        if key[1] != worker.task_type:
            elsewhere = elsewhere.plus(count)
        elif key[2] != worker.domain:
            at_type = at_type.plus(count)
        else:
            exact = exact.plus(count)
    for seen in (elsewhere, at_type):
        prior = (STAGE * prior + seen.yes) / (STAGE + seen.total)
    return Chance(STAGE * prior + exact.yes, STAGE * (1 - prior) + exact.no, exact.total)


def _of_type(beliefs: Beliefs, worker: Worker) -> Count:
    """Add up the worker's records at this task type, else at all."""
    records = beliefs.by_name.get(("worker", worker.name), ())
    chosen = [count for key, count in records if key[1] == worker.task_type] or [
        count for _, count in records
    ]
    whole = Count()
    for count in chosen:
        whole = whole.plus(count)
    return whole


def _logistic(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
