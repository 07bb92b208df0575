"""The validator `security`: nothing unsafe may come in that was not there before.

What fails is certain: hazards by rules of our own, and what bandit grades high with high confidence. What is
likely is told as a warning.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from sandbox.program import Sandbox
from validators.compilers import Check
from validators.hazards import find_hazards
from validators.linters import first_json
from validators.previous import keep_new, previous_candidate
from validators.sandboxed import judge_sandboxed, unavailable
from validators.scanning import Scan, join_receipts, scan_new
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt, Verdict

CONFIDENCE = 0.8


def read_bandit(output: str) -> Iterator[Diagnostic]:
    """Read `bandit -f json`: high with high confidence is an error, what is low in either is left out."""
    for remark in first_json(output, dict).get("results", ()):
        grades = {remark["issue_severity"], remark["issue_confidence"]}
        if grades <= {"HIGH", "MEDIUM"}:
            yield Diagnostic(
                message=remark["issue_text"],
                file=remark["filename"],
                line=remark["line_number"],
                column=remark["col_offset"] + 1,
                severity="error" if grades == {"HIGH"} else "warning",
                code=remark["test_id"],
            )


SCANNERS: tuple[Check, ...] = (
    Check(
        tool="bandit",
        binaries=("bandit",),
        arguments=("--quiet", "--ignore-nosec", "--format", "json"),
        read=read_bandit,
        install="Install it (`pipx install bandit`, `pip install bandit`).",
        endings=("py",),
    ),
)


class Security:
    """Scans a candidate by rules of our own, and by the scanners that are installed."""

    name = "security"

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Compare with the workspace's version; without a scanner for the language it can only fail."""
        return await judge_sandboxed(self.name, candidate, partial(self._judge, candidate, given))

    async def _judge(self, candidate: Candidate, given: Given) -> Verdict:
        previous = await previous_candidate(given.workspace, candidate)
        own = keep_new(find_hazards(candidate.files), find_hazards(previous.files))
        if own:
            receipt = Receipt(tool="rules of our own")
            return Verdict(self.name, "failed", CONFIDENCE, own, receipt=receipt)
        scans = [await scan_new(self._sandbox, check, candidate, given.workspace) for check in SCANNERS]
        return conclude_security([scan for scan in scans if scan.concerns])


def conclude_security(scans: Sequence[Scan]) -> Verdict:
    """Fold what scanners said into one verdict; one that could not run leaves it open."""
    remarks = tuple(remark for scan in scans for remark in scan.remarks)
    problems = [scan.problem for scan in scans if scan.problem]
    receipts = [scan.receipt for scan in scans if scan.receipt]
    if not any(remark.severity == "error" for remark in remarks) and (problems or not receipts):
        return unavailable(Security.name, " ".join(problems) or "No scanner knows the candidate's language.")
    receipt = join_receipts(receipts)
    failed = any(remark.severity == "error" for remark in remarks)
    reason = "" if failed else f"{receipt.tool} finds nothing new that is certain."
    return Verdict(
        Security.name, "failed" if failed else "passed", CONFIDENCE, remarks, reason, receipt=receipt
    )
