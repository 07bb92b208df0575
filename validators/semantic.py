"""Judge whether a candidate does what the task asks, by asking a checker model."""

import json
import time
from collections.abc import Awaitable, Callable

from backends.backend import Completion
from backends.errors import BackendError
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt, Verdict

AskChecker = Callable[[Candidate], Awaitable[Completion]]
"""Asks the checker about a candidate; the reply is JSON `{"verdict": ..., "defects": [...]}`."""

APPROVAL = 0.75
"""Trust in a checker's approval; the owner's plan says 70-85 %."""
REJECTION = 0.6
"""Trust in a rejection: checkers reject right code often (arXiv 2603.00539)."""


class Semantic:
    """Approve or reject, bound to JSON by a schema; the reasons come back as diagnostics."""

    name = "semantic"

    def __init__(self, ask: AskChecker, checker: str) -> None:
        self._ask = ask
        self._checker = checker

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:  # noqa: ARG002 - the brief holds it all
        """Ask the checker once; a checker that cannot be asked, or answers nonsense, is `unavailable`."""
        started = time.perf_counter()
        receipt = Receipt(digest=candidate.digest, tool=self._checker)
        try:
            completion = await self._ask(candidate)
            approved, defects = _read(completion.text)
        except BackendError as error:
            return Verdict(self.name, "unavailable", 0.0, reason=str(error), receipt=receipt)
        except ValueError as error:
            reason = f"Checker {self._checker} did not answer as asked: {error}"
            return Verdict(self.name, "unavailable", 0.0, reason=reason, receipt=receipt)
        seconds = time.perf_counter() - started
        if approved:
            return Verdict(self.name, "passed", APPROVAL, seconds=seconds, receipt=receipt)
        remarks = tuple(Diagnostic(defect, code="checker") for defect in defects)
        return Verdict(self.name, "failed", REJECTION, remarks, seconds=seconds, receipt=receipt)


def _read(text: str) -> tuple[bool, tuple[str, ...]]:
    reply = json.loads(text)
    if not isinstance(reply, dict) or reply.get("verdict") not in {"approve", "reject"}:
        raise ValueError(f"{text[:80]!r} has no verdict")
    defects = tuple(str(defect) for defect in reply.get("defects", ()))
    return reply["verdict"] == "approve", defects or ("rejected without naming a defect",)
