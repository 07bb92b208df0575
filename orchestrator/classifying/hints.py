"""Kinds of words that a request may use: what the trained model weighs beside the words themselves.

No hint decides anything alone. They carry what is known about the language of change requests to words
that no training example used: a project that was never seen still says "skip" or "reuse" when it saves work.
"""

import re
from collections.abc import Mapping
from functools import cache


def _hint(*alternatives: str) -> str:
    return rf"(?<![\w-])(?:{'|'.join(alternatives)})"


HINTS: Mapping[str, str] = {
    "spares work": _hint(
        r"avoid|skip|reus(?:e|ing)\b|cach(?:e|ed|ing)\b|memoi|defer|laz(?:y|ily)\b|inline\b|hoist",
        r"pre-?(?:comput|alloc|fetch|load|compil)|debounc|throttl|batch|dedup|reduc|minimi[sz]|prun|shrink",
        r"short-?circuit|early (?:exit|return|bail)|bail",
    ),
    "does something only under a condition": _hint(
        r"(?:only|don'?t|do not|never)\b.{0,60}\b(?:if|when|once|on|unless|every|each)\b",
        r"when (?:not needed|unnecessary|necessary|needed|possible|unchanged)\b",
        r"(?:if|when) .{0,30}\b(?:not changed|unchanged|changed|empty|needed|ignored)\b|twice\b",
    ),
    "speaks of speed or memory": _hint(
        r"perf\b|performan|optimi[sz](?:e|es|ed|ing|ation|ations)\b|fast(?:er)?\b|speed|slow",
        r"quick(?:er|ly)?\b|efficien|cheap|latency|throughput|benchmark|hot ?path|allocat|memory\b|gc\b",
        r"overhead\b|footprint|(?:bundle )?size of\b|bundle size|tree-?shak",
    ),
    "finds something redundant": _hint(
        r"unnecessar|redundant|needless|useless|extra\b|duplicat(?:e|ed|ion)\b|intermediate\b|repeated",
        r"unused\b|re-?(?:creat|comput|pars|run|render|evaluat|allocat|read)\w{0,9}",
    ),
    "names a way of computing": _hint(
        r"regex\w{0,3}|loops?\b|iterat|spread\b|clon(?:e|ing)|cop(?:y|ies|ying)\b|travers|linear\b|o\(n",
        r"hash(?:es|ing|map)?\b|buffers?\b|arrays?\b|sets?\b|maps?\b|string concat|binary[- ]search",
        r"non-?blocking|parallel|concurren|async(?:hronous(?:ly)?)?\b|sync\b|streams?\b|chunk|queue",
        r"closures?\b|bitwise|bit\b|sort(?:ed|ing)?\b|search\b|prox(?:y|ies)\b",
    ),
    "takes one means instead of another": _hint(
        r"^use\b|instead of\b|in favou?r of\b|^switch\b|^prefer\b",
    ),
    "improves what is there": _hint(
        r"^(?:improve|tweak|tune|simplif\w{1,5}|streamline|refine|enhance|clean ?up)\b",
    ),
    "is about text for people": _hint(
        r"typos?\b|docs?\b|document(?:s|ed|ing|ation)?\b|readme|changelog|comments?\b|clarif|explain|mention",
        r"describ|wording|grammar|spelling|guides?\b|faq\b|tutorial|snippets?\b|examples?\b|links?\b",
        r"redirect\b|steps\b|usage\b|jsdoc|docstrings?\b|notes?\b|reference\b|website\b|state that|^state\b",
        r"more details|badges?\b",
    ),
    "is about people or a list": _hint(
        r"contributors?\b|maintainers?\b|sponsors?\b|community\b|ecosystem\b|(?:list|table) of\b",
        r"(?:to|in|from) (?:the )?(?:\w{1,20} )?"
        r"(?:list|table|index|ecosystem|plugins|resources|page|section)\b",
        r"resources\b|acknowledg|authors?\b|team\b|codeowners|licen[cs]e\b|copyright\b|governance",
    ),
    "adds a name to something": (
        r"^(?:add(?:ed|ing)?|update|remove) `?@?[\w./]{1,40}(?:-[\w./]{1,40}){1,6}`?"
        r"(?: plugin| (?:to|in|as) .{0,60})?\.?$"
    ),
    "is about the tool chain": _hint(
        r"\(?\[?(?:skip )?ci\b|workflows?\b|github\b|actions?\b|labels?\b|pr\b|pull request|issue template",
        r"dependabot|renovate|ruff\b|eslint|mypy\b|prettier|pre-?commit|sonar|lint\w{0,7}|lock-?file|pyproject",
        r"package\.json|tsconfig|deps?\b|dependenc|bump|release|publish|gitignore|exclu(?:de|sion)|silenc",
        r"classifiers?\b|(?:node(?:\.js)?|python) v?\d|codecov|coverage|docker",
    ),
    "is about types": _hint(
        r"types?\b|typings?\b|typed\b|annotat|overloads?\b|generics?\b|d\.ts\b|partial\b"
    ),
    "sets one thing": _hint(
        r"^(?:rename|mark|hide|show|bump|move up|disable|enable|set|silence|update|adjust|change|correct)\b"
    ),
    "repairs something": _hint(
        r"^(?:handle|respect|ensure|preserve|honou?r|normali[sz]e|forward|reset|trim|escape|catch|propagate)\b",
        r"^(?:restore|keep|return|raise|throw|resolve|make|check|close|wait|clear|apply|treat|accept|pass)\b",
        r"^(?:include|safely|safer|always|properly|correctly|prevent|fix)\b",
    ),
    "describes a fault": _hint(
        r"wrong|incorrect|missing\b|null\b|none\b|undefined\b|edge case|leak|errors?\b|exceptions?\b",
        r"unhandled|hang|timeouts?\b|crash|broken|breaks?\b|regression|fail(?:s|ing|ure)?\b|issues?\b",
        r"bugs?\b|(?:does|is|are|do|was)(?:n'?t| not)\b|can(?:not|'t)\b|unable|invalid|conflict|race\b",
        r"deadlock|abort|should\b",
    ),
    "is about one more setting": _hint(
        r"options?\b|flags?\b|param(?:s|eters?)?\b|events?\b|headers?\b|fields?\b|attributes?\b",
        r"propert(?:y|ies)\b|arguments?\b|args\b|configs?\b|configuration\b|settings?\b|callbacks?\b",
        r"env(?:ironment)?\b|data ?types?\b|macro\b|statistics|metadata",
    ),
    "is about tests": _hint(r"tests?\b|test ?suite|fixtures?\b"),
    "reports what happened": _hint(
        r"steps to reproduce|action performed|expected (?:result|behaviou?r|output)",
        r"actual (?:result|behaviou?r)|reproduc|traceback|version\b|description\b",
        r"i (?:have|am|was|get|expect|found|think|need|would)\b",
        r"we (?:should|need|have|can)\b",
    ),
    "adds something": _hint(
        r"^(?:add|adds|added|adding|allow|support|expose|provide|include|enable|show|render|forward)\b",
        r"^(?:persist|create|use)\b",
    ),
    "builds something": _hint(
        r"^(?:introduce|implement|implements|initial|first-class|build|rig|support|enable|integrate|bring)\b",
        r"^(?:new|create|generate|editable|persistent|native|local)\b|experimental|prototype\b|alpha\b|beta\b",
        r"mvp\b|scaffold|v\d\b|partial\)",
    ),
    "moves parts of the system": _hint(
        r"^(?:drop|remove|move|extract|split|rewrite|rename|migrat\w{1,4}|convert|restructure|re-?organi[sz]e)\b",
        r"^(?:consolidate|replace|rework|break|decouple|unify|merge|port|delete|clean ?up)\b|refactor",
        r"(?:split|break|extract)\w{0,4} .{0,40}\b(?:into|from|to|up|down)\b|monorepo|into\b|deprecat",
        r"breaking|legacy\b|drop(?:ped|s)? .{0,20}support|all\b|every(?:where)?\b|throughout",
    ),
    "names a part of the system": _hint(
        r"apis?\b|systems?\b|packages?\b|engines?\b|plugins?\b|toolkit\b|frameworks?\b|interfaces?\b|modules?\b",
        r"services?\b|layers?\b|sessions?\b|clients?\b|integration\b|templates?\b|capabilit|drivers?\b",
        r"adapters?\b|providers?\b|middleware\b|runtime\b|sdk\b|cli\b|class(?:es)?\b|decorators?\b|protocol\b",
        r"rules?\b|skills?\b|components?\b|support\b|backends?\b|handlers\b|routers?\b|stores?\b|database\b",
    ),
    "names a part of the screen": _hint(
        r"panels?\b|tool-?bars?\b|modals?\b|dialogs?\b|buttons?\b|chips?\b|pills?\b|icons?\b|menus?\b",
        r"sidebars?\b|charts?\b|themes?\b|tabs?\b|tooltips?\b|pages?\b|views?\b|editors?\b|u[ix]\b|cells?\b",
        r"drag|keyboard|hover|dashboards?\b|screens?\b|pdf\b|user interface",
    ),
    "speaks of protection": _hint(
        r"secur|vulnerab|cve\b|ghsa|advisor|findings?\b|unsafe|safer?\b|untrusted|trust|(?:allow|block|deny)-?list",
        r"^block\b|opt-in\b|redact|secrets?\b|tokens?\b|ssrf|xss|csrf|redos|dos\b|tls\b|ssl\b|certs?\b|certificat",
        r"verif|cors\b|cookies?\b|escap(?:e|ing)|saniti|inject|traversal\b|sandbox|eval\b|pollution|permission",
        r"auth|password|credential|sign(?:ature|ed)|crypt|limits?\b|validat|origin\b|bypass|restrict|harden",
        r"silent",
    ),
    "speaks of stored data": _hint(
        r"migrat|tables?\b|columns?\b|index(?:es)?\b|schemas?\b|alembic|db\b|database\b|backfill|constraints?\b",
        r"foreign keys?|sql\w{0,6}|quer(?:y|ies)\b|records?\b|models?\b|postgres|mysql",
    ),
    "asks for one piece of code": _hint(
        r"(?:write|implement|create|complete|define|give me|need|make)\b.{0,40}"
        r"\b(?:function|method|class|script|regex|program|snippet|one-?liner|query)\b",
        r"(?:def|func|fn|function) \w{1,40}\(|(?:given|takes|returns?|accepts) (?:an?|the|two|some)\b",
    ),
}
"""By the fragment that a user reads; searched in lower-case text."""


@cache
def hint_patterns() -> Mapping[str, re.Pattern[str]]:
    """Compile the hints once, when the first request is judged: a server should start without that."""
    return {name: re.compile(source) for name, source in HINTS.items()}
