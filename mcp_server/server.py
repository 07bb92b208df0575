"""Build the server and run it over stdio."""

import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from importlib import import_module
from importlib.metadata import version

import anyio
import anyio.to_thread
from mcp.server.mcpserver import MCPServer

from mcp_server.desk import Desk
from mcp_server.resources import add_resources
from mcp_server.runs import Runs
from mcp_server.tools import make_tools

QUIET_SECONDS = 2.0
NAME = "orchestrator"
INSTRUCTIONS = (
    "Delegate coding, tests, refactoring, docs and long documents to local models; every answer is checked "
    "by compiler and tests before you see it. Use orchestrator_execute_with_escalation for work you would "
    "else write yourself; it saves your tokens.\n"
    "Give paths (workspace, context_files, write_to) instead of contents, and tests or test_command whenever "
    "there are any: they decide what is accepted. apply=true writes accepted files. status 'running' means: "
    "call again with resume. 'needs_approval' means a person must allow money; do not answer for them. "
    "validate_outcome checks code you wrote yourself. rlm_analyze reads what is too long for you."
)


def build_server(config: str = "", environment: Mapping[str, str] = os.environ) -> MCPServer[Desk]:
    """Make the server; nothing is read or contacted before the first tool call.

    Args:
        config: Path of an escalation.toml; empty searches for one.
        environment: Where keys, folders and overrides are looked up.
    """
    desk = Desk(Runs(), config, environment)

    @contextlib.asynccontextmanager
    async def live(_: MCPServer[Desk]) -> AsyncIterator[Desk]:
        async with anyio.create_task_group() as group:
            desk.runs.open(group)
            group.start_soon(_leave_on_signal, desk)
            group.start_soon(_load_the_rest)
            try:
                yield desk
            finally:
                await _close(desk)
                group.cancel_scope.cancel()

    server = MCPServer(
        NAME,
        title="Escalation orchestrator",
        version=version("escalation-orchestrator"),
        instructions=INSTRUCTIONS,
        tools=list(make_tools(desk)),
        lifespan=live,
        log_level="WARNING",
    )
    add_resources(server, desk)
    return server


def run_stdio(config: str = "") -> None:
    """Serve on stdin and stdout until the host closes them."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    build_server(config).run("stdio")


async def _load_the_rest() -> None:
    """Load what the first call needs, once the host has its list of tools."""
    await anyio.sleep(QUIET_SECONDS)
    await anyio.to_thread.run_sync(import_module, "mcp_server.calls", abandon_on_cancel=True)


async def _close(desk: Desk) -> None:
    """Stop the runs, which write down how far they came, and close everything."""
    with anyio.CancelScope(shield=True):
        await desk.runs.stop()
        await desk.aclose()


async def _leave_on_signal(desk: Desk) -> None:
    """Leave at once on SIGINT and SIGTERM: the SDK's stdin thread would keep the process alive."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            await _close(desk)
            os._exit(0)
