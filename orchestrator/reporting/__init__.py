"""Figures of the ledger as an answer and as a page with pictures."""
