from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.thinking import ThinkingSplitter, split_thinking

TAGS = st.sampled_from(
    ["<think>", "</think>", "<thinking>", "[THINK]", "[/THINK]", "\n", " ", "a", "<", "think>", "ü"]
)
TEXTS = st.lists(TAGS, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("just an answer", "just an answer", ""),
        ("<think>why</think>\n\nbecause", "because", "why"),
        ("  \n<think>why</think>because", "because", "why"),
        ("[THINK]why[/THINK]because", "because", "why"),
        ("<thinking>why</thinking>because", "because", "why"),
        ("<think>a</think>\n<think>b</think>\n  indented", "  indented", "ab"),
        ("<think>never closed", "", "never closed"),
        ("<think></think>answer", "answer", ""),
        ("<think>", "", ""),
        ("the template opened it\n</think>\n\nanswer", "answer", "the template opened it\n"),
        ("opened it.</think>\nanswer", "answer", "opened it."),
        ("cut off here</think>", "", "cut off here"),
        ('text.split("</think>")', 'text.split("</think>")', ""),
        ("say <think>no</think>\nmore", "say <think>no</think>\nmore", ""),
        ("<thin", "<thin", ""),
        ("", "", ""),
    ],
)
def test_thinking_is_told_from_the_answer(text, answer, reasoning):
    assert split_thinking(text) == (answer, reasoning)


@given(TEXTS, st.lists(st.integers(0, 60), max_size=6))
def test_where_a_stream_is_cut_makes_no_difference(text, places):
    cuts = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    whole, pieced = ThinkingSplitter(), ThinkingSplitter()

    parts = [pieced.feed(text[start:end]) for start, end in pairwise(cuts)]
    parts.append(pieced.close())

    expected = [whole.feed(text), whole.close()]
    assert ["".join(column) for column in zip(*parts, strict=True)] == [
        "".join(column) for column in zip(*expected, strict=True)
    ]


@given(st.text().filter(lambda text: "</think>" not in text), st.text().filter(lambda text: "<" not in text))
def test_a_closed_block_is_always_found(thought, answer):
    answer = answer.lstrip().lstrip("[") or "x"

    assert split_thinking(f"<think>{thought}</think>{answer}") == (answer, thought)


@given(st.text(alphabet="ab \n"))
def test_a_text_without_tags_is_left_alone(text):
    assert split_thinking(text) == (text, "")
