"""What parts of the documents say about a question, with the passages that prove it. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.rlm.analysis import Citation
from orchestrator.rlm.chunks import Chunk
from orchestrator.rlm.quotes import How, lines_of, locate_first
from orchestrator.rlm.sources import Source

_CUT_OFF = " ..."


@dataclass(frozen=True, slots=True)
class Passage:
    """A located quote."""

    source: Source
    start: int
    end: int
    how: How

    @property
    def text(self) -> str:
        """The words as the document has them."""
        return self.source.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Finding:
    """Notes and the passages that prove them; without passages they are a model's word only."""

    notes: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Sorted:
    """Quotes that stand in the documents, and those that do not."""

    found: tuple[Passage, ...]
    missing: tuple[str, ...]


NO_QUOTES = Sorted((), ())


def sort_quotes(quotes: Iterable[str], places: Sequence[Chunk | Passage]) -> Sorted:
    """Look for each quote in the places; repetitions count once."""
    found: list[Passage] = []
    missing: list[str] = []
    spans = [(place.source.text, place.start, place.end) for place in places]
    for quote in dict.fromkeys(quotes):
        hit = locate_first(quote, spans)
        if hit is None:
            missing.append(quote)
        else:
            index, located = hit
            found.append(Passage(places[index].source, located.start, located.end, located.how))
    return Sorted(tuple(dict.fromkeys(found)), tuple(missing))


def cite(passage: Passage) -> Citation:
    """Give a passage the form that leaves the analysis."""
    lines = lines_of(passage.source.text, passage.start, passage.end)
    return Citation(passage.source.path, passage.start, passage.end, lines, passage.text, passage.how)


def show_documents(chunks: Iterable[Chunk]) -> str:
    """Fence pieces off by marks that they cannot contain, so that no document can pretend to have ended."""
    return "\n\n".join(map(_show_document, chunks))


def show_finding(finding: Finding, cap: int) -> str:
    """Write a finding in at most `cap` characters: notes first, then as many passages as fit."""
    text = shorten(finding.notes, cap)
    text += "" if finding.passages else " (not proven: no quote of it stands in the documents)"
    for passage in finding.passages:
        line = f'\n- "{passage.text}"'
        if len(text) + len(line) <= cap:
            text += line
    return shorten(text, cap)


def shorten(text: str, cap: int) -> str:
    """Cut a text off visibly."""
    return text if len(text) <= cap else text[: max(0, cap - len(_CUT_OFF))] + _CUT_OFF


def join_findings(findings: Iterable[Finding], cap: int) -> Finding:
    """Put findings one after the other without a model, in at most about `cap` characters of notes."""
    findings = tuple(findings)
    share = cap // max(1, len(findings))
    passages = dict.fromkeys(passage for finding in findings for passage in finding.passages)
    return Finding("\n".join(shorten(finding.notes, share) for finding in findings), tuple(passages))


def _show_document(chunk: Chunk) -> str:
    text = chunk.text
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    place = f" ({chunk.breadcrumb})" if chunk.breadcrumb else ""
    return f"<document-{mark}> {chunk.source.path}{place}\n{text}\n</document-{mark}>"
