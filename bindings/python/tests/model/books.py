"""Accounts, credits and the rest put together."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from model.answers import allocation_answer, plain, slices_answer, usage_answer
from model.prices import PriceRules
from model.queries import Queries
from model.sessions import SessionRules
from model.state import (
    LARGEST_CREDITS,
    Account,
    Allocation,
    Plain,
    Refused,
    Usage,
    refuse_unless,
    within,
)


class ModelBooks(SessionRules, PriceRules, Queries):
    """The books as the specification has them. Methods have the names of the services' calls."""

    def sync(self, user_id: str, email: str, username: str, role: str | None = None) -> Plain:
        """New: role user unless named. Known: brought up to date."""
        account = self.accounts.get(user_id)
        created = account is None
        if account is None:
            account = Account(user_id, email, username, role or "user", self.now, self.now)
            self.accounts[user_id] = account
        wanted = (email, username, role or account.role)
        if (account.email, account.username, account.role) != wanted:
            account.email, account.username, account.role = wanted
            account.updated_at = self.now
        return {"account": self.account_answer(account), "created": created}

    def allocate(
        self,
        user_id: str,
        credits: int,
        allocated_by: str,
        expiry_days: int | None = None,
        expires_at: datetime | None = None,
        never_expires: bool = False,
        effective_at: datetime | None = None,
        notes: str = "",
        idempotency_key: str | None = None,
    ) -> Plain:
        """Give credits; at most one form of expiry."""
        request = ("allocate", credits, allocated_by, expiry_days, expires_at, never_expires,
                   effective_at, notes)  # fmt: skip
        within(credits, 1, LARGEST_CREDITS)
        forms = (expiry_days is not None) + (expires_at is not None) + never_expires
        refuse_unless(forms <= 1, "invalid_argument")
        if expiry_days is not None:
            within(expiry_days, 1, 1_000_000)
        effective = self.now if effective_at is None else effective_at
        expiry = expires_at
        if expires_at is None and not never_expires:
            days = self.policy.allocation_expiry_days if expiry_days is None else expiry_days
            expiry = self.now + timedelta(days=days)
        if expiry is not None and not (expiry > self.now and expiry > effective):
            # Arguments are checked first, but the clock must not spoil a replay.
            known = self.accounts.get(user_id)
            if known is not None and idempotency_key in known.keys:
                first, answer = known.keys[idempotency_key]
                if first == request:
                    return answer
            raise Refused("invalid_argument")
        account = self.account(user_id)
        if (earlier := self.replay(account, idempotency_key, request)) is not None:
            return earlier
        allocation = self.new_allocation(account, credits, allocated_by, effective, expiry, notes)
        account.note(allocation, "allocate", credits)
        return self.keep(account, idempotency_key, request, allocation_answer(allocation))

    def new_allocation(
        self,
        account: Account,
        credits: int,
        by: str,
        effective_at: datetime,
        expires_at: datetime | None,
        notes: str,
    ) -> Allocation:
        """Add an allocation to an account."""
        number = len(account.allocations) + 1
        allocation = Allocation(
            number, account.user_id, credits, credits, by, self.now, effective_at, expires_at, notes
        )
        account.allocations.append(allocation)
        return allocation

    def allocate_many(self, requests: list[dict[str, Any]]) -> list[Plain]:
        """All or none; the arguments of all are looked at first."""
        for request in requests:
            within(request["credits"], 1, LARGEST_CREDITS)
            within(request.get("expiry_days", 1), 1, 1_000_000)
        return self.together(self.allocate, requests)

    def together(self, call: Callable[..., Plain], requests: list[dict[str, Any]]) -> list[Plain]:
        """The answers in order; where one is refused, nothing has happened."""
        before = copy.deepcopy(self.accounts)
        try:
            return [call(**request) for request in requests]
        except Refused:
            self.accounts = before
            raise

    def deduct(self, user_id: str, credits: int, idempotency_key: str | None = None) -> Plain:
        """Take credits."""
        request = ("deduct", credits)
        within(credits, 1, LARGEST_CREDITS)
        account = self.account(user_id)
        if (answer := self.replay(account, idempotency_key, request)) is not None:
            return answer
        taken = account.take(credits, self.now, "deduct")
        return self.keep(account, idempotency_key, request, slices_answer(taken))

    def charge(
        self,
        user_id: str,
        service: str,
        operation: str,
        credits: int,
        metadata: Any = None,
        idempotency_key: str | None = None,
    ) -> Plain:
        """Take credits and record the use."""
        request = ("charge", service, operation, credits, metadata)
        within(credits, 1, LARGEST_CREDITS)
        account = self.account(user_id)
        if (answer := self.replay(account, idempotency_key, request)) is not None:
            return answer
        taken = account.take(credits, self.now, "charge")
        used = self.use(account, service, operation, credits, credits, metadata)
        answer = {"usage_record": usage_answer(used), "deduction": slices_answer(taken)}
        return self.keep(account, idempotency_key, request, answer)

    def record(
        self,
        user_id: str,
        service: str,
        operation: str,
        credits: int,
        metadata: Any = None,
        idempotency_key: str | None = None,
    ) -> Plain:
        """Record a use and take nothing."""
        request = ("record", service, operation, credits, metadata)
        within(credits, 1, LARGEST_CREDITS)
        account = self.account(user_id)
        if (answer := self.replay(account, idempotency_key, request)) is not None:
            return answer
        used = self.use(account, service, operation, credits, 0, metadata)
        return self.keep(account, idempotency_key, request, usage_answer(used))

    def charge_many(self, requests: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        """Each by itself: what became of it."""
        outcomes: list[tuple[Any, ...]] = []
        for request in requests:
            try:
                outcomes.append(("answered", self.charge(**request)))
            except Refused as refusal:
                outcomes.append(("refused", refusal.code, *refusal.amounts))
        return outcomes

    def record_many(self, requests: list[dict[str, Any]]) -> int:
        """All or none; the arguments of all are looked at first."""
        for request in requests:
            within(request["credits"], 1, LARGEST_CREDITS)
        return len(self.together(self.record, requests))

    def revoke(self, allocation_id: int, user_id: str, revoked_by: str) -> Plain:
        """Take what remains out for good; a second time changes nothing."""
        within(allocation_id, 1, 2**63 - 1)
        account = self.account(user_id)
        refuse_unless(allocation_id <= len(account.allocations), "not_found")
        allocation = account.allocations[allocation_id - 1]
        if allocation.revoked_at is None:
            allocation.revoked_at = self.now
            allocation.revoked_by = revoked_by
            self.take_back(account, allocation, allocation.remaining_credits)
        return allocation_answer(allocation)

    def take_back(self, account: Account, allocation: Allocation, credits: int) -> None:
        """Remaining to revoked credits."""
        allocation.remaining_credits -= credits
        allocation.revoked_credits += credits
        account.note(allocation, "revoke", -credits)

    def use(
        self,
        account: Account,
        service: str,
        operation: str,
        credits: int,
        collected: int,
        metadata: Any,
    ) -> Usage:
        """Add a usage record."""
        number = len(account.usage) + 1
        used = Usage(
            number, account.user_id, self.now, service, operation, credits, collected, metadata
        )
        account.usage.append(used)
        return used

    def replay(self, account: Account, key: str | None, request: object) -> Plain | None:
        """The first answer where the key is known with this request; refuses another request."""
        if key is None or key not in account.keys:
            return None
        known, answer = account.keys[key]
        if known != request:
            raise Refused("conflict")
        return answer

    def keep(self, account: Account, key: str | None, request: object, answer: Plain) -> Plain:
        """Remember the answer under its key."""
        answer = plain(answer)
        if key is not None:
            account.keys[key] = (request, answer)
        return answer
