"""The figures of a report, read from the books."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from accounting.books import Accounting
from accounting.values import CreditAllocation, SystemStats, UserAccount, Value

__all__ = ["Figures", "gather"]

_PAGE = 1_000

# How `RefundPolicy.NEW_ALLOCATION` marks what came back of a hold.
_REFUNDED_BY = "system"
_REFUND_NOTES = ("Refund from streaming session ", "Partial refund from aborted streaming session ")

# Users whose names are looked up: as many as a page shows.
TOP_USERS = 10


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
    soon = at + timedelta(days=expiring_days)
    accounts = allocated = allocations = lapsed = balance = held = 0
    expiring: dict[str, int] = {}
    names: dict[str, str] = {}
    top = set(_largest(stats))
    for account in _accounts(books, total):
        accounts += 1
        if account.user_id in top:
            names[account.user_id] = account.username
        for given in _allocations(books, account.user_id):
            held += given.held_credits
            ends = given.expires_at
            if start <= given.allocated_at < end and not _is_refund(given):
                allocated += given.total_credits
                allocations += 1
            if given.revoked_at is not None:
                continue
            if ends is not None and ends <= at:
                lapsed += given.remaining_credits if start <= ends < end else 0
            elif given.effective_at <= at:
                balance += given.remaining_credits
                if ends is not None and ends <= soon and given.remaining_credits:
                    day = ends.date().isoformat()
                    expiring[day] = expiring.get(day, 0) + given.remaining_credits
        advance(1)
    return Figures(
        start=start,
        end=end,
        at=at,
        stats=stats,
        accounts=accounts,
        allocated_credits=allocated,
        allocations=allocations,
        lapsed_credits=lapsed,
        balance_credits=balance,
        held_credits=held,
        expiring_days=expiring_days,
        expiring_credits=sum(expiring.values()),
        expiring=dict(sorted(expiring.items())),
        usernames=names,
    )


def _largest(stats: SystemStats) -> list[str]:
    return sorted(stats.by_user, key=lambda user: (-stats.by_user[user], user))[:TOP_USERS]


def _accounts(books: Accounting, total: Callable[[int], object]) -> Iterator[UserAccount]:
    """Every account once: one that is new while the pages are read moves others to the next."""
    seen: set[str] = set()
    number = 1
    while True:
        page = books.accounts.list(page=number, limit=_PAGE)
        total(page.total)
        for account in page.items:
            if account.user_id not in seen:
                seen.add(account.user_id)
                yield account
        if number >= page.total_pages:
            return
        number += 1


def _allocations(books: Accounting, user_id: str) -> Iterator[CreditAllocation]:
    seen: set[int] = set()
    number = 1
    while True:
        page = books.credits.history(user_id, number, _PAGE)
        for allocation in page.items:
            if allocation.id not in seen:
                seen.add(allocation.id)
                yield allocation
        if number >= page.total_pages:
            return
        number += 1


def _is_refund(allocation: CreditAllocation) -> bool:
    return allocation.allocated_by == _REFUNDED_BY and allocation.notes.startswith(_REFUND_NOTES)
