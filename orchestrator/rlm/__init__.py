"""Reads what no context window holds, and proves every claim by a quote."""
