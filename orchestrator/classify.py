"""Judge a request before anyone is asked: how hard, of what kind, in which language. Rules only."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.signals import CODE, DOMAINS, SIGNALS, Domain, Effect
from validators.languages import LANGUAGES, by_path, find_language

_HEAD = 12_000
_TAIL = 4_000
_TITLE = 200


@dataclass(frozen=True, slots=True)
class ContextFile:
    """A file that the worker will be shown."""

    path: str
    size_bytes: int
    lines: int


@dataclass(frozen=True, slots=True)
class Classification:
    """What a request looks like. Which task type a complexity means is the policy's to say."""

    complexity: float
    """0-10."""
    domain: Domain
    language: str
    """A key of `LANGUAGES`; empty when nothing tells."""
    reasons: tuple[str, ...]
    """Fragments a user reads, the weightiest first."""
    confidence: float
    """0-1, of the complexity; rules of this kind are right on about half of terse requests."""


def classify(text: str, context: Sequence[ContextFile] = ()) -> Classification:
    """Classify by the request's words and the size of its context.

    Looks at the first 12 000 and the last 4 000 characters, so 5 MB cost no more than 16 KB. What the first
    line says weighs more than what the rest mentions.
    """
    seen = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    language, spoken = _language(seen, context)
    domain, kind = _domain(seen, language)
    complexity, reasons, confidence = _complexity(seen, domain)
    extra, sizes = _context_weight(context)
    reasons = [reason for reason in (*reasons, kind, spoken, *sizes) if reason]
    total = complexity if complexity >= _SEVERE else min(_BROAD_MOST, complexity + extra)
    return Classification(round(total, 2), domain, language, tuple(reasons), confidence)


_TRIVIAL = 1.4
_SMALL = 2.4
_ORDINARY = 4.2
_BROAD = 6.4
_BROAD_MOST = 8.8
_SEVERE = 9.1
_FEW_FILES = 3
_FEW_LINES = 1_500
_STEP = 0.5


def _complexity(text: str, domain: Domain) -> tuple[float, list[str], float]:
    """Weigh the signals: the title decides the band, the body moves within it."""
    title, body = _title_and_body(text.lower())
    said = {signal.reason: signal.effect for signal in SIGNALS if signal.pattern.search(title)}
    mentioned = {
        signal.reason: signal.effect
        for signal in SIGNALS
        if signal.reason not in said and body and signal.pattern.search(body)
    }
    if domain in {"general", "extraction"}:
        return (2.5 if len(text) < _HEAD else 3.5), [], 0.6
    score, decisive = _band(title, body, said, mentioned)
    reasons = [reason for reason, effect in said.items() if effect == decisive]
    reasons += [
        reason for reason, effect in mentioned.items() if effect == decisive and reason not in reasons
    ]
    others = [reason for reason in said if reason not in reasons]
    confidence = min(0.9, 0.45 + 0.15 * len(reasons)) - 0.1 * bool(others)
    found = reasons + others or ["shows no sign of special size or risk"]
    return score, found, round(max(0.3, confidence), 2)


def _title_and_body(text: str) -> tuple[str, str]:
    first, _, rest = text.strip().partition("\n")
    return first[:_TITLE], f"{first[_TITLE:]}\n{rest}".strip()


def _band(
    title: str, body: str, said: dict[str, Effect], mentioned: dict[str, Effect]
) -> tuple[float, Effect]:
    effects = Counter(said.values())
    weak = Counter(mentioned.values())
    if effects["trivial"] and not effects["broad"]:
        return _TRIVIAL + min(1.0, _STEP * (weak["broad"] + weak["severe"])), "trivial"
    if effects["severe"]:
        return min(9.9, _SEVERE + 0.2 * (effects["severe"] + weak["severe"] - 1)), "severe"
    if effects["broad"]:
        return min(_BROAD_MOST, _BROAD + _STEP * (effects["broad"] - 1 + weak["broad"])), "broad"
    if effects["small"] and not effects["ordinary"]:
        return _SMALL, "small"
    if weak["broad"] > 1 or weak["severe"] > 1:
        return (_BROAD, "broad") if weak["broad"] > 1 else (_SEVERE, "severe")
    if _is_tiny(title) and not body and not effects["ordinary"]:
        return _SMALL, "small"
    return _ORDINARY + min(1.5, _STEP * weak["broad"] + _STEP * weak["severe"] + _demands(body)), "ordinary"


def _is_tiny(title: str) -> bool:
    """Tell whether the whole request is a short order of the everyday kind."""
    return len(title) <= 48 and bool(
        re.match(r"(?:fix|update|correct|mark|remove|add missing|use|hide)\b", title)
    )


def _demands(body: str) -> float:
    """Weigh a list of requirements: each line of it is something that can go wrong."""
    return min(1.0, 0.1 * len(re.findall(r"^\s*(?:[-*]|\d{1,2}[.)])\s", body, re.MULTILINE)))


def _context_weight(context: Sequence[ContextFile]) -> tuple[float, list[str]]:
    """Weigh how much has to be read to do it."""
    lines = sum(file.lines for file in context)
    extra = 0.0
    reasons = []
    if len(context) > _FEW_FILES:
        extra += 0.5 + 0.1 * min(10, len(context))
        reasons.append(f"comes with {len(context)} files")
    if lines > _FEW_LINES:
        extra += 0.5
        reasons.append(f"comes with {lines} lines of context")
    return extra, reasons


_MENTION = {
    name: re.compile(rf"(?<![\w.+#-]){pattern}(?![\w+#-])", re.IGNORECASE)
    for name, pattern in {
        "python": r"(?:python3?|pytest|django|flask|fastapi|pandas)",
        "typescript": r"(?:typescript|angular|nestjs)",
        "tsx": r"(?:tsx)",
        "javascript": r"(?:javascript|node(?:\.?js)?|jsx|react|vue)",
        "go": r"(?:golang|go (?:function|program|package|module|code|service|struct|file)|in go)",
        "rust": r"(?:rust|cargo)",
        "java": r"(?:java|junit|spring boot|maven)",
        "cpp": r"(?:c\+\+(?:1[147]|2[03])?|cpp)",
        "csharp": r"(?:c#|csharp|\.net|dotnet)",
        "c": r"(?:in c|c (?:function|program|code|header)|ansi c|c99|c11)",
        "ruby": r"(?:ruby|rails|rspec)",
        "php": r"(?:php|laravel)",
        "bash": r"(?:bash|shell script|shell one-?liner|sh script)",
        "sql": r"(?:sql|postgres(?:ql)?|mysql|sqlite)",
        "html": r"(?:html)",
        "css": r"(?:css)",
    }.items()
}
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*([\w+#.-]+)", re.MULTILINE)
_FILE = re.compile(r"(?<![\w./-])[\w./-]{1,100}\.\w{1,8}\b")


def _language(text: str, context: Sequence[ContextFile]) -> tuple[str, str]:
    """Find the language, and what told it: files, fences, then words."""
    files = _count(by_path(name) for name in _FILE.findall(text[:_HEAD]))
    fences = _count(find_language(tag) for tag in _FENCE.findall(text))
    given = _count(by_path(file.path) for file in context)
    for counted, reason in (
        (files, "names a {} file"),
        (given, "comes with {} files"),
        (fences, "shows {} code"),
    ):
        language = _most(counted)
        if language:
            return language, reason.format(language)
    title, _ = _title_and_body(text)
    for part in (title, text):
        places = {
            name: match.start() for name, pattern in _MENTION.items() if (match := pattern.search(part))
        }
        if places:
            language = min(places, key=lambda name: places[name])
            return language, f"mentions {language}"
    return "", ""


def _count(languages: Iterable[str | None]) -> Counter[str]:
    return Counter(language for language in languages if language in LANGUAGES)


def _most(counted: Counter[str]) -> str:
    """Choose the most frequent language; prose and settings only when there is nothing else."""
    work = {
        name: count for name, count in counted.items() if name not in {"markdown", "json", "yaml", "toml"}
    }
    return max(work or counted, key=lambda name: counted[name], default="")


def _domain(text: str, language: str) -> tuple[Domain, str]:
    lowered = text[:_HEAD].lower()
    is_code = bool(language) or bool(CODE.search(lowered))
    for domain, pattern, reason in DOMAINS:
        if not is_code and pattern.search(lowered):
            return domain, reason
    return "code", ""
