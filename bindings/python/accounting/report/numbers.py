"""What tables of numbers on the page and on the terminal have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from accounting.values import CreditAllocation

__all__ = ["ranked", "share", "standing"]


def share(part: int, whole: int) -> str:
    """A part as a percentage with one decimal, rounded halves up; of nothing it is 0.

    >>> share(1, 3), share(10**18, 10**18)
    ('33.3 %', '100.0 %')
    """
    # Whole-number arithmetic: totals may be beyond what a float counts exactly.
    tenths = (part * 2000 + whole) // (2 * whole) if whole else 0
    return f"{tenths // 10}.{tenths % 10} %"


def ranked(credits: Mapping[str, int], top: int) -> tuple[list[tuple[str, int]], int, int]:
    """The `top` largest, largest first; how many others there are, and their sum.

    >>> ranked({"a": 1, "b": 3, "c": 2}, 1)
    ([('b', 3)], 2, 3)
    """
    rows = sorted(credits.items(), key=lambda item: (-item[1], item[0]))
    return rows[:top], len(rows[top:]), sum(amount for _, amount in rows[top:])


def standing(allocation: CreditAllocation, at: datetime) -> str:
    """Where an allocation stands: "revoked", "expired", "later", "active", "held" or "used up".

    Held: nothing remains, and what sessions hold of it may come back.
    """
    if allocation.revoked_at is not None:
        return "revoked"
    if allocation.expires_at is not None and allocation.expires_at <= at:
        return "expired"
    if allocation.effective_at > at:
        return "later"
    if allocation.remaining_credits:
        return "active"
    return "held" if allocation.held_credits else "used up"
