"""What a task that ended teaches: its attempts, and a word about them, become observations. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.cache import CACHED
from orchestrator.confidence import strongest_gate
from orchestrator.fallback import STOOD_IN
from orchestrator.judging import has_failed
from orchestrator.learning.beliefs import RETRIES, Beliefs, Place, Worker, ratios, trust
from orchestrator.learning.counts import Key, Kind, Observation
from orchestrator.outcome import UNREACHED, Attempt
from validators.verdict import Verdict

WORLD = (*UNREACHED, "context")
"""Troubles that say nothing of the model."""

RUN = ("tests", "examples")
"""Gates whose failure a wrong answer can be told by, and whose pass is not a matter of course."""

AGREED, CONTESTED, DISAGREED = 0.97, 0.5, 0.1
"""How likely an answer that passed its tests is right by other authors' answers that passed as well.

That does as one of them does; as the only other one does not; as two or more do not, who do the same. Of
recorded answers 97-98 % of the first kind are right, a third to a half of the second.
"""


@dataclass(frozen=True, slots=True)
class Case:
    """What kind of task it was."""

    task_type: str
    domain: str
    demanded: tuple[str, ...] = ()
    """Validators that had to pass, as the route has them."""
    models: Mapping[str, str] | None = None
    """Tier to model as the route has them; what a server signs a reply with may differ."""

    def worker(self, attempt: Attempt) -> Worker:
        """Say who made an attempt."""
        model = (self.models or {}).get(attempt.tier, attempt.model)
        return Worker(model, self.task_type, self.domain)


def observe(
    beliefs: Beliefs, case: Case, attempts: Sequence[Attempt], since: int = 0
) -> tuple[Observation, ...]:
    """Say what the attempts of one task teach.

    Those that reached nobody teach nothing, nor do answers from the cache, which taught when they were new,
    and those that another backend gave in the worker's place.

    Args:
        beliefs: What is believed now.
        case: The kind of task.
        attempts: All of the task, in order.
        since: So many of them were learned from before.
    """
    new = {one.number for one in attempts[since:]}
    turns = _take_turns([one for one in attempts if one.trouble not in WORLD])
    return tuple(
        observation
        for index, turn in enumerate(turns)
        if turn[-1].number in new and not any(map(_is_anothers, turn))
        for observation in _of_turn(beliefs, case, turn, turns[:index])
    )


def _is_anothers(attempt: Attempt) -> bool:
    return any(one == CACHED or one.startswith(STOOD_IN) for one in attempt.warnings)


def observe_review(beliefs: Beliefs, case: Case, attempt: Attempt, *, right: bool) -> tuple[Observation, ...]:
    """Say what a person's word about an approved attempt teaches; about another it teaches nothing.

    Args:
        beliefs: What is believed now.
        case: The kind of task.
        attempt: The one whose work was looked at.
        right: Whether the person approved; sending accepted work back is a no.
    """
    if not attempt.approved:
        return ()
    sound = _say("sound", case.worker(attempt).key, float(right))
    return (sound, *_label(beliefs, case, attempt, attempt.verdicts, float(right)))


def count_tries(attempt: Attempt) -> int:
    """Say whether an answer was the worker's first word, 1, or written after it was told what fails, 2."""
    return 2 if attempt.repaired else 1


def gates_alone(attempt: Attempt) -> tuple[Verdict, ...]:
    """Return what was said of the attempt itself, without what other authors' work says."""
    return tuple(one for one in attempt.verdicts if one.validator != "agreement")


def label_by_authors(attempt: Attempt) -> float | None:
    """Say how likely work that passed is right by other authors' work; `None` when it was not compared."""
    said = [one.status for one in attempt.verdicts if one.validator == "agreement"]
    if has_failed(gates_alone(attempt)) or not said:
        return None
    if said[-1] == "unavailable":
        return CONTESTED if attempt.support == "contested" else None
    return AGREED if said[-1] == "passed" else DISAGREED


def _take_turns(attempts: Sequence[Attempt]) -> list[list[Attempt]]:
    """Put together what was asked for at once."""
    turns: dict[tuple[str, int], list[Attempt]] = {}
    for attempt in attempts:
        turns.setdefault((attempt.tier, attempt.turn or attempt.number), []).append(attempt)
    return list(turns.values())


def _of_turn(
    beliefs: Beliefs, case: Case, turn: Sequence[Attempt], before: Sequence[Sequence[Attempt]]
) -> Iterator[Observation]:
    """Count what was asked for at once as one try: it passes when one of them does."""
    worker = case.worker(turn[0])
    passed = float(any(attempt.approved for attempt in turn))
    retry = sum(earlier[0].tier == turn[0].tier for earlier in before)
    if retry:
        yield _say("retry", (worker.name, worker.task_type, str(min(retry, len(RETRIES)))), passed)
    else:
        failed = [earlier for earlier in before if not any(attempt.approved for attempt in earlier)]
        place: Place = "later" if failed else "first"
        seconds, usd = max(one.seconds for one in turn), sum(one.cost_usd for one in turn)
        yield Observation("worker", (*worker.key, place), passed, 1 - passed, seconds, usd)
    for attempt in turn:
        if not retry:
            yield from _of_run(case, attempt)
        if attempt.approved:
            yield _say("told", worker.key, trust(beliefs, worker, gates_alone(attempt), count_tries(attempt)))
        right = label_by_authors(attempt)
        if right is not None:
            yield from _label(beliefs, case, attempt, gates_alone(attempt), right)


def _of_run(case: Case, attempt: Attempt) -> Iterator[Observation]:
    """Count what was run: also work that never got that far although tests had to pass."""
    ran = [one.status for one in attempt.verdicts if one.validator in RUN and one.status != "unavailable"]
    if ran or ("tests" in case.demanded and not attempt.approved and not attempt.unproven):
        yield _say("run", case.worker(attempt).key, float(bool(ran) and "failed" not in ran))


def _label(
    beliefs: Beliefs, case: Case, attempt: Attempt, verdicts: Sequence[Verdict], right: float
) -> Iterator[Observation]:
    """Credit the gate that bore most, beside the confidence that was told for it."""
    worker = case.worker(attempt)
    gate = strongest_gate(verdicts, ratios(beliefs, worker.task_type))
    if gate:
        told = trust(beliefs, worker, verdicts, count_tries(attempt))
        yield _say("gate", (gate, worker.task_type), right)
        yield _say("gate_told", (gate, worker.task_type), told)


def _say(kind: Kind, key: Key, yes: float) -> Observation:
    return Observation(kind, key, yes, 1 - yes)
