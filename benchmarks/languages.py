"""Measure, per language, how often `syntax` and `compile` flag valid files, and what broken ones they catch.

Valid are real files of the folders that are named (a standard library, node_modules, /usr/share, a registry
of crates), few of each folder, drawn with a fixed seed, without those that the language's own parser refuses
where it is here. Broken are the same files after one edit: a token removed or doubled, a bracket or quote
removed, the end cut off, a line of prose or a fence put in; those that the own parser still accepts are left
out, and where there is none, what is caught is a lower bound. Nothing of the files is run.

Usage: python benchmarks/languages.py [--files 250]
         [--corruptions 300] [--only LANGUAGE ...] [--compile] [FOLDER ...]
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from figures import percentile, table

from sandbox.choose import choose
from validators.compilers import place_javascript
from validators.compiling import Compile
from validators.languages import LANGUAGES
from validators.syntax import Syntax
from validators.validator import Given, Validator
from validators.verdict import Candidate, Verdict

FOLDERS = ("/usr/share", "/usr/lib", "/usr/include", sys.base_prefix, "node_modules", "~/.cargo/registry")
SMALLEST, LARGEST = 40, 60_000
PER_FOLDER = 3
SKIPPED = re.compile(r"/(?:tests?|testdata|fixtures?|templates?)/|bad|invalid|\.min\.")
TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|[^\s\w]")
NOT_SOURCE = re.compile(r"\{\{|\{%|<%|@[A-Z_]+@")
"""Templates of other programs, which only look like the language."""
REFERENCES = {
    "python": (sys.executable, "-I", "-S", "-c", "import ast, sys; ast.parse(open(sys.argv[1],'rb').read())"),
    "go": ("gofmt", "-e", "-l"),
    "javascript": ("node", "--check"),
    "ruby": ("ruby", "-c"),
    "php": ("php", "-l"),
    "bash": ("bash", "-n"),
    "rust": ("rustc", "-Zparse-crate-root-only", "--edition", "2021"),
    "typescript": ("esbuild", "--log-level=error"),
    "tsx": ("esbuild", "--log-level=error"),
    "yaml": ("ruby", "-ryaml", "-e", "YAML.parse_stream(File.read(ARGV[0]))"),
}
REFUSERS = {"c": ("gcc", "-fsyntax-only", "-w"), "cpp": ("g++", "-fsyntax-only", "-w")}
"""Compilers that know fragments, which are no files of their own, unless a header is missing."""
_FOR_RUSTC = {"RUSTC_BOOTSTRAP": "1"}
"""Lets a released rustc stop after parsing."""


HEAD = (
    *("language", "validator", "valid files", "flagged", "share", "undecided"),
    *("broken", "caught", "missed", "p50 ms"),
)


@dataclass(slots=True)
class Row:
    """What one validator did in one language."""

    valid: int = 0
    flagged: list[str] = field(default_factory=list)
    undecided: int = 0
    broken: int = 0
    caught: int = 0
    missed: Counter = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


def find_files(folders: list[str]) -> dict[str, list[Path]]:
    """Collect candidates by language, in a fixed order, each once whatever links lead to it."""
    endings = {ending: one.name for one in LANGUAGES.values() for ending in one.endings}
    endings.pop("h")  # C or C++: the ending does not tell
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for folder in folders:
        for path in walk(Path(folder).expanduser()):
            language = endings.get(path.suffix[1:])
            if language and not SKIPPED.search(str(path).lower()):
                found[language].setdefault(path.name + str(path.stat().st_size), path)
    return {language: sorted(paths.values()) for language, paths in found.items()}


def walk(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where, name)
            if not path.is_symlink() and path.is_file() and SMALLEST <= path.stat().st_size <= LARGEST:
                yield path


def draw(paths: list[Path], wanted: int, rng: random.Random) -> list[tuple[Path, str]]:
    """Take files from as many folders as possible that are text and no templates."""
    paths = list(paths)
    rng.shuffle(paths)
    taken: list[tuple[Path, str]] = []
    per_folder: Counter[Path] = Counter()
    for limit in (PER_FOLDER, LARGEST):
        for path in paths:
            if len(taken) == wanted:
                return taken
            if per_folder[path.parent] >= limit or any(path == one for one, _ in taken):
                continue
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            if text.strip() and not NOT_SOURCE.search(text):
                per_folder[path.parent] += 1
                taken.append((path, text))
    return taken


def corrupt(text: str, rng: random.Random) -> tuple[str, str]:
    """Make one edit and name it."""
    kind = rng.choice(("bracket", "token", "doubled", "quote", "truncated", "prose", "fence"))
    lines = text.split("\n")
    if kind == "truncated":
        at = rng.randrange(len(text) // 4, max(len(text) // 4 + 1, len(text) - 10))
        return kind, text[:at]
    if kind in {"prose", "fence"}:
        line = "Here is the corrected version of the file:" if kind == "prose" else "```"
        lines.insert(rng.randrange(len(lines)), line)
        return kind, "\n".join(lines)
    wanted = {"bracket": "()[]{}", "quote": "\"'`"}.get(kind, "")
    tokens = [match for match in TOKEN.finditer(text) if not wanted or match[0] in wanted]
    if not tokens:
        return "truncated", text[: len(text) // 2]
    token = rng.choice(tokens)
    new = f"{token[0]} {token[0]}" if kind == "doubled" else ""
    return kind, text[: token.start()] + new + text[token.end() :]


def is_broken(language: str, text: str, folder: str) -> bool | None:
    """Ask the language's own parser; None when there is none here."""
    command = REFERENCES.get(language)
    if command is None or shutil.which(command[0]) is None:
        return None
    name = f"a.{LANGUAGES[language].endings[0]}"
    path = Path(folder, place_javascript(name, text) if language == "javascript" else name)
    path.write_text(text, encoding="utf-8")
    environment = {**os.environ, **_FOR_RUSTC}
    done = subprocess.run(
        (*command, str(path)), capture_output=True, check=False, timeout=30, env=environment
    )
    return done.returncode != 0


async def judge(validator: Validator, language: str, name: str, text: str) -> Verdict:
    return await validator.judge(Candidate({name: text}, language), Given())


async def measure(
    validator: Validator, language: str, files: list[tuple[Path, str]], broken: list[tuple[str, str, str]]
) -> Row:
    row = Row()
    for path, text in files:
        began = time.perf_counter()
        verdict = await judge(validator, language, path.name, text)
        row.seconds.append(time.perf_counter() - began)
        row.valid += 1
        row.undecided += verdict.status == "unavailable"
        if verdict.status == "failed":
            remark = verdict.diagnostics[0]
            row.flagged.append(f"{path}:{remark.line}: {remark.message}")
    for kind, name, text in broken:
        verdict = await judge(validator, language, name, text)
        row.broken += 1
        row.caught += verdict.status == "failed"
        row.missed[kind] += verdict.status != "failed"
    return row


def break_files(language: str, files: list[tuple[Path, str]], wanted: int, rng: random.Random) -> list:
    """Make broken texts; those that a reference still accepts are left out."""
    broken: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(3 * wanted if files else 0):
            path, valid = rng.choice(files)
            kind, text = corrupt(valid, rng)
            if len(broken) < wanted and text.strip() and is_broken(language, text, folder) is not False:
                broken.append((kind, path.name, text))
    return broken


def keep_valid(language: str, files: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Leave out what the language's own parser refuses: another version, a dialect, a fragment."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            file
            for file in files
            if not (is_refused(language, file[0]) or is_broken(language, file[1], folder))
        ]


def is_refused(language: str, path: Path) -> bool:
    """Ask a compiler; it says nothing of a file whose headers are not here."""
    command = REFUSERS.get(language)
    if command is None or shutil.which(command[0]) is None:
        return False
    done = subprocess.run((*command, str(path)), capture_output=True, check=False, timeout=60, text=True)
    return done.returncode != 0 and "No such file" not in done.stderr


def describe(name: str, language: str, row: Row) -> list[object]:
    share = 100 * len(row.flagged) / max(1, row.valid)
    caught = 100 * row.caught / max(1, row.broken)
    worst = ", ".join(f"{kind} {count}" for kind, count in row.missed.most_common(3) if count)
    return [
        *(language, name, row.valid, len(row.flagged), f"{share:.1f} %", row.undecided),
        *(row.broken, f"{caught:.1f} %", worst, f"{percentile(row.seconds, 50) * 1e3:.1f}"),
    ]


async def main(options: argparse.Namespace) -> None:
    found = find_files(options.folders or list(FOLDERS))
    sandbox = choose()
    validators: list[Validator] = [Syntax(sandbox)]
    validators += [Compile(sandbox)] if options.compile else []
    rows = []
    for language in options.only or LANGUAGES:
        rng = random.Random(f"{language} {options.seed}")  # noqa: S311 - a sample, no secret
        files = keep_valid(language, draw(found.get(language, []), options.files, rng))
        broken = break_files(language, files, options.corruptions, rng)
        for validator in validators:
            if len(files) < 2:
                continue
            row = await measure(validator, language, files, broken)
            rows.append(describe(validator.name, language, row))
            for line in row.flagged[: options.show]:
                print(f"{validator.name} flags {line}", file=sys.stderr)
            print(f"{language} {validator.name}: {rows[-1]}", file=sys.stderr)
    print(table(HEAD, rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--files", type=int, default=250)
    parser.add_argument("--corruptions", type=int, default=300)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--compile", action="store_true", help="measure `compile` too, which takes long")
    anyio.run(main, parser.parse_args())
