import codecs
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.rlm.errors import SourceError
from orchestrator.rlm.sources import SourceLimits, decode, read_sources

TEXT = "Zeile eins\r\nZeile zwei: ä € 漢\n"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_text_is_decoded_by_its_mark_and_keeps_its_line_ends(mark, encoding):
    text, warning = decode(mark + TEXT.encode(encoding), "a.txt")

    assert text == TEXT
    assert warning == ""


@given(st.text().filter(lambda text: "\0" not in text and not text.startswith(("\ufeff", "%PDF-"))))
def test_every_utf8_text_comes_back_as_it_was(text):
    assert decode(text.encode(), "a.txt") == (text, "")


def test_text_in_no_known_encoding_is_read_as_latin_1_and_said_so():
    text, warning = decode("café au lait".encode("latin-1"), "menu.txt")

    assert text == "café au lait"
    assert "menu.txt" in warning
    assert "Latin-1" in warning


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"%PDF-1.7 ...", "PDF.*pdftotext"),
        (b"\x7fELF\0\0", "binary"),
        (b"\x1f\x8b\x08\xff\xfe", "binary"),
        (codecs.BOM_UTF16_LE + b"\x00", "marked as utf-16-le"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_do(data, message):
    with pytest.raises(SourceError, match=message):
        decode(data, "x")


def test_files_are_read_in_the_order_given_and_once(tmp_path):
    second, first = tmp_path / "b.txt", tmp_path / "a.txt"
    first.write_text("A")
    second.write_text("B")

    reading = read_sources([second, first, second, tmp_path])

    assert [(source.path, source.text) for source in reading.sources] == [
        (str(second), "B"),
        (str(first), "A"),
    ]


def test_a_folder_gives_its_text_files_in_a_stable_order(tmp_path):
    for name in ("z.md", "sub/b.py", "sub/a.py", ".git/config", "node_modules/x.js", ".env"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)

    reading = read_sources([tmp_path])

    assert [source.text for source in reading.sources] == ["z.md", "sub/a.py", "sub/b.py"]
    assert reading.warnings == ()


def test_what_cannot_be_read_in_a_folder_is_left_out_and_named(tmp_path):
    (tmp_path / "a.txt").write_text("A")
    for number in range(7):
        (tmp_path / f"{number}.bin").write_bytes(b"\0")

    reading = read_sources([tmp_path])

    assert [source.text for source in reading.sources] == ["A"]
    assert "0.bin, 1.bin, 2.bin, 3.bin, 4.bin and 2 more" in reading.warnings[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_an_unreadable_folder_in_a_folder_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("A")
    (tmp_path / "closed").mkdir(mode=0)

    assert "closed/" in read_sources([tmp_path]).warnings[0]


def test_links_in_a_folder_are_not_followed(tmp_path):
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("A")
    (folder / "link.txt").symlink_to(tmp_path / "secret")

    reading = read_sources([folder])

    assert [source.text for source in reading.sources] == ["A"]


def test_html_is_read_with_its_tags_and_said_so(tmp_path):
    (tmp_path / "a.html").write_text("<p>A</p>")

    reading = read_sources([tmp_path / "a.html"])

    assert reading.sources[0].text == "<p>A</p>"
    assert "with its tags" in reading.warnings[0]


def test_latin_1_is_a_warning_of_the_reading(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")

    assert "Latin-1" in read_sources([tmp_path / "a.txt"]).warnings[0]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"absent.txt.*No such file"):
        read_sources([tmp_path / "absent.txt"])


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(SourceError, match="neither a file nor a folder"):
        read_sources([tmp_path / "pipe"])


def test_a_folder_without_text_is_refused(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\0")

    with pytest.raises(SourceError, match="No text file"):
        read_sources([tmp_path])


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(2 * 1024**3)

    with pytest.raises(SourceError, match="2147483648 bytes"):
        read_sources([tmp_path / "huge.txt"])


@pytest.mark.parametrize("limits", [SourceLimits(total_bytes=3), SourceLimits(files=1)])
def test_all_files_together_have_a_limit(tmp_path, limits):
    (tmp_path / "a.txt").write_text("AA")
    (tmp_path / "b.txt").write_text("BB")

    with pytest.raises(SourceError, match="Name fewer files"):
        read_sources([tmp_path], limits)
