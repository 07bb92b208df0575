"""How tests in each language but Python are laid out beside a candidate and started.

Where the language allows it, a last word is written that only a run to the end of the tests can write, so
that a candidate which exits early is not taken for one that passes.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from validators.compilers import is_module, place_java

LAST_WORD_FILE = ".last_word"


@dataclass(frozen=True, slots=True)
class Materials:
    """What a suite is made of."""

    files: Mapping[str, str]
    """The candidate's."""
    tests: str
    last_word: str
    """A secret; written to descriptor 3 or stdout after the last test."""

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
    """Files to write, and a shell script to run among them in which `$0` is the tool."""

    files: Mapping[str, str]
    script: str


@dataclass(frozen=True, slots=True)
class Suite:
    """How one language's tests are run."""

    binaries: tuple[str, ...]
    install: str
    lay_out: Callable[[Materials], Layout]
    checks: str
    """A pattern that finds at least one test or assertion in the tests."""
    each_prints: str = ""
    """What every test prints that comes to its end; empty where the layout writes the last word."""
    missing: str = r"(?!)"
    """Finds a dependency in the output that is not installed here."""
    environment: Mapping[str, str] = field(default_factory=dict)


_NODE_START = """\
import fs from "node:fs";
import * as framework from "node:test";
const lastWord = fs.readFileSync(".last_word", "utf8");
fs.rmSync(".last_word");
fs.rmSync("start.mjs");
for (const name of ["describe", "it", "test", "before", "after", "beforeEach", "afterEach"])
  globalThis[name] ??= framework[name];
let whole = false;
process.on("beforeExit", () => whole && !process.exitCode && fs.writeSync(3, lastWord));
await import("./TESTS");
whole = true;
"""


def _javascript(materials: Materials) -> Layout:
    apart = bool(materials.mentioned()) or len(materials.files) > 1
    tests = materials.tests if apart else materials.joined("js")
    name = "given_tests.mjs" if is_module(tests) else "given_tests.cjs"
    own_modules = any(is_module(text) for path, text in materials.files.items() if path.endswith(".js"))
    package = {"package.json": json.dumps({"type": "module"})} if own_modules else {}
    files = {
        **package,
        **materials.files,
        name: tests,
        "start.mjs": _NODE_START.replace("TESTS", name),
        LAST_WORD_FILE: materials.last_word,
    }
    return Layout(files, '"$0" start.mjs')


def _rust(materials: Materials) -> Layout:
    if materials.mentioned():
        files = {**materials.files, "given_tests.rs": materials.tests}
    else:
        files = {"given_tests.rs": materials.joined(".rs")}
    compiler = '"$0" --edition 2021 -A warnings --test -o given_tests'
    return Layout(files, f"{compiler} given_tests.rs && ./given_tests")


_C_START = """\
#include <stdio.h>
#include <unistd.h>
#include <string.h>
int __real_main(int count, char **words, char **environment);
int __wrap_main(int count, char **words, char **environment) {
  char last_word[99] = "";
  FILE *file = fopen(".last_word", "r");
  if (!file || !fgets(last_word, sizeof last_word, file)) return 99;
  fclose(file);
  unlink(".last_word");
  int code = __real_main(count, words, environment);
  if (code == 0 && write(3, last_word, strlen(last_word)) < 0) return 99;
  return code;
}
"""


def _c(ending: str, standard: str) -> Callable[[Materials], Layout]:
    def lay_out(materials: Materials) -> Layout:
        sources = [path for path in materials.files if path.endswith((".c", ".cc", ".cpp", ".cxx"))]
        included = [path for path in materials.files if PurePosixPath(path).name in materials.tests]
        tests = materials.tests
        if not included and len(materials.files) == 1:
            included = sources
            tests = (
                "".join(f'#include "{path}"\n' for path in sources)
                + f'#line 1 "given_tests.{ending}"\n{tests}'
            )
        apart = " ".join(f"'./{path}'" for path in sources if path not in included)
        files = {
            **materials.files,
            f"given_tests.{ending}": tests,
            "start.c": _C_START,
            LAST_WORD_FILE: materials.last_word,
        }
        compiler = f'"$0" -std={standard} -I. -w'
        script = (
            f"{compiler} -x c -std=gnu17 -c start.c -o start.o && rm start.c && "
            f"{compiler} -Wl,--wrap=main given_tests.{ending} {apart} start.o -lm -lpthread -o given_tests"
            " && ./given_tests"
        )
        return Layout(files, script)

    return lay_out


_BASH_START = """trap 'echo "given_tests.sh:$LINENO: $BASH_COMMAND" >&2' ERR; """


def _bash(materials: Materials) -> Layout:
    tests = materials.tests if materials.mentioned() else materials.joined(".sh")
    tests = re.sub(r"\n\s*exit(?:\s+0)?\s*$", "", tests.rstrip())
    script = f"{_BASH_START}{tests}\nprintf %s '{materials.last_word}' >&3\n"
    return Layout({**materials.files, "given_tests.sh": script}, '"$0" -eE given_tests.sh')


_JAVA_START = """\
import java.nio.file.*;
class StartOfTests {
  public static void main(String[] names) throws Throwable {
    Path file = Path.of(".last_word");
    String lastWord = Files.readString(file);
    Files.delete(file);
    try {
      var main = Class.forName(names[0]).getDeclaredMethod("main", String[].class);
      main.setAccessible(true);
      main.invoke(null, (Object) new String[0]);
    } catch (java.lang.reflect.InvocationTargetException error) {
      throw error.getCause();
    }
    System.out.println(lastWord);
  }
}
"""


def _java(materials: Materials) -> Layout:
    named = re.search(r"^\s*(?:public\s+|final\s+)*class\s+(\w+)", materials.tests, re.MULTILINE)
    name = named[1] if named else "Tests"
    own = {place_java(path, text): text for path, text in materials.files.items()}
    files = {
        **own,
        f"{name}.java": materials.tests,
        "StartOfTests.java": _JAVA_START,
        LAST_WORD_FILE: materials.last_word,
    }
    script = (
        'find . -name "*.java" > sources && "$0" -proc:none -nowarn -encoding UTF-8 -d . @sources && '
        f'"${{0%/*}}/java" -ea -cp . StartOfTests {name}'
    )
    return Layout(files, script)


def _go(materials: Materials) -> Layout:
    package = re.search(r"^package\s+(\w+)", "\n".join(materials.files.values()), re.MULTILINE)
    tests = materials.tests
    if package and not re.search(r"^package\s", tests, re.MULTILINE):
        tests = f"package {package[1]}\n{tests}"
    module = {} if "go.mod" in materials.files else {"go.mod": "module candidate\n\ngo 1.18\n"}
    return Layout({**module, **materials.files, "given_test.go": tests}, '"$0" test -v ./...')


def _ruby(materials: Materials) -> Layout:
    tests = materials.tests if materials.mentioned() else materials.joined(".rb")
    script = f'{tests}\nIO.new(3, "w").write("{materials.last_word}")\n'
    return Layout({**materials.files, "given_tests.rb": script}, '"$0" -W0 -I. given_tests.rb')


def _php(materials: Materials) -> Layout:
    tests = re.sub(r"^\s*<\?php", "", materials.tests)
    if not materials.mentioned():
        tests = "".join(f"require '{path}';\n" for path in materials.files if path.endswith(".php")) + tests
    script = f"<?php\n{tests}\nfwrite(fopen('php://fd/3', 'w'), '{materials.last_word}');\n"
    return Layout(
        {**materials.files, "given_tests.php": script},
        '"$0" -d zend.assertions=1 -d assert.exception=1 given_tests.php',
    )


_C_MISSING = r"fatal error: [^\n]*(?:No such file|not found)"
_GO_ENVIRONMENT = {"GOFLAGS": "-buildvcs=false", "GOPROXY": "off", "GOTOOLCHAIN": "local"}

SUITES: dict[str, Suite] = {
    "javascript": Suite(
        ("node",),
        "Install Node.js (`apt install nodejs`, `brew install node`).",
        _javascript,
        r"\b(?:assert|expect|throw|test|it)\b",
        missing=r"ERR_MODULE_NOT_FOUND'?[^\n]*\n?[^\n]*package|Cannot find (?:package|module) '[^.'/]"
        r"|expect is not defined|jest is not defined",
    ),
    "rust": Suite(
        ("rustc",),
        "Install Rust (`apt install rustc`, https://rustup.rs).",
        _rust,
        r"#\[test\]",
        each_prints=r"^test .* \.\.\. (?:ok|ignored)$",
        missing=r"error\[E04(?:32|33|63)\]: (?:unresolved import|can't find|cannot find module or)",
    ),
    "c": Suite(
        ("gcc", "clang"),
        "Install a C compiler (`apt install gcc`, `xcode-select --install`).",
        _c("c", "gnu17"),
        r"\bmain\s*\(",
        missing=_C_MISSING,
    ),
    "cpp": Suite(
        ("g++", "clang++"),
        "Install a C++ compiler (`apt install g++`, `xcode-select --install`).",
        _c("cpp", "gnu++20"),
        r"\bmain\s*\(",
        missing=_C_MISSING,
    ),
    "bash": Suite(
        ("bash",),
        "Install bash (`apt install bash`).",
        _bash,
        r"\[\s|\btest\b|\bexit\b|\bdiff\b|\bgrep\b|\bcmp\b",
    ),
    "java": Suite(
        ("javac",),
        "Install a JDK (`apt install default-jdk-headless`, `brew install openjdk`).",
        _java,
        r"\bmain\s*\(",
        missing=r"error: package (?!javax?\.)[\w.]+ does not exist",
    ),
    "go": Suite(
        ("go",),
        "Install Go (`apt install golang-go`, `brew install go`).",
        _go,
        r"^func\s+Test",
        each_prints=r"^--- (?:PASS|SKIP): ",
        missing=r"no required module provides|is not in (?:std|GOROOT)",
        environment=_GO_ENVIRONMENT,
    ),
    "ruby": Suite(
        ("ruby",),
        "Install Ruby (`apt install ruby`, `brew install ruby`).",
        _ruby,
        r"\b(?:raise|assert|test|it|abort|fail)\b",
        missing=r"cannot load such file",
    ),
    "php": Suite(
        ("php",),
        "Install PHP (`apt install php-cli`, `brew install php`).",
        _php,
        r"\b(?:assert|throw|exit)\b",
    ),
}
"""Languages whose tests can be run as source; `suite` runs Python's itself."""
