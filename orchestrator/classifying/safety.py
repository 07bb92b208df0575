"""What a request may not be taken lightly for: rules that raise a task's type and never lower it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from orchestrator.classifying.classification import ContextFile

NO_QUICK_EDIT = 3.0
CRITICAL = 9.0
_MANY = 2


@dataclass(frozen=True, slots=True)
class Danger:
    """One way in which careless work does harm. Patterns only look at their own line and never at its end."""

    name: str
    grave: str
    """The work itself is about the harm: in the title it makes the task critical."""
    named: str
    """Something that can be harmed is touched: never a quick edit."""


def _any(*alternatives: str) -> str:
    return rf"(?<![\w-])(?:{'|'.join(alternatives)})"


_compile = cache(re.compile)
"""Compiles when first searched for: a server should start without that."""


def _says(source: str, text: str) -> bool:
    return _compile(source).search(text) is not None


_ACCOUNT = r"(?:passwords?|credentials?|secrets?|api keys?|private keys?|access tokens?)"

DANGERS: tuple[Danger, ...] = (
    Danger(
        "mentions security",
        _any(
            r"(?:sql|command|code|shell|html|script|template|header|log|crlf) injection\b",
            r"(?:xss|csrf|ssrf|redos|rce)\b|remote code execution\b|path traversal\b|prototype pollution\b",
            r"privilege escalation\b|denial of service\b|cve-\d|ghsa-\w|vulnerabilit(?:y|ies)\b",
            r"exploit(?:s|ed|able)\b|security (?:hole|bug|issue|flaw|risk|fix|patch|breach|incident)",
            r"security hardening\b",
            r"(?:auth|authentication|authorization|login|permissions?) (?:check )?bypass",
            r"(?:bypass|circumvent)(?:es|ed|ing)? (?:the |our )?(?:auth|login|permission|access|security)",
            r"(?:login|authentication|authorization|access control) (?:can|could|may) be "
            r"(?:bypassed|skipped|evaded)",
            rf"(?:leak|expos|steal|reveal)\w{{0,4}} (?:\w{{1,20}} ){{0,3}}{_ACCOUNT}",
            rf"{_ACCOUNT} (?:\w{{1,20}} ){{0,3}}(?:leak|exposed|stolen|in plain ?text)",
        ),
        _any(
            rf"{_ACCOUNT}\b|(?:en|de)crypt(?:s|ed|ing|ion)?\b|untrusted\b|sanitiz\w{{1,5}}|access control\b",
            r"authenticat(?:e|es|ion)\b|authoriz(?:e|es|ation)\b|permission checks?\b",
            r"security[- ](?:critical|relevant|sensitive|checks?\b|review|audit|advisor|of\b)",
            r"(?:verif|check|validat)\w{0,4} (?:\w{1,20} ){0,2}(?:signatures?|certificates?)\b",
        ),
    ),
    Danger(
        "mentions a database migration",
        _any(
            r"(?:database|db|schema|data|sql|alembic|django|table) migrations?\b|alter table\b|backfill",
            r"drop(?:s|ped|ping)? (?:an? |the )?(?:\S{1,40} ){0,2}(?:column|table|database)s?\b",
            r"truncat(?:e|es|ed|ing) (?:the )?(?:\S{1,40} )?tables?\b|write a migration\b",
            r"(?:add|rename|remove) (?:a |the )?(?:\S{1,40} )?column (?:to|from|in|of) "
            r"(?:a |the )?(?:\S{1,40} )?table\b",
            r"migrat\w{1,4} (?:\w{1,20} ){0,4}(?:database|schema|production|tables?)\b",
        ),
        _any(
            r"(?:add|drop|renam|creat|remov)\w{0,4} (?:an? |the )?(?:\S{1,40} )?"
            r"(?:column|table|(?:database|db|unique) index)",
            r"migrations?\b|foreign keys?\b|delete from \w",
        ),
    ),
    Danger(
        "puts money at risk",
        _any(
            r"(?:refund|charg|pay|paid|bill|invoic)\w{0,5} (?:\w{1,20} ){0,3}"
            r"(?:twice|doubl|wrong|incorrect|lost|duplicat)",
            r"double[- ](?:charg|spend|pay|refund|bill)",
            r"charg(?:e|es|ed|ing) (?:the |our |a )?(?:customer|card)s?\b",
            r"process(?:es|ing)? (?:\w{1,20} )?(?:payments?|refunds?|payouts?)\b",
            r"(?:payment|billing|checkout) (?:bug|error|failure|fraud)|los(?:e|es|ing) money\b",
        ),
        _any(
            r"payments?\b|billing\b|invoic(?:e|es|ing)\b|refunds?\b|payouts?\b|payroll\b",
            r"credit cards?\b|bank accounts?\b",
        ),
    ),
    Danger(
        "puts data at risk",
        _any(
            r"data (?:loss|corruption)\b|(?:los(?:e|es|ing)|destroy(?:s|ed)?) (?:\w{1,20} ){0,3}data\b",
            r"corrupt(?:s|ed|ing)? (?:\w{1,20} ){0,3}"
            r"(?:data|database|files?|state|records?|tables?|index|backups?)\b",
            r"(?:data|database|files?|records?|backups?) (?:\w{1,20} ){0,3}(?:corrupt|lost|destroyed)",
            r"production (?:outage|incident|database|data)\b|irreversibl|rm -rf\b",
        ),
        _any(
            r"gdpr\b|personal data\b|customer data\b|user data\b|backups?\b|in production\b",
            r"(?:delet|wip|eras|purg)(?:e|es|ed|ing) (?:\w{1,20} ){0,3}(?:users?|customers?|accounts?)\b",
        ),
    ),
    Danger(
        "is about concurrency",
        _any(
            r"race conditions?\b|dead-?lock(?:s|ed|ing)?\b|data races?\b|lost updates?\b",
            r"distributed (?:lock|transaction|consensus)",
        ),
        _any(r"thread[- ]saf|concurrent (?:write|access|update|modification)s?\b"),
    ),
)

_WORDING = _any(
    r"typos?\b|spelling\b|wording\b|grammar\b|docs?\b|documentation\b|readme\b|changelog\b|badges?\b"
)
_RISKY_PATH = (
    (
        r"(?:^|/)(?:migrations?|alembic/versions|migrate)/[^/]{1,200}\.(?:py|sql|rb|[jt]s|go|php)$",
        "mentions a database migration",
    ),
    (r"(?:^|/)(?:payments?|billing|invoic\w{1,5})(?:/|[._-])", "puts money at risk"),
    (r"(?:^|/)(?:auth|security|crypto|permissions?)(?:/|\.\w{1,4}$)", "mentions security"),
)


@dataclass(frozen=True, slots=True)
class Safety:
    """How low a task's complexity may be, and why."""

    floor: float = 0.0
    reasons: tuple[str, ...] = ()


def demand_safety(title: str, text: str, context: Sequence[ContextFile] = ()) -> Safety:
    """Find what a request may not fall below; saying more in the text never lowers it.

    A grave word in the title of a request that is no mere matter of wording, or graves and names of two kinds
    in the whole text, make it critical. One name alone, also in a context file's path, only keeps it from
    being a quick edit.
    """
    lowered, head = text.lower(), title.lower()
    graves = [danger.name for danger in DANGERS if _says(danger.grave, lowered)]
    named = [danger.name for danger in DANGERS if danger.name in graves or _says(danger.named, lowered)]
    is_headline = not _says(_WORDING, head) and any(_says(danger.grave, head) for danger in DANGERS)
    if is_headline or (graves and len(named) >= _MANY):
        return Safety(CRITICAL, tuple(f"{name}: critical" for name in graves))
    paths = [
        name for source, name in _RISKY_PATH if any(_says(source, file.path.lower()) for file in context)
    ]
    found = dict.fromkeys((*named, *paths))
    return Safety(NO_QUICK_EDIT, tuple(f"{name}: no quick edit" for name in found)) if found else Safety()
