import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.rlm.chunks import cut, pack
from orchestrator.rlm.sources import Source

ENDINGS = ["a.md", "a.txt", "a.py", "a.csv", "a.log", "README"]
pieces = st.sampled_from(
    [
        "# Title\n",
        "## Sub\n",
        "word ",
        "def f():\n",
        "    x\n",
        "\n",
        "\n\n",
        "End. ",
        "漢字。",
        "```\n",
        "\r\n",
        "-" * 9,
    ]
)
texts = st.lists(pieces | st.text(max_size=5), max_size=60).map("".join)


@given(name=st.sampled_from(ENDINGS), text=texts, cap=st.integers(1, 40))
def test_chunks_are_the_source_and_never_pass_their_cap(name, text, cap):
    chunks = cut(Source(name, text), cap)

    assert "".join(chunk.text for chunk in chunks) == text
    assert all(0 < chunk.characters <= cap for chunk in chunks)
    assert chunks == cut(Source(name, text), cap)


def test_a_text_that_fits_is_one_chunk():
    assert [chunk.text for chunk in cut(Source("a.txt", "short"), 100)] == ["short"]


def test_an_empty_text_has_no_chunks():
    assert cut(Source("a.txt", ""), 10) == ()


def test_a_cap_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        cut(Source("a.txt", "x"), 0)


@pytest.mark.parametrize(
    ("name", "text", "cap", "expected"),
    [
        ("a.md", "intro text\n# One\nbody\n# Two\nmore", 24, ["intro text\n# One\nbody\n", "# Two\nmore"]),
        (
            "a.md",
            "before text\n```\n# no heading\n```\nx",
            22,
            ["before text\n```\n", "# no heading\n```\nx"],
        ),
        ("a.txt", "first.\nagain.\n\nsecond.\nthird", 26, ["first.\nagain.\n\n", "second.\nthird"]),
        ("a.txt", "aaa bbb. ccc ddd eee", 15, ["aaa bbb. ", "ccc ddd eee"]),
        ("a.txt", "aaa bbb ccc ddd", 10, ["aaa bbb ", "ccc ddd"]),
        ("a.txt", "x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
        ("a.log", "ab\n" + "c" * 14 + "\nd", 15, ["ab\n", "c" * 14 + "\n", "d"]),
        (
            "a.py",
            "def f():\n    a\n\n    b\n\ndef g():\n    c\n",
            30,
            ["def f():\n    a\n\n    b\n\n", "def g():\n    c\n"],
        ),
    ],
)
def test_a_cut_falls_on_the_strongest_border_that_fits(name, text, cap, expected):
    chunks = [chunk.text for chunk in cut(Source(name, text), cap)]

    assert chunks == expected


def test_a_chunk_knows_the_headings_above_it():
    text = "# Book\n" + "a " * 20 + "\n## Part\n" + "b " * 20 + "\n# Other\n" + "c " * 20

    chunks = cut(Source("a.md", text), 50)

    trails = [(chunk.text.split("\n")[0].strip(), chunk.breadcrumb) for chunk in chunks]
    assert trails == [("# Book", "Book"), ("## Part", "Book > Part"), ("# Other", "Other")]


def test_a_chunk_of_a_table_knows_the_header():
    chunks = cut(Source("a.csv", "name,age\nann,1\nbob,2\ncat,3\n"), 16)

    assert [chunk.breadcrumb for chunk in chunks] == ["", "name,age"]


@pytest.mark.parametrize("name", ENDINGS)
def test_ten_megabytes_are_cut_in_half_a_second_of_processor_time(name):
    text = ("lorem ipsum dolor sit amet. " * 20 + "\n\n# consectetur\n") * 17_500

    before = time.process_time()
    cut(Source(name, text), 20_000)

    assert time.process_time() - before < 0.5


@given(sizes=st.lists(st.integers(1, 15)), cap=st.integers(1, 20))
def test_packing_keeps_order_and_its_cap(sizes, cap):
    groups = pack(sizes, cap, lambda size: size)

    assert [size for group in groups for size in group] == sizes
    assert all(sum(group) <= cap or len(group) == 1 for group in groups)
