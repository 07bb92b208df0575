"""A real HTTP server on a real socket that answers exactly what a test says, broken answers included."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.from_thread import start_blocking_portal
from anyio.streams.buffered import BufferedByteReceiveStream


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> dict:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    chunks: tuple[str, ...] = ()
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    ending: Literal["whole", "cut", "silence"] = "whole"
    """The body ends as HTTP wants, the connection breaks, or nothing comes until the client goes away."""
    held: anyio.Event | None = None
    """Sends everything but the last chunk, which waits for this."""


@dataclass(slots=True)
class Stub:
    """A server that runs."""

    url: str
    seen: list[Seen] = field(default_factory=list)
    client_left: anyio.Event = field(default_factory=anyio.Event)
    """Set when a client closes the connection before its answer is over."""


Answering = Callable[[Seen], Answer]


@asynccontextmanager
async def running(answering: Answering, port: int = 0) -> AsyncIterator[Stub]:
    """Serve inside the test's own event loop, on a free port unless one is named."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
    stub = Stub(f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}")  # noqa: S610 - anyio, not Django

    async def serve(connection: SocketStream) -> None:
        async with connection:
            with suppress(anyio.IncompleteRead):  # connected and left without asking
                await _serve_one(connection, stub, answering)

    try:
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, serve)
            yield stub
            group.cancel_scope.cancel()
    except ExceptionGroup as failures:  # a test that fails inside, or expects to, wants its own error
        (failure,) = failures.exceptions
        raise failure from None


@contextmanager
def serving(answering: Answering) -> Iterator[Stub]:
    """Serve from a thread, for tests that run no event loop."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(answering)) as stub:
        yield stub


async def _serve_one(connection: SocketStream, stub: Stub, answering: Answering) -> None:
    buffered = BufferedByteReceiveStream(connection)
    head = (await buffered.receive_until(b"\r\n\r\n", 65536)).decode()
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await buffered.receive_exactly(int(headers.get("content-length", "0")))
    seen = Seen(method, path, headers, body.decode())
    stub.seen.append(seen)
    try:
        await _send(connection, answering(seen))
    except (anyio.BrokenResourceError, anyio.EndOfStream):
        stub.client_left.set()


async def _send(connection: SocketStream, answer: Answer) -> None:
    headers = {
        "content-type": answer.content_type,
        "transfer-encoding": "chunked",
        "connection": "close",
        **answer.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    await connection.send(f"HTTP/1.1 {answer.status} Said\r\n{lines}\r\n".encode())
    for number, chunk in enumerate(answer.chunks, start=1):
        if answer.held and number == len(answer.chunks):
            await answer.held.wait()
        data = chunk.encode()
        await connection.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    if answer.ending == "silence":
        await connection.receive()
    if answer.ending == "whole":
        await connection.send(b"0\r\n\r\n")
