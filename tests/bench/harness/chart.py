"""throughput.svg: operations a second against callers, one line a series, both axes logarithmic."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from figures import Figures, medians
from subjects import Subject

WIDTH, HEIGHT = 860, 520
LEFT, RIGHT, TOP, BOTTOM = 80, 230, 50, 60
# Floors are grey; their cases have the colour, and the dashes, of neither.
STYLES = {
    "floor, spread": ("#777777", ""),
    "floor, hot": ("#777777", "6 4"),
    "charge, spread": ("#1f6fb4", ""),
    "charge, hot": ("#1f6fb4", "6 4"),
    "session, spread": ("#c8590e", ""),
    "session, hot": ("#c8590e", "6 4"),
    "SQLite floor, file": ("#b0b0b0", "2 3"),
    "SQLite charge, file": ("#2b8a3e", ""),
}

Points = list[tuple[int, float]]


def write(rounds: Mapping[Subject, Sequence[Figures]], path: Path) -> None:
    lines: dict[str, Points] = {}
    for subject, figures in rounds.items():
        if subject.series:
            point = (subject.callers, medians(figures).per_second)
            lines.setdefault(subject.series, []).append(point)
    if lines:
        path.write_text(svg({name: sorted(points) for name, points in lines.items()}))


def svg(lines: Mapping[str, Points]) -> str:
    everything = [point for points in lines.values() for point in points]
    axes = Axes([callers for callers, _ in everything], [value for _, value in everything])
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="13">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<text x="{LEFT}" y="28" font-size="16">Durable operations a second, by callers of '
            "one process (PostgreSQL over TCP, where not said)</text>",
            *axes.draw(),
            *(part for name in STYLES if name in lines for part in _line(axes, name, lines[name])),
            *_labels(axes, lines),
            "</svg>\n",
        ]
    )


class Axes:
    """Where a point lies on the drawing."""

    def __init__(self, callers: Sequence[int], values: Sequence[float]):
        self._callers = sorted(set(callers))
        self._least = math.floor(math.log10(max(1, min(values))))
        self._most = max(self._least + 1, math.ceil(math.log10(max(values))))

    def x(self, callers: int) -> float:
        least, most = math.log2(self._callers[0]), math.log2(self._callers[-1])
        part = (math.log2(callers) - least) / (most - least) if most > least else 0.5
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        part = (math.log10(max(1, value)) - self._least) / (self._most - self._least)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    def draw(self) -> list[str]:
        parts = []
        for power in range(self._least, self._most + 1):
            for step in (1, 2, 5):
                value = step * 10**power
                if value <= 10**self._most:
                    parts += self._horizontal(value, "#c8c8c8" if step == 1 else "#ececec")
        for callers in self._callers:
            x = self.x(callers)
            parts.append(_stroke(x, TOP, x, HEIGHT - BOTTOM, "#ececec"))
            parts.append(_text(x, HEIGHT - BOTTOM + 20, f"{callers}", "middle"))
        middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
        return [*parts, _text(middle, HEIGHT - 15, "callers", "middle")]

    def _horizontal(self, value: int, colour: str) -> list[str]:
        y = self.y(value)
        return [
            _stroke(LEFT, y, WIDTH - RIGHT, y, colour),
            _text(LEFT - 8, y + 4, f"{value:,}", "end"),
        ]


def _line(axes: Axes, name: str, points: Points) -> list[str]:
    colour, dashes = STYLES[name]
    places = [(axes.x(callers), axes.y(value)) for callers, value in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
        f'stroke-dasharray="{dashes or "none"}"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places),
    ]


def _labels(axes: Axes, lines: Mapping[str, Points]) -> list[str]:
    """Beside the last point of each line, moved apart where they would overlap."""
    wanted = sorted((axes.y(lines[name][-1][1]), name) for name in STYLES if name in lines)
    parts: list[str] = []
    highest: dict[int, float] = {}  # by callers, where the next label may be
    for y, name in wanted:
        callers, value = lines[name][-1]
        at = max(y, highest.get(callers, TOP))
        highest[callers] = at + 17
        x = axes.x(callers) + 10
        label = f"{name}: {value:,.0f}" + (f" at {callers}" if callers < 64 else "")
        parts.append(_text(x, at + 4, label, "start", STYLES[name][0]))
    return parts


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333333") -> str:
    # With an edge of white, for where a line runs behind it.
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        'paint-order="stroke" stroke="white" stroke-width="4">'
        f"{html.escape(text)}</text>"
    )
