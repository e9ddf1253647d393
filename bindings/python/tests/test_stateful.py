"""Random sequences of calls: the model, SQLite and PostgreSQL answer the same, always.

ACCOUNTING_TEST_LONG=1      2,000 sequences rather than a few
ACCOUNTING_TEST_RUNS=n      n sequences
ACCOUNTING_TEST_SEED=n      the sequences of the run that printed this seed
"""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounting import Accounting, ManualClock, Policy
from model import ModelBooks
from model.lockstep import (
    Call,
    Server,
    carry_out,
    carry_out_on_model,
    open_all,
    outcome,
    server,
)
from model.strategies import (
    CLOCK_STEPS,
    CREDITS,
    EXPIRIES,
    KEYS,
    METADATA,
    MICROSECOND,
    MODELS,
    OWN_PRICES,
    POLICIES,
    PRICES,
    SERVICES,
    SESSIONS,
    STEPS,
    TOKENS,
    USERS,
)

START = datetime(2026, 2, 27, 22, 30, tzinfo=timezone.utc)


class Abandoned(Exception):
    """Rolls a transaction back."""


class Lockstep(RuleBasedStateMachine):
    """The model and the books of every database, one call after the other."""

    server: Server | None = None

    def __init__(self) -> None:
        super().__init__()
        self.books: dict[str, Accounting] = {}
        self.calls: list[Call] = []

    # --- making calls and comparing ---------------------------------------------------------------

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

    # --- rules ------------------------------------------------------------------------------------

    @initialize(policy=POLICIES, credits=st.integers(1, 300))
    def begin(self, policy: Policy, credits: int) -> None:
        self.clock = ManualClock(START)
        self.model = ModelBooks(policy, START)
        self.books = open_all(policy, self.clock, self.server)
        for user in ("ada", "bob"):
            self.change("accounts.sync", user_id=user, email=f"{user}@x.org", username=user)
        self.change("credits.allocate", user_id="ada", credits=credits, allocated_by="admin")

    @rule(which=st.integers(0, 40), nudge=st.sampled_from([-1, 0, 0, 0, 1]))
    def step_to(self, which: int, nudge: int) -> None:
        later = [one for one in self.instants() if one > self.model.now]
        if later:
            self.set_clock(later[which % len(later)] + nudge * MICROSECOND)

    @rule(step=CLOCK_STEPS)
    def step(self, step: timedelta) -> None:
        self.set_clock(self.model.now + step)

    @rule(
        user_id=st.sampled_from(["ada", "bob", "eve"]),
        username=st.sampled_from(["ada", "bob", "Bob"]),
        role=st.sampled_from([None, None, "user", "admin"]),
    )
    def sync(self, user_id: str, username: str, role: str | None) -> None:
        self.change("accounts.sync", user_id=user_id, email="x@x.org", username=username, role=role)

    @rule(user_id=USERS, credits=CREDITS, expiry=EXPIRIES, effective=STEPS, key=KEYS,
          notes=st.sampled_from(["", "", "gift"]))  # fmt: skip
    def allocate(
        self,
        user_id: str,
        credits: int,
        expiry: dict[str, Any],
        effective: timedelta | None,
        key: str | None,
        notes: str,
    ) -> None:
        if isinstance(expiry.get("expires_at"), timedelta):
            expiry = {**expiry, "expires_at": self.later(expiry["expires_at"])}
        self.change(
            "credits.allocate", user_id=user_id, credits=credits, allocated_by="admin",
            effective_at=self.later(effective), notes=notes, idempotency_key=key, **expiry,
        )  # fmt: skip

    @rule(user_id=USERS, credits=CREDITS, key=KEYS)
    def deduct(self, user_id: str, credits: int, key: str | None) -> None:
        self.change("credits.deduct", user_id=user_id, credits=credits, idempotency_key=key)

    @rule(
        name=st.sampled_from(["credits.charge", "usage.record"]),
        user_id=USERS,
        service=SERVICES,
        operation=MODELS,
        credits=CREDITS,
        metadata=METADATA,
        key=KEYS,
    )
    def use(self, name: str, key: str | None, **arguments: Any) -> None:
        self.change(name, idempotency_key=key, **arguments)

    @rule(user_id=USERS, allocation_id=st.integers(0, 6), revoked_by=st.sampled_from(["a", "b"]))
    def revoke(self, **arguments: Any) -> None:
        self.change("credits.revoke", **arguments)

    @rule(session_id=SESSIONS, user_id=USERS, model_id=MODELS, estimated_tokens=TOKENS)
    def begin_session(self, **arguments: Any) -> None:
        self.change("sessions.initialize", **arguments)

    @rule(session_id=SESSIONS, user_id=USERS, tokens_so_far=TOKENS)
    def report(self, **arguments: Any) -> None:
        self.change("sessions.report", **arguments)

    @rule(session_id=SESSIONS, user_id=USERS, additional_tokens=TOKENS, idempotency_key=KEYS)
    def extend(self, **arguments: Any) -> None:
        self.change("sessions.extend", **arguments)

    @rule(session_id=SESSIONS, user_id=USERS, actual_tokens=TOKENS, success=st.booleans())
    def finalize(self, **arguments: Any) -> None:
        self.change("sessions.finalize", **arguments)

    @rule(session_id=SESSIONS, user_id=USERS, tokens=st.one_of(st.none(), TOKENS))
    def abort(self, tokens: Any, **arguments: Any) -> None:
        given = {} if tokens is None else {"tokens_generated": tokens}
        self.change("sessions.abort", **given, **arguments)

    @rule(limit=st.sampled_from([1, 2, 1_000]))
    def expire_stale(self, limit: int) -> None:
        self.change("sessions.expire_stale", limit=limit)

    @rule(model_id=MODELS, price=PRICES, begins=STEPS, ends=STEPS, own=OWN_PRICES, other=OWN_PRICES)
    def set_price(
        self,
        model_id: str,
        price: Decimal,
        begins: timedelta | None,
        ends: timedelta | None,
        own: Decimal | None,
        other: Decimal | None,
    ) -> None:
        self.change(
            "pricing.set", model_id=model_id, price_per_1k_tokens=price, created_by="admin",
            effective_from=self.later(begins), effective_to=self.later(ends),
            output=own, cached_input=other,
        )  # fmt: skip

    @precondition(lambda self: self.calls)
    @rule(which=st.integers(0, 200))
    def again(self, which: int) -> None:
        """A call of before, word for word."""
        name, arguments = self.calls[which % len(self.calls)]
        self.change(name, **arguments)

    @precondition(lambda self: self.calls)
    @rule(which=st.lists(st.integers(0, 200), min_size=1, max_size=3), abandon=st.booleans())
    def transaction(self, which: list[int], abandon: bool) -> None:
        """Calls of before in one transaction; refused ones leave it usable."""
        calls = [self.calls[n % len(self.calls)] for n in which]
        after = copy.deepcopy(self.model)
        expected = [outcome(partial(carry_out_on_model, after, call)) for call in calls]
        users = sorted({call[1]["user_id"] for call in calls if "user_id" in call[1]})
        users = [user for user in users if user in self.model.accounts]
        for name, books in self.books.items():
            got = []
            try:
                with books.transaction(users) as tx:
                    for call in calls:
                        got.append(outcome(partial(carry_out, tx, call)))
                    if abandon:
                        raise Abandoned
            except Abandoned:
                pass
            assert got == expected, f"{name} {calls}\n  books: {got}\n  model: {expected}"
        if not abandon:
            self.model = after

    # --- queries ----------------------------------------------------------------------------------

    @rule(user_id=USERS, page=st.integers(1, 3), limit=st.integers(1, 4))
    def read_credits(self, user_id: str, page: int, limit: int) -> None:
        self.compare(("credits.balance", {"user_id": user_id}))
        self.compare(("credits.history", {"user_id": user_id, "page": page, "limit": limit}))
        self.compare(("sessions.active", {"user_id": user_id}))
        self.compare(("sessions.all_active", {}))
        if user_id in self.model.accounts:
            self.check_journal(user_id)

    @rule(
        user_id=USERS,
        first=st.one_of(st.none(), st.integers(0, 40)),
        last=st.one_of(st.none(), st.integers(0, 40)),
        nudges=st.tuples(st.integers(-1, 1), st.integers(-1, 1)),
        after=st.integers(0, 3),
    )
    def read_usage(
        self,
        user_id: str,
        first: int | None,
        last: int | None,
        nudges: tuple[int, int],
        after: int,
    ) -> None:
        span = {"start": self.instant(first, nudges[0]), "end": self.instant(last, nudges[1])}
        self.compare(("usage.user_stats", {"user_id": user_id, **span}))
        self.compare(("usage.system_stats", span))
        self.compare(("usage.list", {"user_id": user_id, "after": after, "limit": 3, **span}))

    @rule(model_id=MODELS, tokens=TOKENS, at=st.one_of(st.none(), st.integers(0, 40)),
          nudge=st.integers(-1, 1))  # fmt: skip
    def read_prices(self, model_id: str, tokens: Any, at: int | None, nudge: int) -> None:
        when = self.instant(at, nudge)
        self.compare(("pricing.calculate", {"model_id": model_id, "tokens": tokens, "at": when}))
        self.compare(("pricing.get", {"model_id": model_id, "at": when}))
        self.compare(("pricing.list", {"model_id": model_id}))

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
        for account in self.model.every() if self.books else ():
            user = {"user_id": account.user_id}
            self.compare(("accounts.get", user))
            self.compare(("credits.history", {**user, "page": 1, "limit": 1_000}))
            self.compare(("usage.list", {**user, "start": None, "end": None, "limit": 1_000}))
            for session_id in account.sessions:
                self.compare(("sessions.get", {**user, "session_id": session_id}))
            self.check_journal(account.user_id)
        for name, books in self.books.items():
            report = books.verify()
            assert report.ok, f"{name}: {report.problems}"
            books.close()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Server | None]:
    with server() as made:
        yield made


def test_random_sequences(postgresql: Server | None, record_property: Any) -> None:
    long = os.environ.get("ACCOUNTING_TEST_LONG") == "1"
    runs = int(os.environ.get("ACCOUNTING_TEST_RUNS", 2_000 if long else 60))
    number = int(os.environ.get("ACCOUNTING_TEST_SEED", random.SystemRandom().randrange(2**32)))
    databases = "SQLite" if postgresql is None else "SQLite and PostgreSQL"
    print(f"\n{runs} sequences on {databases}, ACCOUNTING_TEST_SEED={number}")
    record_property("seed", number)
    machine = seed(number)(type("Lockstep", (Lockstep,), {"server": postgresql}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=50,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
