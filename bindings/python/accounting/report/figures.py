"""The figures of a report, read from the books."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from accounting.books import Accounting
from accounting.paging import numbered
from accounting.report.numbers import ranked, standing
from accounting.values import CreditAllocation, SystemStats, UserAccount, Value

__all__ = ["TOP", "Figures", "gather"]

# How `RefundPolicy.NEW_ALLOCATION` marks what came back of a hold.
_REFUNDED_BY = "system"
_REFUND_NOTES = ("Refund from streaming session ", "Partial refund from aborted streaming session ")

# Lines of each ranking on the page.
TOP = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Figures(Value):
    """What a period came to, and where the books stand.

    Attributes:
        start: the period's first instant, in UTC.
        end: its end, not included, in UTC.
        at: when it was read; what stands "now", stands then.
        stats: use during the period.
        accounts: that there are now.
        allocated_credits: given during the period, without refunds of streaming sessions.
        allocations: how many times.
        lapsed_credits: that nobody used by their end, where that lay in the period and is past.
        balance_credits: that can be spent now.
        held_credits: in active sessions now.
        expiring_days: how far "soon" goes.
        expiring_credits: that can be spent now and end within `expiring_days`.
        expiring: on which UTC day, "YYYY-MM-DD" → credits.
        usernames: user_id → name, of the users who used most.
    """

    start: datetime
    end: datetime
    at: datetime
    stats: SystemStats
    accounts: int
    allocated_credits: int
    allocations: int
    lapsed_credits: int
    balance_credits: int
    held_credits: int
    expiring_days: int
    expiring_credits: int
    expiring: dict[str, int]
    usernames: dict[str, str]


def gather(
    books: Accounting,
    start: datetime,
    end: datetime,
    *,
    at: datetime,
    expiring_days: int,
    total: Callable[[int], object] = lambda total: None,
    advance: Callable[[int], object] = lambda by: None,
) -> Figures:
    """Read the figures of [start, end): statistics, and every account's allocations.

    Args:
        books: an open database.
        start: the period's first instant.
        end: its end, not included.
        at: the present.
        expiring_days: which ends count as soon.
        total: told how many accounts there are.
        advance: told how many of them are done.
    """
    stats = books.usage.system_stats(start, end)
    top = {user for user, _ in ranked(stats.by_user, TOP)[0]}
    names: dict[str, str] = {}
    sums = _Sums(start, end, at, at + timedelta(days=expiring_days))
    accounts = 0
    for account in _accounts(books, total):
        accounts += 1
        if account.user_id in top:
            names[account.user_id] = account.username
        for allocation in _allocations(books, account.user_id):
            sums.add(allocation)
        advance(1)
    return Figures(
        start=start,
        end=end,
        at=at,
        stats=stats,
        accounts=accounts,
        allocated_credits=sums.allocated,
        allocations=sums.allocations,
        lapsed_credits=sums.lapsed,
        balance_credits=sums.balance,
        held_credits=sums.held,
        expiring_days=expiring_days,
        expiring_credits=sum(sums.expiring.values()),
        expiring=dict(sorted(sums.expiring.items())),
        usernames=names,
    )


@dataclasses.dataclass
class _Sums:
    """What the allocations come to; named as the figures."""

    start: datetime
    end: datetime
    at: datetime
    soon: datetime
    allocated: int = 0
    allocations: int = 0
    lapsed: int = 0
    balance: int = 0
    held: int = 0
    expiring: dict[str, int] = dataclasses.field(default_factory=dict)

    def add(self, one: CreditAllocation) -> None:
        self.held += one.held_credits
        if self.start <= one.allocated_at < self.end and not _is_refund(one):
            self.allocated += one.total_credits
            self.allocations += 1
        stands, ends = standing(one, self.at), one.expires_at
        if stands == "active":
            self.balance += one.remaining_credits
            if ends is not None and ends <= self.soon:
                day = ends.date().isoformat()
                self.expiring[day] = self.expiring.get(day, 0) + one.remaining_credits
        elif stands == "expired" and ends is not None and self.start <= ends < self.end:
            self.lapsed += one.remaining_credits


def _accounts(books: Accounting, total: Callable[[int], object]) -> Iterator[UserAccount]:
    fetch = functools.partial(books.accounts.list, None)
    return numbered(fetch, lambda account: account.user_id, told=total)


def _allocations(books: Accounting, user_id: str) -> Iterator[CreditAllocation]:
    fetch = functools.partial(books.credits.history, user_id)
    return numbered(fetch, lambda allocation: allocation.id)


def _is_refund(allocation: CreditAllocation) -> bool:
    return allocation.allocated_by == _REFUNDED_BY and allocation.notes.startswith(_REFUND_NOTES)
