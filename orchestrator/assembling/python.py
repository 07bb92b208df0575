"""Complete a Python answer with what its task already held: imports, helpers, the signature above a body."""

import ast
import symtable
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from orchestrator.assembling.assembly import Assembly
from orchestrator.fences import find_blocks
from validators.naming import unbound_names

_TYPING = (
    "Any Callable DefaultDict Deque Dict FrozenSet Generator Iterable Iterator List Literal Mapping "
    "NamedTuple Optional Sequence Set Tuple TypeVar Union"
)
_WELL_KNOWN = {
    "typing": _TYPING,
    "collections": "Counter OrderedDict defaultdict deque namedtuple",
    "functools": "cache cmp_to_key lru_cache partial reduce wraps",
    "itertools": "accumulate chain combinations groupby pairwise permutations product zip_longest",
    "heapq": "heapify heappop heappush heappushpop heapreplace nlargest nsmallest",
    "bisect": "bisect_left bisect_right insort",
    "math": "ceil comb floor gcd inf isqrt lcm sqrt",
    "dataclasses": "dataclass",
    "pathlib": "Path",
}
_MODULES = (
    "abc asyncio bisect collections copy csv datetime decimal enum fractions functools hashlib heapq "
    "itertools json math operator random re statistics string sys time typing"
)
IMPORTS: Mapping[str, str] = MappingProxyType(
    {name: f"import {name}" for name in _MODULES.split()}
    | {name: f"from {module} import {name}" for module in _WELL_KNOWN for name in _WELL_KNOWN[module].split()}
)
"""Names that mean one thing in Python's standard library wherever they stand unbound, and their import."""


def assemble_python(text: str, prompt: str, tests: str = "") -> Assembly:
    """Complete an answer; what is complete, or beyond help, comes back as it was.

    Args:
        text: The candidate's source.
        prompt: The task's words; code in its fences says what the answer stands under.
        tests: Source that will use the answer's names; helpers of the task that it needs are added too.
    """
    given = [block.text for block in find_blocks(prompt, "python") if block.text.strip()]
    complete = _compiles(text)
    whole = text if complete else _put_under_signature(text, given)
    if not whole:
        return Assembly(text)
    made = Assembly(whole, () if complete else ("signature",))
    while (more := _add_missing(made, given, tests)) != made:  # a helper may need an import of its own
        made = more
    return made


def _add_missing(made: Assembly, given: Sequence[str], tests: str) -> Assembly:
    whole = made.text
    missing = _find_unbound(whole) | _wanted_helpers(whole, given, tests)
    lines = [line for line in _find_providers(missing, given) if line not in whole]
    if not lines:
        return made
    future, rest = _split_future(whole)
    head = "\n".join(line for line in lines if not line.startswith(("def ", "class ", "@")))
    helpers = "\n\n\n".join(line for line in lines if line.startswith(("def ", "class ", "@")))
    body = "\n\n\n".join(part for part in (head, helpers, rest.lstrip("\n")) if part)
    return Assembly(future + body, (*made.added, *sorted(missing & _names_of(lines))))


def _wanted_helpers(whole: str, given: Sequence[str], tests: str) -> frozenset[str]:
    """Name the task's helpers that the tests use and the answer does not define."""
    if not (tests and _compiles(tests)):
        return frozenset()
    helpers = {
        node.name for node, _ in _statements(given) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    defined = {one.get_name() for one in symtable.symtable(whole, "candidate", "exec").get_symbols()}
    return (_find_unbound(tests) & helpers) - defined


def _compiles(text: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(text, "candidate", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _put_under_signature(body: str, given: Sequence[str]) -> str:
    """Put a body under the last signature of the task that makes it a whole; empty when none does."""
    for code in reversed(given):
        for indent in ("", "    ", "        "):
            whole = f"{code.rstrip()}\n{textwrap.indent(textwrap.dedent(body), indent)}"
            if _compiles(whole):
                return whole
    return ""


def _find_unbound(text: str) -> frozenset[str]:
    return unbound_names(text, ast.parse(text))


def _find_providers(missing: frozenset[str], given: Sequence[str]) -> list[str]:
    """Find the lines that bind what is missing: the task's own first, then the standard library's."""
    lines: list[str] = []
    left = set(missing)
    for node, code in _statements(given):
        names = _bound_by(node)
        if left & names:
            lines.append(ast.get_source_segment(code, node) or "")
            left -= names
    lines += [IMPORTS[name] for name in sorted(left) if name in IMPORTS]
    return [line for line in lines if line]


def _statements(given: Sequence[str]) -> Iterator[tuple[ast.stmt, str]]:
    """Yield the task's imports and complete helpers; a function without a body is what was asked for."""
    for code in given:
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError):
            continue
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom) or _is_complete(node):
                yield node, code


def _is_complete(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return False
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return any(not isinstance(one, ast.Pass | ast.Expr) for one in body)


def _bound_by(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(one.asname or one.name).split(".")[0] for one in node.names}
    return {node.name} if isinstance(node, ast.FunctionDef | ast.ClassDef) else set()


def _names_of(lines: Sequence[str]) -> set[str]:
    return {name for line in lines for node in ast.parse(line).body for name in _bound_by(node)}


def _split_future(text: str) -> tuple[str, str]:
    """Part the docstring and `__future__` imports, which must stay first, from the rest."""
    tree = ast.parse(text)
    end = 0
    for position, node in enumerate(tree.body):
        is_docstring = position == 0 and ast.get_docstring(tree) is not None
        if not (is_docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__")):
            break
        end = node.end_lineno or 0
    lines = text.splitlines(keepends=True)
    head = "".join(lines[:end])
    return (f"{head.rstrip()}\n\n" if head else ""), "".join(lines[end:])
