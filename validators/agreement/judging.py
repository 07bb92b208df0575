"""Say what a comparison means for one of its programs: the verdict `agreement`. Pure."""

from collections.abc import Mapping, Sequence

from validators.agreement.comparing import FEWEST, Comparison
from validators.sandboxed import unavailable
from validators.verdict import Diagnostic, Verdict

NAME = "agreement"
DIFFERS = "differs"
"""The code of a diagnostic that shows on which arguments two programs differ."""
_TRUST: Mapping[int, float] = {1: 0.97, 2: 0.99}
"""By the number of other authors: of recorded answers (HumanEval, LeetCode) that pass the visible tests, 98 %
of those that agree with one other author are right, and 99 % of those that agree with two."""
_AGAINST = 0.9
_FEW = 12
"""Fewer informative calls are worth less."""


def judge_agreement(comparison: Comparison, index: int, authors: Sequence[str] = ()) -> Verdict:
    """Judge one program by those of other authors.

    Passed: at least one other author's program does the same, and no larger group does another thing. Failed:
    it stands against two or more that do the same, and a differing call shows it. Else unavailable; one
    against one carries the arguments on which they differ, without saying who is right.

    Args:
        comparison: Of programs that pass the tests at hand.
        index: Which one is judged.
        authors: Who wrote each; programs of one author are no evidence for each other.
    """
    if comparison.obstacle:
        return unavailable(NAME, comparison.obstacle)
    writers = authors or [str(number) for number in range(comparison.count)]
    own = next(group for group in comparison.clusters if index in group)
    friends = {writers[one] for one in own} - {writers[index]}
    against = max((_authors(group, writers) for group in comparison.clusters if group != own), default=0)
    differing = tuple(_differences(comparison, index))
    if friends and len(friends) + 1 > against:
        return _passed(comparison, index, own, len(friends))
    if differing and against > max(1, len(friends) + 1):
        return Verdict(NAME, "failed", _AGAINST, differing)
    if differing:
        reason = "Programs of different authors do not return the same; more of them are needed to decide."
        return Verdict(NAME, "unavailable", 0.0, differing, reason)
    return unavailable(NAME, _why_nothing(comparison, index, writers))


def _why_nothing(comparison: Comparison, index: int, writers: Sequence[str]) -> str:
    if not set(writers) - {writers[index]}:
        return "No second author's program passes yet."
    own = [pair for pair in comparison.pairs if index in (pair.first, pair.second)]
    if any(pair.raised and pair.informative >= FEWEST for pair in own):
        return "On many calls one program raises an exception where another returns a value."
    return "Too few calls returned values."


def _authors(group: Sequence[int], writers: Sequence[str]) -> int:
    return len({writers[one] for one in group})


def _passed(comparison: Comparison, index: int, own: Sequence[int], friends: int) -> Verdict:
    pairs = [found for one in own if one != index and (found := comparison.pair(index, one))]
    calls = min(pair.informative for pair in pairs)
    trust = _TRUST[min(friends, max(_TRUST))] * min(pair.share for pair in pairs)
    confidence = trust * (calls / _FEW) ** 0.1 if calls < _FEW else trust
    reason = f"{friends} other author{'s' * (friends > 1)} returned the same in {calls} calls"
    return Verdict(NAME, "passed", round(confidence, 3), reason=reason)


def _differences(comparison: Comparison, index: int) -> list[Diagnostic]:
    """Show the smallest differing call of each pair with this program, each call once."""
    found: dict[str, Diagnostic] = {}
    for pair in comparison.pairs:
        if index not in (pair.first, pair.second) or pair.smallest is None or pair.agrees:
            continue
        own, other = pair.smallest.first, pair.smallest.second
        if index == pair.second:
            own, other = other, own
        call = comparison.spell(pair.smallest.args)
        message = (
            f"{call} returns {own} here, but {other} in another program for the same task. "
            "One of them is wrong: work out from the task which value is right."
        )
        found.setdefault(call, Diagnostic(message, code=DIFFERS))
    return list(found.values())
