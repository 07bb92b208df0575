"""Serve over stdio: `python -m mcp_server [--config PATH]`."""

import gc
import sys

gc.disable()  # importing the SDK makes many objects that live for ever; collecting among them is wasted

from mcp_server.server import run_stdio  # noqa: E402 - after the collector was switched off


def main(arguments: list[str]) -> None:
    """Read the one option and serve."""
    gc.enable()
    gc.freeze()
    if arguments and (arguments[0] != "--config" or len(arguments) != 2):
        sys.exit("usage: python -m mcp_server [--config PATH]")
    run_stdio(arguments[1] if arguments else "")


if __name__ == "__main__":
    main(sys.argv[1:])
