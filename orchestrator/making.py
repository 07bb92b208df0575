"""Make the validators; loaded with all of them when first something is to be judged."""

from collections.abc import Mapping

from orchestrator.judging import Checker, was_run
from sandbox.program import Limits, Sandbox
from validators.benchmark import Benchmark
from validators.compiling import Compile
from validators.examples import Examples
from validators.lint import Lint
from validators.scope import Scope
from validators.security import Security
from validators.semantic import Means, Semantic
from validators.suite import Tests
from validators.syntax import Syntax
from validators.validator import Validator


def make_validators(
    sandbox: Sandbox, limits: Limits, checker: Checker | None, *, lint_blocks: bool
) -> Mapping[str, Validator]:
    """Make all of them by name; `semantic` only where somebody can judge."""
    made: dict[str, Validator] = {
        "syntax": Syntax(sandbox),
        "compile": Compile(sandbox),
        "examples": Examples(sandbox, limits),
        "scope": Scope(),
        "lint": Lint(sandbox, blocks=lint_blocks),
        "security": Security(sandbox),
        "tests": Tests(sandbox, limits),
        "benchmark": Benchmark(sandbox, limits),
    }
    if checker is not None:
        verdicts = checker.verdicts
        means = Means(made["tests"], lambda: was_run(verdicts))
        made["semantic"] = Semantic(checker.ask, checker.name, means, checker.more)
    return made
