import pytest

from sandbox.program import Execution
from validators.projects.recognising import recognise, with_report


@pytest.mark.parametrize(
    ("command", "begins"),
    [
        ("npx jest src", "npx jest src --json"),
        ("jest", "jest --json"),
        ("node_modules/.bin/jest --ci", "node_modules/.bin/jest --ci --json"),
        ("npx vitest run", "npx vitest run --reporter=default --reporter=json"),
        ("node --test tests/", "node --test --test-reporter=spec"),
        ("vendor/bin/phpunit tests", "vendor/bin/phpunit tests --log-junit"),
        ("bundle exec rspec", "bundle exec rspec --format progress --format json"),
        ("ctest --test-dir b", "ctest --test-dir b --output-junit"),
        ("dotnet test", "dotnet test --logger"),
        ("cargo test --offline", "cargo test --offline"),
        ("go test ./...", "go test ./..."),
        ("python3 -m unittest -v", "python3 -m unittest -v"),
    ],
)
def test_a_simple_command_of_a_known_runner_also_writes_a_report(command, begins):
    assert recognise(command).command.startswith(begins)


@pytest.mark.parametrize(
    "command",
    [
        "make check",
        "npx jest && echo fine",
        "jest; true",
        "jest $(cat x)",
        "jest --json",
        "vitest",
        "node --test --test-reporter=tap",
        "node a.js",
        "pytest -q",
        "",
    ],
)
def test_every_other_command_is_run_as_it_stands(command):
    assert recognise(command) is None


GO = "--- FAIL: TestAdd (0.00s)\n    sum_test.go:4: got -1; want 5\n"


def run(stdout):
    return Execution("exited", 0, stdout, "", 0.1)


@pytest.mark.parametrize(
    ("decision", "stdout", "status"),
    [
        (("passed", (), "1 passed"), GO, "failed"),
        (("failed", (), "no"), GO, "failed"),
        (("passed", (), "1 passed"), "ok", "passed"),
        (("failed", (), "no"), "ok", "failed"),
        (("unavailable", (), "no"), GO, "unavailable"),
    ],
)
def test_a_report_can_take_a_pass_away_and_never_give_one(decision, stdout, status):
    assert with_report(decision, recognise("go test"), run(stdout), {"sum_test.go"})[0] == status


def test_a_report_gives_the_place_of_a_failure():
    _, (remark,), _ = with_report(("failed", (), ""), recognise("go test"), run(GO), {"sum_test.go"})

    assert (remark.file, remark.line) == ("sum_test.go", 4)
    assert "got -1; want 5" in remark.message
