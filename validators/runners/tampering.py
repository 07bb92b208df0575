"""Find in a candidate what only serves to get past its judges, or hides what they judge by.

A tripwire, not a proof: tests share a process with what they test, and code that is written to hide (built by
`exec`, decoded, fetched from attributes by computed names) passes it.
"""

import ast
import builtins
import re
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath

from validators.parsers import ParserLimitError, parse_python
from validators.verdict import Diagnostic

TAMPERING = "tampering"
_GIVEN = "given_test"
_MOST = 100
"""Remarks of one kind on a file; whoever earns so many is found out."""
_ENDS = "ends the run that judges it"
_LOOKS = "looks into the program that judges it"
_NAMES = {
    "_exit": _ENDS,
    "atexit": "may act when its judge has ended",
    "_pytest": _LOOKS,
    **dict.fromkeys(("_getframe", "_current_frames", "f_back", "f_locals", "f_globals"), _LOOKS),
    **dict.fromkeys(("tb_frame", "gi_frame", "cr_frame", "settrace", "setprofile"), _LOOKS),
    **dict.fromkeys(("__code__", "__globals__", "__closure__"), _LOOKS),
    **dict.fromkeys(("get_objects", "get_referrers", "get_referents"), _LOOKS),
    **dict.fromkeys(("inspect.stack", "inspect.currentframe", "inspect.trace"), _LOOKS),
}
_SKIPS = frozenset(
    {"pytest.skip", "pytest.exit", "pytest.xfail", "pytest.importorskip", "SkipTest", "__unittest_skip__"}
)
"""A test may do this; what is tested may not."""
_HARMLESS_HOOKS = frozenset({"pytest_addoption", "pytest_configure", "pytest_generate_tests"})
_JUDGES = frozenset({"pytest", "_pytest", "pluggy", "iniconfig", "packaging"})
_AT_START = frozenset({"sitecustomize", "usercustomize"})
"""Python imports them by itself, from wherever sources are installed in place."""
_SETTINGS = frozenset({"pytest.ini", ".pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini"})
_OPTIONS = re.compile(r"addopts[\"']?[ \t]*[=:].*(?:\n(?:[ \t\]\"'#].*)?)*")
_PLUGIN = re.compile(r"(?<![\w-])-p[\"',\s]*(?!no:|pytester\b)(?P<name>[\w.]+)")
_OFTEN_OWN = frozenset({"test", "this", "antigravity"})
"""Modules of the standard library that nothing of a judge imports."""

_BASH_FUNCTION = r"^[^\S\n]*(?:function[^\S\n]+)?"
_ALWAYS = "is equal to everything"
_PATTERNS: dict[str, tuple[tuple[str, str], ...]] = {
    "bash": (
        (
            rf"{_BASH_FUNCTION}(?:\[\[?|test|exit|return|builtin|command|trap|set|unset|source|eval)[^\S\n]*\(\)",
            "replaces a command of the shell itself",
        ),
        (r"\benable\s+-n\b", "switches off a command of the shell itself"),
    ),
    "c": (
        (
            r"^[^\S\n]*#[^\S\n]*define\s+(?:assert|exit|abort|main|return|if)\b",
            "redefines what tests are made of",
        ),
        (r"__assert_fail|__assert_rtn|__wrap_\w+|__real_\w+|preinit_array", "replaces what judges it"),
        (r"operator\s*==\s*\([^)]{0,400}\)[^{;]{0,200}\{\s*return\s+true\s*;\s*\}", _ALWAYS),
    ),
    "rust": (
        (r"macro_rules!\s*(?:debug_)?(?:assert|panic)\w*", "replaces what tests are made of"),
        (r"fn\s+eq\s*\([^)]{0,400}\)\s*->\s*bool\s*\{\s*true\s*\}", _ALWAYS),
    ),
    "java": ((r"boolean\s+equals\s*\([^)]{0,400}\)\s*\{\s*return\s+true\s*;\s*\}", _ALWAYS),),
    "go": ((r"\bsyscall\.Exit\b|\bfunc\s+TestMain\b", _ENDS),),
}
_PATTERNS["cpp"] = _PATTERNS["c"]
_PATTERNS["javascript"] = _PATTERNS["typescript"] = (
    (
        r"process\.(?:reallyExit|binding)\b|process\.env(?:\.|\[.)REPORT\b|outputFile|reporter-destination",
        _LOOKS,
    ),
)
_SHADOWABLE = {
    "javascript": r"(?:^|[;{}])[ \t]*(?:export\s+)?(?:async\s+)?(?:function(?:\s*\*)?|class|const|let|var)\s+"
    r"(?P<name>require|assert|expect|test|it|describe|process|globalThis)\b(?!\s*=\s*(?:await|require|import)\b)",
    "bash": rf"{_BASH_FUNCTION}(?P<name>diff|grep|cmp|printf|echo|cat|wc|sed|awk|head|tail|sort)[^\S\n]*\(\)",
}


def find_tampering(path: str, text: str, language: str, before: str | None = None) -> tuple[Diagnostic, ...]:
    """Return what a file of a candidate does to its judges and its former version did not.

    Args:
        path: Of the file in the candidate.
        text: What it holds.
        language: Of the candidate.
        before: What the file holds in the workspace; None where it is new.
    """
    known = (
        Counter(remark.message for remark in _find(path, before, language))
        if before is not None
        else Counter()
    )
    found = []
    for remark in _find(path, text, language):
        if known[remark.message]:
            known[remark.message] -= 1
        else:
            found.append(remark)
    if before is None and path.endswith(".py"):
        found.extend(find_hiding(path))
    return tuple(found)


def find_shadowing(path: str, text: str, language: str, tests: str) -> tuple[Diagnostic, ...]:
    """Return what the tests use without importing it, and a candidate replaces for them."""
    if language == "python":
        names = _python_names(text) if path.endswith(".py") else {}
        used = _used_builtins(tests) if names else frozenset()
    else:
        pattern = _SHADOWABLE.get(language, r"(?!)")
        matches = islice(re.finditer(pattern, text, re.MULTILINE), _MOST)
        names = {match["name"]: text.count("\n", 0, match.start("name")) + 1 for match in matches}
        used = frozenset(name for name in names if re.search(rf"\b{name}\b", tests))
    return tuple(
        Diagnostic(
            f"It defines {name!r}, by which the tests judge. Rename it; where the task wants this name, the "
            "tests must import it.",
            file=path,
            line=line,
            code="shadowing",
        )
        for name, line in names.items()
        if name in used
    )


def _find(path: str, text: str, language: str) -> Iterator[Diagnostic]:
    if path.endswith(".py"):
        yield from _find_in_python(path, text)
        return
    if PurePosixPath(path).name in _SETTINGS:
        yield from _early_plugins(path, text)
    for pattern, what in ((_GIVEN, "opens the tests"), *_PATTERNS.get(language, ())):
        for match in islice(re.finditer(pattern, text, re.MULTILINE), _MOST):
            yield _remark(path, text.count("\n", 0, match.end()) + 1, match[0].strip(), what)


def _early_plugins(path: str, text: str) -> Iterator[Diagnostic]:
    """Yield the plugins that the settings of pytest have it load, which is before it loads ours."""
    for options in _OPTIONS.finditer(text):
        for plugin in _PLUGIN.finditer(options[0]):
            line = text.count("\n", 0, options.start() + plugin.start("name")) + 1
            yield _remark(path, line, f"-p {plugin['name']}", "is loaded before the judge of the tests")


def _remark(path: str, line: int, name: str, what: str) -> Diagnostic:
    return Diagnostic(f"{name!r} {what}. Do without it.", file=path, line=line, code=TAMPERING)


def _find_in_python(path: str, text: str) -> Iterator[Diagnostic]:
    tree = _parsed(text)
    if tree is None:
        return
    modules = {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname
    }
    of_tests = is_test_file(path)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for name in dict.fromkeys(_mentions(node, modules)):
            if name in _NAMES:
                yield _remark(path, line, name, _NAMES[name])
            elif name in _SKIPS and not of_tests:
                yield _remark(path, line, name, "skips the tests that judge it")
            elif name == _GIVEN and not of_tests:
                yield _remark(path, line, name, "opens the tests")
        yield from _find_in_definition(path, node)
    for statement in tree.body:
        if _leaves(statement):
            yield _remark(path, statement.lineno, ast.unparse(statement), _ENDS)


def _find_in_definition(path: str, node: ast.AST) -> Iterator[Diagnostic]:
    if not isinstance(node, ast.FunctionDef):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            if _is_constant(node.value.body, value=True) and "__eq__" in names:
                yield _remark(path, node.lineno, "__eq__", _ALWAYS)
    elif node.name in {"__eq__", "__ne__"}:
        returned = [part.value for part in ast.walk(node) if isinstance(part, ast.Return)]
        if returned and all(_is_constant(value, value=node.name == "__eq__") for value in returned):
            yield _remark(path, node.lineno, node.name, _ALWAYS)
    elif node.name.startswith("pytest_") and node.name not in _HARMLESS_HOOKS:
        yield _remark(path, node.lineno, node.name, "changes how pytest judges")


def _is_constant(node: ast.expr | None, *, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is not None and bool(node.value) is value


def _mentions(node: ast.AST, modules: dict[str, str]) -> Iterator[str]:
    """Yield the names that a node mentions, as they stand and with their module."""
    match node:
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            yield from (name, f"{modules.get(module, module)}.{name}")
        case ast.Attribute(attr=name) | ast.Name(id=name):
            yield name
        case ast.Import(names=aliases):
            yield from (part for alias in aliases for part in alias.name.split("."))
        case ast.ImportFrom(module=module, names=aliases):
            yield from (module or "").split(".")
            yield from (name for alias in aliases for name in (alias.name, f"{module}.{alias.name}"))
        case ast.Constant(value=str(text)):
            yield _GIVEN if _GIVEN in text else text


def _leaves(statement: ast.stmt) -> bool:
    """Say whether a top-level statement ends every program that imports the file, with success."""
    match statement:
        case ast.Expr(value=ast.Call(func=leave, args=args)) | ast.Raise(exc=ast.Call(func=leave, args=args)):
            succeeds = all(isinstance(arg, ast.Constant) and not arg.value for arg in args)
        case ast.Raise(exc=ast.Name() as leave):
            succeeds = True
        case _:
            return False
    return succeeds and ast.unparse(leave) in {"sys.exit", "exit", "quit", "SystemExit"}


def is_test_file(path: str) -> bool:
    """Say whether a file is a test of pytest or belongs to its tests, as far as its name tells."""
    parts = PurePosixPath(path)
    named = parts.name == "conftest.py" or parts.stem.startswith("test_") or parts.stem.endswith("_test")
    return named or bool({"test", "tests"} & set(parts.parts[:-1]))


def find_hiding(path: str) -> Iterator[Diagnostic]:
    """Yield what the name of a source hides from all that runs in its top folder."""
    module = path.removesuffix(".py").removesuffix("/__init__")
    unseen = PurePosixPath(module).name in _AT_START or "given_tests_runner" in PurePosixPath(module).parts
    if unseen or module in _JUDGES or module in sys.stdlib_module_names - _OFTEN_OWN:
        yield Diagnostic(
            f"The name hides the module {module!r} from everything that imports it. Choose another.",
            file=path,
            code=TAMPERING,
        )


def _python_names(text: str) -> dict[str, int]:
    """Return what a source defines itself at its top level under a name of a builtin, with its line."""
    tree = _parsed(text)
    names: dict[str, int] = {}
    for node in tree.body if tree else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names[node.name] = node.lineno
        elif isinstance(node, ast.Assign):
            names.update((target.id, node.lineno) for target in node.targets if isinstance(target, ast.Name))
    return {name: line for name, line in names.items() if hasattr(builtins, name) and name[0] != "_"}


def _used_builtins(tests: str) -> frozenset[str]:
    """Return the builtins that tests use and do not bind to anything else."""
    tree = _parsed(tests)
    if tree is None:
        return frozenset()
    nodes = list(ast.walk(tree))
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name for alias in node.names}
    used = {node.id for node in nodes if isinstance(node, ast.Name)} | {"AssertionError"}
    return frozenset() if "*" in bound else frozenset(used - bound)


def _parsed(text: str) -> ast.Module | None:
    try:
        return parse_python(text)
    except (SyntaxError, ParserLimitError):
        return None  # who runs it will say so
