"""Run recorded answers of real models through the real engine; judge what it accepts by hidden tests.

Open weights are free tiers, as on a user's own machine; the table counts them at the data's price for them.

The models answer from recordings (an OpenAI-compatible server of the data's own tools), everything else is
the product: policy, prompts, extraction, sandbox, ledger. What was accepted is then judged by tests that the
engine never saw.

Usage: python benchmarks/replay.py [DATA] [--sets humaneval lcb-leetcode] [--context none|command]
       [--ladder MODEL ...] [--route static|agreement|learned] [--wanted 0.95] [--limit N]
       [--cache FILE] [--json]
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import anyio
from differences import Difference, Ending, find_differences, program
from figures import table
from recorded import SETS, Policy, Recorded, expect, load, serve
from truth import Judge

from orchestrator.config import load_config
from orchestrator.orchestrator import Orchestrator
from orchestrator.task import Task

DATA = Path(__file__).parents[2] / "shared" / "data"
AT_ONCE = 2
POLICY = """
[backends.recorded]
kind = "openai"
url = "{url}"
[task_types.standard_dev]
complexity = [0, 10]
route = {route}
attempts_per_tier = 1
checker = "none"
validators = {validators}
wanted_confidence = {wanted}
when_exhausted = "skip"
[learning]
enabled = {learning}
[cache]
enabled = false
[guards]
ask_before_paid = false
usd_per_task = 1e6
usd_per_day = 1e9
"""
TIER = """
[tiers.{name}]
rank = {rank}
backend = "recorded"
model = {model}
usd_per_mtok_in = 0.0
usd_per_mtok_out = {usd_per_mtok}
context_tokens = 200000
"""
COMMAND = 'cat context.py solution.py visible_tests.py > assembled.py && python -c "import assembled"'
"""A project's own harness: what stands before the answer, the answer, the tests, in one namespace."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be run."""

    data: Path
    context: str
    """`none`: the answer alone, beside `tests`; `command`: a test command puts the context before it."""
    limit: int
    cache: Path
    ladder: tuple[str, ...]
    """Models instead of the set's own."""
    route: str
    """`static`: the tests alone; `agreement`: a second author too; `learned`: that, on the second pass."""
    wanted: float
    """Confidence below which a second author is asked."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one data set."""

    dataset: str
    tasks: int
    seconds: float
    policies: dict[str, Policy]
    extra_wrong: int
    """Accepted, right by the hidden tests, wrong by the extra ones."""
    accepted_by: dict[str, int]
    statuses: dict[str, int]
    differences: list[Difference]


def write_policy(wish: Wish, folder: Path, url: str, tasks: Sequence[Recorded]) -> Path:
    models = wish.ladder or SETS[tasks[0].dataset]
    answers = [answer for task in tasks for answer in task.answers.values()]
    prices = {answer.model: 0.0 if answer.local else answer.usd_per_mtok for answer in answers}
    names = [f"tier{rank}" for rank in range(len(models))]
    tiers = [
        TIER.format(name=name, rank=rank, model=json.dumps(model), usd_per_mtok=prices[model])
        for rank, (name, model) in enumerate(zip(names, models, strict=True))
    ]
    path = folder / "escalation.toml"
    gates = ["syntax", "tests"] if wish.route == "static" else ["syntax", "tests", "agreement"]
    head = POLICY.format(
        url=url,
        route=json.dumps(names),
        validators=json.dumps(gates),
        wanted=wish.wanted,
        learning=json.dumps(wish.route == "learned"),
    )
    path.write_text(head + "".join(tiers), encoding="utf-8")
    return path


def write_task(recorded: Recorded, folder: Path, context: str) -> Task:
    """Word the task; the marker tells the replay server which one it is."""
    words = f"[task:{recorded.dataset}/{recorded.task_id}]\n{recorded.prompt}"
    tests = "\n".join(recorded.visible_tests) + "\n"
    if context == "none":
        return Task(words, language="python", tests=tests)
    workspace = folder / recorded.task_id.replace("/", "-")
    workspace.mkdir()
    (workspace / "context.py").write_text(recorded.context + "\n", encoding="utf-8")
    (workspace / "visible_tests.py").write_text("\n" + tests, encoding="utf-8")
    return Task(
        words, language="python", workspace=str(workspace), write_to="solution.py", test_command=COMMAND
    )


async def run_engine(wish: Wish, tasks: Sequence[Recorded], folder: Path, url: str) -> list[Ending]:
    config = load_config(
        str(write_policy(wish, folder, url, tasks)), {"ORCHESTRATOR_HOME": str(folder / "home")}, folder
    )
    orchestrator = Orchestrator(config, {}, folder)
    endings: list[Ending] = []
    room = anyio.Semaphore(AT_ONCE)

    async def work(recorded: Recorded) -> None:
        async with room:
            outcome = await orchestrator.execute(write_task(recorded, folder, wish.context))
        preamble = "" if wish.context == "none" else recorded.context
        attempts = outcome.attempts
        if outcome.status == "accepted" and outcome.best:
            attempts = (*(one for one in attempts if one != outcome.best), outcome.best)
        answers = [recorded.answers[one.model] for one in attempts if one.model in recorded.answers]
        usd = sum(answer.usd for answer in answers)
        paid_usd = sum(answer.usd for answer in answers if not answer.local)
        endings.append(Ending(recorded, outcome.status, attempts, usd, paid_usd, preamble))

    for _ in range(2 if wish.route == "learned" else 1):
        endings.clear()
        async with anyio.create_task_group() as group:
            for recorded in tasks:
                group.start_soon(work, recorded)
    await orchestrator.aclose()
    return endings


async def judge_accepted(endings: Sequence[Ending], judge: Judge) -> list[Ending]:
    judged: list[Ending] = []
    room = anyio.Semaphore(AT_ONCE)

    async def work(ending: Ending) -> None:
        text = program(ending.preamble, ending.attempts[-1])
        async with room:
            hidden = await judge.passes(text, ending.task.hidden_tests)
            extra = await judge.passes(text, ending.task.extra_tests) if ending.task.extra_tests else None
        judged.append(replace(ending, hidden=hidden, extra=extra))

    async with anyio.create_task_group() as group:
        for ending in endings:
            if ending.status == "accepted":
                group.start_soon(work, ending)
            else:
                judged.append(ending)
    return judged


async def measure(wish: Wish, dataset: str) -> Report:
    models = wish.ladder or SETS[dataset]
    tasks = load(wish.data, dataset, models)[: wish.limit]
    if unknown := set(models) - {model for task in tasks for model in task.answers}:
        sys.exit(f"No answers to {dataset} are recorded of {', '.join(unknown)}.")
    judge = Judge(wish.data / "tools" / "exec_worker.py", wish.cache)
    with tempfile.TemporaryDirectory() as folder, serve(wish.data) as url:
        began = time.perf_counter()
        endings = await run_engine(wish, tasks, Path(folder), url)
        seconds = time.perf_counter() - began
    endings = await judge_accepted(endings, judge)
    accepted = Counter(ending.attempts[-1].model for ending in endings if ending.status == "accepted")
    return Report(
        dataset=dataset,
        tasks=len(tasks),
        seconds=seconds,
        policies={
            "the engine": count(endings),
            "visible tests as the gate, by recorded verdicts": expect(tasks, models, "visible"),
            "cheapest model only": expect(tasks, models[:1], "all"),
            "top model only": expect(tasks, models[-1:], "all"),
            "oracle cascade": expect(tasks, models, "hidden"),
        },
        extra_wrong=sum(bool(ending.hidden) and ending.extra is False for ending in endings),
        accepted_by={model: accepted[model] for model in models},
        statuses=dict(Counter(ending.status for ending in endings)),
        differences=await find_differences(endings, judge),
    )


def count(endings: Sequence[Ending]) -> Policy:
    right = sum(ending.hidden is True for ending in endings)
    wrong = sum(ending.hidden is False for ending in endings)
    calls = sum(attempt.tokens_out > 0 for ending in endings for attempt in ending.attempts)
    usd, paid_usd = sum(one.usd for one in endings), sum(one.paid_usd for one in endings)
    return Policy(right, wrong, len(endings) - right - wrong, usd, calls, paid_usd)


def show(report: Report) -> str:
    top = report.policies["top model only"].usd
    policies = [
        (
            name,
            _share(one.right, report.tasks),
            _share(one.wrong, one.right + one.wrong),
            one.skipped,
            one.calls,
            f"{1000 * one.usd / report.tasks:.3f}",
            f"{100 * one.usd / top:.0f} %",
            f"{100 * one.paid_usd / top:.0f} %",
        )
        for name, one in report.policies.items()
    ]
    head = (
        "policy",
        "right",
        "wrong (of accepted)",
        "skipped",
        "calls",
        "USD a 1000 tasks",
        "of top's",
        "paid",
    )
    parts = [
        f"### {report.dataset}: {report.tasks} tasks in {report.seconds:.0f} s, statuses {report.statuses}",
        table(head, policies),
        f"Accepted and right by the hidden tests, but wrong by the extra ones: {report.extra_wrong}",
        table(("model", "accepted"), report.accepted_by.items()),
        *_show_differences(report.differences),
    ]
    return "\n\n".join(parts)


def _show_differences(differences: Sequence[Difference]) -> list[str]:
    if not differences:
        return ["No difference from the recorded verdicts."]
    categories = Counter((one.tests, one.category) for one in differences)
    counted = [(*key, number) for key, number in sorted(categories.items())]
    listed = [asdict(one).values() for one in differences]
    return [table(("tests", "why it differs", "count"), counted), table(Difference.__slots__, listed)]


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.1f} %)" if whole else "0"


async def run(wish: Wish, sets: Sequence[str], *, as_json: bool) -> None:
    reports = [await measure(wish, dataset) for dataset in sets]
    print(
        json.dumps([asdict(one) for one in reports], indent=1) if as_json else "\n\n".join(map(show, reports))
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=tuple(SETS))
    parser.add_argument("--context", choices=("none", "command"), default="none")
    parser.add_argument("--limit", type=int, default=10**9)
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "orchestrator-replay.jsonl"
    )
    parser.add_argument("--ladder", nargs="+", default=(), help="models, weakest first")
    parser.add_argument("--route", choices=("static", "agreement", "learned"), default="static")
    parser.add_argument("--wanted", type=float, default=0.95, help="confidence, for agreement and learned")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not (given.data / "tools" / "replay.py").is_file():
        sys.exit(f"There is no replay data at {str(given.data)!r}. Name its folder as the first argument.")
    wish = Wish(
        given.data.absolute(),
        given.context,
        given.limit,
        given.cache,
        tuple(given.ladder),
        given.route,
        given.wanted,
    )
    anyio.run(lambda: run(wish, given.sets, as_json=given.json))


if __name__ == "__main__":
    main()
