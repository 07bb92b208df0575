"""The command `report`: figures, a page of pictures, the trail of money, what was learned, exports."""

import argparse
import time
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli import show
from cli.files import open_anew
from cli.reading import DONE, NOT_DONE, UsageError
from orchestrator.answers import Answer
from orchestrator.audit import verify
from orchestrator.export import Format, export
from orchestrator.learning import store
from orchestrator.learning.suggesting import suggest
from orchestrator.orchestrator import Orchestrator
from orchestrator.reporting.page import draw_page
from orchestrator.reporting.reading import read_report
from orchestrator.retention import compact, prune

FORMS: dict[str, Format] = {".jsonl": "jsonl", ".csv": "csv"}


async def report(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Show the figures, or do the one other thing that was asked for."""
    if given.verify is not None:
        return await verify_trail(orchestrator, given)
    if given.suggest:
        return await tell_suggestions(orchestrator, given)
    if given.reset_learning:
        return await reset_learning(orchestrator, given)
    if given.export:
        return await export_tasks(orchestrator, given)
    if given.prune is not None:
        return await prune_tasks(orchestrator, given)
    answer = await read_report(orchestrator, calibrated=True)
    if given.html:
        with open_anew(given.html) as out:
            out.write(draw_page(answer, time.strftime("%Y-%m-%d at %H:%M")))
        show.tell(given, {"html": given.html}, lambda told: Text(f"Wrote {told['html']}", "green"))
    else:
        show.tell(given, answer, show_report)
    return DONE


async def verify_trail(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Say whether every decision about money is as it was written."""
    records = orchestrator.world.records
    broken, head = await verify(records.ledger, given.verify), await records.audit.head()
    told: Answer = {
        "intact": broken is None,
        "head": head,
        "row": broken.row if broken else 0,
        "reason": broken.reason if broken else "",
    }
    show.tell(given, told, show_trail)
    return NOT_DONE if broken else DONE


def show_trail(answer: show.Answer) -> RenderableType:
    """Show whether the trail holds."""
    if answer["intact"]:
        return Text(
            f"Nothing was changed. The trail of money ends with {answer['head'] or 'nothing yet'}", "green"
        )
    return Text(f"The trail of money does not hold: {answer['reason']}", "red")


async def tell_suggestions(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Say what escalation.toml had better say by what was learned."""
    policy = orchestrator.config.policy
    beliefs = await store.recall(orchestrator.world.records, policy.learning.half_life_days)
    told: Answer = {
        "policy": str(orchestrator.config.source),
        "suggestions": [
            {"section": one.section, "key": one.key, "diff": list(one.diff), "why": one.why}
            for one in suggest(policy, beliefs)
        ],
    }
    show.tell(given, told, show_suggestions)
    return DONE


def show_suggestions(answer: show.Answer) -> RenderableType:
    """Show the changes as lines of TOML, with the reasons."""
    if not answer["suggestions"]:
        return Text("Nothing to change by what was learned so far.", "green")
    styles = {"-": "red", "+": "green"}
    lines = [Text(f"{answer['policy']}", "bold")]
    for one in answer["suggestions"]:
        lines.append(Text(f"\n# {one['why']}", "dim"))
        lines += [Text(line, styles.get(line[:1], "")) for line in one["diff"]]
    return Group(*lines)


async def reset_learning(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Forget what was learned; tasks, money and the trail stay."""
    count = await store.reset(orchestrator.world.records)
    show.tell(given, {"forgotten": count}, lambda told: Text(f"Forgot {told['forgotten']} learned counts."))
    return DONE


async def export_tasks(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Write every task to a file, one row each."""
    place = Path(given.export)
    form = FORMS.get(place.suffix.lower())
    if form is None:
        raise UsageError(f"--export {given.export!r} must end in {' or '.join(FORMS)}.")
    with open_anew(given.export) as out:
        count = await export(orchestrator.world.records.ledger, form, out)
    told: Answer = {"file": str(place), "tasks": count}
    show.tell(given, told, lambda told: Text(f"Wrote {told['tasks']} tasks to {told['file']}"))
    return DONE


async def prune_tasks(orchestrator: Orchestrator, given: argparse.Namespace) -> int:
    """Throw away the texts of what ended long ago, and give the room back where it is worth it."""
    if not given.prune >= 0:
        raise UsageError(f"--prune {given.prune:g} must not be negative.")
    ledger = orchestrator.world.records.ledger
    count = await prune(ledger, given.prune)
    told: Answer = {"pruned": count, "compacted": await compact(ledger)}
    show.tell(given, told, lambda told: Text(f"Dropped the texts of {told['pruned']} tasks and analyses."))
    return DONE


def show_report(answer: show.Answer) -> RenderableType:
    """Show the figures as tables."""
    tasks = ", ".join(f"{count} {status}" for status, count in answer["tasks"].items()) or "no tasks yet"
    parts: list[RenderableType] = [_types(answer), _workers(answer)]
    if answer["pairs"]:
        parts.append(_pairs(answer))
    parts += [*_money(answer["budget"]), Text(tasks, "dim")]
    if "calibration" in answer:
        curve = answer["calibration"]
        parts.append(
            Text(f"Confidence was off by {curve['ece']:.3f} (ECE) over {curve['labels']} judged outcomes")
        )
    return Group(*parts, *map(_backend, answer["backends"]))


def _types(answer: show.Answer) -> Table:
    head = ("task type", "tasks", "accepted", "taken back", "escalations", "cost", "saved", "seconds")
    table = Table(*head, title="Task types")
    for row in answer["task_types"]:
        money = (f"${row['cost_usd']:.4f}", f"${row['saved_usd']:.4f}", f"{row['mean_seconds']:.1f}")
        counts = (str(row[key]) for key in ("tasks", "accepted", "taken_back", "escalations"))
        table.add_row(row["task_type"], *counts, *money)
    return table


def _workers(answer: show.Answer) -> Table:
    table = Table("task type", "tier", "model", "attempts", "success", "cost", "seconds", title="Workers")
    for row in answer["workers"]:
        rate = f"{row['success_rate']:.0%}"
        cells = (str(row["attempts"]), rate, f"${row['cost_usd']:.4f}", f"{row['mean_seconds']:.1f}")
        table.add_row(row["task_type"], row["tier"], Text(row["model"]), *cells)
    return table


def _pairs(answer: show.Answer) -> Table:
    table = Table("worker", "checker", "judged", "approved", "overturned", title="Pairs, the best first")
    for row in answer["pairs"]:
        counts = (str(row[key]) for key in ("judged", "approved", "overturned"))
        table.add_row(row["worker"], row["checker"], *counts)
    return table


def _money(budget: show.Answer) -> list[Text]:
    lines = [
        Text(
            f"Spent today ${budget['spent_today_usd']:.4f} of ${budget['usd_per_day']:.2f}, "
            f"ever ${budget['spent_usd']:.4f}, saved ${budget['saved_usd']:.4f}"
        )
    ]
    for one in budget["task_types"]:
        if one["usd_per_day"] is not None:
            today = f"${one['spent_today_usd']:.4f} of ${one['usd_per_day']:.2f}"
            lines.append(Text(f"  {one['task_type']} today {today}"))
    return lines


def _backend(one: show.Answer) -> Text:
    mark = ("✓", "green") if one["reachable"] else ("✗", "red")
    loaded = "; ".join(
        f"{model['model']} ({model['size_gb']:.1f} GB)" if "size_gb" in model else model["model"]
        for model in one.get("loaded", ())
    )
    return Text.assemble(
        mark, f" {one['backend']}  ", (loaded and f"loaded: {loaded}  ", ""), (one["detail"], "dim")
    )
