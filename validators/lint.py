"""The validator `lint`: what a linter would mention and the workspace's version did not already have.

It proves nothing. It passes with its remarks, for the next attempt and the reader, unless the policy lets it
block.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sandbox.program import Sandbox
from validators.linters import LINTERS
from validators.sandboxed import judge_sandboxed, unavailable
from validators.scanning import Scan, join_receipts, scan_new
from validators.validator import Given
from validators.verdict import Candidate, Verdict

CONFIDENCE = 0.9


class Lint:
    """Lints a candidate's files in the sandbox, without any configuration of the project."""

    name = "lint"

    def __init__(self, sandbox: Sandbox, *, blocks: bool = False) -> None:
        """Fail on new warnings where `blocks`; notes never fail."""
        self._sandbox = sandbox
        self._blocks = blocks

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Lint all files for whose language a linter is installed; unavailable where there is none."""
        return await judge_sandboxed(self.name, candidate, partial(self._judge, candidate, given))

    async def _judge(self, candidate: Candidate, given: Given) -> Verdict:
        scans = [await scan_new(self._sandbox, check, candidate, given.workspace) for check in LINTERS]
        return conclude_lint([scan for scan in scans if scan.concerns], blocks=self._blocks)


def conclude_lint(scans: Sequence[Scan], *, blocks: bool) -> Verdict:
    """Fold what linters said into one verdict; a linter that did not run is named."""
    problems = [scan.problem for scan in scans if scan.problem]
    receipts = [scan.receipt for scan in scans if scan.receipt]
    if not receipts:
        return unavailable(Lint.name, " ".join(problems) or "No linter knows the candidate's language.")
    remarks = tuple(remark for scan in scans for remark in scan.remarks)
    warned = any(remark.severity == "warning" for remark in remarks)
    counted = (
        f"{len(remarks)} remark{'s' * (len(remarks) != 1)} that {'is' if len(remarks) == 1 else 'are'} new."
    )
    receipt = join_receipts(receipts)
    return Verdict(
        Lint.name,
        "failed" if blocks and warned else "passed",
        CONFIDENCE,
        tuple(replace(one, severity="error") for one in remarks) if blocks and warned else remarks,
        " ".join([counted, *problems]),
        receipt=receipt,
    )
