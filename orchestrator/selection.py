"""Choose, among blocks of one language in one reply, those that are the answer."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.repairs import repair
from validators.parsers import ParserLimitError, parse_python, parses
from validators.unfinished import find_unfinished

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_DEFINITION = re.compile(
    r"^(?:(?:export|default|pub(?:\([\w ]*\))?|public|private|protected|internal|static|async|abstract|final|"
    r"sealed|partial|unsafe|inline|constexpr|template\s*<[^>\n]*>|CREATE(?: OR REPLACE)?)\s+)*"
    r"(?:(?:function\*?|class|interface|enum|struct|trait|type|fn|func|def|module|namespace|record|union|"
    r"TABLE(?: IF NOT EXISTS)?|VIEW|FUNCTION|PROCEDURE)\s+(?:\([^)\n]*\)\s*)?(?P<named>[A-Za-z_$][\w$.]*)"
    r"|(?:const|let|var)\s+(?P<bound>[A-Za-z_$][\w$]*)\s*(?::[^=\n]+)?=\s*"
    r"(?:async\b|function\b|class\b|\(|[\w$]+\s*=>)"
    r"|(?P<shell>[\w-]+)\s*\(\)\s*\{"
    r"|[A-Za-z_][\w:<>,*& \t]*?[\s*&](?P<c>[A-Za-z_]\w*)\s*\([^;{}]{0,400}\)\s*(?:const\s*)?\{)",
    re.MULTILINE,
)
_PREAMBLE = re.compile(
    r"\s*(?:import\b|from\b|use\b|using\b|#\s*include|#\s*define|require\b|package\b|(?:const|let|var)\b|//|#|/?\*|$)"
)
_TEST = re.compile(r"(?i:test)|[\w]+Tests?$|Spec$")


@dataclass(frozen=True, slots=True)
class Selection:
    """The text of the answer, and whether it had to be put together."""

    text: str
    is_joined: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """One block and what it is about."""

    text: str
    parses: bool
    defines: frozenset[str]
    uses: frozenset[str]


def select(texts: Sequence[str], language: str) -> Selection:
    """Choose the answer among blocks: the last complete definition of each name wins.

    Drafts whose names are defined again later, tests, examples of use and quotations are left out; what then
    remains and defines different names is joined in order. Without any definition (JSON, YAML, CSS ...) the
    last block wins that is at least half as long as the longest.
    """
    if len(texts) == 1:
        return Selection(repair(texts[0], language))
    whole = _continued(texts, language)
    if whole:
        return Selection(whole, is_joined=True)
    parts = [_read(text, language) for text in dict.fromkeys(repair(text, language) for text in texts)]
    whole_parts = [part for part in parts if part.parses]
    if any(part.defines for part in whole_parts) or not any(part.defines for part in parts):
        parts = whole_parts or parts
    defining = [part for part in parts if part.defines]
    if not defining:
        longest = max(len(part.text) for part in parts)
        return Selection([part.text for part in parts if 2 * len(part.text) >= longest][-1])
    kept = _latest(_untested(defining), language)
    preamble = [part for part in parts if _is_preamble(part, parts, kept)]
    chosen = [part for part in parts if part in preamble or part in kept]
    return Selection("\n\n".join(part.text.strip("\n") for part in chosen) + "\n", len(chosen) > 1)


def _read(text: str, language: str) -> _Part:
    return _Part(text, parses(text, language), definitions(text, language), frozenset(_WORD.findall(text)))


def definitions(text: str, language: str) -> frozenset[str]:
    """Collect the names of functions and types that a text defines at its top level."""
    if language == "python":
        try:
            module = parse_python(text)
        except (SyntaxError, ParserLimitError):
            return frozenset(re.findall(r"^(?:async )?(?:def|class) (\w+)", text, re.MULTILINE))
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        return frozenset(node.name for node in module.body if isinstance(node, kinds))
    return frozenset(
        next(name for name in match.groups() if name) for match in _DEFINITION.finditer(text)
    ) - {"if", "for", "while", "switch"}


def _continued(texts: Sequence[str], language: str) -> str:
    """Join blocks of which a later one goes on inside what an earlier one opened; empty when none does."""
    together = "\n".join(texts)
    goes_on = any(text[:1] in {" ", "\t"} for text in texts[1:]) and not texts[0][:1].isspace()
    return together if goes_on and parses(together, language) else ""


def _untested(parts: list[_Part]) -> list[_Part]:
    """Drop blocks that only test, and those that import what another block defines."""
    works = [part for part in parts if not all(_TEST.match(name) for name in part.defines)]
    return works or parts


def _latest(parts: list[_Part], language: str) -> list[_Part]:
    """Keep of several definitions of the same names the last complete one."""
    kept: list[_Part] = []
    for part in reversed(parts):
        overlap = [later for later in kept if later.defines & part.defines]
        if any(part.defines <= later.defines for later in overlap):
            continue
        if overlap:
            kept = [later for later in kept if later not in overlap or _adds(later, part, language)]
        kept.insert(0, part)
    return kept


def _adds(later: _Part, whole: _Part, language: str) -> bool:
    """Tell whether a later, smaller block corrects a larger one rather than quotes or explains it.

    Only where a second definition replaces the first can both stand in one file.
    """
    is_quote = _squeezed(later.text) in _squeezed(whole.text)
    return (
        language in {"python", "javascript", "ruby"}
        and not is_quote
        and not find_unfinished(later.text, language)
    )


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _is_preamble(part: _Part, parts: list[_Part], kept: list[_Part]) -> bool:
    """Tell whether a block without definitions is the imports and constants of the work below it."""
    if part.defines or not part.parses or not kept or parts.index(part) > parts.index(kept[0]):
        return False
    uses_work = any(part.uses & work.defines for work in kept)
    is_used = any(_bound(part) & work.uses for work in kept)
    return is_used and not uses_work and all(_PREAMBLE.match(line) for line in _openings(part.text))


def _bound(part: _Part) -> frozenset[str]:
    return part.uses - {"import", "from", "use", "using", "include", "const", "let", "var", "as"}


def _openings(text: str) -> list[str]:
    """List the lines that begin a statement, less plain assignments of constants."""
    lines = [line for line in text.split("\n") if line[:1].strip() and line[0] not in ")]}"]
    return [line for line in lines if not re.match(r"[A-Z_][A-Z0-9_]*\s*(?::[^=]+)?=", line)]
