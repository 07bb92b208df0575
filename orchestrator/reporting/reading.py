"""Read what a report says: the servers, the ledger's figures, and how well confidence keeps its word."""

from orchestrator.answers import Answer
from orchestrator.learning.calibration import calibrate, label_pairs
from orchestrator.learning.store import read_judged, recall
from orchestrator.orchestrator import Orchestrator
from orchestrator.reporting.telling import tell_report
from orchestrator.statistics import read_standings


async def read_report(orchestrator: Orchestrator, *, calibrated: bool = False) -> Answer:
    """Ask every backend for its health, and the ledger for its figures.

    Args:
        orchestrator: Whose servers and ledger.
        calibrated: Whether to add the calibration curve, which reads the records of thousands of attempts.
    """
    policy, records = orchestrator.config.policy, orchestrator.world.records
    findings, standings = await orchestrator.world.servers.inspect(), await read_standings(orchestrator)
    if not calibrated:
        return tell_report(findings, standings, policy)
    beliefs = await recall(records, policy.learning.half_life_days)
    curve = calibrate(label_pairs(await read_judged(records), beliefs))
    return tell_report(findings, standings, policy, curve)
