"""Who runs out of credits this week, at the rate of the last seven days.

    ACCOUNTING_DATABASE_URL=... python runs_out.py --days 7

Allocations are burnt earliest expiry first, as the books do it, and what is not used by its expiry
is lost. Credits that become effective later do not count. Who neither has nor uses any is left out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import accounting

WEEK = timedelta(days=7)


def run_out(
    now: datetime, allocations: Iterable[accounting.CreditAllocation], used_in_a_week: int
) -> datetime | None:
    """When the last of the allocations, given in burn order, is used up or expired; None: never."""
    at = now
    for allocation in allocations:
        if used_in_a_week:
            used_up = at + WEEK * allocation.remaining_credits / used_in_a_week
        elif allocation.expires_at is None:
            return None
        else:
            used_up = allocation.expires_at
        # What expires first, if it does; one that the last outlived adds nothing.
        if allocation.expires_at is not None:
            used_up = max(at, min(used_up, allocation.expires_at))
        at = used_up
    return at


def every_account(books: accounting.Accounting) -> list[str]:
    """All user ids, sorted."""
    found: set[str] = set()
    number, total_pages = 1, 1
    while number <= total_pages:
        page = books.accounts.list(page=number, limit=1_000)
        found.update(account.user_id for account in page.items)
        number, total_pages = number + 1, page.total_pages
    return sorted(found)


def main(books: accounting.Accounting, arguments: Sequence[str]) -> int:
    """Print who runs out, the next first."""
    parser = argparse.ArgumentParser(description="Who runs out of credits soon.")
    parser.add_argument("--days", type=int, default=7, help="how far to look ahead")
    options = parser.parse_args(arguments)

    now = books.health().time
    rows = []
    for user_id in every_account(books):
        balance = books.credits.balance(user_id)
        used = books.usage.user_stats(user_id, start=now - WEEK, end=now).total_credits
        if not balance.total_credits and not used:
            continue  # never had a use for credits, or has long left
        at = run_out(now, balance.active_allocations, used)
        if at is not None and at <= now + timedelta(days=options.days):
            rows.append((at, user_id, balance.total_credits, used))

    print(f"{'user':12} {'balance':>10} {'used/day':>10}   runs out (UTC)")
    for at, user_id, total, used in sorted(rows):
        when = "has run out" if at == now else f"{at:%a %Y-%m-%d %H:%M}"
        print(f"{user_id:12} {total:>10,} {used / 7:>10,.1f}   {when}")
    print(f"{len(rows)} within {options.days} days of {now:%Y-%m-%d}")
    return 0


if __name__ == "__main__":
    with accounting.open() as books:
        sys.exit(main(books, sys.argv[1:]))
