"""Give an answer the lines that its language wants at the head of a file: package, imports, includes."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from orchestrator.assembling.assembly import Assembly
from orchestrator.assembling.given import Material, defined_names, mask
from validators.parsers import parses

_GO_PACKAGE = re.compile(r"^[ \t]*package[ \t]+(\w+)", re.MULTILINE)
_GO_IMPORT = re.compile(r"^[ \t]*import\b", re.MULTILINE)
_GO_OWN = r"\b{name}\s*(?::=|,|[*\[\w])|\b(?:var|func)\s+{name}\b"
_GO = (
    "bufio bytes context errors fmt io math os path reflect regexp runtime sort strconv strings sync time "
    "unicode slices maps container/heap container/list math/bits unicode/utf8 encoding/json sync/atomic"
)
GO_PACKAGES: Mapping[str, str] = MappingProxyType({path.rpartition("/")[2]: path for path in _GO.split()})
"""Packages of Go's standard library by the word before the dot."""
_JAVA = {
    "java.util": (
        "ArrayDeque ArrayList Arrays BitSet Collection Collections Comparator Deque EnumMap HashMap HashSet "
        "Iterator LinkedHashMap LinkedHashSet LinkedList List Map NoSuchElementException Objects Optional "
        "PriorityQueue Queue Random Scanner Set Stack StringJoiner TreeMap TreeSet"
    ),
    "java.util.function": "BiFunction Consumer Function Predicate Supplier UnaryOperator",
    "java.util.stream": "Collectors IntStream Stream",
    "java.math": "BigDecimal BigInteger",
}
JAVA_IMPORTS: Mapping[str, str] = MappingProxyType(
    {name: f"import {package}.{name};" for package, names in _JAVA.items() for name in names.split()}
)
_RUST = {
    "std::collections": "BTreeMap BTreeSet BinaryHeap HashMap HashSet VecDeque",
    "std::cmp": "Ordering Reverse",
    "std::rc": "Rc",
    "std::cell": "RefCell",
    "std::sync": "Arc Mutex",
}
RUST_USES: Mapping[str, str] = MappingProxyType(
    {name: f"use {module}::{name};" for module, names in _RUST.items() for name in names.split()}
)
_OWN_LINES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "c": re.compile(r"^[ \t]*#[ \t]*include[ \t]*<[^>\n]+>", re.MULTILINE),
        "cpp": re.compile(
            r"^[ \t]*(?:#[ \t]*include[ \t]*<[^>\n]+>|using[ \t]+namespace[ \t]+std;)", re.MULTILINE
        ),
        "csharp": re.compile(r"^[ \t]*using[ \t]+[\w.]+;", re.MULTILINE),
        "java": re.compile(r"^[ \t]*import[ \t]+(?:static[ \t]+)?[\w.]+(?:\.\*)?;", re.MULTILINE),
        "rust": re.compile(r"^use[ \t]+[^;]+;", re.MULTILINE),
        "php": re.compile(r"^[ \t]*use[ \t]+[\w\\]+;", re.MULTILINE),
    }
)
"""The lines of a task's code that an answer in the language needs too."""


def add_go(text: str, material: Material) -> Assembly:
    """Give a Go file its package clause, and imports where it has none."""
    added: list[str] = []
    if not _GO_PACKAGE.search(text):
        stated = _GO_PACKAGE.search("\n".join((material.tests, *material.codes)))
        main = "main" if re.search(r"^func main\(", text, re.MULTILINE) else "solution"
        text = f"package {stated[1] if stated else main}\n\n{text.lstrip()}"
        added.append("package")
    if not _GO_IMPORT.search(text):
        used = set(re.findall(r"(?<![\w.])([a-z]\w*)\.[A-Z]", mask(text, "go")))
        own = {
            name
            for name in used
            if re.search(rf"\b{name}\s*(?::=|,|[*\[\w])|\b(?:var|func)\s+{name}\b", text)
        }
        names = sorted(name for name in used - own if name in GO_PACKAGES)
        lines = "".join(f'import "{GO_PACKAGES[name]}"\n' for name in names)
        head, rest = _after_package(text)
        text = f"{head}\n{lines}{rest}" if lines else text
        added += names
    return Assembly(text, tuple(added))


def _after_package(text: str) -> tuple[str, str]:
    found = _GO_PACKAGE.search(text)
    end = text.find("\n", found.end()) + 1 if found else 0
    return text[:end], text[end:]


def add_php(text: str, _: Material) -> Assembly:
    """Open a PHP file that has no tag."""
    return Assembly(text) if "<?" in text else Assembly(f"<?php\n{text}", ("<?php",))


def add_java(text: str, material: Material) -> Assembly:
    """Put methods without a class into the one that the task or the tests name, and add imports."""
    named = re.search(r"\b(?:class|interface|enum|record|@interface)\s+\w", mask(text, "java"))
    if named:
        return _add_lines(text, material, JAVA_IMPORTS)
    name = _java_class(text, material)
    body = "\n".join(f"    {line}" if line else line for line in text.rstrip().split("\n"))
    imports = re.findall(r"^\s*import\b[^;]*;", text, re.MULTILINE)
    whole = f"class {name} {{\n{body}\n}}\n"
    if not name or imports or not parses(whole, "java"):
        return _add_lines(text, material, JAVA_IMPORTS)
    made = _add_lines(whole, material, JAVA_IMPORTS)
    return Assembly(made.text, (f"class {name}", *made.added))


def _java_class(text: str, material: Material) -> str:
    """Name the class that the methods of an answer belong to; empty where nothing says it."""
    for code in reversed(material.codes):
        if found := re.search(r"\bclass\s+(\w+)", code):
            return found[1]
    for method in sorted(defined_names(text, "java")):
        if found := re.search(rf"\b(?:new\s+(\w+)\(\s*\)|([A-Z]\w*))\.{method}\s*\(", material.tests):
            return found[1] or found[2]
    return ""


def add_rust(text: str, material: Material) -> Assembly:
    """Add `use` lines of the task and those of the standard library that a name can only mean."""
    return _add_lines(text, material, RUST_USES)


def add_own(text: str, material: Material) -> Assembly:
    """Add the task's own lines to an answer that has none of the kind."""
    return _add_lines(text, material, {})


def _add_lines(text: str, material: Material, known: Mapping[str, str]) -> Assembly:
    """Add the task's lines where the answer has none, and known ones for names that nothing binds."""
    pattern = _OWN_LINES[material.language]
    lines = [found[0].strip() for code in material.codes for found in pattern.finditer(code)]
    lines = [] if pattern.search(text) else list(dict.fromkeys(lines))
    source = mask(text, material.language)
    bound = "\n".join((*lines, *(found[0] for found in pattern.finditer(text))))
    lines += [line for name, line in known.items() if _lacks(name, line, source, bound)]
    if not lines:
        return Assembly(text)
    head, rest = _after_head(text, material.language)
    whole = "\n".join((*head, *lines, "", rest))
    if not parses(whole, material.language):
        return Assembly(text)
    return Assembly(whole, tuple(lines))


def _lacks(name: str, line: str, source: str, bound: str) -> bool:
    """Tell whether source uses a name that neither itself nor the lines that bind names bring."""
    package = re.escape(line.rpartition(name)[0].split()[-1].rstrip(".:"))
    is_own = rf"\b(?:class|interface|enum|record|struct|trait|type)\s+{name}\b|[.:]{name}\b"
    return (
        bool(re.search(rf"\b{name}\b", source))
        and not re.search(rf"\b{name}\b|{package}(?:\.|::)(?:\*|{{)", bound)
        and not re.search(is_own, source)
    )


def _after_head(text: str, language: str) -> tuple[list[str], str]:
    """Part what must stand first (a package, inner attributes, `<?php`) from the rest."""
    first = {
        "java": r"\s*package\s+[\w.]+;[^\n]*\n",
        "rust": r"(?:\s*#!\[[^\n]*\n)+",
        "php": r"\s*<\?php[^\n]*(?:\n|$)(?:\s*(?:declare|namespace)\b[^\n;]*;[^\n]*\n)*",
    }.get(language)
    found = re.match(first, text) if first else None
    return ([found[0].rstrip("\n")], text[found.end() :]) if found else ([], text)


def _add_php(text: str, material: Material) -> Assembly:
    opened = add_php(text, material)
    more = _add_lines(opened.text, material, {})
    return Assembly(more.text, (*opened.added, *more.added))


ADD_HEADERS: Mapping[str, Callable[[str, Material], Assembly]] = MappingProxyType(
    {
        "go": add_go,
        "java": add_java,
        "rust": add_rust,
        "c": add_own,
        "cpp": add_own,
        "csharp": add_own,
        "php": _add_php,
    }
)
"""Language to what completes the head of its files."""
