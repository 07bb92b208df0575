"""Decide who tries next, run the loop, keep the ledger; knows nothing of MCP or HTTP."""
