"""Pictures as text: bars and a calibration curve in SVG that takes its colours from the page. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABEL, VALUE, ROW = 800, 300, 180, 30
"""Pixels: of a picture, its labels, its figures, and the height of a row."""
SIDE, MARGIN = 360, 60
"""Pixels: the square of the curve, and the room around it."""
LABEL_CHARS = 44


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar."""

    size: float
    style: str
    """Class of the page: `good`, `bad`, `paid` or `muted`."""
    title: str
    """Shown under the pointer, and read aloud."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a label, pieces side by side, and the figures as text."""

    label: str
    parts: tuple[Part, ...]
    value: str


def draw_bars(name: str, bars: Sequence[Bar], full: float = 0.0) -> str:
    """Draw horizontal bars to one scale; nothing for no bars.

    Args:
        name: What the picture shows, for those who hear it.
        bars: From top to bottom.
        full: What the whole width stands for; the longest bar when 0.
    """
    if not bars:
        return ""
    scale = full or max(sum(part.size for part in bar.parts) for bar in bars) or 1.0
    room = WIDTH - LABEL - VALUE
    rows = "".join(_draw_bar(bar, index * ROW, room / scale) for index, bar in enumerate(bars))
    return _wrap(name, WIDTH, len(bars) * ROW, rows)


def _draw_bar(bar: Bar, top: float, pixels: float) -> str:
    drawn, left = "", float(LABEL)
    for part in bar.parts:
        width = max(0.0, min(part.size * pixels, WIDTH - VALUE - left))
        drawn += (
            f'<rect class="{part.style}" x="{left:.1f}" y="{top + 5}" width="{width:.1f}" height="{ROW - 10}"'
            f' rx="2"><title>{escape(part.title)}</title></rect>'
        )
        left += width
    label = bar.label if len(bar.label) <= LABEL_CHARS else f"{bar.label[: LABEL_CHARS - 1]}…"
    middle = top + ROW / 2 + 4
    return (
        f'<text class="label" x="{LABEL - 10}" y="{middle}" text-anchor="end">{escape(label)}'
        f"<title>{escape(bar.label)}</title></text>"
        f'<line class="track" x1="{LABEL}" x2="{WIDTH - VALUE}" y1="{top + ROW - 2}" y2="{top + ROW - 2}"/>'
        f'{drawn}<text class="value" x="{WIDTH - VALUE + 10}" y="{middle}">{escape(bar.value)}</text>'
    )


def draw_curve(name: str, points: Sequence[tuple[float, float, float]]) -> str:
    """Draw what was stated (x) against what was observed (y); a perfect forecaster is on the diagonal.

    Args:
        name: What the picture shows, for those who hear it.
        points: Stated, observed and how many, each in [0, 1] but the last; a dot's area is its count.
    """
    if not points:
        return ""
    most = max(count for _, _, count in points) or 1.0
    dots = "".join(
        f'<circle class="good" cx="{_x(stated):.1f}" cy="{_y(observed):.1f}"'
        f' r="{3 + 9 * (count / most) ** 0.5:.1f}">'
        f"<title>stated {stated:.0%}, right {observed:.0%} of {count:g}</title></circle>"
        for stated, observed, count in points
    )
    path = " ".join(f"{_x(stated):.1f},{_y(observed):.1f}" for stated, observed, _ in sorted(points))
    ticks = "".join(_draw_tick(share / 4) for share in range(5))
    axes = (
        f'<line class="diagonal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
        f'<text class="label" x="{_x(0.5)}" y="{SIDE + 2 * MARGIN - 20}" text-anchor="middle">'
        "confidence told</text>"
        f'<text class="label" x="12" y="{_y(0.5)}" text-anchor="middle" transform="rotate(-90 12 {_y(0.5)})">'
        "share that was right</text>"
    )
    body = f'{ticks}{axes}<polyline class="curve" points="{path}"/>{dots}'
    return _wrap(name, SIDE + 2 * MARGIN, SIDE + 2 * MARGIN, body)


def _draw_tick(share: float) -> str:
    return (
        f'<line class="track" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(share)}" y2="{_y(share)}"/>'
        f'<text class="value" x="{_x(0) - 6}" y="{_y(share) + 4}" text-anchor="end">{share:.0%}</text>'
        f'<text class="value" x="{_x(share)}" y="{_y(0) + 16}" text-anchor="middle">{share:.0%}</text>'
    )


def _x(share: float) -> float:
    return MARGIN + min(1.0, max(0.0, share)) * SIDE


def _y(share: float) -> float:
    return MARGIN + (1 - min(1.0, max(0.0, share))) * SIDE


def _wrap(name: str, width: float, height: float, body: str) -> str:
    return (
        f'<svg role="img" aria-label="{escape(name)}" viewBox="0 0 {width} {height}" width="{width}"'
        f' xmlns="http://www.w3.org/2000/svg">{body}</svg>'
    )
