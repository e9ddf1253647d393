"""Charts as SVG text: columns over time. Zero-based, labelled, readable without a colour."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from accounting.report.calendar import Column

__all__ = ["column_chart", "compact"]

# Drawn once for each of these widths in pixels, and CSS shows the one that fits, so that text has
# the same size on a phone as on a desk.
_WIDTHS = (("narrow", 340, 200), ("medium", 640, 240), ("wide", 1000, 280))

_TOP, _BOTTOM, _RIGHT = 36, 24, 4
_GAP = 0.28
_LINES = 4

# About what a digit and a date take at the size that the style sheet gives them.
_DIGIT, _TICK = 7.2, 62


def compact(credits: int) -> str:
    """A round number in few characters, for an axis.

    >>> compact(950), compact(1_500), compact(20_000_000)
    ('950', '1.5k', '20M')
    """
    for unit, name in ((10**15, "P"), (10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if credits >= unit:
            whole, tenth = divmod(credits * 10 // unit, 10)
            return f"{whole:,}.{tenth}{name}" if tenth else f"{whole:,}{name}"
    return str(credits)


def column_chart(name: str, title: str, description: str, columns: Sequence[Column]) -> str:
    """The chart, at each width.

    Args:
        name: for ids; unique on the page.
        title: what it shows.
        description: what is to be seen in it, for those who cannot.
        columns: from left to right.
    """
    return "\n".join(
        _chart(f"{name}-{size}", size, width, height, title, description, columns)
        for size, width, height in _WIDTHS
    )


def _step(highest: int) -> int:
    """The distance of the lines: 1, 2 or 5 times a power of ten."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * _LINES >= highest:
                return step * factor
        step *= 10


def _chart(
    identity: str,
    size: str,
    width: int,
    height: int,
    title: str,
    description: str,
    columns: Sequence[Column],
) -> str:
    highest = max((column.credits for column in columns), default=0)
    step = _step(max(highest, 1))
    lines = range(0, step * _LINES + 1, step)
    # No more empty lines above the highest column than one.
    ceiling = next(line for line in lines if line >= highest) or step
    left = 10 + _DIGIT * max(len(compact(line)) for line in lines)
    floor = height - _BOTTOM
    parts = [
        f'<svg class="chart {size}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="{identity}-title {identity}-desc">',
        f'<title id="{identity}-title">{escape(title)}</title>',
        f'<desc id="{identity}-desc">{escape(description)}</desc>',
    ]
    parts.append('<text class="tick" x="0" y="12">credits</text>')
    for line in lines:
        if line > ceiling:
            break
        y = floor - (floor - _TOP) * line / ceiling
        kind = "axis" if line == 0 else "grid"
        parts.append(
            f'<line class="{kind}" x1="{left:.1f}" x2="{width - _RIGHT}" y1="{y:.1f}" '
            f'y2="{y:.1f}"/><text class="tick" x="{left - 6:.1f}" y="{y + 4:.1f}" '
            f'text-anchor="end">{compact(line)}</text>'
        )
    slot = (width - _RIGHT - left) / max(len(columns), 1)
    every = max(1, -(-int(_TICK * len(columns)) // int(width - _RIGHT - left)))
    peak = next((i for i, column in enumerate(columns) if 0 < column.credits == highest), None)
    for index, column in enumerate(columns):
        x = left + slot * index
        if column.credits:
            top = floor - (floor - _TOP) * column.credits / ceiling
            parts.append(_column(x + slot * _GAP / 2, slot * (1 - _GAP), top, floor, column))
        if index % every == 0:
            middle = x + slot / 2
            parts.append(_label("tick", middle, height - 6, column.tick, left, width))
        if index == peak:
            top = floor - (floor - _TOP) * column.credits / ceiling
            text = f"{column.credits:,}"
            parts.append(_label("peak", x + slot / 2, top - 6, text, left, width))
    parts.append("</svg>")
    return "".join(parts)


def _column(x: float, width: float, top: float, floor: float, column: Column) -> str:
    # A use that is there must be seen, however small beside the largest.
    top = min(top, floor - 1)
    width = min(width, 48.0) if width > 48 else width
    radius = min(2.0, width / 2, floor - top)
    return (
        f'<path class="column" d="M{x:.1f} {floor:.1f}V{top + radius:.1f}q0 {-radius:.1f} '
        f"{radius:.1f} {-radius:.1f}h{width - 2 * radius:.1f}q{radius:.1f} 0 {radius:.1f} "
        f'{radius:.1f}V{floor:.1f}z"><title>{escape(column.label)}: {column.credits:,} credits'
        "</title></path>"
    )


def _label(kind: str, x: float, y: float, text: str, left: float, width: int) -> str:
    """A text centred at x, but inside the drawing."""
    half = _DIGIT * len(text) / 2
    anchor = "middle"
    if x - half < left:
        x, anchor = left, "start"
    elif x + half > width - _RIGHT:
        x, anchor = width - _RIGHT, "end"
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )
