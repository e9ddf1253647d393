"""The table that a run prints."""

from __future__ import annotations

from collections.abc import Sequence

from cases import Measure
from figures import Figures
from results import Result, plain

HEADER = ("case", "p50", "p99", "throughput", "durable", "floor", "ratio", "bar", "")


def table(results: Sequence[Result]) -> str:
    return aligned([HEADER, *(_line(result) for result in results)], remarks=True)


def aligned(lines: Sequence[tuple[str, ...]], remarks: bool = False) -> str:
    """Cells below each other, the first of `lines` being the header: names to the left, numbers to
    the right, and the last column to the left again where it has `remarks`."""
    columns = range(len(lines[0]))
    to_the_left = {0, columns[-1]} if remarks else {0}
    widths = [max(len(line[column]) for line in lines) for column in columns]
    text = []
    for line in lines:
        cells = [
            cell.ljust(width) if column in to_the_left else cell.rjust(width)
            for column, cell, width in zip(columns, line, widths, strict=True)
        ]
        text.append("  ".join(cells).rstrip())
    text.insert(1, "-" * max(map(len, text)))
    return "\n".join(text)


def _line(result: Result) -> tuple[str, ...]:
    return (
        result.case.name,
        duration(result.figures.p50),
        duration(result.figures.p99),
        _per_second(result.figures),
        {True: "yes", False: "no", None: "-"}[result.durable],
        _floor(result),
        _ratio(result, result.ratio),
        _bar(result),
        _remark(result),
    )


def duration(microseconds: float) -> str:
    if microseconds == 0:
        return "-"
    if microseconds < 1_000:
        return f"{plain(microseconds)} µs"
    if microseconds < 1_000_000:
        return f"{plain(microseconds / 1_000)} ms"
    return f"{plain(microseconds / 1_000_000)} s"


def _per_second(figures: Figures) -> str:
    return (
        f"{figures.per_second:,.0f}/s"
        if figures.per_second >= 100
        else f"{plain(figures.per_second)}/s"
    )


def _floor(result: Result) -> str:
    if result.floor is None:
        return "-"
    if result.case.measure is Measure.TIME:
        return duration(result.floor.p50)
    return _per_second(result.floor)


def _ratio(result: Result, value: float) -> str:
    if result.case.measure is Measure.PER_SECOND:
        return f"{value:,.0f}/s"
    return plain(value) if value >= 100 else f"{value:.2f}"


def _bar(result: Result) -> str:
    bar = result.case.bar
    if bar is None:
        return ""
    limit = f"{bar.limit:,.0f}/s" if result.case.measure is Measure.PER_SECOND else plain(bar.limit)
    return f"{'≤' if bar.at_most else '≥'} {limit}"


def _remark(result: Result) -> str:
    remarks = ["missed"] if result.missed else []
    if result.figures.failures:
        remarks.append(f"{result.figures.failures} failed: {result.figures.failure}")
    return ", ".join(remarks)
