"""The validator `generated_tests`: what a model expects of the task is held against candidates."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from anyio import create_task_group, to_thread

from backends.errors import BackendError
from sandbox.program import Limits, Sandbox
from validators.generated.asserting import WrittenTest, fit_tests, read_tests
from validators.generated.deciding import decide
from validators.generated.results import Ran
from validators.generated.running import Bench, Subject, read_subject
from validators.runners.example_calls import find_examples
from validators.sandboxed import judge_sandboxed, unavailable
from validators.validator import Given
from validators.verdict import Candidate, Receipt, Verdict

AskForTests = Callable[[], Awaitable[str]]
"""Asks a model for tests, from the task alone; what several requests brought may be joined."""
MOST_OTHERS = 9
MOST_TESTS = 20


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes the tests."""

    ask: AskForTests
    """May be called once for each candidate: the caller keeps the reply."""
    name: str


class GeneratedTests:
    """Passes, fails or doubts by tests that a model wrote; `measured` says what that is worth."""

    name = "generated_tests"

    def __init__(
        self, sandbox: Sandbox, limits: Limits, author: Author, others: Sequence[Candidate] = ()
    ) -> None:
        """Take who writes the tests, and what else was answered to the task.

        Args:
            sandbox: Where the candidates are called.
            limits: Of the run of one candidate.
            author: Asked only when there is something to run.
            others: Answers of the same or other models, each made without knowing this candidate.
        """
        self._sandbox = sandbox
        self._limits = limits
        self._author = author
        self._others = tuple(others)[-MOST_OTHERS:]

    async def judge(self, candidate: Candidate, given: Given) -> Verdict:
        """Run the tests beside all candidates; `unavailable` carries what is doubtful as notes."""
        return await judge_sandboxed(self.name, candidate, partial(self._judge, candidate, given))

    async def _judge(self, candidate: Candidate, given: Given) -> Verdict:
        if candidate.language != "python":
            return unavailable(self.name, f"Tests in {candidate.language!r} are not generated.")
        try:
            reply = await self._author.ask()
        except BackendError as error:
            return unavailable(self.name, str(error))
        subject = await to_thread.run_sync(read_subject, candidate)
        tests = await to_thread.run_sync(_choose, reply, subject, given.task)
        if not tests:
            reason = f"{self._author.name} wrote no test of what the candidate defines."
            return unavailable(self.name, reason)
        judged = decide(await self._run_all(tests, candidate, given))
        receipt = Receipt(
            tool=f"{self._sandbox.name}, tests by {self._author.name}",
            command="; ".join(test.source for test in tests),
        )
        return Verdict(
            self.name, judged.status, judged.confidence, judged.diagnostics, judged.reason, receipt=receipt
        )

    async def _run_all(
        self, tests: Sequence[WrittenTest], candidate: Candidate, given: Given
    ) -> list[tuple[Ran, ...]]:
        """Run the tests beside each candidate, once beside equal ones; the judged one is first."""
        everyone = (candidate, *(one for one in self._others if one.language == "python"))
        bench = Bench(self._sandbox, self._limits, given)
        rows: dict[str, tuple[Ran, ...]] = {}

        async def run(one: Candidate) -> None:
            rows[one.digest] = await bench.run(await to_thread.run_sync(read_subject, one), tests)

        async with create_task_group() as group:
            for one in {each.digest: each for each in everyone}.values():
                group.start_soon(run, one)
        return [rows[one.digest] for one in everyone]


def _choose(reply: str, subject: Subject, task: str) -> tuple[WrittenTest, ...]:
    definitions = subject.definitions
    examples = find_examples(task, definitions, "python")
    return fit_tests(read_tests(reply), definitions, examples)[:MOST_TESTS]
