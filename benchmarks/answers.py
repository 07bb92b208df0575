"""How many raw answers come to code that parses and to code that passes: the first fence, against ours.

`python -m benchmarks.answers DATA` reads `open/raw_chat.jsonl.gz` (small tasks in Python and JavaScript) and
the chat answers of MultiPL-E in `open/completions.jsonl.gz` (JavaScript and Bash); each runs in the sandbox.
"""

import argparse
import ast
import asyncio
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import table
from orchestrator.assemble import assemble_files
from orchestrator.extract import extract
from sandbox.choose import choose
from sandbox.program import Limits, Program
from validators.parsers import parses

BATCH = 50
SECONDS = 15
_FENCE = re.compile(r"```[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_DRIVER = f"""
import json, subprocess, sys
for name in json.load(open("names.json")):
    tool = {{"py": sys.executable, "js": "node", "sh": "bash"}}[name.split(".")[1]]
    try:
        run = subprocess.run([tool, name], capture_output=True, timeout={SECONDS}, stdin=subprocess.DEVNULL)
        print(name, run.returncode)
    except subprocess.TimeoutExpired:
        print(name, "late")
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded reply and the program that tells whether its code is right."""

    group: str
    language: str
    ending: str
    prompt: str
    reply: str
    tests: str
    recorded: str
    """The code as the data's own authors took it out of the reply."""


def read_cases(data: Path) -> Iterator[Case]:
    for row in _rows(data / "open" / "raw_chat.jsonl.gz"):
        if tests := _checks(row):
            ending = {"python": "py", "javascript": "js"}[row["language"]]
            prompt = row["prompt"] if isinstance(row["prompt"], str) else json.dumps(row["prompt"])
            said = (prompt, row["completion"], tests, row["code"] or "")
            yield Case(f"raw chat, {row['language']}", row["language"], ending, *said)
    tasks = {(row["dataset"], row["task_id"]): row for row in _rows(data / "open" / "tasks.jsonl.gz")}
    for row in _rows(data / "open" / "completions.jsonl.gz"):
        ending = {"multipl-e-js": "js", "multipl-e-sh": "sh"}.get(row["dataset"])
        if ending and row["model"].startswith("chat/"):
            task = tasks[row["dataset"], row["task_id"]]
            tests = task["hidden_tests"][0]
            tests = tests.lstrip().removeprefix("}") if ending == "sh" else tests
            said = (task["prompt"], row["completion"], tests, row.get("code") or row["completion"])
            yield Case(f"MultiPL-E {ending}, {row['model']}", task["language"], ending, *said)


def _rows(path: Path) -> Iterator[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _checks(row: dict) -> str:
    """Write the recorded checks of a raw answer as a program; empty when nothing was recorded."""
    checks = row["checks"]
    checks = ast.literal_eval(checks) if isinstance(checks, str) else checks
    name = next((one["eq"] for one in checks if one["assert"] == "f.name"), "")
    lines = []
    for one in checks:
        call = re.fullmatch(r"f\.call\((.*)\)", one["assert"], re.DOTALL)
        if call and name:
            words = ", ".join(json.dumps(value) for value in ast.literal_eval(f"({call[1]},)"))
            lines.append((f"{name}({words})", json.dumps(one["eq"])))
    if row["language"] == "python":
        return "null, true, false = None, True, False\n" + "\n".join(
            f"assert list({call}) == {eq} if isinstance({eq}, list) else {call} == {eq}" for call, eq in lines
        )
    return "\n".join(f"require('node:assert').deepEqual({call}, {eq});" for call, eq in lines)


def plain(case: Case) -> str:
    found = _FENCE.search(case.reply)
    return found[1] if found else case.reply


def ours(case: Case) -> str:
    extraction = extract(case.reply, language=case.language)
    files, _ = assemble_files(extraction.files, case.language, case.prompt, case.tests)
    return "\n".join(files.values())


def extracted(case: Case) -> str:
    return "\n".join(extract(case.reply, language=case.language).files.values())


WAYS = {"first fence": plain, "extracted": extracted, "assembled": ours}


async def run_all(programs: dict[str, str]) -> dict[str, bool]:
    sandbox = choose()
    names = sorted(dict(zip(programs.values(), programs, strict=True)).values())  # what is equal runs once
    batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
    passed: dict[str, bool] = {}
    gate = asyncio.Semaphore(2)

    async def run(batch: list[str]) -> None:
        files = {name: programs[name] for name in batch}
        files |= {"driver.py": _DRIVER, "names.json": json.dumps(batch)}
        seconds = SECONDS * BATCH + 30
        async with gate:
            execution = await sandbox.run(
                Program(
                    (sys.executable, "driver.py"),
                    files,
                    limits=Limits(seconds=seconds, cpu_seconds=seconds, memory_bytes=8 * 1024**3),
                )
            )
        for line in execution.stdout.splitlines():
            name, _, code = line.partition(" ")
            passed[name] = code == "0"

    await asyncio.gather(*map(run, batches))
    texts = {programs[name]: result for name, result in passed.items()}
    return {name: texts.get(text, False) for name, text in programs.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--show", type=Path, help="write what only other ways get right")
    parser.add_argument("--group", default="", help="only groups whose name holds this")
    arguments = parser.parse_args()
    cases = [case for case in read_cases(arguments.data) if arguments.group in case.group]
    ways = WAYS | {"recorded code": lambda case: case.recorded}
    codes = {name: [way(case) for case in cases] for name, way in ways.items()}
    programs = {
        f"{way.replace(' ', '_')}-{number}.{case.ending}": f"{code}\n{case.tests}\n"
        for way, found in codes.items()
        for number, (case, code) in enumerate(zip(cases, found, strict=True))
    }
    passed = asyncio.run(run_all(programs))
    total = Counter(case.group for case in cases)
    parsed, right = Counter(), Counter()
    for way, found in codes.items():
        for number, (case, code) in enumerate(zip(cases, found, strict=True)):
            parsed[case.group, way] += parses(code, case.language)
            right[case.group, way] += passed.get(f"{way.replace(' ', '_')}-{number}.{case.ending}", False)
    heads = [f"{way}: {what}" for way in ways for what in ("parses", "passes")]
    rows = (
        [
            group,
            count,
            *(f"{100 * kind[group, way] / count:.1f} %" for way in ways for kind in (parsed, right)),
        ]
        for group, count in total.items()
    )
    print(table(["answers", "number", *heads], rows))
    if arguments.show:
        lost = [
            json.dumps(
                {
                    "way": way,
                    "case": number,
                    "reply": case.reply,
                    "ours": codes["assembled"][number],
                    "other": codes[way][number],
                    "prompt": case.prompt,
                }
            )
            for number, case in enumerate(cases)
            for way in ways
            if way != "assembled"
            and passed.get(f"{way.replace(' ', '_')}-{number}.{case.ending}")
            and not passed.get(f"assembled-{number}.{case.ending}")
        ]
        arguments.show.write_text("\n".join(lost), encoding="utf-8")


if __name__ == "__main__":
    main()
