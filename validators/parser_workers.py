"""Have texts parsed by confined processes, which are started at first use and replaced when they break.

A worker lives as long as the server: it ends when the server's end of its pipe closes, however that comes,
and a timer of its own ends it in the midst of a text.
"""

import atexit
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from validators.parsed import Parse, ParserLimitError
from validators.verdict import Diagnostic

_CHILD = str(Path(__file__).with_name("_parser_child.py"))
_HEADER, _LENGTH = struct.Struct("=IId"), struct.Struct("=I")
_START_SECONDS = 20.0
_GRACE_SECONDS = 0.5
_MAX_REPLY_BYTES = 256 * 1024
_MOST = min(4, os.cpu_count() or 1)


class ParserWorker:
    """One confined process that parses one text after the other."""

    def __init__(self) -> None:
        """Start it and wait until it has loaded what it needs.

        Raises:
            ParserLimitError: It does not start here.
        """
        self._process = _start()
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._requests, self._replies = self._process.stdin, self._process.stdout
        self._owes = False
        try:
            self._read(1, time.monotonic() + _START_SECONDS)
        except (EOFError, TimeoutError) as error:
            self.end()
            raise ParserLimitError("the process that parses does not start") from error

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether it can take another text: it runs, and its last answer was read whole."""
        return not self._owes and self._process.poll() is None

    def ask(self, source: bytes, language: str, deadline_seconds: float) -> Parse:
        """Have one text parsed.

        Raises:
            ParserLimitError: The parser gave up, or is to be ended; `lives` says which.
        """
        name = language.encode()
        request = _HEADER.pack(len(name), len(source), deadline_seconds) + name + source
        end = time.monotonic() + deadline_seconds + _GRACE_SECONDS
        self._owes = True
        try:
            self._write(request)
            (size,) = _LENGTH.unpack(self._read(_LENGTH.size, end))
            reply = self._read(min(size, _MAX_REPLY_BYTES), end)
        except TimeoutError as error:
            raise ParserLimitError(f"parsing took longer than {deadline_seconds:g} s") from error
        except (EOFError, OSError) as error:
            raise ParserLimitError("the parser ran out of memory or broke down over this text") from error
        self._owes = size > _MAX_REPLY_BYTES
        return understand(reply)

    def _write(self, request: bytes) -> None:
        view = memoryview(request)
        while view:
            view = view[self._requests.write(view) :]

    def _read(self, size: int, end: float) -> bytes:
        poll = select.poll()
        poll.register(self._replies, select.POLLIN)
        parts = bytearray()
        while len(parts) < size:
            if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
                raise TimeoutError
            part = self._replies.read(size - len(parts))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    def end(self) -> None:
        """Kill the process and wait for it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._replies):
            pipe.close()


def _start() -> subprocess.Popen[bytes]:
    paths = [path for path in sys.path if path]
    try:
        return subprocess.Popen(
            (sys.executable, "-I", "-S", "-B", _CHILD, *paths),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        raise ParserLimitError(f"the process that parses does not start: {error.strerror}") from error


class ParserWorkers:
    """Hands texts to as many workers as there are processors, at most four."""

    def __init__(self, most: int = _MOST) -> None:
        """Start nothing yet."""
        self._slots = threading.BoundedSemaphore(most)
        self._idle: list[ParserWorker] = []
        self._closes_at_exit = False

    @property
    def idle(self) -> tuple[ParserWorker, ...]:
        """The workers that wait for a text."""
        return tuple(self._idle)

    def parse(self, source: bytes, language: str, deadline_seconds: float) -> Parse:
        """Have one text parsed by a worker that is free; blocks until one is.

        Raises:
            ParserLimitError: No result within the limits of memory, depth and time.
        """
        with self._slots:
            worker = self._take()
            try:
                return worker.ask(source, language, deadline_seconds)
            finally:
                if worker.lives:
                    self._idle.append(worker)
                else:
                    worker.end()

    def _take(self) -> ParserWorker:
        while self._idle:
            with suppress(IndexError):  # another thread took it
                worker = self._idle.pop()
                if worker.lives:
                    return worker
                worker.end()
        if not self._closes_at_exit:
            self._closes_at_exit = True
            atexit.register(self.close)
        return ParserWorker()

    def close(self) -> None:
        """End the workers that are free."""
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().end()


def understand(reply: bytes) -> Parse:
    """Read what a worker answers; nothing in it is believed but words and numbers.

    Raises:
        ParserLimitError: The parser gave up, or the answer is none.
    """
    try:
        found = json.loads(reply)
        limit = str(found.get("limit", ""))
        errors = tuple(
            Diagnostic(str(message), line=int(line), column=int(column), code="syntax")
            for message, line, column in found.get("errors", ())
        )
        parse = Parse(errors, str(found.get("tool", "")), float(found.get("share", 0)))
    except (ValueError, TypeError, AttributeError) as error:
        raise ParserLimitError("the parser broke down over this text") from error
    if limit:
        raise ParserLimitError(limit)
    return replace(parse, broken_share=min(1.0, max(0.0, parse.broken_share)))
