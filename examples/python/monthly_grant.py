"""Grant credits to every user of a role, once a month, however often it runs.

    ACCOUNTING_DATABASE_URL=... python monthly_grant.py --role user --credits 1000

From cron, daily: users who joined since the last run get their grant, nobody gets two. A grant is
good until the month ends. Exit code 1 where somebody already had another grant for the month.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import accounting


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """The first instants, in UTC, of a month given as YYYY-MM and of the next."""
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=timezone.utc)
    return start, (start + timedelta(days=31)).replace(day=1)


def everybody(books: accounting.Accounting, role: str) -> list[accounting.UserAccount]:
    """All accounts of a role, by user id."""
    found: dict[str, accounting.UserAccount] = {}
    number, total_pages = 1, 1
    while number <= total_pages:
        page = books.accounts.list(role=role, page=number, limit=1_000)
        found.update((account.user_id, account) for account in page.items)
        number, total_pages = number + 1, page.total_pages
    return [found[user_id] for user_id in sorted(found)]


def main(books: accounting.Accounting, arguments: Sequence[str]) -> int:
    """Grant, and print who got what."""
    parser = argparse.ArgumentParser(description="Grant credits to every user of a role.")
    parser.add_argument("--role", default="user", choices=["user", "supervisor", "admin"])
    parser.add_argument("--credits", type=int, required=True)
    parser.add_argument("--month", help="YYYY-MM; the present month if not given")
    options = parser.parse_args(arguments)

    now = books.health().time
    month = options.month or f"{now:%Y-%m}"
    start, end = month_bounds(month)

    granted, conflicts = 0, 0
    for account in everybody(books, options.role):
        try:
            # The key makes it one grant a month: the same call again answers the first one.
            allocation = books.credits.allocate(
                account.user_id,
                options.credits,
                allocated_by="monthly-grant",
                effective_at=start,
                expires_at=end,
                notes=f"Grant for {month}",
                idempotency_key=f"monthly-grant:{month}",
            )
        except accounting.Conflict:
            conflicts += 1
            print(f"{account.user_id:12} had ANOTHER grant for {month}")
            continue
        if allocation.allocated_at < now:
            print(f"{account.user_id:12} had it since {allocation.allocated_at:%Y-%m-%d}")
        else:
            granted += 1
            print(f"{account.user_id:12} {allocation.total_credits:,} credits until {end:%Y-%m-%d}")
    print(f"{granted} granted for {month}, {granted * options.credits:,} credits in all")
    return 1 if conflicts else 0


if __name__ == "__main__":
    with accounting.open() as books:
        sys.exit(main(books, sys.argv[1:]))
