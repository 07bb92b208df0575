"""How a file is written stays: line ends, byte order mark, last line end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.styles import plain, restyle, restyle_whole


@pytest.mark.parametrize(
    ("text", "like", "styled"),
    [
        ("a\nb\n", "x\ny\n", "a\nb\n"),
        ("a\nb\n", "x\r\ny\r\n", "a\r\nb\r\n"),
        ("a\r\nb\n", "x\r\n", "a\r\nb\r\n"),
        ("a\nb\n", "x\r\ny\n", "a\nb\n"),
        ("a\n", "\ufeffx\n", "\ufeffa\n"),
        ("\ufeffa\n", "\ufeffx\n", "\ufeffa\n"),
        ("a\n", "x", "a"),
        ("a\n", "", "a\n"),
        ("a\n", "x\r\ny", "a"),
    ],
)
def test_a_whole_answer_is_written_as_the_file_was(text, like, styled):
    assert restyle_whole(text, like) == styled


@given(st.text(alphabet="a\r\n\ufeff", max_size=20), st.text(alphabet="a\r\n\ufeff", max_size=20))
def test_styling_twice_is_styling_once(text, like):
    once = restyle(text, like)

    assert restyle(once, like) == once


@given(st.lists(st.text(alphabet="ab ", max_size=4), max_size=6).map("\r\n".join))
def test_what_is_made_plain_can_be_given_back(text):
    assert restyle(plain(text), text) == text
