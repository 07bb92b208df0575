"""How tests in each language but Python are laid out beside a candidate and started.

A last word is written that only a run to the end of the tests can write, so that a candidate which exits
early is not taken for one that passes. It lies in no file and no script once anything of the candidate is
compiled or run: the shell reads it first and hands it to the program on stdin. Candidate and tests share one
process all the same, so a program written to search its own memory can still find it.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath

from validators.compilers import is_module, place_java
from validators.runners.written_tests import after_loading

LAST_WORD_FILE = "given_tests_word"
_BEGIN = f"read -r word < {LAST_WORD_FILE} && rm {LAST_WORD_FILE}"


@dataclass(frozen=True, slots=True)
class Materials:
    """What a suite is made of."""

    files: Mapping[str, str]
    """The candidate's."""
    tests: str

    def mentioned(self) -> list[str]:
        """Return the candidate's files that the tests name, so that they must not be joined with them."""
        stems = {path: re.escape(PurePosixPath(path).stem) for path in self.files}
        return [path for path, stem in stems.items() if re.search(rf"\b{stem}\b", self.tests)]

    def joined(self, ending: str) -> str:
        """Return the candidate's files of that ending and the tests as one source."""
        own = (text.rstrip() for path, text in self.files.items() if path.endswith(ending))
        return "\n\n".join((*own, self.tests))


@dataclass(frozen=True, slots=True)
class Layout:
    """Files to write, and the words of shell that build and run them, in which `$0` is the tool."""

    files: Mapping[str, str]
    run: str
    build: str = "true"

    @property
    def script(self) -> str:
        """Return the whole script; the program gets the last word on stdin."""
        return f'{_BEGIN} && {self.build} && printf %s "$word" | {self.run}'


LayOut = Callable[[Materials], Layout]


def _start(name: str) -> str:
    return resources.files("validators.runners").joinpath("starts", name).read_text("utf-8")


def lay_out_javascript(materials: Materials) -> Layout:
    """Join the tests with a single file they do not name, else put them beside."""
    apart = bool(materials.mentioned()) or len(materials.files) > 1
    tests = materials.tests if apart else materials.joined("js")
    name = "given_tests.mjs" if is_module(tests) else "given_tests.cjs"
    own_modules = any(is_module(text) for path, text in materials.files.items() if path.endswith(".js"))
    package = {"package.json": json.dumps({"type": "module"})} if own_modules else {}
    files = {**package, **materials.files, name: tests, "given_tests_start.mjs": _start("start.mjs")}
    return Layout(files, f'"$0" given_tests_start.mjs {name}')


_WRAPPED = "-Wl,--wrap=main"


def lay_out_rust(materials: Materials) -> Layout:
    """Join the tests with a candidate they do not name; main is wrapped where the program is linked."""
    tests = materials.tests if materials.mentioned() else materials.joined(".rs")
    files = {**materials.files, "given_tests.rs": tests, "given_tests_start.c": _start("start.c")}
    compiler = '"$0" --edition 2021 -A warnings --test -o given_tests'
    linked = f"-C link-arg=given_tests_start.o -C link-arg={_WRAPPED}"
    build = (
        f"cc -c given_tests_start.c -o given_tests_start.o && {compiler} {linked} given_tests.rs </dev/null"
    )
    return Layout(files, "./given_tests", build)


def lay_out_c(ending: str, standard: str) -> LayOut:
    """Return the layout of C or C++, which includes a single file that the tests do not name."""

    def lay_out(materials: Materials) -> Layout:
        sources = [path for path in materials.files if path.endswith((".c", ".cc", ".cpp", ".cxx"))]
        included = [path for path in materials.files if PurePosixPath(path).name in materials.tests]
        tests = materials.tests
        if not included and len(materials.files) == 1:
            included = sources
            includes = "".join(f'#include "{path}"\n' for path in sources)
            tests = f'{includes}#include <assert.h>\n#line 1 "given_tests.{ending}"\n{tests}'
        apart = shlex.join(f"./{path}" for path in sources if path not in included)
        files = {
            **materials.files,
            f"given_tests.{ending}": tests,
            "given_tests_headers/assert.h": _start("assert.h"),
            "given_tests_start.c": _start("start.c"),
        }
        compiler = f'"$0" -std={standard} -UNDEBUG -Igiven_tests_headers -I. -w'
        build = (
            f"{compiler} -x c -std=gnu17 -c given_tests_start.c -o given_tests_start.o && {compiler} "
            f"{_WRAPPED} given_tests_start.o given_tests.{ending} {apart} -lm -lpthread -o given_tests"
        )
        return Layout(files, "./given_tests", build)

    return lay_out


_BASH_GATE = (
    "set -eE; trap '((BASH_SUBSHELL)) || "
    """{ echo "given_tests.sh:$LINENO: $BASH_COMMAND" >&2; exit 1; }' ERR"""
)
"""The trap ends the run also after a `set +e`; in a command substitution a failure is a value, as ever."""


def lay_out_bash(materials: Materials) -> Layout:
    """Source the candidate where the tests do not; whoever sources, afterwards the gate is closed anew."""
    sources = [] if materials.mentioned() else [path for path in materials.files if path.endswith(".sh")]
    loaded = "".join(f". {shlex.quote(f'./{path}')} || :; {_BASH_GATE}; " for path in sources)
    tests = re.sub(r"\n[ \t]*exit\b[ \t]*(\S*)$", r"\n(exit \1)", materials.tests.rstrip())
    tests = after_loading(tests, f"; {_BASH_GATE}")
    script = f'{_BASH_GATE}; {loaded}{tests}\nread -r -u 8 token\nprintf %s "$token" >&9\n'
    files = {**materials.files, "given_tests.sh": script, "given_tests_start.sh": _start("start.sh")}
    return Layout(files, '"$0" given_tests_start.sh')


def lay_out_java(materials: Materials) -> Layout:
    """Compile everything together and run the tests' class."""
    named = re.search(r"^[ \t]*(?:public\s+|final\s+)*class\s+(\w+)", materials.tests, re.MULTILINE)
    name = named[1] if named else "Tests"
    own = {place_java(path, text): text for path, text in materials.files.items()}
    files = {**own, f"{name}.java": materials.tests, "StartOfTests.java": _start("StartOfTests.java")}
    build = (
        'find . -name "*.java" > given_tests_sources && '
        '"$0" -proc:none -nowarn -encoding UTF-8 -d . @given_tests_sources'
    )
    return Layout(files, f'"${{0%/*}}/java" -ea -cp . StartOfTests {name}', build)


def lay_out_go(materials: Materials) -> Layout:
    """Give the tests the candidate's package where they name none."""
    package = re.search(r"^package\s+(\w+)", "\n".join(materials.files.values()), re.MULTILINE)
    tests = materials.tests
    if package and not re.search(r"^package\s", tests, re.MULTILINE):
        tests = f"package {package[1]}\n{tests}"
    module = {} if "go.mod" in materials.files else {"go.mod": "module candidate\n\ngo 1.18\n"}
    return Layout({**module, **materials.files, "given_test.go": tests}, '"$0" test -v ./...')


def lay_out_ruby(materials: Materials) -> Layout:
    """Join the tests with a candidate they do not name."""
    tests = materials.tests if materials.mentioned() else materials.joined(".rb")
    files = {**materials.files, "given_tests.rb": tests, "given_tests_start.rb": _start("start.rb")}
    return Layout(files, '"$0" -W0 -I. given_tests_start.rb')


def lay_out_php(materials: Materials) -> Layout:
    """Require the candidate where the tests do not."""
    tests = re.sub(r"^\s*<\?php", "", materials.tests)
    sources = [] if materials.mentioned() else [path for path in materials.files if path.endswith(".php")]
    script = "".join(("<?php\n", *(f"require './{path}';\n" for path in sources), tests))
    files = {**materials.files, "given_tests.php": script, "given_tests_start.php": _start("start.php")}
    return Layout(files, '"$0" -d zend.assertions=1 -d assert.exception=1 given_tests_start.php')
