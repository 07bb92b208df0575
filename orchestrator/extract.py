"""Take the work out of a model's reply: which files, in which language, and what is odd about them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.changes import apply_changes, named_paths
from orchestrator.edits import Edited
from orchestrator.fences import Block, are_related, find_blocks
from orchestrator.patches import Orders, cut_orders, parse_patches
from orchestrator.prose import find_code, is_cut_off
from orchestrator.quoting import set_aside
from orchestrator.repairs import repair
from orchestrator.replies import Reply, open_json, peel
from orchestrator.safe_paths import path_problem, safe_path
from orchestrator.selection import definitions, select
from orchestrator.styles import restyle_whole
from validators.languages import LANGUAGES, TEXT, by_path, ending, find_language
from validators.unfinished import find_unfinished
from validators.verdict import Diagnostic

MAX_CHARACTERS = 1_000_000
"""Of a reply; what comes after is not looked at."""

_REFUSAL = re.compile(
    r"\bI(?:['\u2019]m| am) (?:sorry|unable|not able)\b"
    r"|\bI (?:can(?:no|['\u2019])t|won['\u2019]t|will not) (?:\w+ )?"
    r"(?:help|assist|provide|comply|do|write|generate|fulfil)"
    r"|\bAs an AI\b",
    re.IGNORECASE,
)
_REFUSAL_CHARACTERS = 400
_SHELLS = frozenset({"bash", TEXT})

_EXPLANATIONS = {
    "truncated": "the answer ends in the middle; give it whole and shorter, or only the part that changes",
    "no_code": "the answer holds no code; answer with the finished code in one fenced block",
    "refusal": "the model declined the task",
}


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a reply came to."""

    files: Mapping[str, str]
    """Relative POSIX path to text; empty when there is nothing to judge."""
    language: str
    flags: tuple[str, ...] = ()
    """Of `truncated`, `unclosed_fence`, `joined`, `stub`, `elided`, `edits`, `no_code`, `refusal`."""
    problems: tuple[Diagnostic, ...] = ()
    """Why the files cannot be used as they are; a stub or an elision is left to the validators."""
    removed: tuple[str, ...] = ()
    """Files that the reply deletes or gives another name, in so many words."""
    found: Mapping[str, str] = field(default_factory=dict)
    """Path to what the workspace holds there, of files that had to be read for this."""


def extract(
    reply: str,
    *,
    language: str,
    target: str = "",
    previous: Mapping[str, str] | None = None,
    known: Mapping[str, str] | None = None,
) -> Extraction:
    """Take the candidate out of a reply.

    Args:
        reply: The text of the model's answer, thoughts and all.
        language: What was asked for; empty to take it from `target`, `previous` or the reply.
        target: The file that an answer without a name becomes; else `solution.<ending>`.
        previous: The files that were revised; edits apply to them, and those not mentioned are kept.
        known: More files that edits, patches and deletions may be about; taken in where those change them.
    """
    left = peel(reply[:MAX_CHARACTERS])
    asked = _asked(language, target, dict(previous or {}), dict(known or {}))
    quoting = set_aside(left.text, asked.language)
    orders = cut_orders(quoting.text)
    orders = replace(orders, rest=quoting.restore(orders.rest))
    if orders.said and find_blocks(orders.rest, asked.language):
        return _with_orders(orders, left, asked)
    edited = _change(quoting.text, asked)
    return _edited(edited, asked) if edited else _from_reply(left, asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the caller asked for."""

    language: str
    target: str
    previous: dict[str, str]
    known: dict[str, str]
    """What there is beyond that."""

    def name(self, language: str) -> str:
        return self.target or f"solution.{ending(language)}"


def _asked(language: str, target: str, previous: dict[str, str], known: dict[str, str]) -> _Asked:
    spoken = find_language(language) or language or by_path(target) or _language_of(previous)
    only = next(iter(previous)) if len(previous) == 1 else ""
    return _Asked(spoken, target or only, previous, known)


def _language_of(files: Mapping[str, str]) -> str:
    languages = {by_path(path) for path in files}
    return (languages.pop() or "") if len(languages) == 1 else ""


def _change(text: str, asked: _Asked) -> Edited | None:
    """Apply what the reply says about files there are; in prose, a patch of no such file is an example."""
    there = {**asked.known, **asked.previous}
    is_patch_file = asked.target.endswith((".patch", ".diff"))
    is_example = asked.language in {TEXT, "markdown"} and not there.keys() & set(named_paths(text))
    if is_patch_file or is_example or not (there or parse_patches(text)):
        return None
    return apply_changes(there, text)


def _edited(edited: Edited, asked: _Asked) -> Extraction:
    """Keep of the changed files those that were revised and those that differ; new names obey the rules."""
    there = {**asked.known, **asked.previous}
    kept = {
        path: text
        for path, text in edited.files.items()
        if path in asked.previous or asked.known.get(path) != text
    }
    problems = list(edited.problems)
    for path in sorted((edited.files.keys() - there.keys()) | set(edited.removed)):
        message = path_problem(path, allowed={asked.target})
        problems += [Diagnostic(message, file=path, code="unsafe_path")] if message else []
    if problems:
        return _finish({}, asked, ["edits"], problems)
    return replace(_finish(kept, asked, ["edits"], []), removed=edited.removed)


def _with_orders(orders: Orders, left: Reply, asked: _Asked) -> Extraction:
    """Take files from fences beside lines that delete or rename others."""
    edited = _change(orders.said, asked)
    if edited is None:
        return _from_reply(replace(left, text=orders.rest), asked)
    ordered = _edited(edited, asked)
    if ordered.problems:
        return ordered
    previous = {path: text for path, text in ordered.files.items() if path in asked.previous}
    made = _from_reply(replace(left, text=orders.rest), replace(asked, previous=previous))
    files = {**ordered.files, **made.files} if made.files else {}
    return replace(made, files=files, removed=tuple(path for path in edited.removed if path not in files))


def _from_reply(left: Reply, asked: _Asked) -> Extraction:
    """Take whole files, or the one file that a reply is."""
    if asked.language == TEXT:
        return _as_text(left.text, asked)
    opened = (open_json(left.text) if asked.language != "json" else None) or left
    if opened.files:
        return _named(opened.files, asked, [])
    return _from_blocks(opened, asked) or _from_prose(opened, asked)


def _as_text(text: str, asked: _Asked) -> Extraction:
    """Take the whole reply as the answer."""
    if not text.strip():
        return _nothing(text, asked)
    files = {asked.target or f"answer.{ending(TEXT)}": text.strip() + "\n"}
    return Extraction(files, TEXT, ("refusal",) if _is_refusal(text) else ())


def _from_blocks(left: Reply, asked: _Asked) -> Extraction | None:
    blocks = [_uncovered(block, asked.language) for block in find_blocks(left.text, asked.language)]
    if not blocks:
        return None
    asked = replace(asked, language=asked.language or _spoken(blocks))
    named = [block for block in blocks if block.path]
    plain = _wanted([block for block in blocks if not block.path], asked.language)
    if not named and not _is_work(plain, left.text, asked.language):
        return None
    files = {block.path: repair(block.text, block.language or asked.language) for block in named}
    flags = ["truncated"] if left.is_cut else []
    if plain and (not named or asked.target not in {"", *files}):
        chosen = select([block.text for block in plain], asked.language)
        files[asked.name(asked.language)] = chosen.text
        flags += ["joined"] * chosen.is_joined
    is_unclosed = not blocks[-1].is_closed and _holds(files, blocks[-1].text)
    return _named(files, asked, flags + ["unclosed_fence"] * is_unclosed)


def _holds(files: Mapping[str, str], text: str) -> bool:
    return any(text.strip() in file for file in files.values())


def _uncovered(block: Block, language: str) -> Block:
    """Drop the prose behind the code of a block that was never closed."""
    code = "" if block.is_closed else find_code(block.text, block.language or language)
    return replace(block, text=code) if code else block


def _is_work(plain: Sequence[Block], text: str, language: str) -> bool:
    """Tell whether blocks are the work, not merely the output of code that stands outside of any fence."""
    if any(block.tag or definitions(block.text, language) for block in plain):
        return True
    if not plain:
        return False
    before = text.partition("```")[0]
    return not definitions(find_code(before, language), language)


def _spoken(blocks: Sequence[Block]) -> str:
    """Tell the language of a reply from its blocks; shell and output only when there is nothing else."""
    languages = [block.language for block in blocks if block.language]
    return next((language for language in languages if language not in _SHELLS), "") or (
        languages[0] if languages else ""
    )


def _wanted(blocks: Sequence[Block], language: str) -> list[Block]:
    """Choose the blocks that may be the answer: of the language, else without a tag, else of a kin."""
    own = [block for block in blocks if block.language and are_related(block.language, language)]
    if language == "markdown":
        return own  # fences are part of such a text
    untagged = [block for block in blocks if not block.tag]
    if own and not any(definitions(block.text, language) for block in own):
        own += [block for block in untagged if definitions(block.text, language)]
    unknown = [block for block in blocks if not block.language and block.tag]
    return own or untagged or unknown


def _named(files: Mapping[str, str], asked: _Asked, flags: list[str]) -> Extraction:
    """Give the files their final names, refusing those that may not be written."""
    result: dict[str, str] = {}
    problems: list[Diagnostic] = []
    allowed = {asked.target, *asked.previous}
    for label, text in files.items():
        name = _resolve(label, asked, alone=len(files) == 1)
        path = safe_path(name, allowed=allowed)
        if path is None:
            message = path_problem(name, allowed=allowed)
            problems.append(Diagnostic(message, file=name, code="unsafe_path"))
        else:
            result[path] = text
    there = {**asked.known, **asked.previous}
    result = {path: restyle_whole(text, there.get(path, "")) for path, text in result.items()}
    if result.keys() & asked.previous.keys():
        result = {**asked.previous, **result}
    return _finish(result, asked, flags, problems)


def _resolve(label: str, asked: _Asked, *, alone: bool) -> str:
    """Tell which file a label means: `calc.py` is `src/calc.py` when that is the one that is known."""
    known = {asked.target, *asked.previous} - {""}
    if label in known:
        return label
    ends = [path for path in known if path.endswith(f"/{label}") or label.endswith(f"/{path}")]
    if len(ends) == 1:
        return ends[0]
    is_target = alone and asked.target and not asked.previous and by_path(label) == by_path(asked.target)
    return asked.target if is_target else label


def _from_prose(left: Reply, asked: _Asked) -> Extraction:
    """Take code that stands in no fence, or say that there is none."""
    if not asked.language:
        return _as_text(left.text, asked)
    if asked.language not in LANGUAGES:
        return _named({asked.name(asked.language): left.text.strip() + "\n"}, asked, [])
    text = left.text if asked.language == "markdown" else left.text.partition("\n```")[0]
    code = find_code(repair(text, asked.language), asked.language)
    if not code.strip() or (_is_refusal(text) and not definitions(code, asked.language)):
        return _nothing(left.text, asked)
    flags = ["truncated"] if left.is_cut or is_cut_off(code, asked.language) else []
    return _named({asked.name(asked.language): repair(code, asked.language)}, asked, flags)


def _nothing(text: str, asked: _Asked) -> Extraction:
    return _finish({}, asked, ["refusal", "no_code"] if _is_refusal(text) else ["no_code"], [])


def _is_refusal(text: str) -> bool:
    return bool(_REFUSAL.search(text[:_REFUSAL_CHARACTERS]))


def _finish(
    files: Mapping[str, str], asked: _Asked, flags: list[str], problems: list[Diagnostic]
) -> Extraction:
    """Add what can be seen in the files themselves, and the sentence for each flag that needs one."""
    language = asked.language or _language_of(files) or TEXT
    if "unclosed_fence" in flags and any(
        is_cut_off(text, by_path(path) or language) for path, text in files.items()
    ):
        flags.append("truncated")
    for path, text in files.items():
        known = {remark.message for remark in find_unfinished(asked.previous.get(path, ""), language)}
        found = find_unfinished(text, by_path(path) or language)
        flags += [remark.code for remark in found if remark.message not in known]
    unique = tuple(dict.fromkeys(flags))
    said = [Diagnostic(_EXPLANATIONS[flag], code=flag) for flag in unique if flag in _EXPLANATIONS]
    return Extraction(files, language, unique, tuple(problems + said))
