"""Results for a person: short, in colour on a terminal, plain elsewhere."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

Answer = Mapping[str, Any]
NOTHING_HERE = """
No model is served here. Start LM Studio or Ollama with a model loaded, then `orchestrator init` writes an
escalation.toml for the models it finds; or set the environment variable of a hosted one.
`orchestrator demo` needs none of this."""
Show = Callable[[Answer], RenderableType]
COLOURS = {"accepted": "green", "passed": "green", "needs_review": "yellow", "needs_approval": "yellow"}


def show_outcome(answer: Answer) -> RenderableType:
    """Show an outcome: the work, then how it was judged and what it cost."""
    colour = COLOURS.get(answer["status"], "red")
    parts: list[RenderableType] = []
    if answer["output"]:
        parts.append(Syntax(answer["output"], _lexer(answer), background_color="default", word_wrap=True))
    parts += [
        Syntax(one["diff"], "diff", background_color="default", word_wrap=True)
        for one in answer["files"]
        if one.get("diff")
    ]
    line = Text.assemble(
        (answer["status"], f"bold {colour}"), f"  {answer['task_id']}  {answer['task_type']}"
    )
    line.append(f"  {answer['tier']} ({answer['worker']})" if answer["worker"] else "")
    line.append(f"  attempts {answer['attempts']}, escalations {answer['escalations']}")
    line.append(f"  confidence {answer['confidence']}  ${answer['cost_usd']:.4f}  {answer['latency_ms']} ms")
    parts += [line, *map(show_verdict, answer["verdicts"])]
    parts += [Text(f"wrote {one['path']}", "green") for one in answer["files"] if one["applied"]]
    if answer["message"]:
        parts.append(Text(answer["message"]))
    parts += [Text(f"→ {step}", "cyan") for step in answer["next_steps"]]
    return Group(*parts)


def show_verdict(verdict: Answer) -> Text:
    """Show one verdict with its diagnostics."""
    colour = {"passed": "green", "failed": "red"}.get(verdict["status"], "yellow")
    text = Text.assemble(
        f"  {verdict['validator']:<10} ", (verdict["status"], colour), f"  {verdict['seconds']:.3f} s"
    )
    text.append(f"  {verdict['reason']}" if verdict.get("reason") else "")
    for remark in verdict["diagnostics"]:
        place = ":".join(str(part) for part in (remark["file"], remark["line"], remark["column"]) if part)
        text.append(f"\n    {place} {remark['message']}")
    return text


def show_judgement(answer: Answer) -> RenderableType:
    """Show what became of a submission."""
    word, colour = ("passed", "green") if answer["passed"] else ("not passed", "red")
    return Group(Text(word, f"bold {colour}"), *map(show_verdict, answer["verdicts"]))


def show_classification(answer: Answer) -> RenderableType:
    """Show a classification with its reasons and its route."""
    table = Table.grid(padding=(0, 2))
    for key, value in answer.items():
        if value not in ("", []):
            table.add_row(Text(key, "dim"), _in_words(value))
    return table


def show_analysis(answer: Answer) -> RenderableType:
    """Show an answer with its located quotes."""
    quotes = [
        Text.assemble((f"{one['path']}:{one['lines'][0]}-{one['lines'][1]}  ", "cyan"), one["quote"])
        for one in answer["citations"]
    ]
    facts = f"coverage {answer['coverage']}  confidence {answer['confidence']}  calls {answer['calls']}"
    warnings = [Text(f"! {one}", "yellow") for one in answer["warnings"]]
    said = answer["answer"] if isinstance(answer["answer"], str) else _in_words(answer["answer"])
    return Group(Panel(said, title=answer["status"]), *quotes, Text(facts, "dim"), *warnings)


def show_waiting(answer: Answer) -> RenderableType:
    """Show what waits for a person."""
    if not answer["waiting"]:
        return Text("Nothing waits for you.", "green")
    table = Table("task_id", "status", "task", "why")
    for one in answer["waiting"]:
        table.add_row(one["task_id"], one["status"], escape(one["task"]), escape(one["message"]))
    return table


def show_doctor(answer: Answer) -> RenderableType:
    """Show what was found and what the routes become."""
    lines = [Text.assemble((f"{key:<9}", "dim"), str(answer[key])) for key in ("policy", "ledger", "sandbox")]
    lines += [Text(f"! {note}", "yellow") for note in answer["warnings"]]
    lines.append(Text("\nBackends", "bold"))
    for one in answer["backends"]:
        models = ", ".join(one["models"])
        lines.append(_check_mark(one["backend"], models or one["detail"], good=one["reachable"]))
    lines.append(Text("\nTiers, weakest first", "bold"))
    for one in answer["tiers"]:
        found = f"{one['model']} at {one['backend']}" if one["served"] else one["reason"]
        lines.append(_check_mark(one["tier"], found, good=one["served"]))
    lines += _show_capabilities(answer["capabilities"])
    lines.append(Text("\nRoutes", "bold"))
    for one in answer["routes"]:
        here = " → ".join(one["route"]) or "nothing: tasks of this type are stopped"
        without = f"  (without {', '.join(one['left_out'])})" if one["left_out"] else ""
        lines.append(
            Text.assemble(
                f"  {one['task_type']:<21} ", (here, "" if one["route"] else "red"), (without, "dim")
            )
        )
    if not answer["healthy"]:
        lines.append(Text(NOTHING_HERE, "yellow"))
    return Group(*lines)


def _show_capabilities(probed: Sequence[Answer]) -> list[Text]:
    """Say what servers do with the models that were asked."""
    words = {True: "yes", False: "no", None: "not known"}
    lines = [Text("\nWhat servers do", "bold")] if probed else []
    for one in probed:
        said = one.get("reason") or (
            f"JSON Schema: {words[one['schema']]}, log probabilities: {words[one['logprobs']]}, "
            f"context: {one['context_tokens'] or 'not known'}"
        )
        lines.append(_check_mark(one["tier"], said, good="reason" not in one))
    return lines


def _check_mark(name: str, text: str, *, good: bool) -> Text:
    mark = ("✓", "green") if good else ("✗", "red")
    return Text.assemble("  ", mark, f" {name:<15} ", (text, "" if good else "dim"))


def tell(given: argparse.Namespace, answer: Answer, render: Show) -> None:
    """Write an answer to stdout: one JSON object with `--json`, else for a person."""
    if given.json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        return
    write(Console(), render(answer))


def write(console: Console, what: RenderableType) -> None:
    """Write to stdout without wrapping what is piped."""
    console.print(what, soft_wrap=not console.is_terminal)


def _lexer(answer: Answer) -> str:
    path = answer["files"][0]["path"] if answer["files"] else ""
    return Syntax.guess_lexer(path, answer["output"]) if path else "python"


def _in_words(value: object) -> Text:
    if isinstance(value, list):
        return Text("\n".join(str(_in_words(one)) for one in value))
    if isinstance(value, dict):
        return Text(": ".join(str(one) for one in value.values()))
    return Text(str(value))
