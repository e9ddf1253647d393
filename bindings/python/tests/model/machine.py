"""The machine beneath the random calls: the model and the books of every database, compared."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from accounting import Accounting, ManualClock, Policy
from model.books import ModelBooks
from model.lockstep import Call, Server, carry_out, carry_out_on_model, open_all, outcome
from model.strategies import MICROSECOND

START = datetime(2026, 2, 27, 22, 30, tzinfo=timezone.utc)


class ComparedBooks(RuleBasedStateMachine):
    """The model and the books of every database, one call after the other."""

    server: Server | None = None

    def __init__(self) -> None:
        """No books yet."""
        super().__init__()
        self.books: dict[str, Accounting] = {}
        self.calls: list[Call] = []

    def compare(self, call: Call) -> tuple[Any, ...]:
        expected = outcome(lambda: carry_out_on_model(self.model, call))
        for name, books in self.books.items():
            got = outcome(partial(carry_out, books, call))
            assert got == expected, f"{name} {call}\n  books: {got}\n  model: {expected}"
        return expected

    def change(self, name: str, **arguments: Any) -> None:
        call = (name, arguments)
        self.calls.append(call)
        self.compare(call)
        if "user_id" in arguments:
            self.compare(("credits.balance", {"user_id": arguments["user_id"]}))

    def change_many(self, name: str, requests: list[dict[str, Any]]) -> None:
        self.change(name, requests=requests)
        for user_id in sorted({request["user_id"] for request in requests}):
            self.compare(("credits.balance", {"user_id": user_id}))

    def instants(self) -> list[datetime]:
        """The instants at which something changes, or has happened."""
        found = {self.model.now, START, self.model.now.replace(hour=0, minute=0, second=0)}
        for account in self.model.every():
            found |= {one.effective_at for one in account.allocations}
            found |= {one.expires_at for one in account.allocations if one.expires_at}
            found |= {one.expires_at for one in account.sessions.values()}
            found |= {one.timestamp for one in account.usage}
        for rules in self.model.rules.values():
            found |= {one.effective_from for one in rules}
            found |= {one.effective_to for one in rules if one.effective_to}
        return sorted(found)

    def instant(self, which: int | None, nudge: int) -> datetime | None:
        if which is None:
            return None
        found = self.instants()
        return found[which % len(found)] + nudge * MICROSECOND

    def later(self, step: timedelta | None) -> datetime | None:
        return None if step is None else self.model.now + step

    def set_clock(self, now: datetime) -> None:
        self.clock.set(now)
        self.model.now = now

    def open(self, policy: Policy) -> None:
        self.clock = ManualClock(START)
        self.model = ModelBooks(policy, START)
        self.books = open_all(policy, self.clock, self.server)

    def check_journal(self, user_id: str) -> None:
        journals = {name: books.credits.entries(user_id, limit=1_000)
                    for name, books in self.books.items()}  # fmt: skip
        for name, entries in journals.items():
            assert [one.sequence for one in entries] == list(range(1, len(entries) + 1))
            sums: dict[tuple[int, str], list[int]] = {}
            for one in entries:
                both = sums.setdefault((one.allocation_id, one.kind.value), [0, 0])
                both[0] += one.credits
                both[1] += one.held_credits
            found = {place: both for place, both in sorted(sums.items()) if any(both)}
            assert found == self.model.journal_sums(user_id), f"the journal of {user_id} in {name}"
            assert entries == journals["sqlite"], f"the journal of {user_id} in {name} and SQLite"

    def teardown(self) -> None:
        try:
            self.compare_everything()
        finally:
            # Also where they disagree: many more sequences follow to find the shortest.
            for books in self.books.values():
                books.close()

    def compare_everything(self) -> None:
        for account in self.model.every() if self.books else ():
            user = {"user_id": account.user_id}
            self.compare(("accounts.get", user))
            self.compare(("credits.history", {**user, "page": 1, "limit": 1_000}))
            self.compare(("usage.list", {**user, "start": None, "end": None, "limit": 1_000}))
            for session_id in account.sessions:
                self.compare(("sessions.get", {**user, "session_id": session_id}))
            self.compare(("usage.user_stats", {**user, "start": None, "end": None}))
            self.check_journal(account.user_id)
        for name, books in self.books.items():
            report = books.verify()
            assert report.ok, f"{name}: {report.problems}"
