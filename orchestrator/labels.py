"""Read the file name off a line that labels a block: `**src/a.py**`, `### a.py`, `# file: a.py`."""

import re

_PATH = (
    r"(?P<path>[\w.@+\-/\\~:\[\]()]*[\w\])]\.\w{1,10}"
    r"|(?:[\w.-]+/)*(?:Makefile|Dockerfile|Gemfile|Rakefile|\.[a-z][\w.-]+))"
)
_WORDS = (
    r"(?:(?:new |updated? |create |modified )?"
    r"(?:file ?name|file ?path|file(?: \d{1,3})?|path|create|update|save as)[ :]*)"
)
_LABEL = re.compile(
    rf"[\s>#*_`\"'+-]*(?:\d{{1,3}}[.)]\s+)?[\s*_`\"']*{_WORDS}?[\s*_`\"':]*{_PATH}[\s*_`\"']*"
    rf"(?:\([^()]{{1,30}}\))?[\s*_`:]*",
    re.IGNORECASE,
)
_COMMENT = re.compile(
    rf"\s*(?:#|//|--|/\*|<!--|;|%)+!?\s*(?P<word>{_WORDS})?{_PATH}\s*(?:\*/|-->)?\s*", re.IGNORECASE
)
_NUMBER = re.compile(r"v?\d+(?:\.\d+)+")
_ATTRIBUTE = re.compile(r"\b(?:title|file|filename|name|path)\s*[=:]\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s}]+))")
_MAX_LABEL = 200


def path_in_label(line: str) -> str:
    """Find the path in a line that says nothing else; empty when there is none."""
    return _path(_LABEL, line)


def path_in_comment(line: str) -> str:
    """Find the path in a first line such as `# file: src/a.py` or `// src/a.ts`; empty when there is none."""
    return _path(_COMMENT, line)


def path_in_attributes(info: str) -> str:
    """Find the path in the attributes of a fence: `title="src/a.py"`, `{file=a.py}`."""
    match = _ATTRIBUTE.search(info)
    return next(group for group in match.groups() if group) if match else ""


def looks_like_path(word: str) -> bool:
    """Say whether a single word is a file name: it has an ending or a folder."""
    return bool(re.fullmatch(_PATH, word)) and not _NUMBER.fullmatch(word)


def _path(pattern: re.Pattern[str], line: str) -> str:
    if len(line) > _MAX_LABEL:
        return ""
    match = pattern.fullmatch(line)
    return match["path"] if match and not _NUMBER.fullmatch(match["path"]) else ""
