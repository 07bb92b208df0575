"""The test runners that projects use: how each is started, what it reports, how single tests are chosen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from validators.projects.json_reports import read_go, read_jest, read_mocha, read_rspec
from validators.projects.results import Report
from validators.projects.text_reports import read_cargo, read_unittest
from validators.projects.xml_reports import read_junit, read_node, read_trx

Takes = Literal["", "files", "folders", "classes"]
Signal = Literal["TERM", "ABRT", "QUIT"]


@dataclass(frozen=True, slots=True)
class ProjectRunner:
    """How one runner is used."""

    name: str
    language: str
    tools: tuple[str, ...]
    """Programs of this machine, of which one must be here; none where the project's own Python runs."""
    install: str
    command: str
    """Words of shell. `$REPORT` is a folder for what is to be read, `$@` the chosen tests, if any."""
    read: Callable[[str], Report] | None = None
    """Reads the report; without one only the exit code and printed counts tell."""
    takes: Takes = ""
    """How single tests are chosen; empty where they cannot be."""
    chosen: str = ""
    """Stands before the chosen tests."""
    all: str = ""
    """Stands where nothing is chosen."""
    needs: tuple[str, ...] = ()
    """Files of the project without which the runner is not installed."""
    stop: Signal = "TERM"
    """What makes it say where it is, shortly before its time is over."""
    environment: Mapping[str, str] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    """Settings of this machine that it does not start without."""


_NODE = "Install Node.js (`apt install nodejs`, `brew install node`)."
_PYTHON = {"PYTHONFAULTHANDLER": "1"}
_GO = {"GOFLAGS": "-buildvcs=false", "GOPROXY": "off", "GOTOOLCHAIN": "local"}


def _javascript(
    name: str, entry: str, command: str, read: Callable[[str], Report], chosen: str = ""
) -> ProjectRunner:
    """Return a runner that lies in the project's node_modules."""
    return ProjectRunner(
        name,
        "javascript",
        ("node",),
        _NODE,
        f"exec node {entry} {command}",
        read,
        takes="files",
        chosen=chosen,
        needs=(entry,),
    )


_ALL = (
    ProjectRunner(
        "pytest",
        "python",
        (),
        "Install pytest into the project's virtual environment, or beside the server.",
        'exec python -m pytest -q -p no:cacheprovider "$@"',
        takes="files",
        stop="ABRT",
        environment=_PYTHON,
    ),
    ProjectRunner(
        "unittest",
        "python",
        (),
        "",
        'exec python -m unittest "$@" >"$REPORT/printed" 2>&1',
        read_unittest,
        all="discover -v",
        stop="ABRT",
        environment=_PYTHON,
    ),
    _javascript(
        "vitest",
        "node_modules/vitest/vitest.mjs",
        'run --reporter=json --outputFile="$REPORT/report.json" "$@"',
        read_jest,
    ),
    _javascript(
        "jest",
        "node_modules/jest/bin/jest.js",
        '--ci --json --testLocationInResults --watchman=false --outputFile="$REPORT/report.json" "$@"',
        read_jest,
        "--runTestsByPath",
    ),
    _javascript(
        "mocha",
        "node_modules/mocha/bin/mocha.js",
        '--reporter json --reporter-option output="$REPORT/report.json" "$@"',
        read_mocha,
    ),
    ProjectRunner(
        "node --test",
        "javascript",
        ("node",),
        _NODE,
        'exec node --test --test-reporter=junit --test-reporter-destination="$REPORT/report.xml" "$@"',
        read_node,
        takes="files",
    ),
    ProjectRunner(
        "npm test",
        "javascript",
        ("npm",),
        "Install npm (`apt install npm`, `brew install node`).",
        "exec npm test --silent",
    ),
    ProjectRunner(
        "go test",
        "go",
        ("go",),
        "Install Go (`apt install golang-go`, `brew install go`).",
        'exec go test -json -timeout "$((STOP_SECONDS - 1))s" "$@" >"$REPORT/events"',
        read_go,
        takes="folders",
        all="./...",
        environment=_GO,
    ),
    ProjectRunner(
        "cargo test",
        "rust",
        ("cargo",),
        "Install Rust (https://rustup.rs).",
        'exec cargo test --offline --no-fail-fast >"$REPORT/printed"',
        read_cargo,
    ),
    ProjectRunner(
        "maven",
        "java",
        ("mvn",),
        "Install Maven (`apt install maven`, `brew install maven`).",
        'rm -rf target/surefire-reports; mvn $MAVEN_ARGS --offline -q -B test "$@"; code=$?; '
        'cp target/surefire-reports/*.xml "$REPORT"; exit $code',
        read_junit,
        takes="classes",
        chosen="-DfailIfNoTests=false -Dsurefire.failIfNoSpecifiedTests=false",
        stop="QUIT",
    ),
    ProjectRunner(
        "gradle",
        "java",
        ("gradle",),
        "Install Gradle; the project's wrapper would download it.",
        "rm -rf build/test-results; gradle --offline --no-daemon -q test; code=$?; "
        'cp build/test-results/test/*.xml "$REPORT"; exit $code',
        read_junit,
        stop="QUIT",
    ),
    ProjectRunner(
        "dotnet test",
        "csharp",
        ("dotnet",),
        "Install the .NET SDK (https://dotnet.microsoft.com).",
        'exec dotnet test --nologo --logger "trx;LogFileName=report.trx" --results-directory "$REPORT"',
        read_trx,
        environment={"DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1"},
    ),
    ProjectRunner(
        "phpunit",
        "php",
        ("php",),
        "Install PHP (`apt install php-cli`) and PHPUnit (`composer require --dev phpunit/phpunit`).",
        "phpunit=vendor/bin/phpunit; [ -f $phpunit ] || phpunit=$(command -v phpunit); "
        'exec php "$phpunit" --log-junit "$REPORT/report.xml" "$@"',
        read_junit,
        shown=("/etc/php",),
    ),
    ProjectRunner(
        "rspec",
        "ruby",
        ("rspec",),
        "Install RSpec (`gem install rspec`, `apt install ruby-rspec`).",
        'exec rspec --format json --out "$REPORT/report.json" "$@"',
        read_rspec,
        takes="files",
    ),
    ProjectRunner(
        "ctest",
        "c",
        ("ctest",),
        "Install CMake (`apt install cmake`, `brew install cmake`) and a compiler.",
        'cmake -S . -B "$TMPDIR/build" >/dev/null && cmake --build "$TMPDIR/build" >/dev/null && '
        'exec ctest --test-dir "$TMPDIR/build" --output-on-failure --output-junit "$REPORT/report.xml"',
        read_junit,
    ),
    ProjectRunner(
        "make check",
        "",
        ("make",),
        "Install make (`apt install make`, `xcode-select --install`).",
        "exec make check",
    ),
    ProjectRunner("make test", "", ("make",), "Install make (`apt install make`).", "exec make test"),
)
RUNNERS = {runner.name: runner for runner in _ALL}
"""By name; `detecting` says which one a project uses."""
