"""Read what a program writes, up to a size, and make it safe to show."""

import os
from contextlib import suppress

_CHUNK_BYTES = 65536
_CONTROL = dict.fromkeys({*range(32), *range(127, 160)} - {ord("\n"), ord("\t")})


def clean(output: bytes) -> str:
    """Decode what a program wrote and drop control characters except newlines and tabs."""
    return output.decode("utf-8", "backslashreplace").translate(_CONTROL)


class Stream:
    """What comes out of one descriptor that never blocks."""

    def __init__(self, descriptor: int, limit_bytes: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._limit_bytes = limit_bytes
        self._content = bytearray()

    @property
    def overflown(self) -> bool:
        """Whether more came than is kept."""
        return len(self._content) > self._limit_bytes

    def take(self) -> bool:
        """Read once and return whether more may come.

        Raises:
            BlockingIOError: Nothing is there now.
        """
        chunk = b""
        with suppress(ConnectionResetError):
            chunk = os.read(self.descriptor, _CHUNK_BYTES)
        self._content += chunk
        return bool(chunk) and not self.overflown

    def drain(self) -> None:
        """Read what is left without waiting for more."""
        with suppress(BlockingIOError):
            while self.take():
                pass

    def text(self) -> str:
        """Return what came, cut at the limit and cleaned."""
        return clean(bytes(self._content[: self._limit_bytes]))
