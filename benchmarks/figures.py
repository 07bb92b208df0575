"""Show measured numbers: percentiles and Markdown tables."""

from collections.abc import Iterable, Sequence
from statistics import quantiles


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile, interpolated between the measured values."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def spread_ms(seconds: Sequence[float]) -> tuple[str, str]:
    """Write p50 and p95 in milliseconds."""
    return f"{percentile(seconds, 50) * 1e3:.2f}", f"{percentile(seconds, 95) * 1e3:.2f}"


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Write a Markdown table."""
    columns = list(head)
    lines: list[Iterable[object]] = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
