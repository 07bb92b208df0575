from hypothesis import given
from hypothesis import strategies as st

from backends.wire import EventReader, LineSplitter


def lines_of(*parts: bytes) -> list[str]:
    splitter = LineSplitter()
    return [line for part in parts for line in splitter.feed(part)] + splitter.close()


def events_of(*lines: str) -> list[str]:
    reader = EventReader()
    return [data for data in (*map(reader.feed, lines), reader.close()) if data is not None]


@given(st.text(), st.integers(1, 5))
def test_lines_are_cut_at_line_feeds_only_wherever_the_bytes_are_cut(text, size):
    data = text.encode()

    lines = lines_of(*(data[start : start + size] for start in range(0, len(data), size)))

    expected = [line.removesuffix("\r") for line in text.split("\n")]
    assert lines == (expected if not text.endswith("\n") and text else expected[:-1])


def test_characters_that_json_may_hold_unescaped_end_no_line():
    assert lines_of('{"a": "x\u2028y\x85z"}\n'.encode()) == ['{"a": "x\u2028y\x85z"}']


def test_bytes_that_are_no_text_are_marked_and_kill_nothing():
    assert lines_of(b"a\xffb\n") == ["a\ufffdb"]


def test_the_data_of_an_event_is_joined_and_all_else_passed_over():
    assert events_of(
        ": keepalive", "event: message", "data: a", "data:b", "id: 7", "", "", "data: c", ""
    ) == ["a\nb", "c"]


def test_the_last_event_needs_no_empty_line():
    assert events_of("data: [DONE]") == ["[DONE]"]
