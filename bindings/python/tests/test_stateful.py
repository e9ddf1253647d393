"""Random sequences of calls: the model, SQLite and PostgreSQL answer the same, always.

ACCOUNTING_TEST_LONG=1      2,000 sequences rather than a few
ACCOUNTING_TEST_RUNS=n      n sequences
ACCOUNTING_TEST_SEED=n      the sequences of the run that printed this seed
"""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounting import Accounting, Policy, TokenCounts, Transaction
from model.lockstep import Call, Server, carry_out, carry_out_on_model, outcome, server
from model.machine import ComparedBooks
from model.strategies import (
    ALLOCATIONS,
    CLOCK_STEPS,
    CREDITS,
    EXPIRIES,
    KEYS,
    METADATA,
    MICROSECOND,
    MODELS,
    NUMBERS,
    OWN_PRICES,
    POLICIES,
    PRICES,
    SERVICES,
    SESSIONS,
    SMALL,
    STEPS,
    TOKENS,
    USERS,
    USES,
)

TOKENS_OF = {
    "sessions.report": "tokens_so_far",
    "sessions.extend": "additional_tokens",
    "sessions.finalize": "actual_tokens",
    "sessions.abort": "tokens_generated",
}


class Abandoned(Exception):
    """Rolls a transaction back."""


Work: TypeAlias = Callable[[Transaction], None]
Begin: TypeAlias = Callable[[Accounting, list[str], Work], None]


def within_block(books: Accounting, users: list[str], work: Work) -> None:
    with books.transaction(users) as tx:
        work(tx)


def within_transact(books: Accounting, users: list[str], work: Work) -> None:
    books.transact(work, users)


def make_calls(calls: list[Call], got: list[Any], abandon: bool, tx: Transaction) -> None:
    # From the start, in case the database asks for another try.
    got[:] = [outcome(partial(carry_out, tx, call)) for call in calls]
    if abandon:
        raise Abandoned


class Lockstep(ComparedBooks):
    """The calls, one after the other, with random arguments."""

    # --- rules ------------------------------------------------------------------------------------

    @initialize(policy=POLICIES, credits=st.integers(1, 200), estimate=SMALL)
    def begin(self, policy: Policy, credits: int, estimate: int) -> None:
        self.open(policy)
        for user in ("ada", "bob"):
            self.change("accounts.sync", user_id=user, email=f"{user}@x.org", username=user)
        # Several small allocations, so that whatever is taken comes in slices.
        for days in (30, 1, 2):
            self.change(
                "credits.allocate", user_id="ada", credits=credits, allocated_by="admin",
                expiry_days=days,
            )  # fmt: skip
        self.change(
            "credits.allocate", user_id="bob", credits=credits, allocated_by="admin",
            never_expires=True,
        )  # fmt: skip
        self.change(
            "sessions.initialize", session_id="s-1", user_id="ada", model_id="m-2",
            estimated_tokens=estimate,
        )  # fmt: skip

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

    @rule(requests=st.lists(ALLOCATIONS, max_size=4))
    def allocate_many(self, requests: list[dict[str, Any]]) -> None:
        self.change_many("credits.allocate_many", requests)

    @rule(name=st.sampled_from(["credits.charge_many", "usage.record_many"]),
          requests=st.lists(USES, max_size=4))  # fmt: skip
    def use_many(self, name: str, requests: list[dict[str, Any]]) -> None:
        self.change_many(name, requests)

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

    def has_active(self) -> bool:
        return bool(self.books and self.model.all_active())

    @precondition(has_active)
    @rule(
        which=st.integers(0, 10),
        name=st.sampled_from([*TOKENS_OF, "sessions.finalize", "sessions.finalize"]),
        tokens=st.one_of(SMALL, NUMBERS),
        output=st.integers(0, 4_000),
    )
    def go_on(self, which: int, name: str, tokens: int, output: int) -> None:
        """A call on a session that is active, in its own form: others mostly miss."""
        active = self.model.all_active()
        session = active[which % len(active)]
        form: Any = tokens
        if isinstance(session["estimated_tokens"], dict):
            form = TokenCounts(max(0, tokens), output)
        place = {"session_id": session["session_id"], "user_id": session["user_id"]}
        self.change(name, **place, **{TOKENS_OF[name]: form})

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
    @rule(which=st.lists(st.integers(0, 200), min_size=1, max_size=3), abandon=st.booleans(),
          begin=st.sampled_from([within_block, within_transact]))  # fmt: skip
    def transaction(self, which: list[int], abandon: bool, begin: Begin) -> None:
        """Calls of before in one transaction; refused ones leave it usable."""
        calls = [self.calls[n % len(self.calls)] for n in which]
        after = copy.deepcopy(self.model)
        expected = [outcome(partial(carry_out_on_model, after, call)) for call in calls]
        users = sorted({call[1]["user_id"] for call in calls if "user_id" in call[1]})
        users = [user for user in users if user in self.model.accounts]
        for name, books in self.books.items():
            got: list[Any] = []
            with suppress(Abandoned):
                begin(books, users, partial(make_calls, calls, got, abandon))
            assert got == expected, f"{name} {calls}\n  books: {got}\n  model: {expected}"
        if not abandon:
            self.model = after

    # --- queries ----------------------------------------------------------------------------------

    @rule(user_id=USERS, page=st.integers(1, 3), limit=st.integers(1, 4))
    def read_credits(self, user_id: str, page: int, limit: int) -> None:
        balance = self.compare(("credits.balance", {"user_id": user_id}))
        total = balance[1]["total_credits"] if balance[0] == "answered" else 0
        for credits in (-1, 0, total, total + 1):
            self.compare(("credits.check", {"user_id": user_id, "credits": credits}))
        self.compare(("credits.history", {"user_id": user_id, "page": page, "limit": limit}))
        self.compare(("sessions.active", {"user_id": user_id}))
        self.compare(("sessions.all_active", {}))
        if user_id in self.model.accounts:
            self.check_journal(user_id)

    @rule(role=st.sampled_from([None, "user", "admin", "supervisor"]), page=st.integers(1, 3),
          limit=st.integers(1, 3))  # fmt: skip
    def read_accounts(self, **arguments: Any) -> None:
        self.compare(("accounts.list", arguments))

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
            stateful_step_count=60,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
