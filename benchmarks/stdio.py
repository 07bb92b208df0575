"""Measure the server as a host sees it: over stdio, with the SDK's own client.

Usage: python benchmarks/stdio.py [--calls 200] [--starts 7]
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median

import anyio
from figures import spread_ms, table
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

ROOT = Path(__file__).parents[1]
WARM_UP = 20
EMPTY_SERVER = """
from mcp.server.mcpserver import MCPServer
server = MCPServer("empty")
@server.tool()
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b
server.run("stdio")
"""
CODE = Path(__file__).with_name("figures.py").read_text(encoding="utf-8")
ARGUMENTS: dict[str, Callable[[int], dict[str, object]]] = {
    "classify_task": lambda turn: {"task": f"Add pagination with {turn} rows a page to the /orders endpoint"},
    "validate_outcome": lambda turn: {
        "output": f"{CODE}\nTURN = {turn}\n",
        "language": "python",
        "validators": ["syntax"],
    },
}


@dataclass(frozen=True, slots=True)
class Start:
    """What it takes from spawning a server to its first list of tools."""

    wall_seconds: float
    cpu_seconds: float
    memory_mb: float


def server(home: str, *arguments: str) -> StdioServerParameters:
    environment = {"ORCHESTRATOR_HOME": home, "CLAUDE_PROJECT_DIR": home}
    return StdioServerParameters(command=sys.executable, args=list(arguments), env=environment, cwd=ROOT)


def read_child() -> tuple[float, float]:
    """Return processor seconds and resident megabytes of the only child of this process."""
    own = os.getpid()
    (pid,) = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    ticks = int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(after_name[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def measure_start(parameters: StdioServerParameters) -> Start:
    began = time.perf_counter()
    async with Client(parameters) as client:
        await client.list_tools()
        wall = time.perf_counter() - began
        return Start(wall, *read_child())


async def measure_starts(home: str, count: int) -> dict[str, Start]:
    """Start both servers in turn and return the medians; the first pair only warms the disk's cache."""
    servers = {"ours": server(home, "-m", "mcp_server"), "empty": server(home, "-c", EMPTY_SERVER)}
    starts: dict[str, list[Start]] = {name: [] for name in servers}
    for _ in range(count + 1):
        for name, parameters in servers.items():
            starts[name].append(await measure_start(parameters))
    return {
        name: Start(
            median(one.wall_seconds for one in measured[1:]),
            median(one.cpu_seconds for one in measured[1:]),
            median(one.memory_mb for one in measured[1:]),
        )
        for name, measured in starts.items()
    }


async def measure_calls(client: Client, tool: str, count: int) -> list[float]:
    seconds = []
    for turn in range(WARM_UP + count):
        began = time.perf_counter()
        result = await client.call_tool(tool, ARGUMENTS[tool](turn))
        seconds.append(time.perf_counter() - began)
        if result.is_error:
            sys.exit(f"{tool} failed: {result.content}")
    return seconds[WARM_UP:]


async def measure(calls: int, starts: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        started = await measure_starts(home, starts)
        async with Client(server(home, "-m", "mcp_server")) as client:
            listed = (await client.list_tools()).model_dump(by_alias=True, exclude_none=True, mode="json")
            seconds = {tool: await measure_calls(client, tool, calls) for tool in ARGUMENTS}
    rows = [(tool, *spread_ms(measured)) for tool, measured in seconds.items()]
    print(table((f"{calls} calls over stdio", "p50 ms", "p95 ms"), rows), end="\n\n")
    size = len(json.dumps(listed["tools"], separators=(",", ":"), ensure_ascii=False).encode())
    print(
        f"tools/list: {len(listed['tools'])} tools, {size} bytes, {size // 4} tokens (bytes / 4)", end="\n\n"
    )
    print(show_starts(started, starts))


def show_starts(started: Mapping[str, Start], count: int) -> str:
    ours, empty = astuple(started["ours"]), astuple(started["empty"])
    rows = [
        ("this server", *(f"{value:.2f}" for value in ours)),
        ("an empty MCPServer with one tool", *(f"{value:.2f}" for value in empty)),
        ("ratio", *(f"{one / other:.2f}" for one, other in zip(ours, empty, strict=True))),
    ]
    return table((f"start to tools/list, median of {count}", "wall s", "CPU s", "memory MB"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--starts", type=int, default=7)
    given = parser.parse_args()
    anyio.run(measure, given.calls, given.starts)


if __name__ == "__main__":
    main()
