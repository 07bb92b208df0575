"""Every shape in which models have been seen to answer, and what must come out of it."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.extract import extract

ADD = "def add(a, b):\n    return a + b\n"
SUB = "def sub(a, b):\n    return a - b\n"
DRAFT = "def add(a, b):\n    return a - b\n"
FENCED_DOC = 'def add(a, b):\n    """Add.\n\n    ```\n    add(1, 2)\n    ```\n    """\n    return a + b\n'
FENCE = "```"
IMPORT = "import math\n"
ROOT = "def root(x):\n    return math.sqrt(x)\n"
TEST = "def test_add():\n    assert add(1, 2) == 3\n"
USAGE = "print(add(1, 2))\n"
CLASS = "class A:\n    x = 1\n"
METHOD = "    def f(self):\n        return self.x\n"


def fenced(code: str, tag: str = "python", fence: str = FENCE) -> str:
    return f"{fence}{tag}\n{code}{fence}\n"


def numbered(code: str, separator: str) -> str:
    return "\n".join(f"{number:>2}{separator}{line}" for number, line in enumerate(code.splitlines(), 1))


PYTHON_SHAPES = {
    "backticks": (fenced(ADD), ADD),
    "upper case tag": (fenced(ADD, "Python3"), ADD),
    "braces tag": (fenced(ADD, "{.python}"), ADD),
    "braces tag with attributes": (fenced(ADD, "{.python .numberLines startFrom=1}"), ADD),
    "attribute": (fenced(ADD, "python linenums=1"), ADD),
    "no tag": (fenced(ADD, ""), ADD),
    "unknown tag": (fenced(ADD, "pycon3"), ADD),
    "tilde fence": (fenced(ADD, fence="~~~"), ADD),
    "five backticks": (fenced(ADD, fence="`````"), ADD),
    "prose around": (f"Sure!\n\n{fenced(ADD)}\nThis adds two numbers.", ADD),
    "indented in a list": (
        "1. The code:\n\n   ```python\n   def add(a, b):\n       return a + b\n   ```\n2. Run it.",
        ADD,
    ),
    "list marker before the fence": ("- ```python\n  def add(a, b):\n      return a + b\n  ```\n", ADD),
    "quoted": ("> ```python\n> def add(a, b):\n>     return a + b\n> ```\n", ADD),
    "fence in a docstring": (fenced(FENCED_DOC), FENCED_DOC),
    "tagged fence in a docstring": (
        fenced(FENCED_DOC.replace("    ```\n    add", "    ```python\n    add")),
        FENCED_DOC.replace("    ```\n    add", "    ```python\n    add"),
    ),
    "no fence": (ADD, ADD),
    "no fence, prose around": (f"Here is the function:\n\n{ADD}\nIt adds two numbers.", ADD),
    "Markdown indentation instead of a fence": (
        "Here is the function:\n\n    def add(a, b):\n        return a + b\n\nIt adds.",
        ADD,
    ),
    "leading space token": (" " + ADD, ADD),
    "closed thought": (f"<think>\nMaybe {fenced(DRAFT)}\n</think>\n{fenced(ADD)}", ADD),
    "thought without an opening": (f"{fenced(DRAFT)} hm, no.\n</think>\n\n{fenced(ADD)}", ADD),
    "thought in brackets": (f"[THINK]\n{fenced(DRAFT)}[/THINK]\n{fenced(ADD)}", ADD),
    "two thoughts": (f"<think>a</think>\n<thinking>\n{DRAFT}</thinking>\n{fenced(ADD)}", ADD),
    "thought that quotes its own tag": (
        "<think>Use `</think>` here</think>\n" + fenced('TAG = "</think>"\n'),
        'TAG = "</think>"\n',
    ),
    "draft, then final": (f"First:\n{fenced(DRAFT)}\nBetter:\n{fenced(ADD)}", ADD),
    "broken draft, then final": (f"{fenced('def add(a, b:')}\nFixed:\n{fenced(ADD)}", ADD),
    "solution, then usage": (f"{fenced(ADD)}\nUsage:\n{fenced(USAGE)}", ADD),
    "solution, then tests": (f"{fenced(ADD)}\nTests:\n{fenced(TEST)}", ADD),
    "solution, then a quotation of it": (
        f"{fenced(ADD + chr(10) + chr(10) + SUB)}\nThe first part:\n{fenced(ADD)}",
        ADD + "\n\n" + SUB,
    ),
    "solution, then a correction of a part": (
        f"{fenced(DRAFT + chr(10) + chr(10) + SUB)}\nA mistake; use this:\n{fenced(ADD)}",
        DRAFT + "\n\n" + SUB + "\n\n" + ADD,
    ),
    "install command, then solution": (
        f"{fenced('pip install numpy' + chr(10), 'bash')}\n{fenced(ADD)}",
        ADD,
    ),
    "solution, then output": (f"{fenced(ADD)}\nOutput:\n{fenced('3' + chr(10), '')}", ADD),
    "parts to join": (f"First:\n{fenced(ADD)}\nThen:\n{fenced(SUB)}", ADD + "\n\n" + SUB),
    "imports, then the function": (f"{fenced(IMPORT)}\nThen:\n{fenced(ROOT)}", IMPORT + ROOT),
    "a class in two parts": (f"{fenced(CLASS)}\nand\n{fenced(METHOD)}", CLASS + METHOD),
    "untagged solution, tagged usage": (
        f"{fenced(ADD, '')}\nUsage:\n{fenced(USAGE)}",
        ADD,
    ),
    "no fence, fenced output": (f"{ADD}\nThis prints:\n\n{fenced('3' + chr(10), '')}", ADD),
    "JSON": ('{"code": "def add(a, b):\\n    return a + b\\n"}', ADD),
    "JSON in a fence": (fenced('{"code": "def add(a, b):\\n    return a + b\\n"}\n', "json"), ADD),
    "JSON around a fence": ('{"answer": "```python\\ndef add(a, b):\\n    return a + b\\n```"}', ADD),
    "entities": (
        fenced("def less(a, b):\n    return &quot;x&quot; if a &lt; b else None\n"),
        'def less(a, b):\n    return "x" if a < b else None\n',
    ),
    "CRLF": (fenced(ADD).replace("\n", "\r\n"), ADD),
    "no-break spaces": (fenced(ADD.replace("    ", "\u00a0\u00a0\u00a0\u00a0")), ADD),
    "curly quotes": (fenced("NAME = \u201cx\u201d\n"), 'NAME = "x"\n'),
    "zero width": (fenced(ADD.replace("return", "\u200breturn")), ADD),
    "REPL": (
        fenced(">>> def add(a, b):\n...     return a + b\n...\n>>> x = add(1, 2)\n>>> x\n3\n"),
        ADD + "\nx = add(1, 2)\nx\n",
    ),
    "line numbers": (fenced(numbered(ADD, " | ") + "\n"), ADD),
    "line numbers with dots": (numbered(ADD, ".  "), ADD),
    "chat tokens": (f"<|im_start|>assistant\n{fenced(ADD)}<|im_end|>\n<|im_start|>user\nThanks!", ADD),
    "token glued to the fence": (f"{fenced(ADD).rstrip()}<|im_end|>", ADD),
    "end of text": (f"{fenced(ADD)}</s>", ADD),
    "final channel": (
        f"<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{fenced(ADD)}",
        ADD,
    ),
    "repeated prompt": (f"### Instruction:\nComplete:\n{DRAFT}\n### Response:\n{fenced(ADD)}", ADD),
    "session in a docstring": (
        'Here it is:\n\ndef inc(a):\n    """\n    >>> inc(1)\n    2\n    """\n    return a + 1\n',
        'def inc(a):\n    """\n    >>> inc(1)\n    2\n    """\n    return a + 1\n',
    ),
    "colours": (fenced(ADD).replace("def", "\x1b[1;34mdef\x1b[0m"), ADD),
    "answer tag": (f"<answer>\n{fenced(ADD)}</answer>", ADD),
    "code tag": (f"Here:\n<code>\n{ADD}</code>\nDone.", ADD),
    "fence glued to text": (f"Here is the code:{fenced(ADD)}", ADD),
    "closing fence glued to code": (f"{FENCE}python\n{ADD.rstrip()}{FENCE}\nDone.", ADD),
    "closing fence with prose behind": (f"{FENCE}python\n{ADD}{FENCE}  ### What it does:\nIt adds.", ADD),
    "code on the line of the fence": (f"{FENCE}python def add(a, b):\n    return a + b\n{FENCE}", ADD),
    "stray fence in a sentence": (f"Put it between ```\n\n{fenced(ADD)}", ADD),
    "fence with attributes in a docstring": (
        fenced(FENCED_DOC.replace("    ```\n    add", "    ``` python numbered\n    add")),
        FENCED_DOC.replace("    ```\n    add", "    ``` python numbered\n    add"),
    ),
    "repeated output": (f"{fenced(ADD)}\n{fenced(ADD)}", ADD),
    "repeated output without fences": (f"{ADD}\n{ADD}", ADD),
    "unclosed fence": (f"Here:\n{FENCE}python\n{ADD}", ADD),
    "unclosed fence with prose behind": (f"{FENCE}python\n{ADD}\nThis function adds two numbers.\n", ADD),
}


@pytest.mark.parametrize(("reply", "code"), PYTHON_SHAPES.values(), ids=PYTHON_SHAPES.keys())
def test_python_comes_out_of_every_known_shape_of_answer(reply, code):
    extraction = extract(reply, language="python")

    assert list(extraction.files) == ["solution.py"]
    assert ast.dump(ast.parse(extraction.files["solution.py"])) == ast.dump(ast.parse(code))
    assert extraction.problems == ()


OTHER_SHAPES = {
    "javascript among shell": (
        "javascript",
        "```bash\nnpm i\n```\n```js\nconst f = (a) => a;\n```\n```bash\nnode f.js\n```\n",
        "const f = (a) => a;\n",
    ),
    "javascript, then usage": (
        "javascript",
        "```js\nfunction f(a) { return a; }\n```\n```js\nconsole.log(f(1));\n```\n",
        "function f(a) { return a; }\n",
    ),
    "javascript imports, then work": (
        "javascript",
        "```js\nimport fs from 'fs';\n```\n```js\nfunction f() { return fs; }\n```\n",
        "import fs from 'fs';\n\nfunction f() { return fs; }\n",
    ),
    "javascript without a fence": (
        "javascript",
        "Here you go:\n\nfunction f(a) {\n  return a;\n}\n\nHope that helps",
        "function f(a) {\n  return a;\n}\n",
    ),
    "javascript with a surplus brace": (
        "javascript",
        "```js\n  function f(a) {\n    return a;\n  }\n}\n```\n",
        "  function f(a) {\n    return a;\n  }\n",
    ),
    "typescript tagged as javascript": (
        "typescript",
        "```js\nexport const x: number = 1;\n```\n",
        "export const x: number = 1;\n",
    ),
    "go, the whole wins over a part": (
        "go",
        "```go\npackage a\n\nfunc F() {}\n\nfunc G() {}\n```\nNote:\n```go\nfunc G() {}\n```\n",
        "package a\n\nfunc F() {}\n\nfunc G() {}\n",
    ),
    "json, the last long block": (
        "json",
        '```json\n{"a": 1}\n```\nbetter\n```json\n{"a": 2}\n```\ne.g.\n```json\n1\n```\n',
        '{"a": 2}\n',
    ),
    "bash": ("bash", "```sh\nset -e\necho hi\n```\nRun:\n```\nchmod +x a.sh\n```\n", "set -e\necho hi\n"),
    "bash without a fence": ("bash", "#!/bin/sh\necho hi\n", "#!/bin/sh\necho hi\n"),
    "sql without a fence": ("sql", "The query:\n\nSELECT a\nFROM b;\n\nEnjoy", "SELECT a\nFROM b;\n"),
    "markdown with fences inside": (
        "markdown",
        "```markdown\n# Use\n\n```sh\nrun\n```\n\nDone.\n```\n",
        "# Use\n\n```sh\nrun\n```\n\nDone.\n",
    ),
    "markdown that is the reply": (
        "markdown",
        "# Use\n\n```sh\nrun\n```\n\n```\nok\n```\nDone.",
        "# Use\n\n```sh\nrun\n```\n\n```\nok\n```\nDone.\n",
    ),
    "a language nobody knows": ("brainfuck", "+++.\n", "+++.\n"),
    "a language nobody knows, fenced": ("zig", "```zig\nconst x = 1;\n```\n", "const x = 1;\n"),
}


@pytest.mark.parametrize(("language", "reply", "code"), OTHER_SHAPES.values(), ids=OTHER_SHAPES.keys())
def test_other_languages_come_out_as_well(language, reply, code):
    extraction = extract(reply, language=language)

    assert list(extraction.files.values()) == [code]


LABELS = {
    "bold": "**src/a.py**\n\n```python\n",
    "code and colon": "`src/a.py`:\n```python\n",
    "heading": "### src/a.py\n```python\n",
    "numbered heading": "#### 1. `src/a.py`\n\n```python\n",
    "File:": "File: src/a.py\n```python\n",
    "plain line": "src/a.py\n```python\n",
    "list item": "- **src/a.py** (new)\n```python\n",
    "tag and path": "```python:src/a.py\n",
    "path as tag": "```src/a.py\n",
    "tag, space, path": "```python src/a.py\n",
    "title": '```python title="src/a.py"\n',
    "comment": "```python\n# file: src/a.py\n",
    "bare comment": "```python\n# src/a.py\n",
}


@pytest.mark.parametrize("label", LABELS.values(), ids=LABELS.keys())
def test_a_block_gets_the_name_that_is_written_on_it(label):
    extraction = extract(f"{label}{ADD}```\n", language="python")

    assert list(extraction.files) == ["src/a.py"]
    assert extraction.files["src/a.py"].endswith(ADD)


def test_several_named_files_come_out_of_one_reply():
    reply = f"a.py\n{fenced(ADD)}\nb/c.ts\n```ts\nexport const x = 1;\n```\n`run.sh`\n```\npython a.py\n```\n"

    extraction = extract(reply, language="python")

    assert sorted(extraction.files) == ["a.py", "b/c.ts", "run.sh"]


def test_the_last_version_of_a_named_file_wins():
    extraction = extract(f"a.py\n{fenced(DRAFT)}\nNo:\n\na.py\n{fenced(ADD)}", language="python")

    assert extraction.files == {"a.py": ADD}


def test_a_name_above_a_shell_block_is_what_is_run_there():
    extraction = extract(
        f"{fenced(ADD)}\n`solution.py`:\n```bash\npython solution.py\n```\n", language="python"
    )

    assert extraction.files == {"solution.py": ADD}


def test_a_name_in_a_comment_is_taken_out_of_json_which_has_none():
    extraction = extract('```json\n// conf/a.json\n{"a": 1}\n```\n', language="json")

    assert extraction.files == {"conf/a.json": '{"a": 1}\n'}


def test_files_in_json_keep_their_names():
    by_name = extract('{"files": {"a.py": "x = 1\\n"}}', language="python")
    as_list = extract('{"files": [{"path": "a.py", "content": "x = 1\\n"}, 3]}', language="python")

    assert by_name.files == as_list.files == {"a.py": "x = 1\n"}


@pytest.mark.parametrize("reply", ['{"code": 3}', '{"files": "none"}', "{broken}", '{"files": {"a": 1}}'])
def test_json_that_is_no_envelope_is_left_alone(reply):
    extraction = extract(reply, language="python")

    assert extraction.files == {}
    assert extraction.flags == ("no_code",)


def test_an_answer_without_a_name_becomes_the_target():
    extraction = extract(fenced(ADD), language="", target="pkg/calc.py")

    assert extraction.files == {"pkg/calc.py": ADD}
    assert extraction.language == "python"


@pytest.mark.parametrize("name", ["calc.py", "other.py", "pkg/calc.py"])
def test_a_single_file_of_the_targets_language_is_the_target(name):
    extraction = extract(f"{name}\n{fenced(ADD)}", language="python", target="pkg/calc.py")

    assert list(extraction.files) == ["pkg/calc.py"]


def test_an_unnamed_block_beside_named_ones_is_the_target():
    extraction = extract(f"{fenced(ADD)}\nutil.py\n{fenced(SUB)}", language="python", target="main.py")

    assert extraction.files == {"main.py": ADD, "util.py": SUB}


def test_files_that_were_not_answered_again_are_kept():
    before = {"src/a.py": "old\n", "src/b.py": "keep\n"}

    extraction = extract(f"a.py\n{fenced(ADD)}", language="python", previous=before)

    assert extraction.files == {"src/a.py": ADD, "src/b.py": "keep\n"}


def test_an_answer_of_other_files_replaces_the_previous_ones():
    extraction = extract(f"new.py\n{fenced(ADD)}", language="python", previous={"a.py": "x\n", "b.py": "y\n"})

    assert extraction.files == {"new.py": ADD}


def test_an_unnamed_answer_replaces_the_only_previous_file():
    extraction = extract(fenced(ADD), language="", previous={"lib/a.py": "old\n"})

    assert extraction.files == {"lib/a.py": ADD}


EDIT = "a.py\n```\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n```\n"


def test_edits_apply_to_the_previous_files():
    extraction = extract(EDIT, language="python", previous={"a.py": DRAFT, "b.py": SUB})

    assert extraction.files == {"a.py": ADD, "b.py": SUB}
    assert extraction.flags == ("edits",)


def test_edits_that_do_not_fit_leave_no_candidate():
    extraction = extract(EDIT, language="python", previous={"a.py": SUB + DRAFT})

    assert extraction.files == {}
    assert [problem.code for problem in extraction.problems] == ["edit_ambiguous"]


@pytest.mark.parametrize(
    ("path", "is_safe"), [("new.py", True), ("../new.py", False), ("conftest.py", False)]
)
def test_edits_make_new_files_only_where_names_are_safe(path, is_safe):
    reply = f"{path}\n<<<<<<< SEARCH\n=======\nx = 1\n>>>>>>> REPLACE\n"

    extraction = extract(reply, language="python", previous={"a.py": ADD})

    assert (path in extraction.files) is is_safe
    assert bool(extraction.problems) is not is_safe


@pytest.mark.parametrize(
    "name", ["../a.py", "/etc/a.py", "conftest.py", ".github/workflows/a.py", "x/.git/hooks/a.py"]
)
def test_a_name_that_must_not_be_written_is_a_problem(name):
    extraction = extract(f"```python:{name}\n{ADD}```\n", language="python")

    assert extraction.files == {}
    assert "unsafe_path" in {problem.code for problem in extraction.problems}


def test_a_guarded_name_may_be_written_when_it_is_the_target():
    extraction = extract(f"conftest.py\n{fenced(ADD)}", language="python", target="conftest.py")

    assert extraction.files == {"conftest.py": ADD}


FLAGS = {
    "truncated": (f"{FENCE}python\ndef add(a, b):\n    return (a +", ("unclosed_fence", "truncated")),
    "truncated without a fence": ("def add(a, b):\n    return (a +", ("truncated",)),
    "unclosed": (f"{FENCE}python\n{ADD}", ("unclosed_fence",)),
    "too deep for the parser": (f"x = {'-' * 50_000}1\n", ()),
    "joined": (fenced(ADD) + fenced(SUB), ("joined",)),
    "stub": (fenced("def add(a: int, b: int) -> int:\n    pass\n"), ("stub",)),
    "elided": (fenced(f"# ... existing code ...\n{ADD}"), ("elided",)),
    "no code": ("It is defined already.", ("no_code",)),
    "empty": ("", ("no_code",)),
    "refusal": ("I'm sorry, but I can't help with that.", ("refusal", "no_code")),
    "thought that never ends": (f"<think>\nPerhaps\n{fenced(ADD)}\nor not", ("truncated",)),
}


@pytest.mark.parametrize(("reply", "flags"), FLAGS.values(), ids=FLAGS.keys())
def test_what_is_odd_is_flagged(reply, flags):
    assert extract(reply, language="python").flags == flags


def test_an_unclosed_block_in_an_unknown_language_is_flagged_and_kept():
    extraction = extract("```zig\nconst x = 1;\n", language="zig")

    assert extraction.files == {"solution.txt": "const x = 1;\n"}
    assert extraction.flags == ("unclosed_fence",)


def test_what_was_unfinished_before_is_not_held_against_the_answer():
    before = {"a.py": "def todo(x) -> int:\n    pass\n\n\ndef add(a, b):\n    return a - b\n"}

    assert extract(EDIT, language="python", previous=before).flags == ("edits",)


def test_an_answer_that_began_before_the_thought_ended_is_what_was_said():
    extraction = extract(f"{fenced(ADD)}\n<think>\nwas that right?", language="python")

    assert extraction.files == {"solution.py": ADD}
    assert extraction.flags == ("truncated",)


def test_prose_is_the_answer_when_prose_was_asked_for():
    extraction = extract("<think>hm</think>\nThe answer is 42.\n", language="text")

    assert extraction.files == {"answer.md": "The answer is 42.\n"}
    assert extraction.language == "text"


def test_prose_is_the_answer_when_nothing_was_asked_for_and_no_code_came():
    extraction = extract("Use a hash map.", language="", target="notes.md")

    assert extraction.files == {"notes.md": "Use a hash map.\n"}


def test_a_refusal_in_prose_is_flagged():
    assert extract("I cannot assist with that.", language="text").flags == ("refusal",)
    assert extract("  ", language="text").flags == ("no_code",)


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("```rust\nfn f() {}\n```\n", "rust"),
        ("```bash\nmake\n```\n```go\npackage a\n```\n", "go"),
        ("```sh\nmake\n```\n", "bash"),
    ],
)
def test_the_language_comes_from_the_blocks_when_nobody_said_it(reply, language):
    extraction = extract(reply, language="")

    assert extraction.language == language
    assert extraction.files


@given(
    st.text(alphabet="`~\n <>/#a=:.thinkpyde[](){}\"'1|", max_size=400),
    st.sampled_from(["python", "", "go", "text"]),
)
def test_no_reply_breaks_the_extraction(reply, language):
    extraction = extract(reply, language=language)

    assert extraction.files or extraction.flags or extraction.problems


@given(st.sampled_from([ADD, SUB, FENCED_DOC]), st.text(alphabet="abc, \n", max_size=80))
def test_prose_around_a_fence_never_changes_the_code(code, prose):
    extraction = extract(f"{prose}\n\n{fenced(code)}\n{prose}", language="python")

    assert extraction.files == {"solution.py": code}


@pytest.mark.parametrize(
    "piece",
    [
        "```python\n",
        "```\n",
        "<think>",
        "</think>\n",
        "<code>",
        "<|im_end|>\n",
        "a ```",
        "x = (\n",
        "# a.py\n",
        "1. a\n",
    ],
)
def test_a_hundred_kilobytes_of_one_piece_come_to_an_end(piece):
    extraction = extract(piece * (100_000 // len(piece)), language="python")

    assert extraction.flags or extraction.files


said = st.lists(
    st.sampled_from(
        [ADD, SUB, DRAFT, "```python\n", "```\n", "a.py\n", "Words.\n", "<think>", "</think>", EDIT]
    ),
    max_size=8,
).map("".join)


@settings(deadline=None)
@given(said, st.sampled_from(["python", "", "text"]))
def test_no_line_comes_out_that_the_reply_does_not_hold(reply, language):
    extraction = extract(reply, language=language)

    lines = {line.strip() for text in extraction.files.values() for line in text.split("\n")}
    assert all(line in reply for line in lines)


QUOTED = [
    'SAMPLE = """\\\n--- a/x.txt\n+++ b/x.txt\n@@ -1 +1 @@\n-a\n+b\n"""\n',
    'SAMPLE = """\n*** Delete File: old.py\n"""\n',
    f'SAMPLE = """\n{EDIT}"""\n',
]


@pytest.mark.parametrize("sample", QUOTED)
@pytest.mark.parametrize("target", ["", "sums.py"])
def test_changes_that_code_only_quotes_are_not_made(sample, target):
    previous = {target: DRAFT} if target else {}

    made = extract(fenced(f"{sample}\n\n{ADD}"), language="python", target=target, previous=previous)

    assert made.files == {target or "solution.py": f"{sample}\n\n{ADD}"}
    assert (made.problems, made.removed) == ((), ())


def test_a_deletion_beside_code_that_quotes_one_is_made_and_the_code_stays_whole():
    code = f"{QUOTED[1]}\n\n{ADD}"

    made = extract(
        f"*** Delete File: b.py\n{fenced(code)}", language="python", target="a.py", known={"b.py": "x"}
    )

    assert made.files == {"a.py": code}
    assert made.removed == ("b.py",)


def test_json_with_lone_surrogates_is_no_answer():
    made = extract('{"files": {"a.py": "x = 1\\ud800\\n"}}', language="python")

    assert made.files == {}
    assert "no_code" in made.flags
