"""`validate_outcome` on projects in three languages, whose own tests say file, line, expected and got."""

import pytest

from tests.behaviour.stage import call
from validators.toolchains import find_tool

PYTHON = {
    "pyproject.toml": "[project]\nname = 'sums'\n",
    "sums.py": "def add(a, b):\n    return a + b\n",
    "test_sums.py": "from sums import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n",
    "test_other.py": "def test_other():\n    pass\n",
}
JAVASCRIPT = {
    "package.json": '{"scripts": {"test": "node --test"}}',
    "sum.js": "exports.add = (a, b) => a + b;\n",
    "sum.test.js": (
        "const test = require('node:test')\nconst assert = require('node:assert')\n"
        "test('adds', () => {\n  assert.strictEqual(require('./sum').add(2, 3), 5)\n})\n"
    ),
}
RUST = {
    "Cargo.toml": '[package]\nname = "sum"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/lib.rs": "pub fn add(a: i32, b: i32) -> i32 { a + b }\n",
    "tests/sums.rs": "#[test]\nfn adds() {\n    assert_eq!(sum::add(2, 3), 5);\n}\n",
}
PROJECTS = [
    pytest.param(PYTHON, "sums.py", "python", ("test_sums.py", 5), ("add(2, 3)", "-1 == 5"), id="python"),
    pytest.param(
        JAVASCRIPT,
        "sum.js",
        "javascript",
        ("sum.test.js", 4),
        ("expected: 5", "got: -1"),
        marks=pytest.mark.skipif(find_tool(["node"]) is None, reason="node is not installed"),
        id="javascript",
    ),
    pytest.param(
        RUST,
        "src/lib.rs",
        "rust",
        ("tests/sums.rs", 3),
        ("left: -1", "right: 5"),
        marks=[
            pytest.mark.skipif(find_tool(["cargo"]) is None, reason="cargo is not installed"),
            pytest.mark.slow,
        ],
        id="rust",
    ),
]


@pytest.mark.parametrize(("project", "path", "language", "place", "values"), PROJECTS)
async def test_a_failing_test_of_a_real_project_says_where_what_was_expected_and_what_came(
    stage, project, path, language, place, values
):
    set_up = stage()
    for name, text in project.items():
        (set_up.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (set_up.folder / name).write_text(text)
    wrong = {path: project[path].replace("a + b", "a - b")}
    judge = {"language": language, "workspace": str(set_up.folder), "validators": ["tests"]}

    async with set_up.client() as client:
        failed = await call(client, "validate_outcome", files=wrong, **judge)
        passed = await call(client, "validate_outcome", files={path: project[path]}, **judge)

    (verdict,) = failed["verdicts"]
    remark = verdict["diagnostics"][0]
    assert (failed["passed"], verdict["status"]) == (False, "failed")
    assert (remark["file"], remark["line"]) == place
    assert all(value in remark["message"] for value in values)
    assert (set_up.folder / path).read_text() == project[path]
    assert passed["passed"]


async def test_work_that_was_done_in_place_is_not_excused_by_what_fails_there(stage):
    set_up = stage()
    for name, text in PYTHON.items():
        (set_up.folder / name).write_text(text.replace("a + b", "a - b"))
    done = {"sums.py": (set_up.folder / "sums.py").read_text()}

    async with set_up.client() as client:
        answer = await call(
            client,
            "validate_outcome",
            files=done,
            workspace=str(set_up.folder),
            validators=["tests"],
        )

    assert not answer["passed"]
