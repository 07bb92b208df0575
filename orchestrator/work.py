"""Make the candidate of a reply: what it changes, what it was made from, or why it cannot be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.assemble import assemble_files
from orchestrator.deliver import digest_of
from orchestrator.extract import Extraction
from orchestrator.job import Job
from orchestrator.outcome import Attempt
from orchestrator.prompting import describe_verdicts
from orchestrator.scope import find_overreach
from orchestrator.taking import take_work
from orchestrator.task import Task
from validators.verdict import Candidate, Diagnostic, Verdict


@dataclass(frozen=True, slots=True)
class Work:
    """What a reply came to."""

    candidate: Candidate
    """What is to be judged; of a rejected reply the work that stands in its place, if any does."""
    read: Mapping[str, str]
    message: str
    rejection: Verdict | None = None


def take_candidate(job: Job, base: Attempt | None, seen: Mapping[str, str], text: str) -> Work:
    """Take the candidate out of a reply; reads files and waits for parsers, so it runs in a thread."""
    task = job.brief.task
    shown = {task.write_to, *job.files, *(one.path for one in job.brief.context)}
    extraction = take_work(job.roots, task, text, base.files if base else job.files, shown)
    removed = _still_removed(base, extraction)
    overreach = find_overreach(job.roots, task, extraction.files, shown, removed)
    if extraction.problems or overreach or not (extraction.files or removed):
        verdict = _reject_reply((*extraction.problems, *overreach), extraction.flags)
        return _rejected(base, verdict, describe_verdicts([verdict]))
    if dict(extraction.files) == dict(job.files) and not removed:
        said = Diagnostic("the answer leaves the file exactly as it was", code="unchanged")
        return _rejected(None, _reject_reply((said,), ()), said.message)
    read = _digest_read(base, seen, extraction, (*extraction.files, *removed))
    candidate, added = _complete(Candidate(extraction.files, extraction.language, removed), task, extraction)
    return Work(candidate, read, ", ".join([*extraction.flags, *(f"added {name}" for name in added)]))


def _rejected(base: Attempt | None, verdict: Verdict, message: str) -> Work:
    """Keep the work that was to be revised, whole, so that the next reply can still revise it."""
    if base is None:
        return Work(Candidate({}, ""), {}, message, verdict)
    return Work(base.candidate, base.read, message, verdict)


def _digest_read(
    base: Attempt | None, seen: Mapping[str, str], extraction: Extraction, paths: Sequence[str]
) -> dict[str, str]:
    """Tell what each file was when the work was made from it: what was shown, else what was found.

    Revised work was made from what its first version was made from, however long ago that was.
    """
    found = {path: digest_of(text) for path, text in extraction.found.items()}
    held = {**found, **seen, **(base.read if base else {})}
    return {path: held.get(path, "") for path in paths}


def _still_removed(base: Attempt | None, extraction: Extraction) -> tuple[str, ...]:
    """Name what goes: by this answer, or by the one that it revises and does not contradict."""
    before = base.removed if base and extraction.files.keys() & base.files.keys() else ()
    gone = dict.fromkeys((*before, *extraction.removed))
    return tuple(path for path in gone if path not in extraction.files)


def _complete(candidate: Candidate, task: Task, extraction: Extraction) -> tuple[Candidate, tuple[str, ...]]:
    """Add to a single whole answer what its task already held; says what was added."""
    if "edits" in extraction.flags:
        return candidate, ()
    files, added = assemble_files(candidate.files, candidate.language, task.task, task.tests)
    return replace(candidate, files=files), added


def _reject_reply(problems: Sequence[Diagnostic], flags: Sequence[str]) -> Verdict:
    said = f"the reply holds no usable work ({', '.join(flags) or 'empty'}); answer with the complete file"
    return Verdict("extraction", "failed", 1.0, tuple(problems) or (Diagnostic(said),))
