"""What validators need of this machine, and how they are picked by name."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.judging import Checker
from orchestrator.task import VALIDATORS
from sandbox.program import Limits, Sandbox
from validators.validator import Validator


@dataclass(frozen=True, slots=True)
class Bench:
    """What validators need of this machine."""

    sandbox: Sandbox
    limits: Limits
    checker: Checker | None = None
    lint_blocks: bool = False

    def pick(self, names: Sequence[str]) -> list[Validator]:
        """Make the named validators, cheapest first; `semantic` only where somebody can judge."""
        from orchestrator.making import make_validators  # noqa: PLC0415 - a server must not wait for compilers

        made = make_validators(self.sandbox, self.limits, self.checker, lint_blocks=self.lint_blocks)
        return [made[name] for name in VALIDATORS if name in names and name in made]
