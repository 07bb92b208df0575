"""The words by which a request shows how hard, how risky and of what kind it is: a table, no logic."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

Domain = Literal["code", "general", "reasoning", "extraction"]
Effect = Literal["trivial", "small", "ordinary", "broad", "severe"]


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that a request may say."""

    source: str
    """Searched in lower-case text; linear, without nested repetition."""
    effect: Effect
    reason: str
    """A fragment that a user reads."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """Compile the source when it is first searched for: a server should start without that."""
        return _compile(self.source)


_compile = cache(re.compile)


def _signal(effect: Effect, reason: str, *alternatives: str) -> Signal:
    return Signal(rf"\b(?:{'|'.join(alternatives)})", effect, reason)


SIGNALS: tuple[Signal, ...] = (
    _signal(
        "trivial", "corrects a typo", r"typos?\b", r"spelling\b", r"misspell", r"grammar\b", r"wording\b"
    ),
    _signal(
        "trivial",
        "touches documentation or comments",
        r"docs?\b",
        r"documentation\b",
        r"document\b(?! store| database|s )",
        r"docstrings?\b",
        r"jsdoc\b",
        r"readme\b",
        r"changelog\b",
        r"comments?\b(?! parser)",
        r"(?:broken |missing |dead |the )?links?$",
        r"examples?\b",
        r"[\w-]+\.mdx?\b",
    ),
    _signal(
        "trivial",
        "is about style or formatting",
        r"formatting\b",
        r"indentation\b",
        r"whitespace\b",
        r"trailing (?:space|comma|newline)",
        r"prettier\b",
        r"lint(?:er|ing)? (?:error|warning|fix|rule)",
        r"unused (?:import|variable|dependenc|type|code)",
        r"sort (?:the )?imports\b",
    ),
    _signal(
        "trivial",
        "changes housekeeping files or versions",
        r"bump\b",
        r"\.?gitignore\b",
        r"licen[cs]e (?:header|year|file)",
        r"copyright\b",
        r"badges?\b",
        r"update (?:the )?version\b",
        r"\(?ci\b",
        r"sponsors?\b",
    ),
    _signal(
        "small",
        "is a small, local change",
        r"rename (?:the |a )?(?:variable|parameter|argument|function|method|local|field)",
        r"one[- ]liner\b",
        r"(?:just|simply|only) (?:add|change|rename|remove|replace)\b",
        r"small (?:fix|change|tweak|edit)",
        r"(?:add|fix|correct|missing|wrong) (?:a |the )?(?:missing |wrong )?"
        r"(?:import|semicolon|comma|colon|type hint)",
        r"type (?:hint|annotation)s?\b",
        r"log (?:message|line)\b",
        r"error message\b",
        r"default value\b",
        r"constant\b",
    ),
    _signal(
        "ordinary",
        "describes a bug",
        r"bug\b",
        r"traceback\b",
        r"exceptions?\b",
        r"crash(?:es|ed|ing)?\b",
        r"does(?:n't| not)\b",
        r"is(?:n't| not)\b",
        r"should\b",
        r"fails?\b",
        r"incorrect(?:ly)?\b",
        r"expected\b",
        r"regression\b",
        r"raises?\b",
        r"when\b",
    ),
    _signal(
        "broad",
        "moves or replaces a part of the system",
        r"(?:migrate|port|convert|switch) (?:\S+ ){0,6}(?:to|from|into|away)\b",
        r"^(?:replace|drop|move|extract|merge|consolidate|decouple|unify|split)\b",
        r"(?:split|break) (?:\S+ ){0,3}(?:up|into)\b",
        r"into (?:its own|a separate|separate|extensions|packages|modules)\b",
        r"rewrite\b",
        r"rework",
        r"redesign",
        r"restructur",
        r"re-?architect",
        r"refactor (?:the )?(?:entire|whole|all)",
        r"overhaul\b",
    ),
    _signal(
        "broad",
        "changes what others rely on",
        r"breaking\b",
        r"backwards?[- ]compat",
        r"deprecat",
        r"public api\b",
        r"remove (?:support|deprecated|legacy)\b",
        r"api versions?\b",
    ),
    _signal(
        "broad",
        "builds a new part of the system",
        r"(?:implement|introduce|build|create|design|add)\b[^.\n]{0,60}\b"
        r"(?:system|server|framework|subsystem|layer|architecture|pipeline|engine|plugins?|microservices?|services?|websockets?|workflow|infrastructure"
        r"|abstraction|integration|discovery|protocol|backend|sdk|runtime|dashboard"
        r"|controllers?|providers?)\b",
        r"experimental\b",
        r"architecture\b",
        r"end[- ]to[- ]end\b",
        r"from scratch\b",
        r"^introduce\b",
        r"^implement\b(?! (?:a |the )?(?:function|method))",
    ),
    _signal(
        "broad",
        "reaches across the code base",
        r"(?:all|every|each|multiple|several|many) (?:of the )?(?:\w+ )?"
        r"(?:files|modules|packages|services|components|classes|endpoints|callers|types|handlers|dialects|adapters)\b",
        r"across (?:the|all|every|multiple|\w+ and)\b",
        r"throughout\b",
        r"code ?base\b",
        r"consistently\b",
        r"everywhere\b",
    ),
    _signal(
        "severe",
        "mentions security: critical",
        r"security\b",
        r"vulnerab",
        r"exploit",
        r"cve\b",
        r"xss\b",
        r"csrf\b",
        r"injection\b(?! token| key)",
        r"sanitiz",
        r"path traversal\b",
        r"authenticat(?:e|ion)\b",
        r"authoriz",
        r"permissions? (?:check|bypass|escalation)",
        r"encrypt",
        r"passwords?\b",
        r"credentials?\b",
        r"secrets?\b",
        r"denial of service\b",
        r"redos\b",
        r"untrusted\b",
    ),
    _signal(
        "severe",
        "mentions a database migration: critical",
        r"(?:database|db|schema|data|sql|alembic|django) migrations?\b",
        r"alter table\b",
        r"(?:add|drop|rename) (?:a |the )?(?:\S+ )?(?:column|table|index(?:es)?)\b",
        r"(?:db|database) index",
        r"backfill\b",
    ),
    _signal(
        "severe",
        "is about performance: critical",
        r"perf\b",
        r"performance\b",
        r"optimi[sz](?:e|es|ed|ation|ations|ing)\b(?! dep)",
        r"speed(?: up|s up|ing up|up)\b",
        r"faster\b",
        r"latency\b",
        r"throughput\b",
        r"memory (?:leak|usage|consumption|footprint)",
        r"reduce (?:the )?(?:number of |unnecessary |redundant )?"
        r"(?:allocation|memory|overhead|quer|calls|copies)",
        r"avoid (?:\w+ing\b|unnecessary|redundant|extra|repeated|re-?\w+|multiple|using|creating|calling)",
        r"(?:unnecessary|redundant) (?:\w{1,30} )?"
        r"(?:work|calls?|computation|copies|copy|allocation|checks?|re-?render)",
        r"cach(?:e|ed|ing) (?:the |a )?\w+",
        r"memoi[sz]e",
        r"lazy|lazily\b",
        r"hot path\b",
    ),
    _signal(
        "severe",
        "is about concurrency: critical",
        r"race conditions?\b",
        r"dead-?locks?\b",
        r"thread[- ]saf",
        r"data race",
        r"concurren(?:t|cy) (?:write|access|update|bug|modification)",
        r"atomic(?:ity|ally)?\b",
        r"distributed (?:lock|transaction|consensus)",
    ),
    _signal(
        "severe",
        "puts data or money at risk: critical",
        r"data (?:loss|corruption)\b",
        r"corrupt(?:s|ed|ing)?\b",
        r"payments?\b",
        r"billing\b",
        r"invoic",
        r"charge(?:s|d)? (?:the )?(?:customer|card|user)",
        r"refunds?\b",
        r"production (?:outage|incident|database|data)\b",
        r"irreversibl",
        r"roll ?back\b",
        r"gdpr\b",
    ),
)

DOMAINS: tuple[tuple[Domain, re.Pattern[str], str], ...] = (
    (
        "extraction",
        re.compile(
            r"\b(?:extract (?:all|the|every|each|names|dates|fields|entities)|summari[sz]e\b"
            r"|list (?:all|every) (?:the )?(?:mentions|names|dates|people|companies|items)"
            r"|pull (?:out )?(?:all|the|every)|classify (?:each|these|the)|tabulate\b"
            r"|from (?:this|the) (?:text|document|email|article|transcript|invoice|page|pdf|report)\b)"
        ),
        "takes facts out of a text",
    ),
    (
        "reasoning",
        re.compile(
            r"\b(?:prove\b|proof\b|derive\b|theorem\b|step by step\b|how many\b|probabilit|calculate\b"
            r"|puzzle\b|logic(?:al)? problem|trade-?offs?\b|compare\b|root cause\b"
            r"|which (?:is|one|option|approach)\b|why (?:is|does|do|did|are)\b|solve (?:the|for|this)\b)"
        ),
        "asks for reasoning",
    ),
    (
        "general",
        re.compile(
            r"\b(?:(?:write|draft|compose) (?:an? |the )?(?:\w{1,20} )?(?:email|e-mail|letter|essay"
            r"|article|post|poem|story|announcement|tweet|press release|message|note)\b|translate\b"
            r"|proofread\b|explain\b|brainstorm\b|what (?:is|are)\b|tell me\b|paraphrase\b)"
        ),
        "asks for prose",
    ),
)

CODE = re.compile(
    r"```|\b(?:def|class|function|const|import|return|async|await)\b|\w\(\)|\w\.\w{1,60}\("
    r"|\w\.(?:py|js|ts|tsx|go|rs|java|c|cpp|cs|rb|php|sh|sql|json|toml|ya?ml|html|css)\b"
    r"|\b(?:code|script|unit tests?|refactor|compile|bug|api|endpoint|regex|method|module|library|program"
    r"|parser|query|algorithm|repository|variable|stack ?trace|implement|component|dependency|commit)\b"
)
"""What tells a request about code from one about prose."""
