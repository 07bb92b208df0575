"""Read recorded tasks and answers, serve them, and say what their recorded verdicts come to."""

import contextlib
import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETS: Mapping[str, tuple[str, ...]] = {
    "humaneval": (
        "base/qwen2.5-coder-7b",
        "cq/codestral_22b",
        "cq/qwen2.5-coder_32b",
        "cq/claude-sonnet-4-20250514",
    ),
    "lcb-leetcode": (
        "Llama-3_1-Nemotron-Nano-8B-v1",
        "DeepCoder-14B-Preview",
        "Claude-Sonnet-4",
        "O4-Mini (High)",
    ),
}
"""Data set to its ladder of models, in the order in which they are tried."""


Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model once answered, and what was measured about it then."""

    model: str
    code: str
    usd_per_mtok: float
    """The data's price unit is 0.01 USD per million tokens of output, assumed; only ratios mean something."""
    local: bool
    """Open weights, which the user's own machine would answer with, free of charge."""
    tokens: int
    """Of the answer as it is served, at four characters a token; prompts are free."""
    visible: bool
    hidden: bool
    extra: bool | None

    @property
    def usd(self) -> float:
        """What the answer costs."""
        return self.tokens * self.usd_per_mtok / 1e6


@dataclass(frozen=True, slots=True)
class Recorded:
    """One task with its tests and the answers of the ladder's models."""

    dataset: str
    task_id: str
    prompt: str
    context: str
    """What stands before an answer in the data's own measure: imports, and for HumanEval the signature."""
    visible_tests: tuple[str, ...]
    hidden_tests: tuple[str, ...]
    extra_tests: tuple[str, ...]
    answers: Mapping[str, Answer]


def load(data: Path, dataset: str, ladder: Sequence[str]) -> list[Recorded]:
    answers: dict[str, dict[str, Answer]] = {}
    for row in _rows(data / "open" / "completions.jsonl.gz"):
        if row["dataset"] == dataset and row["model"] in ladder and row["sample"] == 0:
            answers.setdefault(row["task_id"], {})[row["model"]] = _answer(row)
    return [
        Recorded(
            dataset=dataset,
            task_id=row["task_id"],
            prompt=row["prompt"],
            context=row["context"],
            visible_tests=tuple(row["visible_tests"]),
            hidden_tests=tuple(row["hidden_tests"]),
            extra_tests=tuple(row["hidden_tests_extra"]),
            answers=answers.get(row["task_id"], {}),
        )
        for row in _rows(data / "open" / "tasks.jsonl.gz")
        if row["dataset"] == dataset
    ]


def _rows(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _answer(row: Row) -> Answer:
    said = str(row["completion"])
    code = str(row.get("code", said))
    return Answer(
        model=row["model"],
        code=code,
        local=row["params_b"] is not None,
        tokens=len(said if "```" in said else f"```python\n{code}\n```") // 4,
        usd_per_mtok=row["price"] / 100,
        visible=set(row["visible"]) == {"p"},
        hidden=bool(row["recorded_pass"]),
        extra=row.get("recorded_pass_extra"),
    )


@contextlib.contextmanager
def serve(data: Path) -> Iterator[str]:
    """Serve the recorded answers as an OpenAI-compatible endpoint; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script, half = str(data / "tools" / "replay.py"), str(data / "open")
    command = [sys.executable, "-u", script, half, "--port", str(port), "--mode", "code"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if not process.stdout or not process.stdout.readline().startswith("serving"):
                sys.exit(f"The replay server of {str(data)!r} did not start.")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the recorded verdicts alone say a policy would come to."""

    right: int
    wrong: int
    skipped: int
    usd: float
    calls: int
    paid_usd: float
    """Without what open weights cost, which the user's own machine answers with."""


def expect(tasks: Sequence[Recorded], models: Sequence[str], gate: str) -> Policy:
    """Walk the ladder by recorded verdicts.

    Args:
        tasks: What is asked.
        models: The ladder; one model alone for a policy without escalation.
        gate: What accepts an answer: `all`, the `visible` tests, or `hidden` ones (an oracle).
    """
    right = wrong = calls = 0
    usd = paid_usd = 0.0
    for task in tasks:
        for answer in (task.answers[model] for model in models if model in task.answers):
            calls, usd = calls + 1, usd + answer.usd
            paid_usd += 0.0 if answer.local else answer.usd
            if {"all": True, "visible": answer.visible, "hidden": answer.hidden}[gate]:
                right, wrong = right + answer.hidden, wrong + (not answer.hidden)
                break
    return Policy(right, wrong, len(tasks) - right - wrong, usd, calls, paid_usd)
