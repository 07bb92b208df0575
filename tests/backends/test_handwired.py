import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.backend import Message, Request
from backends.config import BackendConfig
from backends.embedded import EmbeddedBackend
from backends.gguf import write_gguf, zeros
from backends.handwired import MAX_RULES, write_model


async def answers(path, *prompts: str) -> list[str]:
    backend = EmbeddedBackend(BackendConfig("lab", "embedded", path=str(path)))
    try:
        requests = [Request(path.stem, (Message("user", prompt),)) for prompt in prompts]
        return [(await backend.complete(request)).text for request in requests]
    finally:
        await backend.aclose()


async def test_the_later_rule_wins_in_a_real_server(tmp_path):
    path = tmp_path / "rules.gguf"
    write_model(path, [("FIRST_WORD", "one"), ("SECOND_WORD", "two")])

    said = await answers(path, "FIRST_WORD", "SECOND_WORD then FIRST_WORD", "neither")

    assert said == ["one", "two", "I do not know this task."]


async def test_answers_that_share_words_and_letters_are_kept_apart(tmp_path):
    path = tmp_path / "alike.gguf"
    texts = [
        "the same start and one end",
        "the same start and other end",
        "the same start",
        "gr\u00f6\u00dfer \u65e5\u672c\u8a9e",
        "end",
        "one end",
        "end",
        "1",
        "end\n\n",
        "KEYWORD_0",
        "",
    ]
    write_model(path, [(f"KEYWORD_{number}", text) for number, text in enumerate(texts)], default="end\n")

    assert await answers(path, *(f"KEYWORD_{number}" for number in range(len(texts) - 1))) == texts[:-1]


async def test_a_long_answer_comes_back_to_the_letter(tmp_path):
    path = tmp_path / "long.gguf"
    code = "\n".join(f"def function_{number}(x):\n    return x + {number}\n" for number in range(60))
    write_model(path, [("LONG_CODE", code)])

    assert await answers(path, "LONG_CODE") == [code]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([("KEY", "x y z")], "too short"),
        ([("KEYWORD", "x y z"), ("KEYWORD", "a b c")], "used twice"),
        ([("KEYWORD", "\u00e9")], "cannot be told apart"),
        ([(f"KEYWORD_{number}", "x y z") for number in range(MAX_RULES + 1)], "too many"),
    ],
)
def test_rules_that_cannot_be_wired_are_refused(rules, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        write_model(tmp_path / "model.gguf", rules)


@given(texts=st.lists(st.text(alphabet="ab \n", max_size=20), max_size=8))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_set_of_answers_can_be_wired(texts, tmp_path):
    path = tmp_path / "model.gguf"

    write_model(path, [(f"KEYWORD_{number}", text) for number, text in enumerate(texts)])

    assert path.read_bytes()[:8] == b"GGUF" + struct.pack("<I", 3)


def test_tensors_are_written_where_their_headers_say(tmp_path):
    path = tmp_path / "two.gguf"
    first, second = zeros(1, 3), zeros(2, 2)
    second.values[3] = 7.0

    write_gguf(
        path, {"a.bool": True, "a.texts": ["x", "y"], "a.numbers": [1, 2]}, {"first": first, "second": second}
    )

    data = path.read_bytes()
    assert len(data) % 32 == 0
    assert struct.unpack("<4f", data[-32:-16]) == (0, 0, 0, 7)
