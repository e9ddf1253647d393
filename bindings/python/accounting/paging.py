"""Reading all of what the books answer a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

from accounting.limits import MOST_AT_ONCE
from accounting.values import Page

__all__ = ["numbered", "onward"]

Row = TypeVar("Row")


def onward(
    fetch: Callable[[int, int], Sequence[Row]], place: Callable[[Row], int], after: int = 0
) -> Iterator[Row]:
    """Every row of a list that is read on from a place: usage, the journal.

    Args:
        fetch: answers the rows after a place, with a limit.
        place: of a row.
        after: where to begin.
    """
    while True:
        rows = fetch(after, MOST_AT_ONCE)
        yield from rows
        if len(rows) < MOST_AT_ONCE:
            return
        after = place(rows[-1])


def numbered(
    fetch: Callable[[int, int], Page[Row]],
    key: Callable[[Row], Hashable],
    told: Callable[[int], object] = lambda total: None,
) -> Iterator[Row]:
    """Every row of a list with page numbers, newest first: accounts, allocations.

    Args:
        fetch: answers the page of a number, with a limit.
        key: what makes a row one: rows that are new meanwhile move others to the next page, where
            they are not to count again.
        told: hears with each page how many rows there are.
    """
    seen: set[Hashable] = set()
    number, total_pages = 1, 1
    while number <= total_pages:
        page = fetch(number, MOST_AT_ONCE)
        told(page.total)
        for row in page.items:
            if key(row) not in seen:
                seen.add(key(row))
                yield row
        number, total_pages = number + 1, page.total_pages
