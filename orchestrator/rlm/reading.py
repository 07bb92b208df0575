"""Reading the documents part by part, several parts at once."""

from collections.abc import Iterator
from functools import partial

import anyio

from backends.errors import BackendError
from orchestrator.prompts import render
from orchestrator.rlm.analysis import OnProgress, Progress
from orchestrator.rlm.asking import Asking
from orchestrator.rlm.errors import Spent
from orchestrator.rlm.findings import Finding, show_documents, sort_quotes
from orchestrator.rlm.plan import Leaf, Plan, characters
from orchestrator.rlm.replies import Reading, ReplyError, parse_reply

_ENOUGH_FAILURES = 5
"""In a row: the server is gone, or the model cannot do it."""


class PartReader:
    """Reads the leaves of a plan; what came of them stands in its attributes."""

    def __init__(self, question: str, plan: Plan, asking: Asking, on_progress: OnProgress) -> None:
        self._question = question
        self._plan = plan
        self._asking = asking
        self._on_progress = on_progress
        self._total = sum(map(characters, plan.leaves))
        self._failures_in_a_row = 0
        self._findings: dict[int, Finding] = {}
        self.read: dict[int, Leaf] = {}
        self.quotes_claimed = 0
        self.missing_quotes: list[str] = []
        self.errors: list[BackendError | ReplyError] = []
        self.spent: Spent | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What relevant parts say, in the order of the documents."""
        return tuple(finding for _, finding in sorted(self._findings.items()))

    @property
    def read_leaves(self) -> tuple[Leaf, ...]:
        """What was read, in the order of the documents."""
        return tuple(leaf for _, leaf in sorted(self.read.items()))

    @property
    def coverage(self) -> float:
        """The share of the characters that was read."""
        return sum(map(characters, self.read.values())) / self._total

    async def read_all(self, parallel: int) -> None:
        """Read until all is read, the budget ends it, or too many parts fail one after the other."""
        leaves = iter(enumerate(self._plan.leaves))
        async with anyio.create_task_group() as group:
            for _ in range(min(parallel, len(self._plan.leaves))):
                group.start_soon(self._work, leaves)

    async def _work(self, leaves: Iterator[tuple[int, Leaf]]) -> None:
        for number, leaf in leaves:
            if self.spent or self._failures_in_a_row >= _ENOUGH_FAILURES:
                return
            if self._asking.calls >= self._plan.reading_calls:
                self.spent = Spent("The calls that may go into reading are used up. Raise max_calls.")
                return
            await self._read(number, leaf)

    async def _read(self, number: int, leaf: Leaf) -> None:
        prompt = render("analyse", question=self._question, documents=show_documents(leaf))
        parse = partial(parse_reply, Reading)
        try:
            reading = await self._asking.ask(f"read/{number}", prompt, Reading.model_json_schema(), parse)
        except Spent as spent:
            self.spent = spent
        except (BackendError, ReplyError) as error:
            self._failures_in_a_row += 1
            self.errors.append(error)
        else:
            self._failures_in_a_row = 0
            self._keep(number, leaf, reading)
            await self._report()

    def _keep(self, number: int, leaf: Leaf, reading: Reading) -> None:
        self.read[number] = leaf
        if not reading.relevant or not (reading.notes.strip() or reading.quotes):
            return
        quotes = sort_quotes(reading.quotes, leaf)
        self.quotes_claimed += len(quotes.found) + len(quotes.missing)
        self.missing_quotes += quotes.missing
        self._findings[number] = Finding(reading.notes.strip(), quotes.found)

    async def _report(self) -> None:
        read = sum(map(characters, self.read.values()))
        message = f"{len(self.read)} of {len(self._plan.leaves)} parts read"
        await self._on_progress(Progress(read, self._total, message))
