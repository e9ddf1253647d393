"""Days into columns: one for each day, or for each week, month or year where there are many."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import date, timedelta

__all__ = ["Column", "columns", "day_name"]

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

# As many columns as can be told apart on a phone.
_MOST = 62


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of a chart.

    Attributes:
        label: in full, for the tooltip.
        tick: in short, for the axis.
        credits: its height.
        first: the first day that it is for.
    """

    label: str
    tick: str
    credits: int
    first: date


def day_name(day: date, *, year: bool = True) -> str:
    """A day for people, whatever the machine's language.

    >>> day_name(date(2026, 11, 3))
    '3 Nov 2026'
    """
    return f"{day.day} {_MONTHS[day.month - 1]}" + (f" {day.year}" if year else "")


def columns(by_day: Mapping[str, int], first: date, last: date) -> tuple[str, list[Column]]:
    """The columns from `first` to `last`, and what each is for: "day", "week", "month" or "year".

    Days without credits have columns too: a gap is something to see.
    """
    credits = {date.fromisoformat(day): amount for day, amount in by_day.items()}
    if (last - first).days > _MOST * 31:
        # All time, say: begin and end where there is something.
        first, last = min(credits, default=last), max(credits, default=last)
    unit, start, following = _unit((last - first).days + 1)
    sums: dict[date, int] = {}
    at = start(first)
    while at <= last:
        sums[at] = 0
        if at.year == date.max.year:
            break
        at = following(at)
    for day, amount in credits.items():
        sums[start(day)] = sums.get(start(day), 0) + amount
    drawn = []
    for at, amount in sorted(sums.items()):
        # A week that had begun before the period counts from the period's first day.
        begun = max(at, first) if unit == "week" else at
        drawn.append(Column(_label(unit, begun), _tick(unit, begun), amount, begun))
    return unit, drawn


def _unit(days: int) -> tuple[str, Callable[[date], date], Callable[[date], date]]:
    if days <= _MOST:
        return "day", lambda day: day, lambda day: day + timedelta(days=1)
    if days <= _MOST * 7:
        return "week", _monday, lambda day: day + timedelta(days=7)
    if days <= _MOST * 31:
        return (
            "month",
            lambda day: day.replace(day=1),
            lambda day: (day + timedelta(days=31)).replace(day=1),
        )
    return (
        "year",
        lambda day: day.replace(month=1, day=1),
        lambda day: day.replace(year=day.year + 1),
    )


def _monday(day: date) -> date:
    return date.fromordinal(max(day.toordinal() - day.weekday(), 1))


def _label(unit: str, at: date) -> str:
    if unit == "week":
        return f"Week of {day_name(at)}"
    if unit == "month":
        return f"{_MONTHS[at.month - 1]} {at.year}"
    return str(at.year) if unit == "year" else day_name(at)


def _tick(unit: str, at: date) -> str:
    if unit == "month":
        return f"{_MONTHS[at.month - 1]} {at.year % 100:02}"
    return str(at.year) if unit == "year" else day_name(at, year=False)
