"""A host that speaks JSON-RPC lines over stdio by hand and fails on anything else on stdout."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "raw", "version": "1"},
}


class RawHost:
    """One server process and the lines that go to and fro."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self._last = 0

    def send(self, method: str, *, notify: bool = False, **params) -> int:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if not notify:
            self._last += 1
            message["id"] = self._last
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        return self._last

    def call(self, tool: str, **arguments) -> int:
        meta = {"progressToken": self._last + 1}
        return self.send("tools/call", name=tool, arguments=arguments, _meta=meta)

    def lines(self) -> Iterator[dict]:
        for line in self.process.stdout:
            yield json.loads(line)

    def answer(self, number: int) -> dict:
        return next(line for line in self.lines() if line.get("id") == number)

    def progress(self, text: str) -> dict:
        """Wait for a progress message that holds `text`."""
        return next(line for line in self.lines() if text in line.get("params", {}).get("message", ""))

    def greet(self, version: str = "2025-11-25") -> dict:
        result = self.answer(self.send("initialize", **{**HELLO, "protocolVersion": version}))
        self.send("notifications/initialized", notify=True)
        return result


@contextmanager
def raw_host(config: str, environment: Mapping[str, str]) -> Iterator[RawHost]:
    """Start a server as a host does; it is gone afterwards, whatever the test did."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mcp_server", "--config", config],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )
    try:
        yield RawHost(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
