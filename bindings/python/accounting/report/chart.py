"""Charts as SVG text: columns over time. Zero-based, labelled, readable without a colour."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from html import escape

from accounting.report.calendar import Column

__all__ = ["column_chart", "compact"]

# Drawn once for each of these widths in pixels, and CSS shows the one that fits, so that text has
# the same size on a phone as on a desk.
_WIDTHS = (("narrow", 340, 200), ("medium", 640, 240), ("wide", 1000, 280))

_TOP, _BOTTOM, _RIGHT = 36, 24, 4
_GAP = 0.28
_WIDEST = 48.0
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


@dataclasses.dataclass(frozen=True)
class _Frame:
    """Where a chart draws: the pixels of its edges, and the credits at its upper one."""

    left: float
    right: float
    floor: float
    ceiling: int

    def height(self, credits: int) -> float:
        """Where so many credits end."""
        return self.floor - (self.floor - _TOP) * credits / self.ceiling


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
    # No more empty lines above the highest column than one.
    ceiling = next(n for n in range(step, step * _LINES + 1, step) if n >= highest)
    lines = range(0, ceiling + 1, step)
    left = 10 + _DIGIT * max(len(compact(line)) for line in lines)
    frame = _Frame(left, width - _RIGHT, height - _BOTTOM, ceiling)
    return "".join(
        [
            f'<svg class="chart {size}" viewBox="0 0 {width} {height}" role="img" '
            f'aria-labelledby="{identity}-title {identity}-desc">',
            f'<title id="{identity}-title">{escape(title)}</title>',
            f'<desc id="{identity}-desc">{escape(description)}</desc>',
            '<text class="tick" x="0" y="12">credits</text>',
            *(_line(line, frame) for line in lines),
            *_bars(columns, highest, frame),
            "</svg>",
        ]
    )


def _line(credits: int, frame: _Frame) -> str:
    y = frame.height(credits)
    return (
        f'<line class="{"grid" if credits else "axis"}" x1="{frame.left:.1f}" '
        f'x2="{frame.right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/><text class="tick" '
        f'x="{frame.left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{compact(credits)}</text>'
    )


def _bars(columns: Sequence[Column], highest: int, frame: _Frame) -> Iterator[str]:
    """The columns, the dates below them, and the number above the first of the highest."""
    across = frame.right - frame.left
    slot = across / max(len(columns), 1)
    every = max(1, -(-int(_TICK * len(columns)) // int(across)))
    peak = next((i for i, column in enumerate(columns) if 0 < column.credits == highest), None)
    for index, column in enumerate(columns):
        middle = frame.left + slot * (index + 0.5)
        if column.credits:
            yield _column(middle, min(slot * (1 - _GAP), _WIDEST), column, frame)
        if index % every == 0:
            yield _label("tick", middle, frame.floor + _BOTTOM - 6, column.tick, frame)
        if index == peak:
            y = frame.height(column.credits) - 6
            yield _label("peak", middle, y, f"{column.credits:,}", frame)


def _column(middle: float, width: float, column: Column, frame: _Frame) -> str:
    floor, x = frame.floor, middle - width / 2
    # A use that is there must be seen, however small beside the largest.
    top = min(frame.height(column.credits), floor - 1)
    radius = min(2.0, width / 2, floor - top)
    return (
        f'<path class="column" d="M{x:.1f} {floor:.1f}V{top + radius:.1f}q0 {-radius:.1f} '
        f"{radius:.1f} {-radius:.1f}h{width - 2 * radius:.1f}q{radius:.1f} 0 {radius:.1f} "
        f'{radius:.1f}V{floor:.1f}z"><title>{escape(column.label)}: {column.credits:,} credits'
        "</title></path>"
    )


def _label(kind: str, x: float, y: float, text: str, frame: _Frame) -> str:
    """A text centred at x, but inside the drawing."""
    half = _DIGIT * len(text) / 2
    anchor = "middle"
    if x - half < frame.left:
        x, anchor = frame.left, "start"
    elif x + half > frame.right:
        x, anchor = frame.right, "end"
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )
