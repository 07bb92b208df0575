"""Parse a text with the strictest parser at hand for its language, within limits of size, memory and time.

Python and JSON are parsed here: their parsers are bounded (docs/decisions/012). All others work in confined
processes of their own.
"""

import ast
import importlib.metadata
import json
import platform
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache

from validators.languages import LANGUAGES
from validators.parsed import DEADLINE_SECONDS, MAX_BYTES, MAX_REMARKS, Parse, ParserLimitError, stopped
from validators.parser_workers import ParserWorkers
from validators.verdict import Diagnostic

__all__ = [
    "DEADLINE_SECONDS",
    "MAX_BYTES",
    "MAX_REMARKS",
    "Parse",
    "ParserLimitError",
    "parse",
    "parse_python",
    "parses",
]

_WORKERS = ParserWorkers()
_PROBE_SECONDS = 0.25
_KEPT_CHARACTERS = 64 * 1024


def parse(text: str, language: str, deadline_seconds: float = DEADLINE_SECONDS) -> Parse:
    """Parse `text`, which must be of a language in `LANGUAGES`; blocks while another process does it.

    Raises:
        ParserLimitError: The text is too large, nests too deep, took too long or too much memory.
    """
    try:
        source = text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        return stopped(Diagnostic("a lone surrogate is no text", line=line, code="syntax"), "utf-8")
    if len(source) > MAX_BYTES:
        raise ParserLimitError(f"{len(source)} bytes are more than the {MAX_BYTES} that are parsed")
    own = OWN_PARSERS.get(language)
    if own:
        return own(text)
    found = _WORKERS.parse(source, language, deadline_seconds)
    return found if found.tool else replace(found, tool=_tool(LANGUAGES[language].grammar))


def parses(text: str, language: str) -> bool:
    """Say whether `text` parses without an error; False when the parser gave up."""
    try:
        return not parse(text, language, _PROBE_SECONDS).errors
    except ParserLimitError:
        return False


def parse_python(text: str) -> ast.Module:
    """Build the syntax tree of a Python source; nobody may change it, because the last few are kept.

    Raises:
        SyntaxError: It is none.
        ParserLimitError: It nests deeper than this interpreter can follow.
    """
    return _kept_python(text) if len(text) <= _KEPT_CHARACTERS else _read_python(text)


def _read_python(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape is for a linter, and must not reach stderr
        try:
            return ast.parse(text)
        except (RecursionError, MemoryError) as error:
            raise ParserLimitError("the source nests deeper than the Python parser can follow") from error
        except ValueError as error:  # a NUL byte, in Python 3.11 before 3.11.4
            raise SyntaxError(str(error)) from error


_kept_python = lru_cache(maxsize=4)(_read_python)
"""Several validators read the same candidate, one after the other."""


def _python(text: str) -> Parse:
    tool = f"python {platform.python_version()}"
    try:
        parse_python(text)
    except SyntaxError as error:
        place = Diagnostic(error.msg, line=error.lineno or 0, column=error.offset or 0, code="syntax")
        return stopped(place, tool)
    return Parse((), tool)


def _json(text: str) -> Parse:
    tool = f"json (python {platform.python_version()})"
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = Diagnostic(error.msg, line=error.lineno, column=error.colno, code="syntax")
        return stopped(place, tool)
    except ValueError as error:
        return stopped(Diagnostic(str(error), code="syntax"), tool)
    except RecursionError as error:
        raise ParserLimitError("the JSON nests deeper than the parser can follow") from error
    return Parse((), tool)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


OWN_PARSERS: dict[str, Callable[[str], Parse]] = {"python": _python, "json": _json}
"""What is parsed in this process."""


@cache
def _tool(module: str) -> str:
    package = module.replace("_", "-")
    return f"{package} {importlib.metadata.version(package)}"
