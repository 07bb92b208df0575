"""Judge a request before anyone is asked: how hard, of what kind, in which language.

A small linear model weighs the words, rules explain it, and rules of safety may raise what it says.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from orchestrator.classifying.classification import (
    BANDS,
    TYPES,
    Classification,
    ContextFile,
    place,
    type_index,
)
from orchestrator.classifying.features import Features, read_features, split_title
from orchestrator.classifying.model import LinearModel, packaged_model
from orchestrator.classifying.safety import Safety, demand_safety
from orchestrator.signals import CODE, DOMAINS, SIGNALS, Domain, Effect
from validators.languages import LANGUAGES, by_path, find_language

__all__ = ["Classification", "ContextFile", "classify"]

_HEAD = 6_000
_TAIL = 2_000
_PROSE = 2.5
_MUCH_PROSE = 3.5
_PROSE_SURE = 0.6
_FAR = 0.5
"""What it costs more to miss the type by two or three steps than by one."""
_LIKELY = 0.5
_MOST_UNRAISED = 8.8
"""Context and demands alone never make a task critical."""
_FEW_FILES = 3
_FEW_LINES = 1_500
_FEW_DIFFS = 3
_RULES_SURE = 0.7
"""How often a request that rules raised was at least of the type they demand."""
_EFFECTS: tuple[tuple[Effect, ...], ...] = (("trivial", "small"), ("ordinary",), ("broad",), ("severe",))
"""The effects that speak for each type."""
_MAX_HINTS = 3
_NOTHING = "shows no sign of special size or risk"


def classify(
    text: str, context: Sequence[ContextFile] = (), model: LinearModel | None = None
) -> Classification:
    """Classify by the request's words and the size of its context; without `model` by the one that ships.

    Looks at the first 6 000 and the last 2 000 characters, so 5 MB cost no more than 8 KB. What the first
    line says weighs more than what the rest mentions.
    """
    seen = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    language, spoken = _language(seen, context)
    domain, kind = _domain(seen, language)
    extra, sizes = _context_weight(seen, context)
    if domain in {"general", "extraction"}:
        complexity = (_PROSE if len(text) < _HEAD else _MUCH_PROSE) + extra
        reasons = _say(kind, spoken, *sizes)
        return Classification(
            round(min(_MOST_UNRAISED, complexity), 2), domain, language, reasons, _PROSE_SURE
        )
    title, body = split_title(seen)
    model = model or packaged_model()
    features = read_features(title, body)
    probabilities = model.predict(features)
    weighed = _choose(probabilities, features)
    complexity = place(probabilities, weighed)
    if complexity < BANDS[-2]:
        complexity = min(_MOST_UNRAISED, max(BANDS[weighed], complexity + extra + _demands(body)))
    safety = demand_safety(title, seen, context)
    complexity = max(complexity, safety.floor)
    explained = _explain(model, features, type_index(complexity))
    reasons = _say(*(safety.reasons + explained or (_NOTHING,)), kind, spoken, *sizes)
    confidence = _confidence(probabilities, complexity, safety)
    return Classification(
        round(complexity, 2), domain, language, reasons, confidence, probabilities, safety.floor
    )


def _choose(probabilities: Sequence[float], features: Features) -> int:
    """Choose the type that is expected to cost least, a far miss counting more than a near one.

    A request that says nothing known is ordinary work, and one is critical by the model's word alone only
    when that is likelier than not: a critical task costs money and a person's time.
    """

    def loss(kind: int) -> float:
        return sum(
            probability * ((other != kind) + _FAR * (abs(other - kind) > 1))
            for other, probability in enumerate(probabilities)
        )

    kinds = range(len(TYPES)) if probabilities[-1] >= _LIKELY else range(len(TYPES) - 1)
    chosen = min(kinds, key=loss)
    says_nothing = all(name.startswith("shape: ") for name in features.signs)
    return TYPES.index("standard_dev") if says_nothing and probabilities[chosen] < _LIKELY else chosen


def _confidence(probabilities: Sequence[float], complexity: float, safety: Safety) -> float:
    """Say how likely the band is right; where a rule raised the type, at least as likely as rules are."""
    kind = type_index(complexity)
    likely = probabilities[kind]
    if safety.floor and complexity == safety.floor:
        likely = max(likely, _RULES_SURE)
    return round(likely, 2)


def _explain(model: LinearModel, features: Features, kind: int) -> tuple[str, ...]:
    """Name the signals that speak for the type, then what else weighed for it most."""
    signals = {signal.reason: signal.effect for signal in SIGNALS}
    signs = features.signs
    said = [reason for reason in signals if reason in signs or f"body: {reason}" in signs]
    agreeing = [reason for reason in said if signals[reason] in _EFFECTS[kind]]
    hints = [name for name in model.telling(features, kind) if ":" not in name and name not in signals]
    return *agreeing, *hints[: max(0, _MAX_HINTS - len(agreeing))]


def _say(*reasons: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason for reason in reasons if reason))


def _demands(body: str) -> float:
    """Weigh a list of requirements: each line of it is something that can go wrong."""
    return min(1.0, 0.1 * len(re.findall(r"^\s*(?:[-*]|\d{1,2}[.)])\s", body, re.MULTILINE)))


def _context_weight(text: str, context: Sequence[ContextFile]) -> tuple[float, list[str]]:
    """Weigh how much has to be read to do it, and how wide a diff that is shown reaches."""
    lines = sum(file.lines for file in context)
    extra = 0.0
    reasons = []
    if len(context) > _FEW_FILES:
        extra += 0.5 + 0.1 * min(10, len(context))
        reasons.append(f"comes with {len(context)} files")
    if lines > _FEW_LINES:
        extra += 0.5
        reasons.append(f"comes with {lines} lines of context")
    changed = len(set(_CHANGED.findall(text)))
    if changed > _FEW_DIFFS:
        extra += 0.5
        reasons.append(f"shows a diff of {changed} files")
    if context and any(_TEST.search(file.path.lower()) for file in context):
        extra -= 0.2
        reasons.append("comes with tests")
    return extra, reasons


_CHANGED = re.compile(r"^\+\+\+ (?:b/)?(\S{1,300})", re.MULTILINE)
_TEST = re.compile(
    r"(?:^|/)(?:tests?|spec|__tests__)/|(?:^|/)test_[^/]{1,200}$|[._-](?:test|spec)s?\.\w{1,5}$"
)
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
    title, _ = split_title(text)
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
