"""Everything outside that a task may touch."""

from dataclasses import dataclass

from orchestrator.learning.store import Memory
from orchestrator.policy import Policy
from orchestrator.records import Records
from orchestrator.roots import Roots
from orchestrator.servers import Servers
from sandbox.late import Late
from sandbox.program import Limits


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside that a task may touch."""

    policy: Policy
    servers: Servers
    records: Records
    sandbox: Late
    roots: Roots
    memory: Memory
    """What earlier tasks have taught."""

    @property
    def limits(self) -> Limits:
        """What one sandboxed run may use."""
        rules = self.policy.sandbox
        return Limits(
            seconds=rules.seconds, cpu_seconds=int(rules.seconds) * 2, memory_bytes=rules.memory_mb * 1024**2
        )
