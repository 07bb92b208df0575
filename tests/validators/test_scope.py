"""What `scope` fails, what it only names, and what it leaves alone."""

import os
import time
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.changes import find_hunks
from validators.overreach import Revision, find_overreach
from validators.public_names import find_public_names
from validators.scope import MAX_BYTES, Scope, decide_scope, read_revisions
from validators.validator import Given
from validators.verdict import Candidate

NOTICE = "# Copyright 2026 The Authors\n\n# Licensed under MIT\n"
BODY = "".join(
    f"def step_{number}(value):\n    # step {number}\n    return value + {number}\n\n\n"
    for number in range(20)
)
ASKED = "Return value - 3 from step_3."
CHANGED = BODY.replace("value + 3\n", "value - 3\n")


def decide(before, after, task=ASKED, path="steps.py", **others):
    files = {path: after, **others}
    return decide_scope(task, (Revision(path, before, after),), Candidate(files, "python"))


def codes(before, after, task=ASKED, path="steps.py", **others):
    _, remarks, _ = decide(before, after, task, path, **others)
    return {remark.code: remark.severity for remark in remarks}


def test_the_change_that_was_asked_for_passes():
    status, remarks, reason = decide(BODY, CHANGED)

    assert (status, remarks) == ("passed", ())
    assert reason == "2 lines changed in 1 of 1 files, nothing unasked found."


OVERREACH = {
    "a public name gone": (BODY, CHANGED.replace("def step_9", "def ninth"), "name_gone"),
    "a method gone": (
        "class A:\n    def f(self): ...\n    def g(self): ...\n",
        "class A:\n    def f(self): return 1\n",
        "name_gone",
    ),
    "the part that changed alone": (BODY, CHANGED.partition("def step_4")[0], "mostly_gone"),
    "the notice gone": (NOTICE + BODY, CHANGED, "licence_gone"),
    "the comments gone": (
        BODY,
        "".join(line for line in CHANGED.splitlines(keepends=True) if "#" not in line),
        "comments_gone",
    ),
    "the looks of all lines": (
        BODY,
        CHANGED.replace("    ", "\t").replace("(value)", "( value )"),
        "reformatted",
    ),
}


@pytest.mark.parametrize(("before", "after", "code"), OVERREACH.values(), ids=OVERREACH.keys())
def test_a_change_that_does_something_else_as_well_fails(before, after, code):
    assert decide(before, after)[0] == "failed"
    assert codes(before, after)[code] == "error"


@pytest.mark.parametrize(
    ("before", "after", "task"),
    [
        (BODY, CHANGED.replace("def step_9", "def ninth"), "Rename step_9 to ninth."),
        (BODY, CHANGED.replace("def step_9", "def ninth"), "Make step_9 the function ninth."),
        (BODY, CHANGED.partition("def step_4")[0], "Remove the steps from 4 on."),
        (NOTICE + BODY, CHANGED, "Take the licence header out."),
        (BODY, CHANGED.replace("    ", "\t").replace("(value)", "( value )"), "Indent with tabs."),
        (
            BODY,
            "".join(one for one in CHANGED.splitlines(keepends=True) if "#" not in one),
            "No comments, please.",
        ),
    ],
)
def test_what_was_asked_for_is_no_overreach(before, after, task):
    assert "error" not in codes(before, after, task).values()


@pytest.mark.parametrize(
    ("path", "before", "after", "gone"),
    [
        ("a.js", "export function f() {}\nexport const g = 1\n", "export function f() { return 1 }\n", "'g'"),
        ("a.js", "export { f, g as h };\n", "export { f };\n", "'h'"),
        ("a.cjs", "module.exports = { f, g: 1 }\nexports.h = 1\n", "module.exports = { f }\n", "'g', 'h'"),
        ("a.ts", "export interface A {}\nexport class B {}\n", "export class B { x = 1 }\n", "'A'"),
        (
            "a.go",
            "package a\nfunc (a *T) Get() int { return 1 }\nfunc Put() {}\n",
            "package a\nfunc Put() { }\n",
            "'Get'",
        ),
        ("a.rs", "pub fn f() {}\npub struct S;\nfn own() {}\n", "pub fn f() { g() }\n", "'S'"),
        (
            "A.java",
            "public class A {\n  public int f(int a) {}\n}\n",
            "public class A {\n  int x;\n}\n",
            "'f'",
        ),
        (
            "a.c",
            "int f(int a)\n{\n}\nstatic int g(void) {\n}\nint h(void) {\n}\n",
            "int h(void) { return 1;\n}\n",
            "'f'",
        ),
        ("a.py", "f = 1\ndef g(): ...\nasync def h(): ...\n", "f = 2\ndef _g(): ...\n", "'g', 'h'"),
    ],
)
def test_names_that_others_may_use_are_known_in_each_language(path, before, after, gone):
    _, remarks, _ = decide(before, after, "Mend it.", path)

    assert remarks[0].message.startswith(f"{gone}: gone")


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.py", "def f(): ...\n", "from b import f\nx = 1\n"),
        ("a.py", "class A(B):\n    def f(self): ...\n", "class A(B):\n    f = g\n"),
        ("a.py", "def f(): ...\n", "def broken(:\n"),
        ("a.js", "export function f() {}\n", "const f = () => 1\nexport { f }\n"),
        ("a.js", "/*\nexport function f() {}\n*/\nexport const a = 1\n", "export const a = 2\n"),
        ("a.c", "static int f(void) {\n}\nint g(void) {\n}\n", "int g(void) { return 1;\n}\n"),
        ("notes.txt", "def f(): ...\n", "def g(): ...\n"),
        ("test_a.py", "def helper(): ...\ndef test_a(): ...\n", "def test_b(): ...\n"),
    ],
)
def test_a_name_that_can_still_be_used_is_not_gone(path, before, after):
    assert "name_gone" not in codes(before, after, "Mend it.", path)


def test_a_name_that_moved_to_another_file_of_the_candidate_is_kept():
    assert codes("def f(): ...\n", "x = 1\n", "Mend it.", **{"b.py": "def f(): ...\n"}) == {}


def test_many_gone_names_are_counted():
    gone = "".join(f"def f{number}(): ...\n" for number in range(7))
    _, remarks, _ = decide(gone + "def g(): ...\n", "def g(): return 1\n")

    assert remarks[0].message.startswith("'f0', 'f1', 'f2', 'f3', 'f4' and 2 more: gone")


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("test_a.py", "def test_a(): ...\ndef test_b(): ...\n", "def test_a(): pass\n"),
        ("a.test.js", "it('a', f)\ntest('b', f)\n", "it('a', g)\n"),
        ("a_test.go", "func TestA(t *T) {}\nfunc TestB(t *T) {}\n", "func TestA(t *T) { }\n"),
        ("lib.rs", "#[test]\nfn a() {}\n", "fn a() {}\n"),
        ("ATest.java", "@Test\nvoid a() {}\n", "void a() {}\n"),
    ],
)
def test_tests_that_vanish_fail(path, before, after):
    assert codes(before, after, "Mend the sum.", path)["tests_gone"] == "error"
    assert "tests_gone" not in codes(before, after, "Remove the duplicate tests.", path)


async def test_a_test_file_that_stays_as_it_was_hides_no_lost_tests(tmp_path):
    both = "def test_a(): ...\n\n\ndef test_b(): ...\n"
    (tmp_path / "test_x.py").write_text(both)
    (tmp_path / "test_y.py").write_text(both)

    verdict = await judge(tmp_path, {"test_x.py": both, "test_y.py": "def test_a(): ...\n"})

    assert [(one.file, one.code) for one in verdict.diagnostics] == [("test_y.py", "tests_gone")]
    assert verdict.diagnostics[0].message.startswith("1 of 4 tests are gone")


async def test_tests_that_moved_to_a_new_file_are_not_lost(tmp_path):
    both = "def test_a(): ...\n\n\ndef test_b(): ...\n"
    (tmp_path / "test_x.py").write_text(both)

    verdict = await judge(
        tmp_path, {"test_x.py": "def test_a(): ...\n", "test_new.py": "def test_b(): ...\n"}
    )

    assert verdict.status == "passed"


def test_tests_that_got_other_names_are_tests_still():
    assert codes("def test_a(): ...\n", "def test_b(): ...\n", "Mend it.", "test_a.py") == {}


WARNED = {
    "looks": (BODY, CHANGED.replace("+ 7\n", "+  7\n"), "reformatted"),
    "imports": ("import a\nx = 1\nimport b\n", "import b\nx = 1\nimport a\n", "reordered_imports"),
    "a comment": (BODY, CHANGED.replace("    # step 9\n", ""), "comments_gone"),
}


@pytest.mark.parametrize(("before", "after", "code"), WARNED.values(), ids=WARNED.keys())
def test_small_liberties_are_named_and_pass(before, after, code):
    assert decide(before, after)[0] == "passed"
    assert codes(before, after)[code] == "warning"


def test_a_file_that_the_task_does_not_name_beside_one_that_it_does_is_named():
    revisions = (Revision("src/a.py", "x = 1\n", "x = 2\n"), Revision("src/b.py", "y = 1\n", "y = 2\n"))

    found = find_overreach("Set x to 2 in a.py", revisions, {one.path: one.after for one in revisions})

    assert [(one.file, one.code, one.severity) for one in found] == [("src/b.py", "not_named", "warning")]


async def judge(tmp_path, files, task=ASKED, **present):
    for name, text in present.items():
        (tmp_path / name.replace("__", ".")).write_text(text)
    return await Scope().judge(Candidate(files, "python"), Given(task=task, workspace=str(tmp_path)))


async def test_the_workspace_says_what_was_there(tmp_path):
    kept = await judge(tmp_path, {"steps.py": CHANGED}, steps__py=BODY)
    spoilt = await judge(tmp_path, {"steps.py": "step_3 = None\n"})

    assert (kept.status, kept.receipt.tool) == ("passed", "scope")
    assert kept.confidence > 0
    assert (spoilt.status, spoilt.diagnostics[0].file) == ("failed", "steps.py")


@pytest.mark.parametrize(
    ("files", "task", "reason"),
    [
        ({"new.py": "x = 1\n"}, ASKED, "the workspace has none of these files"),
        ({"steps.py": BODY}, ASKED, "every file is as the workspace has it"),
        ({"steps.py": CHANGED}, " ", "No task was given"),
        ({"link.py": CHANGED}, ASKED, "none of these files"),
        ({"data.bin": "x"}, ASKED, "none of these files"),
        ({"large.txt": "x"}, ASKED, "none of these files"),
    ],
)
async def test_without_anything_to_compare_nothing_is_judged(tmp_path, files, task, reason):
    outside = tmp_path / "outside.py"
    outside.write_text(BODY)
    workspace = tmp_path / "project"
    workspace.mkdir()
    (workspace / "link.py").symlink_to(outside)
    (workspace / "data.bin").write_bytes(b"\xff\xfe\x00")
    (workspace / "large.txt").write_bytes(b"x" * (MAX_BYTES + 1))

    verdict = await judge(workspace, files, task, steps__py=BODY)

    assert (verdict.status, verdict.confidence) == ("unavailable", 0.0)
    assert reason in verdict.reason


async def test_without_a_workspace_nothing_is_judged():
    verdict = await Scope().judge(Candidate({"steps.py": BODY}, "python"), Given(task=ASKED))

    assert verdict.status == "unavailable"


@pytest.mark.parametrize("path", ["../outside.py", "/etc/passwd"])
async def test_a_path_that_leads_out_fails(tmp_path, path):
    verdict = await judge(tmp_path, {path: "x"})

    assert (verdict.status, verdict.diagnostics[0].code) == ("failed", "unsafe path")


async def test_a_file_that_goes_unasked_fails(tmp_path):
    (tmp_path / "steps.py").write_text(BODY)
    candidate = Candidate({"new.py": "x = 1\n"}, "python", ("steps.py",))

    unasked = await Scope().judge(candidate, Given(task=ASKED, workspace=str(tmp_path)))
    asked = await Scope().judge(candidate, Given(task="Remove steps.py", workspace=str(tmp_path)))

    assert (unasked.status, asked.status) == ("failed", "passed")


@contextmanager
def as_somebody_else():
    """Root may enter every folder, so let it be nobody for a while."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(own)


def test_a_folder_that_is_closed_to_the_server_holds_nothing_to_compare(tmp_path):
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "a.py").write_text(BODY)
    (tmp_path / "closed").chmod(0)

    with as_somebody_else():
        found = read_revisions(Candidate({"closed/a.py": "x = 1\n"}, "python"), str(tmp_path))
    (tmp_path / "closed").chmod(0o700)

    assert found == ()


async def test_a_pipe_in_the_workspace_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")

    assert (await judge(tmp_path, {"pipe.py": "x = 1\n"})).status == "unavailable"


LINES = st.lists(st.sampled_from(["a", "b", "  a", "# c", "", "x = 1"]), max_size=12)


@given(LINES, LINES)
def test_hunks_turn_the_old_text_into_the_new(before, after):
    old, new = "\n".join(before), "\n".join(after)
    made = old.splitlines()
    for hunk in reversed(find_hunks(old, new)):
        at = hunk.was_at - 1
        assert tuple(old.splitlines()[at : at + len(hunk.removed)]) == hunk.removed
        made[at : at + len(hunk.removed)] = hunk.added

    assert made == new.splitlines()


def test_texts_too_long_to_be_aligned_are_one_hunk():
    before, after = "a\n" * 30_000, "b\n" * 30_000

    (hunk,) = find_hunks(f"x\n{before}y\n", f"x\n{after}y\n")

    assert (hunk.line, len(hunk.removed), len(hunk.added)) == (2, 30_000, 30_000)


def test_a_file_too_long_to_be_read_offers_nothing():
    assert find_public_names("a.py", "def f(): ...\n" * 30_000) == frozenset()


def test_members_of_a_class_are_known_by_its_name():
    text = (
        "class A:\n    x = 1\n    y: int = 2\n    f = g\n    def _h(self): ...\n    async def i(self): ...\n"
    )

    assert find_public_names("a.py", text) == {"A", "A.x", "A.f", "A.i"}
    assert find_public_names("a.js", "export { , f as };\n") == {"as"}


@given(
    st.text(max_size=300),
    st.text(max_size=300),
    st.text(max_size=50),
    st.sampled_from(["a.py", "b.ts", "c.c"]),
)
def test_no_texts_break_the_comparison(before, after, task, path):
    status, remarks, _ = decide_scope(
        task, (Revision(path, before, after),), Candidate({path: after}, "python")
    )

    assert (status == "failed") == any(remark.severity == "error" for remark in remarks)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["a.py", "a.ts", "a.go", "a.rs", "A.java", "a.c"])
@pytest.mark.parametrize(
    "unit", ["/*", '"\\', "'a", "`", "a b(", "\n", "pub ", "public a ", "export {", "a " * 9 + "\n"]
)
def test_hostile_texts_take_no_time_by_the_square(path, unit):
    text = unit * (250_000 // len(unit))
    began = time.process_time()

    decide("x = 1\n" + text, text + "y", "Mend it.", path)

    assert time.process_time() - began < 20
