"""Unified diffs, `*** Begin Patch` and explicit deletions: how they are read, and where they apply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.changes import apply_changes, apply_patches, named_paths
from orchestrator.patches import Hunk, Patch, cut_orders, parse_patches
from orchestrator.roots import unified_diff

BEFORE = "import a\n\n\ndef f():\n    return 1\n\n\ndef g():\n    return 1\n"
AFTER = BEFORE.replace("def g():\n    return 1", "def g():\n    return 2")
DIFF = unified_diff(BEFORE, AFTER, "src/a.py")
UPDATE = "*** Begin Patch\n*** Update File: src/a.py\n"
FROM_A = "--- a/a.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
A_TO_C = "--- a/a.py\n+++ b/c.py\n@@ -1 +1 @@\n-x\n+z\n"


def changed(reply, files=None):
    return apply_changes({"src/a.py": BEFORE} if files is None else files, reply)


@pytest.mark.parametrize(
    "reply",
    [
        DIFF,
        f"Here it is:\n\n```diff\n{DIFF}```\nDone.",
        DIFF.replace("a/src/a.py", "src/a.py").replace("b/src/a.py", "src/a.py"),
        DIFF.replace("src/a.py", "a.py"),
        f"diff --git a/src/a.py b/src/a.py\nindex 1234567..89abcde 100644\n{DIFF}",
        f"diff --git a/src/a.py b/src/a.py\nold mode 100644\nnew mode 100755\n{DIFF}",
        DIFF.replace("--- a/src/a.py", "--- a/src/a.py\t2026-01-01 10:00:00.0 +0000"),
        "--- src/a.py.orig\n+++ src/a.py\n" + DIFF.split("\n", 2)[2],
        "--- a/src/a.py\n+++ b/src/a.py\n@@ -90,2 +7,99 @@\n def g():\n-    return 1\n+    return 2\n",
        "--- a/src/a.py\n+++ b/src/a.py\n@@\n def g():\n-    return 1\n+    return 2\n",
        "--- a/src/a.py\n+++ b/src/a.py\n def g():\n-    return 1\n+    return 2\n",
        "--- a/src/a.py\n+++ b/src/a.py\n@@ def g():\n-    return 1\n+    return 2\n",
        "--- a/src/a.py\n+++ b/src/a.py\n@@ -8,2 +8,2 @@\n   def g():\n-      return 1\n+      return 2\n",
        f"{UPDATE}@@ def g():\n-    return 1\n+    return 2\n*** End Patch",
        f"{UPDATE} def g():\n-    return 1\n+    return 2\n*** End of File",
    ],
)
def test_a_patch_is_applied_whatever_its_form(reply):
    edited = changed(reply)

    assert edited.problems == ()
    assert dict(edited.files) == {"src/a.py": AFTER}
    assert edited.removed == ()


def test_a_reply_without_any_change_is_none():
    assert changed("Just words.\n--- a rule\n+ more\n*** Delete nothing\n") is None


@pytest.mark.parametrize(
    ("reply", "files", "removed"),
    [
        ("*** Delete File: a.py", {"b.py": "y\n"}, ("a.py",)),
        ("--- a/a.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n", {"b.py": "y\n"}, ("a.py",)),
        ("diff --git a/a.py b/a.py\ndeleted file mode 100644\n", {"b.py": "y\n"}, ("a.py",)),
        (
            f"diff --git a/a.py b/a.py\ndeleted file mode 100644\nindex 1..0\n{FROM_A}",
            {"b.py": "y\n"},
            ("a.py",),
        ),
        ("*** Rename File: a.py -> c.py", {"b.py": "y\n", "c.py": "x\n"}, ("a.py",)),
        (
            "diff --git a/a.py b/c.py\nsimilarity index 100%\nrename from a.py\nrename to c.py\n",
            {"b.py": "y\n", "c.py": "x\n"},
            ("a.py",),
        ),
        (
            f"diff --git a/a.py b/c.py\nrename from a.py\nrename to c.py\n{A_TO_C}",
            {"b.py": "y\n", "c.py": "z\n"},
            ("a.py",),
        ),
        (
            "*** Begin Patch\n*** Update File: a.py\n*** Move to: c.py\n@@\n-x\n+z\n*** End Patch",
            {"b.py": "y\n", "c.py": "z\n"},
            ("a.py",),
        ),
        ("*** Add File: n.py\n+1\n+2\n*** End Patch", {"a.py": "x\n", "b.py": "y\n", "n.py": "1\n2\n"}, ()),
        ("--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+1\n", {"a.py": "x\n", "b.py": "y\n", "n.py": "1\n"}, ()),
        (
            "diff --git a/n.py b/n.py\nnew file mode 100644\n--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+1\n",
            {"a.py": "x\n", "b.py": "y\n", "n.py": "1\n"},
            (),
        ),
        ("*** Delete File: a.py\n*** Add File: a.py\n+new\n", {"a.py": "new\n", "b.py": "y\n"}, ()),
        (
            "a.py\n<<<<<<< SEARCH\nx\n=======\nz\n>>>>>>> REPLACE\n*** Delete File: b.py",
            {"a.py": "z\n"},
            ("b.py",),
        ),
    ],
)
def test_files_are_deleted_renamed_and_made(reply, files, removed):
    edited = changed(reply, {"a.py": "x\n", "b.py": "y\n"})

    assert edited.problems == ()
    assert (dict(edited.files), edited.removed) == (files, removed)


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        (
            "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-totals = 1\n+y\n",
            "edit_not_found",
            "did you mean these?\ntotal = 1",
        ),
        ("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-zzzz\n+y\n", "edit_not_found", "copy them exactly"),
        ("--- a/a.py\n+++ b/a.py\n@@ -9 +9 @@\n-same\n+y\n", "edit_ambiguous", "2 times (lines 2, 3)"),
        ("--- a/a.py\n+++ b/a.py\n@@ -9,0 +9 @@\n+y\n", "edit_ambiguous", "without saying where"),
        ("--- a/no.py\n+++ b/no.py\n@@ -1 +1 @@\n-x\n+y\n", "edit_no_file", "none of the files"),
        ("*** Delete File: no.py", "edit_no_file", "(a.py, b.py)"),
        ("*** Rename File: a.py -> b.py", "edit_exists", "cannot be renamed"),
        ("*** Add File: a.py\n+x\n", "edit_exists", "which exists"),
        (
            "*** Add File: n.py\n+x\n--- /dev/null\n+++ b/m.py\n@@ -1 +1 @@\n-x\n",
            "edit_not_found",
            "copy them",
        ),
        ("--- a/a.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-total = 1\n", "edit_not_found", "leaves lines"),
    ],
)
def test_a_patch_that_does_not_fit_changes_nothing_and_says_why(reply, code, words):
    files = {"a.py": "total = 1\nsame\nsame\n", "b.py": "y\n"}

    edited = changed(reply, files)

    assert dict(edited.files) == files
    assert edited.removed == ()
    assert [problem.code for problem in edited.problems] == [code]
    assert words in edited.problems[0].message


def test_several_files_are_changed_by_one_reply_or_none_is():
    files = {"a.py": "1\n", "b.py": "2\n"}
    good = unified_diff("1\n", "3\n", "a.py") + unified_diff("2\n", "4\n", "b.py")

    assert dict(changed(good, files).files) == {"a.py": "3\n", "b.py": "4\n"}
    assert dict(changed(good.replace("-2", "-5"), files).files) == files


def test_the_stated_line_decides_between_equal_places():
    text = "x\n" * 9

    edited = changed("--- a/a\n+++ b/a\n@@ -4 +4 @@\n-x\n+y\n", {"a": text})

    assert edited.files["a"] == "x\nx\nx\ny\nx\nx\nx\nx\nx\n"


def test_line_ends_and_mark_of_a_file_stay():
    text = "\ufeffone\r\ntwo\r\n"

    by_patch = changed("--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n one\n-two\n+zwei\n", {"a": text})
    by_edit = changed("a.py\n<<<<<<< SEARCH\ntwo\n=======\nzwei\n>>>>>>> REPLACE\n", {"a.py": text})

    assert by_patch.files["a"] == by_edit.files["a.py"] == "\ufeffone\r\nzwei\r\n"


def test_a_removed_line_of_dashes_does_not_begin_a_file():
    before = "-- a\nb\n"

    assert changed(unified_diff(before, "b\n", "x.sql"), {"x.sql": before}).files == {"x.sql": "b\n"}


def test_names_are_told_before_anything_is_read():
    assert named_paths("*** Rename File: a.py -> b.py\n*** Delete File: c.py") == ("a.py", "b.py", "c.py")


def test_orders_beside_fences_are_parted_from_the_rest_but_not_inside_a_patch():
    orders = cut_orders("*** Delete File: a.py\nb.py\n```\nx\n```")

    assert (orders.said, orders.rest) == ("*** Delete File: a.py", "b.py\n```\nx\n```")
    assert cut_orders("*** Begin Patch\n*** Delete File: a.py").said == ""


@pytest.mark.parametrize(
    "reply", ["*** Rename File: a.py", "--- x\n+++ y\n", "diff --git a/a b/a\nnothing\n", "@@ @@"]
)
def test_what_says_nothing_is_no_patch(reply):
    assert parse_patches(reply) == ()


def test_a_hunk_knows_the_lines_it_needs():
    assert Hunk(((" ", "a"), ("-", "b"), ("+", "c"))).before == ["a", "b"]
    assert apply_patches({"a": "x"}, [Patch("a")]).files == {"a": "x"}


texts = st.lists(
    st.sampled_from(["a", "b", "", " a", "\ta", "-- a", "++ b", "@@ c", "\\ d"]), max_size=9
).map("\n".join)


@given(before=texts, after=texts)
def test_a_difference_that_is_read_and_applied_gives_the_other_text(before, after):
    reply = unified_diff(before, after, "x.py")

    edited = apply_patches({"x.py": before}, parse_patches(reply))

    assert edited.problems == ()
    assert dict(edited.files) == {"x.py": after}


@given(before=texts, other=texts, after=texts)
def test_a_difference_of_another_text_changes_all_it_says_or_nothing(before, other, after):
    files = {"x.py": before, "y.py": "1\n"}
    reply = unified_diff("1\n", "2\n", "y.py") + unified_diff(other, after, "x.py")

    edited = apply_patches(files, parse_patches(reply))

    assert edited.files["y.py"] == ("1\n" if edited.problems else "2\n")
    assert not edited.problems or dict(edited.files) == files


@given(
    st.lists(
        st.sampled_from([*"+- @", "*** ", "Delete File: a", "--- a", "+++ b", "@@ -1 +1 @@", "\n", "x"]),
        max_size=60,
    )
)
def test_no_reply_breaks_the_reading(pieces):
    reply = "".join(pieces)

    assert changed(reply, {"a": "x\n"}) is None or parse_patches(reply)


@pytest.mark.parametrize(
    "piece",
    [
        "--- a\n+++ b\n",
        "@@ -1 +1 @@\n",
        "-x\n",
        "*** Delete File: a\n",
        "*** Update File: a\n",
        "diff --git a/a b/a\n",
        "+",
    ],
)
def test_a_megabyte_of_one_piece_comes_to_an_end(piece):
    patches = parse_patches(f"--- a/a.py\n+++ b/a.py\n-x\n{piece * (1_000_000 // len(piece))}")

    assert patches[0].path == "a.py"


def test_three_patches_that_do_not_fit_tell_their_nearest_lines():
    files = {f"{name}.py": "value = compute()\n" for name in "abcde"}
    reply = "".join(f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-value = compute(1)\n+x\n" for path in files)

    problems = apply_changes(files, reply).problems

    assert ["did you mean" in problem.message for problem in problems] == [True, True, True, False, False]
