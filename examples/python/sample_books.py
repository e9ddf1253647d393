"""A fortnight of a small company, for trying the other scripts.

    python sample_books.py sqlite:///sample.db
    ACCOUNTING_DATABASE_URL=sqlite:///sample.db python runs_out.py

Everything happens in March 2026, on a clock that stands still until it is told to move.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone

import accounting
from accounting import ManualClock, TokenCounts

START = datetime(2026, 3, 1, 9, tzinfo=timezone.utc)
PEOPLE = {"ada": "user", "bob": "user", "chen": "user", "dora": "supervisor", "root": "admin"}


def fill(books: accounting.Accounting, clock: ManualClock) -> None:
    """Fourteen days of chat; the clock ends at 09:00 on 15 March."""
    clock.set(START)
    books.pricing.set("atlas", "2.5", created_by="root")
    books.pricing.set("borealis", "0.5", created_by="root", output="1.5")
    for user_id, role in PEOPLE.items():
        books.accounts.sync(user_id, f"{user_id}@example.org", user_id.title(), role)

    allocate = books.credits.allocate
    allocate("ada", 380, allocated_by="root", expiry_days=60)
    allocate("bob", 400, allocated_by="root", expiry_days=18)
    allocate("bob", 100, allocated_by="root", never_expires=True)
    allocate("chen", 5_000, allocated_by="root", never_expires=True)
    allocate("dora", 300, allocated_by="root", expiry_days=16)

    for day in range(14):
        clock.set(START + timedelta(days=day))
        for number, (user_id, tokens) in enumerate([("ada", 9_000), ("bob", 4_000)]):
            session_id = f"day-{day}-{number}"
            books.sessions.initialize(session_id, user_id, "atlas", tokens)
            clock.advance(seconds=30)
            books.sessions.finalize(session_id, user_id, tokens - 100 * day)
        kinds = TokenCounts(input=6_000, output=2_000)
        books.sessions.initialize(f"day-{day}", "chen", "borealis", kinds)
        clock.advance(seconds=45)
        books.sessions.finalize(f"day-{day}", "chen", kinds, success=day % 5 != 0)
    books.credits.charge("chen", "images", "sketch", 12, metadata={"size": 512})
    clock.set(START + timedelta(days=14))


if __name__ == "__main__":
    clock = ManualClock(START)
    with accounting.open(sys.argv[1], clock=clock) as books:
        fill(books, clock)
