"""Speak HTTP to model servers: the only module that knows httpx."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import anyio
import httpx

from backends.config import BackendConfig
from backends.errors import (
    BackendError,
    BackendTimeout,
    ConnectionLost,
    MalformedReply,
    NoConnection,
    RequestRefused,
)
from backends.replies import Asked, ReplyShape, error_from_status, not_json, read
from backends.wire import EventReader, LineSplitter

MAX_REPLY_BYTES = 64 * 1024**2
_MAX_ERROR_BYTES = 64 * 1024
_OK = 200


class HttpServer:
    """One server: bounded connections, honest errors, and a key that no message repeats."""

    def __init__(
        self, config: BackendConfig, root: str, headers: Mapping[str, str] | None = None, secret: str = ""
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            config: The backend's table in escalation.toml.
            root: What every path is appended to.
            headers: Sent with every request; may hold the key.
            secret: The key, so that it can be cut out of what the server says.

        Raises:
            RequestRefused: `root` is no http(s) address.
        """
        self.asked = Asked(config.name, root, api_key_env=config.api_key_env)
        self.timeouts = config.timeouts
        self._root = root.rstrip("/")
        self._secret = secret
        if urlsplit(root).scheme not in {"http", "https"} or not urlsplit(root).hostname:
            advice = f"Set `url` in [backends.{config.name}], like http://127.0.0.1:1234."
            raise self.asked.error(RequestRefused, "that is no http address", advice)
        slots = max(1, config.max_concurrent)
        self._client = httpx.AsyncClient(
            headers={"User-Agent": "escalation-orchestrator", **(headers or {})},
            # One more than there are slots: listing models must not wait for a long answer.
            limits=httpx.Limits(max_connections=slots + 1, max_keepalive_connections=slots),
            # Silence is timed where pieces are understood (`backends.asking`), not between bytes.
            timeout=httpx.Timeout(None, connect=config.timeouts.connect_seconds),
            # A proxy from the environment may be the way to a cloud; to the local network it is in the way.
            trust_env=not is_local(root),
        )

    async def get(self, path: str, shape: type[ReplyShape]) -> ReplyShape:
        """Ask for something that no model works on."""
        limit = self.timeouts.listing_seconds
        try:
            with anyio.fail_after(limit):
                async with self._reply("GET", path, None, self.asked) as response:
                    body = await _body(response, MAX_REPLY_BYTES, self.asked)
        except TimeoutError as error:
            raise self.asked.error(BackendTimeout, f"no reply to GET {path} in {limit:g} s") from error
        return read(body, shape, self.asked)

    async def post(
        self, path: str, body: Mapping[str, object], shape: type[ReplyShape], asked: Asked
    ) -> ReplyShape:
        """Order something that may take as long as a first word: loading a model."""
        limit = self.timeouts.first_token_seconds
        try:
            with anyio.fail_after(limit):
                async with self._reply("POST", path, body, asked) as response:
                    text = await _body(response, MAX_REPLY_BYTES, asked)
        except TimeoutError as error:
            raise asked.error(BackendTimeout, f"no reply to POST {path} in {limit:g} s") from error
        return read(text, shape, asked)

    async def lines(self, path: str, body: Mapping[str, object], asked: Asked) -> AsyncGenerator[str]:
        """Post; yield the lines of the reply as they come."""
        splitter, size = LineSplitter(), 0
        async with self._reply("POST", path, body, asked) as response:
            async for data in response.aiter_bytes():
                size = _counted(size, data, MAX_REPLY_BYTES, asked)
                for line in splitter.feed(data):
                    yield line
        for line in splitter.close():
            yield line

    async def events(self, path: str, body: Mapping[str, object], asked: Asked) -> AsyncGenerator[str]:
        """Post; yield the data of each server-sent event, or of a reply that is one JSON text."""
        reader = EventReader()
        async with aclosing(self.lines(path, body, asked)) as lines:
            async for line in lines:
                if line.startswith("{"):
                    yield line
                elif (data := reader.feed(line)) is not None:
                    yield data
        if (data := reader.close()) is not None:
            yield data

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def _reply(
        self, method: str, path: str, body: Mapping[str, object] | None, asked: Asked
    ) -> AsyncIterator[httpx.Response]:
        """Send; give the reply if its status is good. The one seam where httpx's errors become ours."""
        try:
            async with self._client.stream(method, self._root + path, json=body) as response:
                await self._refuse_bad(response, asked)
                yield response
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _translated(error, asked) from error

    async def _refuse_bad(self, response: httpx.Response, asked: Asked) -> None:
        if response.status_code != _OK:
            body = await _body(response, _MAX_ERROR_BYTES, asked)
            safe = body.replace(self._secret, "***") if self._secret else body
            raise error_from_status(response.status_code, response.headers, safe, asked, datetime.now(tz=UTC))
        content_type = response.headers.get("content-type", "")
        if content_type.startswith("text/html"):
            raise not_json(content_type, asked)


def bearer(api_key: str) -> dict[str, str]:
    """Return the header that most servers take a key in."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def is_local(url: str) -> bool:
    """Tell whether an address is on this machine or in a private network."""
    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".lan"))
    return address.is_private or address.is_loopback or address.is_link_local


async def _body(response: httpx.Response, limit: int, asked: Asked) -> str:
    parts: list[bytes] = []
    size = 0
    async for data in response.aiter_bytes():
        size = _counted(size, data, limit, asked)
        parts.append(data)
    return b"".join(parts).decode("utf-8", "replace")


def _counted(size: int, data: bytes, limit: int, asked: Asked) -> int:
    size += len(data)
    if size > limit:
        raise asked.error(MalformedReply, f"the reply is longer than {limit} bytes")
    return size


def _translated(error: Exception, asked: Asked) -> BackendError:
    start = "Start its server, or take its tiers out of escalation.toml."
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return asked.error(NoConnection, "it does not answer", start)
        case httpx.DecodingError():
            return asked.error(MalformedReply, f"the reply cannot be unpacked ({error})")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
            return asked.error(RequestRefused, f"the request cannot be sent ({error})")
        case _:
            return asked.error(ConnectionLost, f"the connection broke ({error})")
