"""Give a JavaScript or TypeScript answer the imports and helpers of its task, and exports that tests want."""

import re
from collections.abc import Iterator

from orchestrator.assembling.assembly import Assembly
from orchestrator.assembling.given import Material, closing, defined_names, mask
from validators.parsers import parses

MODULES = ("assert", "fs", "os", "path", "readline", "util", "zlib")
"""Names that mean one module of Node wherever they stand unbound before a dot or a call."""
_IMPORT = re.compile(
    r"^(?:import\b[^;'\"]*?['\"][^'\"\n]+['\"]|(?:const|let|var)\s+[^;=]*=\s*require\s*\([^)\n]*\)[.\w]*);?",
    re.MULTILINE,
)
_TOP = re.compile(
    r"^(?:export\s+)?(?:async\s+)?(?:function\*?|class|interface|type|enum|const|let|var)\s+(?P<name>[\w$]+)",
    re.MULTILINE,
)
_BINDING = r"(?:function\*?|class|interface|type|enum|const|let|var|import|as)\s+{name}\b"
_AS_PARAMETER = r"\([^()]{{0,500}}(?<![\w$.]){name}(?![\w$])[^()]{{0,500}}\)\s*(?:\{{|=>|:)"
_IN_PATTERN = (
    r"[{{\[][^{{}}\[\]]{{0,500}}(?<![\w$.]){name}(?![\w$])[^{{}}\[\]]{{0,500}}[}}\]]\s*(?:=(?!=)|from\b)"
)
_EXPORTS = re.compile(r"\bmodule\.exports\b|\bexports\.|^\s*export\b", re.MULTILINE)
_IS_MODULE = re.compile(r"^\s*(?:import\b(?!\s*\()|export\b)", re.MULTILINE)
_EMPTY_BODY = re.compile(r"\{[\s;]*\}\s*;?\s*$")
_NAMES = re.compile(r"[\w$]+")


def add_bindings(text: str, material: Material) -> Assembly:
    """Put before an answer the imports and helpers of the task, and Node's modules that it uses and lacks."""
    lines: list[str] = []
    added: list[str] = []
    left = text
    for names, source in reversed([*_given(material), *_modules(text)]):
        lacking = [name for name in names if _is_used(name, left) and not _is_bound(name, left)]
        if lacking:
            lines.insert(0, source)
            added += lacking
            left = f"{source}\n{left}"  # a helper may need a helper that stands above it
    whole = "\n".join((*lines, text))
    return Assembly(whole, tuple(added)) if lines and parses(whole, material.language) else Assembly(text)


def _given(material: Material) -> Iterator[tuple[list[str], str]]:
    """Yield the task's imports and complete definitions with the names that each binds."""
    for code in material.codes:
        for found in _IMPORT.finditer(code):
            yield _bound_by(found[0]), found[0]
        for name, source in _definitions(code, material.language):
            yield [name], source


def _bound_by(line: str) -> list[str]:
    """Name what an import binds: the last word of each part."""
    head = re.split(r"\bfrom\b|=\s*require", line)[0]
    parts = re.split(r"[,{}]", re.sub(r"^(?:import(?:\s+type)?|const|let|var)\b", "", head))
    words = [_NAMES.findall(part) for part in parts]
    return [names[-1] for names in words if names]


def _definitions(code: str, language: str) -> Iterator[tuple[str, str]]:
    """Yield each definition at the margin of code that is whole and not empty."""
    starts = [*_TOP.finditer(code)]
    ends = [*(one.start() for one in starts[1:]), len(code)]
    for start, end in zip(starts, ends, strict=False):  # without a start there is one end
        source = _without_tail(code[start.start() : end]).removeprefix("export ")
        is_import = "require" in source.partition("\n")[0]
        if is_import or _EMPTY_BODY.search(mask(source, language)) or closing(source, language):
            continue
        if parses(source, language):
            yield start["name"], source


def _without_tail(source: str) -> str:
    """Cut the comments that stand above the next definition."""
    return re.sub(r"(?:\n[ \t]*(?://[^\n]*|/?\*[^\n]*)?)*$", "", source).rstrip()


def _modules(text: str) -> Iterator[tuple[list[str], str]]:
    is_module = bool(_IS_MODULE.search(text))
    for name in MODULES:
        line = f"import {name} from 'node:{name}';" if is_module else f"const {name} = require('{name}');"
        if re.search(rf"(?<![\w$.]){name}(?:\.\w|\()", text):
            yield [name], line


def _is_used(name: str, text: str) -> bool:
    return bool(re.search(rf"(?<![\w$.]){re.escape(name)}(?![\w$])", mask_comments(text)))


def mask_comments(text: str) -> str:
    """Blank what is said about code, so that a name in a sentence is no use of it."""
    return re.sub(r"^[ \t]*(?://|\*|/\*)[^\n]*", "", text, flags=re.MULTILINE)


def _is_bound(name: str, text: str) -> bool:
    """Tell whether anything may bind a name: if in doubt it does, and nothing is added."""
    escaped = re.escape(name)
    patterns = (_BINDING, _AS_PARAMETER, _IN_PATTERN, r"(?<![\w$.]){name}\s*=(?!=)")
    return any(re.search(pattern.format(name=escaped), text) for pattern in patterns)


def add_exports(text: str, material: Material) -> Assembly:
    """Export what the tests import from the answer, when it exports nothing at all."""
    wanted, default = _imported(material)
    if _EXPORTS.search(text) or not (wanted or default):
        return Assembly(text)
    defined = sorted(defined_names(text, material.language))
    names = [name for name in wanted if name in defined]
    is_module = material.language != "javascript" or (
        _tests_are_module(material.tests) and "require(" not in text
    )
    if default and not wanted:
        return _export_default(text, default, defined, is_module=is_module)
    if not names:
        return Assembly(text)
    listed = ", ".join(names)
    line = f"export {{ {listed} }};" if is_module else f"module.exports = {{ {listed} }};"
    return Assembly(f"{text.rstrip()}\n\n{line}\n", ("export",))


def _export_default(text: str, name: str, defined: list[str], *, is_module: bool) -> Assembly:
    """Export the definition that has the name which the tests give it, else the only one."""
    if name not in defined:
        if len(defined) != 1:
            return Assembly(text)
        name = defined[0]
    line = f"export default {name};" if is_module else f"module.exports = {name};"
    return Assembly(f"{text.rstrip()}\n\n{line}\n", ("export",))


def _imported(material: Material) -> tuple[list[str], str]:
    """Read which names the tests import from the answer's file, and as what they take it whole."""
    place = rf"['\"](?:\.{{1,2}}/)+(?:[\w.-]+/)*{re.escape(material.name)}(?:\.[cm]?[jt]sx?)?['\"]"
    wanted: list[str] = []
    default = ""
    for found in re.finditer(
        rf"(?:(?:const|let|var)\s+(?P<one>[^=;]{{1,500}}?)\s*=\s*require\(\s*{place}\s*\)(?P<member>\.\w+)?"
        rf"|import\s+(?P<two>[^;'\"]{{1,500}}?)\s+from\s+{place})",
        material.tests,
    ):
        bound = found["one"] or found["two"]
        braces = re.search(r"\{([^}]*)\}", bound)
        parts = braces[1].split(",") if braces else []
        wanted += [names[0] for part in parts if (names := _NAMES.findall(part.replace("type ", "")))]
        wanted += [found["member"][1:]] if found["member"] else []
        whole = _NAMES.match(bound.strip().removeprefix("*").strip().removeprefix("as "))
        default = default or (whole[0] if whole and not found["member"] else "")
        wanted += _members(default, material.tests) if "*" in bound or default else []
    return list(dict.fromkeys(wanted)), default


def _members(name: str, tests: str) -> list[str]:
    """Name what the tests take out of a module that they import whole."""
    return re.findall(rf"(?<![\w$.]){re.escape(name)}\.(\w+)", tests) if name else []


def _tests_are_module(tests: str) -> bool:
    return bool(_IS_MODULE.search(tests))
