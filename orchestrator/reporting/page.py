"""The report as one page: no script, nothing to load, light or dark as the reader's machine is. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from orchestrator.reporting.svg import Bar, Part, draw_bars, draw_curve

Report = Mapping[str, Any]
"""What `tell_report` said."""
MODEL_CHARS = 22
STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5b6675; --paper: #fbfbf9; --card: #ffffff;
  --line: #dde1e6; --good: #2f7d5b; --bad: #b4483c; --paid: #b7791f; --muted: #c3cad3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --dim: #98a3b3; --paper: #14181e;
  --card: #1c222b; --line: #2f3844; --good: #58b38a; --bad: #e0786b; --paid: #dba54a; --muted: #4a5563; } }
body { margin: 0 auto; max-width: 840px; padding: 2rem 1.2rem 4rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .4rem; }
p { margin: .3rem 0 .8rem; color: var(--dim); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .8rem;
  margin: 1.2rem 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.tile span { color: var(--dim); font-size: .85rem; }
.wide { overflow-x: auto; }
svg { max-width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg .value { fill: var(--dim); }
.good { fill: var(--good); } .bad { fill: var(--bad); } .paid { fill: var(--paid); }
.muted { fill: var(--muted); }
.track { stroke: var(--line); } .diagonal { stroke: var(--dim); stroke-dasharray: 4 4; }
.curve { fill: none; stroke: var(--good); stroke-width: 2; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--dim); font-weight: 500; font-size: .85rem; } td.number, th.number { text-align: right; }
"""


def draw_page(report: Report, at: str) -> str:
    """Draw the page.

    Args:
        report: What `tell_report` said; every text in it is escaped.
        at: When it was read, in words.
    """
    sections = (
        _draw_types(report["task_types"]),
        _draw_money(report["task_types"]),
        _draw_workers(report["workers"]),
        _draw_pairs(report["pairs"]),
        _draw_calibration(report.get("calibration")),
        _draw_budget(report["budget"]),
        _draw_backends(report["backends"]),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Delegated work</title><style>{STYLE}</style></head><body>"
        f"<h1>Delegated work</h1><p>As the ledger stood on {escape(at)}.</p>"
        f"{_draw_tiles(report)}{''.join(sections)}</body></html>\n"
    )


def _draw_tiles(report: Report) -> str:
    tasks, budget = report["tasks"], report["budget"]
    every, accepted = sum(tasks.values()), tasks.get("accepted", 0)
    waiting = tasks.get("needs_review", 0) + tasks.get("needs_approval", 0)
    tiles = (
        (str(every), "tasks"),
        (_share(accepted, every), f"accepted ({accepted})"),
        (_usd(budget["spent_usd"]), "spent, all in all"),
        (_usd(budget["saved_usd"]), "saved against the dearest tier"),
        (str(waiting), "wait for a person"),
    )
    drawn = "".join(f'<div class="tile"><b>{escape(b)}</b><span>{escape(s)}</span></div>' for b, s in tiles)
    return f'<div class="tiles">{drawn}</div>'


def _draw_types(types: Sequence[Report]) -> str:
    bars = [
        Bar(
            one["task_type"],
            (
                Part(one["accepted"], "good", f"{one['accepted']} accepted"),
                Part(one["taken_back"], "bad", f"{one['taken_back']} taken back after they were accepted"),
                Part(
                    one["tasks"] - one["accepted"] - one["taken_back"],
                    "muted",
                    "not accepted, or not ended yet",
                ),
            ),
            f"{_share(one['accepted'], one['tasks'])} of {one['tasks']}",
        )
        for one in types
    ]
    rows = [
        (
            one["task_type"],
            str(one["tasks"]),
            f"{one['attempts'] / max(1, one['tasks']):.2f}",
            f"{one['escalations'] / max(1, one['tasks']):.2f}",
            str(one["taken_back"]),
            f"{one['mean_seconds']:.1f}",
        )
        for one in types
    ]
    head = (
        "task type",
        "tasks",
        "attempts per task",
        "escalations per task",
        "taken back",
        "seconds per task",
    )
    said = "Accepted, taken back later by a person, and all others; the most common type first."
    return _section("Task types", said, draw_bars("Tasks by type", bars) + _table(head, rows, numbers_from=1))


def _draw_money(types: Sequence[Report]) -> str:
    bars = [
        Bar(
            one["task_type"],
            (
                Part(one["cost_usd"], "paid", f"{_usd(one['cost_usd'])} spent"),
                Part(max(0.0, one["saved_usd"]), "good", f"{_usd(one['saved_usd'])} saved"),
            ),
            f"{_usd(one['cost_usd'])}, saved {_usd(one['saved_usd'])}",
        )
        for one in types
    ]
    said = (
        "Spent, and saved: what the dearest tier would have cost, asked once for each task that is "
        "accepted now, less all that was spent. Work that was rejected later saved nothing."
    )
    return _section("Money", said, draw_bars("Money spent and saved by task type", bars))


def _draw_workers(workers: Sequence[Report]) -> str:
    bars = [
        Bar(
            f"{_shorten(one['model'])} · {one['task_type']}",
            (Part(one["success_rate"], "good", f"{one['model']} as {one['tier']}"),),
            f"{one['success_rate']:.0%} of {one['attempts']}, {one['mean_seconds']:.1f} s",
        )
        for one in workers
    ]
    said = "Share of a worker's attempts that passed their checks."
    return _section("Workers", said, draw_bars("Success rate by worker", bars, full=1.0))


def _draw_pairs(pairs: Sequence[Report]) -> str:
    rows = [(f"{one['worker']} ({one['model']})", one["checker"], *map(str, _counts(one))) for one in pairs]
    head = ("worker", "checker", "judged", "approved", "taken back later")
    said = "Of the newest attempts, the best pair first."
    return _section("Workers and checkers", said, _table(head, rows, numbers_from=2))


def _counts(pair: Report) -> tuple[int, int, int]:
    return pair["judged"], pair["approved"], pair["overturned"]


def _draw_calibration(curve: Report | None) -> str:
    if curve is None:
        return ""
    points = [(one["stated"], one["observed"], one["count"]) for one in curve["bins"]]
    said = (
        f"Whether work is right as often as its confidence says. {curve['labels']} judged outcomes, expected "
        f"calibration error {curve['ece']:.3f}, Brier score {curve['brier']:.3f}."
    )
    return _section("Confidence", said, draw_curve("Calibration of confidence", points))


def _draw_budget(budget: Report) -> str:
    limits = [("today, all tasks", budget["spent_today_usd"], budget["usd_per_day"])]
    limits += [
        (f"today, {one['task_type']}", one["spent_today_usd"], one["usd_per_day"])
        for one in budget["task_types"]
        if one["usd_per_day"] is not None
    ]
    bars = [
        Bar(
            name,
            (Part(spent / limit if limit else 0.0, "paid", _usd(spent)),),
            f"{_usd(spent)} of {_usd(limit)}",
        )
        for name, spent, limit in limits
    ]
    return _section("Budgets", "Spent of what a day may cost.", draw_bars("Budgets", bars, full=1.0))


def _draw_backends(backends: Sequence[Report]) -> str:
    rows = [
        (
            one["backend"],
            "answers" if one["reachable"] else "does not answer",
            "; ".join(_describe_model(model) for model in one.get("loaded", ())) or "-",
            one["detail"],
        )
        for one in backends
    ]
    head = ("backend", "health", "loaded models", "in words")
    return _section("Backends", "As they answered when this page was made.", _table(head, rows))


def _describe_model(model: Report) -> str:
    size = f", {model['size_gb']:.1f} GB" if "size_gb" in model else ""
    room = f", {model['context_tokens']:,} tokens" if "context_tokens" in model else ""
    return f"{model['model']}{size}{room}"


def _section(title: str, said: str, body: str) -> str:
    """Put a headline and a sentence over a picture; nothing at all where there is nothing to show."""
    if not body:
        return ""
    return f'<section><h2>{escape(title)}</h2><p>{escape(said)}</p><div class="wide">{body}</div></section>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int = 99) -> str:
    body = "".join(f"<tr>{_cells('td', row, numbers_from)}</tr>" for row in rows)
    return f"<table><tr>{_cells('th', head, numbers_from)}</tr>{body}</table>" if body else ""


def _cells(tag: str, texts: Sequence[str], numbers_from: int) -> str:
    return "".join(
        f"<{tag}{' class=number' if index >= numbers_from else ''}>{escape(text)}</{tag}>"
        for index, text in enumerate(texts)
    )


def _usd(dollars: float) -> str:
    sign = "-" if dollars < 0 else ""
    return f"{sign}${abs(dollars):.4f}" if abs(dollars) < 1 else f"{sign}${abs(dollars):,.2f}"


def _shorten(model: str) -> str:
    return model if len(model) <= MODEL_CHARS else f"{model[: MODEL_CHARS - 1]}…"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else "-"
