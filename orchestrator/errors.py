"""Which exceptions say something to the caller; everything else is our bug."""

from backends.errors import BackendError
from orchestrator.ledger import LedgerError
from orchestrator.orchestrator import LeaseLost, UnknownTask
from orchestrator.policy import PolicyError
from orchestrator.review import ReviewError
from orchestrator.rlm.errors import AnalysisError
from orchestrator.roots import PathRefused
from orchestrator.route import RouteError
from orchestrator.task import TaskError
from sandbox.errors import SandboxError

EXPECTED = (
    AnalysisError,
    BackendError,
    LeaseLost,
    OSError,
    LedgerError,
    PathRefused,
    PolicyError,
    ReviewError,
    RouteError,
    SandboxError,
    TaskError,
    UnknownTask,
)
"""Caught where a tool call or a command ends; their text says what happened and what to do."""
