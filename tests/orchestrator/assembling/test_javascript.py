"""Imports, helpers and exports of JavaScript and TypeScript answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.assemble import assemble

PROMPT = """Write total.
```js
const { sum: add, one } = require('./math');
import type { Line } from './lines';
/** Doubles. */
function twice(x) { return add(x, x); }
// Adds all.
class Empty {}
function total(xs) {}
const later = (x) => {
```"""


def test_helpers_of_the_task_come_with_what_they_need():
    made = assemble("function total(xs) { return xs.map(twice); }\n", "javascript", PROMPT)

    assert made.text.startswith("const { sum: add, one } = require('./math');\nfunction twice(x)")
    assert set(made.added) == {"twice", "add"}


@pytest.mark.parametrize(
    "answer",
    [
        "function total(twice) { return twice(1); }\n",
        "const twice = (x) => x;\nfunction total() { return twice(1); }\n",
        "const { twice } = require('x');\nfunction total() { return twice(1); }\n",
        "import twice from 'x';\nfunction total() { return twice(1); }\n",
        "// twice\nfunction total(a) { return a.twice(1); }\n",
        "const total = twice => twice(1);\n",
    ],
)
def test_a_name_that_is_bound_or_no_name_is_not_brought_along(answer):
    assert assemble(answer, "javascript", PROMPT).added == ()


def test_stubs_and_open_definitions_of_the_task_are_no_helpers():
    answer = "function f() { return [new Empty(), later(1)]; }\n"

    assert assemble(answer, "javascript", PROMPT).text == answer


def test_modules_of_node_are_required_or_imported():
    required = assemble("function f(a) { return fs.existsSync(a); }\n", "javascript", "Write f")
    imported = assemble("export function f(a) { return path.join(a); }\n", "javascript", "Write f")

    assert required.text.startswith("const fs = require('fs');\n")
    assert imported.text.startswith("import path from 'node:path';\n")
    assert assemble("function f(path) { return path.x; }\n", "javascript", "Write f").added == ()


@pytest.mark.parametrize(
    ("tests", "line"),
    [
        ("const { f } = require('./solution');", "module.exports = { f };"),
        ("const { f, g } = require('./solution.js');", "module.exports = { f, g };"),
        ("const f = require('../solution');", "module.exports = f;"),
        ("const { f } = require('./src/solution.cjs');", "module.exports = { f };"),
        ("const other = require('./solution');\nother(1);", ""),
        ("const s = require('./solution');\ns.f(1);", "module.exports = { f };"),
        ("const f = require('./solution').f;", "module.exports = { f };"),
        ("import { f } from './solution.js';", "export { f };"),
        ("import f from './solution.js';", "export default f;"),
        ("import * as s from './solution.js';\ns.g();", "export { g };"),
        ("const { missing } = require('./solution');", ""),
        ("const { f } = require('./another');", ""),
        ("assert(f(1));", ""),
    ],
)
def test_what_the_tests_import_is_exported(tests, line):
    answer = "function f(a) { return a; }\nfunction g(a) { return a; }\n"

    made = assemble(answer, "javascript", "Write f and g", tests)

    assert made.text == (f"{answer}\n{line}\n" if line else answer)
    assert made.added == (("export",) if line else ())


def test_the_only_definition_is_what_the_tests_take_whole():
    made = assemble("function f(a) { return a; }\n", "javascript", "", "const sut = require('./solution');")

    assert made.text.endswith("module.exports = f;\n")


def test_an_answer_that_requires_is_exported_its_own_way():
    answer = "const a = require('a');\nfunction f() { return a; }\n"

    made = assemble(answer, "javascript", "", "import { f } from './solution.js';")

    assert made.text.endswith("module.exports = { f };\n")


def test_typescript_exports_as_a_module():
    tests = "import { type T, f } from './calc';"

    made = assemble("type T = number;\nfunction f(a: T) { return a; }\n", "typescript", "", tests, "calc")

    assert made.text.endswith("\nexport { T, f };\n")


@pytest.mark.parametrize("own", ["module.exports = { f };", "exports.f = f;", "export { f };"])
def test_an_answer_that_exports_anything_is_left_alone(own):
    answer = f"function f() {{}}\n{own}\n"

    assert assemble(answer, "javascript", "", "const { g } = require('./solution');").text == answer


@given(
    st.text(max_size=150), st.text(max_size=150), st.sampled_from(["javascript", "typescript", "go", "java"])
)
def test_no_answer_and_no_task_breaks_it(answer, prompt, language):
    made = assemble(answer, language, prompt, prompt)

    assert made.added or made.text == answer


pieces = st.sampled_from(
    [
        "function f(a) {",
        "}",
        "\n",
        "return a;",
        "const x = 1;",
        "class A {",
        "```js\n",
        "```",
        "  ",
        "(",
        "'",
        "`",
    ]
)


@given(st.lists(pieces, max_size=14).map("".join), st.lists(pieces, max_size=14).map("".join))
def test_every_line_of_the_answer_stays_unless_it_only_closes(answer, prompt):
    made = assemble(answer, "javascript", prompt)

    kept = [line for line in answer.split("\n") if line.strip(" )}]")]
    assert all(line.strip() in made.text for line in kept)
    assert made.added or made.text == answer
