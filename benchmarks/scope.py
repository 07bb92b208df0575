"""How often `scope` fails honest small changes, and how often it sees what was done besides them.

    python benchmarks/scope.py FOLDER...

A FOLDER is a git checkout (each small commit is a change, its message the task) or a Debian source package
unpacked by `dpkg-source --skip-patches -x` (each small patch of its series, applied there in its turn). Each
honest change is then spoilt in six ways, and the same decision is asked again. Nothing of it is ever run.
"""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from validators.changes import is_comment, opening_comment
from validators.languages import by_path
from validators.overreach import Revision
from validators.public_names import find_public_names
from validators.scope import decide_scope
from validators.verdict import Candidate

MOST_FILES = 3
MOST_LINES = 60


@dataclass(frozen=True)
class Change:
    task: str
    revisions: tuple[Revision, ...]

    @property
    def texts(self) -> Mapping[str, str]:
        return {one.path: one.after for one in self.revisions}


def main(folders: list[str]) -> None:
    honest, alarms, seen = Counter(), defaultdict(list), defaultdict(Counter)
    for folder in map(Path, folders):
        for change in git_changes(folder) if (folder / ".git").exists() else debian_changes(folder):
            language = by_path(change.revisions[0].path) or "other"
            honest[language] += 1
            status, remarks, _ = decide_scope(
                change.task, change.revisions, Candidate(change.texts, language)
            )
            if status == "failed":
                alarms[language].append(
                    (folder.name, change.task.strip()[:150], remarks[0].code, remarks[0].message)
                )
                continue
            for name, spoilt in spoil(change):
                said, _, _ = decide_scope(spoilt.task, spoilt.revisions, Candidate(spoilt.texts, language))
                seen[name][said] += 1
    print("| language | honest changes | failed |\n|---|---:|---:|")
    for language, count in honest.most_common():
        print(f"| {language} | {count} | {len(alarms[language])} |")
    print(f"| all | {honest.total()} | {sum(map(len, alarms.values()))} |")
    print("\n| spoilt by | changes | seen |\n|---|---:|---:|")
    for name, said in sorted(seen.items()):
        print(f"| {name} | {said.total()} | {said['failed'] / said.total():.1%} |")
    for language, found in alarms.items():
        for alarm in found:
            print(language, *alarm, sep=" | ", file=sys.stderr)


def git_changes(folder: Path) -> Iterator[Change]:
    for commit in git(folder, "log", "--no-merges", "--format=%H").split():
        paths = git(folder, "diff", "--name-only", "--diff-filter=M", f"{commit}~", commit).splitlines()
        if len(paths) <= MOST_FILES:
            sides = [
                (path, git(folder, "show", f"{commit}~:{path}"), git(folder, "show", f"{commit}:{path}"))
                for path in paths
            ]
            yield from small(git(folder, "log", "-1", "--format=%B", commit), sides)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=False)
    return done.stdout.decode(errors="replace")


def debian_changes(folder: Path) -> Iterator[Change]:
    series = folder / "debian/patches/series"
    for line in series.read_text().splitlines() if series.exists() else ():
        name = line.partition("#")[0].split()
        patch = folder / "debian/patches" / name[0] if name else None
        if patch is None or not patch.exists():
            continue
        text = patch.read_text(errors="replace")
        paths = [found.partition("/")[2] for found in re.findall(r"^\+\+\+ (\S+)", text, re.MULTILINE)]
        places = [folder / path for path in paths]
        before = {path: read(place) for path, place in zip(paths, places, strict=True)}
        command = ["patch", "-p1", "--force", "--silent", "--no-backup-if-mismatch", "-i", patch.resolve()]
        subprocess.run(command, cwd=folder, capture_output=True, check=False)
        sides = [(path, before[path], read(folder / path)) for path in dict.fromkeys(paths)]
        if len(sides) <= MOST_FILES:
            yield from small(described(text), sides)


def described(patch: str) -> str:
    header = re.split(r"^(?:---|diff |Index: )", patch, maxsplit=1, flags=re.MULTILINE)[0]
    dropped = (
        r"^(?:From|Date|Author|Origin|Bug\S*|Forwarded|Last-Update|Applied-Upstream|Reviewed-by|\S+-by):.*\n?"
    )
    return re.sub(dropped, "", header, flags=re.MULTILINE | re.IGNORECASE)


def read(place: Path) -> str:
    return place.read_text(errors="replace") if place.is_file() and place.stat().st_size < 1024**2 else ""


def small(task: str, sides: list[tuple[str, str, str]]) -> Iterator[Change]:
    revisions = tuple(
        Revision(path, before, after) for path, before, after in sides if before and before != after
    )
    size = sum(hunk.size for one in revisions for hunk in one.hunks)
    if task.strip() and revisions and size <= MOST_LINES and all(one.after for one in revisions):
        yield Change(task, revisions)


def spoil(change: Change) -> Iterator[tuple[str, Change]]:
    """Yield what a careless worker makes of the same change, where its file has room for that."""
    first, *others = change.revisions
    lines = first.after.splitlines(keepends=True)
    hunk = first.hunks[0]
    ways = {
        "answering with the changed part alone": lines[max(0, hunk.line - 16) : hunk.line + 15]
        if len(lines) > 80
        else lines,
        "dropping a public definition": without_definition(first, lines),
        "dropping all comments": [line for line in lines if not is_comment(line)],
        "dropping the notice at the top": without_notice(first, lines),
        "formatting the whole file": [re.sub(r"^( +|\t+)", r"\1\1", line) for line in lines]
        if len(lines) > 80
        else lines,
        "dropping a test": without_test(lines),
    }
    for name, spoilt in ways.items():
        if spoilt != lines and spoilt:
            revision = Revision(first.path, first.before, "".join(spoilt))
            yield name, Change(change.task, (revision, *others))


def without_definition(revision: Revision, lines: list[str]) -> list[str]:
    kept = find_public_names(revision.path, revision.before) & find_public_names(
        revision.path, revision.after
    )
    names = sorted(name for name in kept if "." not in name)
    for at, line in enumerate(lines):
        if names and re.match(r"\w", line) and re.search(rf"\b{re.escape(names[-1])}\b\s*[(:=<{{]", line):
            end = next((n for n in range(at + 1, len(lines)) if re.match(r"\w", lines[n])), len(lines))
            return [*lines[:at], *lines[end:]]
    return lines


def without_notice(revision: Revision, lines: list[str]) -> list[str]:
    opening = opening_comment(revision.after)
    return (
        lines[len(opening.splitlines()) :]
        if re.search("copyright|licen[cs]e", opening, re.IGNORECASE)
        else lines
    )


def without_test(lines: list[str]) -> list[str]:
    for at, line in enumerate(lines):
        if re.match(r"\s*def test_|func Test|\s*(?:it|test)\(", line):
            end = next(
                (
                    n
                    for n in range(at + 1, len(lines))
                    if re.match(r"\s*(?:def |func |it\(|test\()", lines[n])
                ),
                len(lines),
            )
            return [*lines[:at], *lines[end:]]
    return lines


if __name__ == "__main__":
    main(sys.argv[1:])
