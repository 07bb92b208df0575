"""Cut a stream of bytes into lines, and lines into server-sent events."""


class LineSplitter:
    r"""Cuts at `\n` and nowhere else.

    `str.splitlines` (and with it `httpx.Response.aiter_lines`) also cuts at U+2028 and other characters that
    JSON may hold unescaped.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that `data` completes."""
        self._parts.append(data)
        if b"\n" not in data:
            return []
        *lines, rest = b"".join(self._parts).split(b"\n")
        self._parts = [rest]
        return [_decoded(line) for line in lines]

    def close(self) -> list[str]:
        """Return the last line when no line end followed it."""
        rest, self._parts = b"".join(self._parts), []
        return [_decoded(rest)] if rest else []


def _decoded(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "replace")


class EventReader:
    """Collects the `data` of server-sent events; comments, names and ids are passed over."""

    def __init__(self) -> None:
        self._data: list[str] = []

    def feed(self, line: str) -> str | None:
        """Return the data of the event that `line` completes, if it completes one with data."""
        if not line:
            return self.close()
        field, _, value = line.partition(":")
        if field == "data":
            self._data.append(value.removeprefix(" "))
        return None

    def close(self) -> str | None:
        """Return the data of an event that no empty line ended; some servers forget it after the last."""
        data, self._data = "\n".join(self._data), []
        return data or None
