"""Documents: files and folders of text, with what was noticed while they were read."""

import codecs
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from orchestrator.rlm.errors import SourceError

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before utf-16-le, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})
_MARKUP = frozenset({".html", ".htm", ".xhtml"})
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Source:
    """One document; every offset counts characters of `text`, its byte order mark not among them."""

    path: str
    text: str

    @property
    def ending(self) -> str:
        """The file's ending with its dot, in lower case; empty where there is none."""
        return PurePath(self.path).suffix.lower()


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """How much is read at most; what is larger is a mistake more often than a wish."""

    file_bytes: int = 64 * 1024**2
    total_bytes: int = 256 * 1024**2
    files: int = 20_000


@dataclass(frozen=True, slots=True)
class Reading:
    """The documents in a stable order, and what a reader of the answer should know about them."""

    sources: tuple[Source, ...]
    warnings: tuple[str, ...] = ()


def read_sources(paths: Sequence[Path], limits: SourceLimits | None = None) -> Reading:
    """Read files, and folders with all text files in them; blocks, so call it in a thread.

    `paths` are resolved and allowed already. Links inside a folder are not followed, for they may lead
    out of what is allowed; hidden and generated folders, binary and oversized files in it are left out.
    HTML is read with its tags, PDF not at all.

    Raises:
        SourceError: A named file is missing, unreadable, binary or too large, or all of it is too much.
    """
    limits = limits or SourceLimits()
    reading = _Reading(limits)
    for path in dict.fromkeys(paths):
        if path.is_dir():
            reading.add_folder(path)
        else:
            reading.add(path)
    return Reading(tuple(reading.sources), (*reading.warnings, *reading.skipped_warnings()))


def decode(data: bytes, path: str) -> tuple[str, str]:
    """Turn bytes into text; the second value is a warning, or empty.

    Raises:
        SourceError: The bytes are no text.
    """
    if data.startswith(b"%PDF-"):
        raise SourceError(
            f"{path!r} is a PDF, which cannot be read yet. Convert it (pdftotext) and give the text."
        )
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode_marked(data[len(mark) :], encoding, path), ""
    if b"\0" in data[:8192]:
        raise SourceError(f"{path!r} is binary. Give text, as UTF-8 or as UTF-16 with its byte order mark.")
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        if _CONTROL_BYTES.search(data):
            raise SourceError(f"{path!r} is binary. Give a text file, or convert it to text.") from error
        warning = f"{path!r} is not UTF-8 (byte {error.start}) and was read as Latin-1; accents may be wrong."
        return data.decode("latin-1"), warning


def _decode_marked(data: bytes, encoding: str, path: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(f"{path!r} is marked as {encoding} but is not. Save it as UTF-8.") from error


class _Reading:
    """Collects documents until a limit is passed."""

    def __init__(self, limits: SourceLimits) -> None:
        self.limits = limits
        self.sources: list[Source] = []
        self.warnings: list[str] = []
        self._skipped: list[str] = []
        self._seen: set[Path] = set()
        self._bytes = 0

    def add_folder(self, folder: Path) -> None:
        readable = 0
        for path in _walk(folder, self._skip_folder):
            try:
                self.add(path)
                readable += 1
            except _LimitError:
                raise
            except SourceError:
                self._skipped.append(str(path.relative_to(folder)))
        if not readable:
            raise SourceError(f"No text file is in the folder {str(folder)!r}. Name files or another folder.")

    def add(self, path: Path) -> None:
        if path in self._seen:
            return
        self._seen.add(path)
        data = _read_file(path, self.limits.file_bytes)
        text, warning = decode(data, str(path))
        self._bytes += len(data)
        if self._bytes > self.limits.total_bytes or len(self.sources) >= self.limits.files:
            raise _LimitError(
                f"The sources pass {self.limits.total_bytes} bytes or {self.limits.files} files "
                f"at {str(path)!r}. Name fewer files or a deeper folder."
            )
        self.sources.append(Source(str(path), text))
        self.warnings += _notes(path, warning)

    def _skip_folder(self, error: OSError) -> None:
        self._skipped.append(f"{error.filename}/")

    def skipped_warnings(self) -> Iterator[str]:
        if self._skipped:
            shown = ", ".join(self._skipped[:_NAMES_SHOWN])
            hidden = len(self._skipped) - _NAMES_SHOWN
            more = f" and {hidden} more" if hidden > 0 else ""
            yield f"Not read, because binary, too large or unreadable: {shown}{more}."


class _LimitError(SourceError):
    """All files together are too much; no file of its own is to blame."""


def _notes(path: Path, warning: str) -> Iterator[str]:
    if warning:
        yield warning
    if path.suffix.lower() in _MARKUP:
        yield f"{str(path)!r} is HTML and was read with its tags."


def _walk(folder: Path, unreadable: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield the files below a folder in a stable order, without links and hidden ones."""
    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not _is_skipped(name))
        paths = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
        yield from (path for path in paths if not path.is_symlink())


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name in _SKIPPED_FOLDERS


def _read_file(path: Path, cap: int) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # opening a pipe would wait for ever
            raise SourceError(f"{str(path)!r} is neither a file nor a folder. Give a text file.")
        if found.st_size > cap:
            raise SourceError(
                f"{str(path)!r} has {found.st_size} bytes, more than the {cap} allowed. Split it."
            )
        return path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"{str(path)!r} cannot be read: {error.strerror}. Check the path and its permissions."
        ) from error
