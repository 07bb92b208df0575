"""The validator `examples` with real sandboxes, interpreters and candidates that try to agree by force."""

import shutil

import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.program import Limits
from validators.examples import Examples
from validators.validator import Given
from validators.verdict import Candidate

TASK = '''Complete:

```python
def double(x):
    """Double a number.

    >>> double(1)
    2
    >>> double(2)
    4
    double(3) == 6
    """
```
'''
LIMITS = Limits(seconds=60)
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


async def judge(source, task=TASK, language="python", limits=LIMITS, **files):
    ending = {"python": "py", "javascript": "js"}.get(language, "txt")
    candidate = Candidate({f"solution.{ending}": source, **files}, language)
    return await Examples(Bubblewrap(), limits).judge(candidate, Given(task=task))


async def test_a_candidate_that_agrees_with_all_examples_passes():
    verdict = await judge("def double(x):\n    return 2 * x\n")

    assert (verdict.status, verdict.confidence) == ("passed", 0.9)
    assert verdict.reason == "3 of 3 examples of the task agree"
    assert verdict.receipt.command == "double(1); double(2); double(3)"
    assert verdict.receipt.tool == "bubblewrap"


async def test_a_candidate_that_contradicts_most_examples_fails_with_call_expected_and_got():
    verdict = await judge("def double(x):\n    return x + 1\n")

    assert verdict.status == "failed"
    assert [one.message for one in verdict.diagnostics] == [
        "double(2) gives 3, but line 9 of the task shows 4",
        "double(3) gives 4, but line 11 of the task shows 6",
    ]


async def test_one_contradicted_example_among_others_is_a_warning():
    verdict = await judge("def double(x):\n    return 2 * x if x < 3 else 7\n")

    assert (verdict.status, verdict.confidence) == ("unavailable", 0.0)
    assert [one.severity for one in verdict.diagnostics] == ["warning"]
    assert "double(3) gives 7" in verdict.diagnostics[0].message


async def test_an_error_is_told_with_its_place():
    verdict = await judge("def double(x):\n    return x / 0\n")

    assert verdict.status == "failed"
    assert "raises ZeroDivisionError" in verdict.diagnostics[0].message
    assert (verdict.diagnostics[0].file, verdict.diagnostics[0].line) == ("solution.py", 2)


EQUAL = "def __eq__(self, other): return True\n    def __hash__(self): return 0\n"
CHEATS = {
    "an object equal to everything": f"class A:\n    {EQUAL}def double(x): return A()\n",
    "a number equal to everything": (
        f"class A(int):\n    {EQUAL}    def __repr__(self): return '2'\ndef double(x): return A(9)\n"
    ),
    "a text that prints as what was asked": (
        "class A:\n    def __repr__(self): return '2'\ndef double(x): return A()\n"
    ),
    "an early end": "import os\nos._exit(0)\ndef double(x): return 2\n",
    "a forged line without the secret": (
        "import os\nfor n in range(3):\n"
        '    os.write(3, b\'{"secret": "", "number": "%d", "outcome": "value", "text": "2"}\\n\' % n)\n'
        "def double(x): return 0\n"
    ),
    "a line that is no object": "import os\nos.write(3, b'[1]\\n')\ndef double(x): return 0\n",
    "an outcome that is none": "import os\nos.write(3, b'{\"outcome\": 1}\\n')\ndef double(x): return 0\n",
    "its own writer": (
        "import json, os\njson.dumps = lambda *_: '{}'\nos.write = lambda *_: 0\ndef double(x): return 0\n"
    ),
    "a number too long to write": "def double(x): return 10 ** 5000\n",
    "a list that holds itself": "def double(x):\n    y = []\n    y.append(y)\n    return y\n",
}


@pytest.mark.parametrize("source", CHEATS.values(), ids=CHEATS.keys())
async def test_nothing_agrees_but_the_results_themselves(source):
    verdict = await judge(source)

    assert verdict.status != "passed"
    assert verdict.reason != "The task shows no examples that can be run."


async def test_examples_that_only_the_candidate_shows_prove_nothing():
    verdict = await judge(
        'def double(x):\n    """\n    >>> double(1)\n    1\n    """\n    return x\n', "Write double."
    )

    assert (verdict.status, verdict.reason) == ("unavailable", "The task shows no examples that can be run.")


async def test_results_that_change_from_call_to_call_say_nothing():
    verdict = await judge("import random\ndef double(x): return random.random()\n")

    assert verdict.status == "unavailable"


@pytest.mark.slow
async def test_a_call_without_end_costs_its_own_time_and_a_second_one_ends_the_run():
    limits = Limits(seconds=60, cpu_seconds=1)

    verdict = await judge("def double(x):\n    while True: pass\n", limits=limits)

    assert verdict.status == "failed"
    assert [one.message.partition(",")[0] for one in verdict.diagnostics] == [
        "double(1) comes to no end in time",
        "double(2) comes to no end in time",
    ]


async def test_a_call_that_only_waits_says_nothing():
    verdict = await judge("import time\ndef double(x): time.sleep(60)\n", limits=Limits(seconds=1.5))

    assert verdict.status == "unavailable"
    assert verdict.diagnostics == ()


async def test_what_is_printed_is_not_the_result():
    assert (await judge("def double(x):\n    print('2' * 10**6)\n    return 2 * x\n")).status == "passed"


async def test_a_coroutine_is_run_to_its_end():
    assert (await judge("async def double(x): return 2 * x\n")).status == "passed"


async def test_inputs_and_outputs_of_a_statement_are_held_against_a_method():
    task = "Sum up to k.\n\nInput: nums = [1,2], k = 3\nOutput: 4\n\nclass Solution:\n    def add(self):\n"

    good = await judge("class Solution:\n    def add(self, nums, k): return k + nums[0]\n", task)
    bad = await judge("class Solution:\n    def add(self, nums, k): return k\n", task)

    assert (good.status, bad.status) == ("passed", "failed")
    assert bad.diagnostics[0].message.startswith("Solution().add(nums=[1, 2], k=3) gives 3")


async def test_a_module_that_is_not_installed_is_named():
    verdict = await judge("import no_such_module\ndef double(x): return 2 * x\n")

    assert verdict.reason == "Not installed beside the server: no_such_module."


async def test_files_that_no_example_uses_are_not_loaded():
    other = {"other.py": "raise SystemExit\n", "no-name.py": "raise SystemExit\n", "notes.md": "double"}

    assert (await judge("def double(x): return 2 * x\n", **other)).status == "passed"


@pytest.mark.parametrize(
    ("language", "reason"), [("rust", "Examples in 'rust' cannot be run."), ("text", "")]
)
async def test_other_languages_are_unavailable(language, reason):
    verdict = await judge("double", language=language)

    assert verdict.status == "unavailable"
    assert reason in verdict.reason


async def test_a_path_that_leads_out_fails():
    verdict = await judge("def double(x): return 2 * x\n", **{"../x.py": ""})

    assert verdict.status == "failed"


SCRIPT_TASK = (
    "// >>> add(1, [2])\n// [1, 2]\nadd(0, []) => [0]\nadd('a', [{b: 1}]) => 3\nfunction add(x, list) {\n"
)


@needs_node
@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("function add(x, list) { return [x, ...list]; }", "passed"),
        ("export const add = async (x, list) => [x].concat(list);", "passed"),
        ("function add(x, list) { return list; }", "failed"),
        ("function add(x, list) { process.exit(0); }", "failed"),
        ("function add(x, list) { throw new Error('no'); }", "failed"),
        ("function add(x, list) { return new Map(); }", "unavailable"),
        ("function other() {}", "unavailable"),
    ],
)
async def test_examples_are_held_against_a_script(source, status):
    assert (await judge(source, SCRIPT_TASK, "javascript")).status == status


async def test_several_scripts_are_not_run():
    verdict = await judge("function add() {}", SCRIPT_TASK, "javascript", **{"b.js": ""})

    assert verdict.status == "unavailable"


async def test_without_node_a_script_is_unavailable(monkeypatch):
    monkeypatch.setenv("PATH", "")

    verdict = await judge("function add(x, list) {}", SCRIPT_TASK, "javascript")

    assert (verdict.status, verdict.reason) == (
        "unavailable",
        "'node' is not installed here. Install Node.js.",
    )


async def test_what_fails_only_to_be_loaded_says_nothing_unless_it_is_no_python():
    source = "import os\nKEY = os.environ['SERVICE_KEY']\ndef double(x): return 2 * x\n"

    assert (await judge(source)).status == "unavailable"
    assert (await judge(source.replace("KEY = ", "KEY = not_there, "))).status == "failed"


async def test_what_the_candidate_removes_is_gone_when_its_examples_run(tmp_path):
    (tmp_path / "words.py").write_text("TWO = 2\n")
    source = "def double(x):\n    import words\n    return words.TWO * x\n"
    given = Given(task=TASK, workspace=str(tmp_path))

    statuses = []
    for removed in ((), ("words.py",)):
        candidate = Candidate({"solution.py": source}, "python", removed)
        statuses.append((await Examples(Bubblewrap(), LIMITS).judge(candidate, given)).status)

    assert statuses == ["passed", "unavailable"]
