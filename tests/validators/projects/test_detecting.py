import json

import pytest

from validators.projects.detecting import Layout, find_runner


def layout(files, *, pytest=True, present=()):
    files = dict.fromkeys(files, "") if not isinstance(files, dict) else files
    return Layout(frozenset(files), files, frozenset(present), pytest)


def package(script="", **listed):
    return json.dumps({"scripts": {"test": script} if script else {}, "devDependencies": listed})


CASES = {
    "pytest": ("python", {"pyproject.toml": "", "tests/test_a.py": "def test_a(): pass"}, "pytest"),
    "pytest at the top": ("python", ["test_a.py"], "pytest"),
    "jest by its script": ("javascript", {"package.json": package("jest --coverage")}, "jest"),
    "jest for typescript": ("typescript", {"package.json": package("jest")}, "jest"),
    "vitest as dependency": ("javascript", {"package.json": package(vitest="^1")}, "vitest"),
    "jest by its settings": ("javascript", {"package.json": "{}", "jest.config.js": ""}, "jest"),
    "mocha": ("javascript", {"package.json": package("nyc mocha")}, "mocha"),
    "node": ("javascript", {"package.json": package("node --test")}, "node --test"),
    "node without a script": (
        "javascript",
        {"package.json": "{}", "a.test.js": "require('node:test')"},
        "node --test",
    ),
    "npm": ("javascript", {"package.json": package("ava")}, "npm test"),
    "npm by default": (
        "javascript",
        {"package.json": package('echo "Error: no test specified" && exit 1', jest="1")},
        "jest",
    ),
    "go": ("go", ["go.mod", "a_test.go"], "go test"),
    "rust": ("rust", ["Cargo.toml"], "cargo test"),
    "maven": ("java", ["pom.xml"], "maven"),
    "gradle": ("kotlin", ["build.gradle.kts"], "gradle"),
    "dotnet": ("csharp", ["a.csproj"], "dotnet test"),
    "phpunit": ("php", ["phpunit.xml.dist"], "phpunit"),
    "phpunit by its tests": ("php", ["tests/SumTest.php"], "phpunit"),
    "rspec": ("ruby", [".rspec"], "rspec"),
    "rspec by its tests": ("ruby", ["spec/a_spec.rb"], "rspec"),
    "ctest": ("cpp", {"CMakeLists.txt": "project(x)\nenable_testing()\n"}, "ctest"),
    "make check": ("c", {"Makefile": "all:\n\ncheck: all\n\t./t\ntest:\n"}, "make check"),
    "make test": ("c", {"Makefile": "test::\n\t./t\n"}, "make test"),
    "any language": ("markdown", ["go.mod"], "go test"),
}


@pytest.mark.parametrize(("language", "files", "expected"), CASES.values(), ids=CASES.keys())
def test_the_runner_is_the_one_that_the_manifests_name(language, files, expected):
    assert find_runner(layout(files), language, ["a"]).runner.name == expected


@pytest.mark.parametrize(
    ("language", "files"),
    [
        ("python", []),
        ("python", ["pyproject.toml"]),
        ("python", ["a/b/c/test_a.py"]),
        ("python", ["go.mod", "a_test.go"]),
        ("javascript", {"package.json": "no json"}),
        ("javascript", {"package.json": "[" * 100_000}),
        ("javascript", {"package.json": '{"scripts": "jest"}'}),
        ("c", {"Makefile": "check := 1\nall:\n"}),
        ("cpp", {"CMakeLists.txt": "project(x)"}),
    ],
)
def test_without_a_telling_manifest_there_is_no_runner(language, files):
    assert find_runner(layout(files), language, ["a"]) is None


def test_the_nearest_manifest_above_what_changed_decides():
    files = {
        "package.json": package("jest"),
        "pkg/a/package.json": package("vitest run"),
        "pkg/a/x.js": "",
        "pkg/b/x.js": "",
    }

    inner = find_runner(layout(files), "javascript", ["pkg/a/x.js"])
    outer = find_runner(layout(files), "javascript", ["pkg/a/x.js", "pkg/b/x.js"])

    assert (inner.runner.name, inner.folder) == ("vitest", "pkg/a")
    assert (outer.runner.name, outer.folder) == ("jest", "")


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["tests/test_a.py"], "discover -v -s tests -t tests -p 'test*.py'"),
        (["tests/__init__.py", "tests/test_a.py"], "discover -v -p 'test*.py'"),
        (["a_test.py"], "discover -v -p '*_test.py'"),
    ],
)
def test_unittest_runs_what_needs_no_pytest_where_there_is_none(paths, words):
    files = dict.fromkeys(paths, "import unittest") | {"setup.py": ""}

    found = find_runner(layout(files, pytest=False), "python", ["a.py"])

    assert (found.runner.name, found.all) == ("unittest", words)


def test_tests_for_pytest_stay_with_pytest_where_there_is_none():
    files = {"test_a.py": "import pytest\nimport unittest"}

    assert find_runner(layout(files, pytest=False), "python", ["a.py"]).runner.name == "pytest"


def test_nodes_own_runner_keeps_the_files_of_the_script():
    files = {"package.json": package("node --test --test-reporter=tap tests/*.js")}

    assert find_runner(layout(files), "javascript", ["a.js"]).all == "tests/*.js"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("mocha *.spec.js --exit", "*.spec.js --exit"),
        ("vitest run --coverage src", "src"),
        ("jest && echo", ""),
        ("jest", ""),
    ],
)
def test_the_words_of_the_script_stay(script, words):
    assert find_runner(layout({"package.json": package(script)}), "javascript", ["a.js"]).all == words
