import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.streams import Stream, clean


@given(st.binary(max_size=200))
def test_what_is_cleaned_has_no_control_characters(output):
    text = clean(output)

    assert all(character.isprintable() or ord(character) >= 160 or character in "\n\t" for character in text)


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def test_a_stream_keeps_no_more_than_its_limit(pipe):
    reader, writer = pipe
    os.write(writer, b"x" * 100)
    stream = Stream(reader, limit_bytes=10)

    stream.drain()

    assert stream.overflown
    assert stream.text() == "x" * 10


def test_draining_does_not_wait_for_a_writer_that_is_still_there(pipe):
    reader, writer = pipe
    os.write(writer, b"left")
    stream = Stream(reader, limit_bytes=10)

    stream.drain()

    assert (stream.text(), stream.overflown) == ("left", False)
