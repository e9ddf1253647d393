"""
The C++ library, for the package accounting only.
"""

from __future__ import annotations

import builtins
import collections.abc
import datetime
import decimal
import typing

import accounting.errors
import accounting.values

__all__: list[str] = [
    "Accounts",
    "Books",
    "Credits",
    "ManualClock",
    "Pricing",
    "Sessions",
    "Transaction",
    "Usage",
    "open",
    "original_policy",
    "price",
]

class ManualClock:
    def __init__(self, start: object) -> None: ...
    def advance(self, step: object, name: str) -> None:
        """
        Move by a timedelta that came of the argument `name`.
        """
    def now(self) -> datetime.datetime: ...
    def set(self, now: object) -> None: ...

class Accounts:
    def get(self, user_id: object) -> accounting.values.UserAccount: ...
    def list(
        self, role: object, page: object, limit: object
    ) -> accounting.values.Page[accounting.values.UserAccount]: ...
    def sync(
        self, user_id: object, email: object, username: object, role: object
    ) -> accounting.values.SyncResult: ...

class Credits:
    def allocate(
        self,
        user_id: object,
        credits: object,
        allocated_by: object,
        expiry_days: object,
        expires_at: object,
        never_expires: object,
        effective_at: object,
        notes: object,
        idempotency_key: object,
    ) -> accounting.values.CreditAllocation: ...
    def allocate_many(
        self, requests: object
    ) -> builtins.list[accounting.values.CreditAllocation]: ...
    def balance(self, user_id: object) -> accounting.values.Balance: ...
    def charge(
        self,
        user_id: object,
        service: object,
        operation: object,
        credits: object,
        metadata: object,
        idempotency_key: object,
    ) -> accounting.values.Charge: ...
    def charge_many(
        self, requests: object
    ) -> builtins.list[accounting.values.Charge | accounting.errors.AccountingError]: ...
    def check(self, user_id: object, credits: object) -> bool: ...
    def deduct(
        self, user_id: object, credits: object, idempotency_key: object
    ) -> accounting.values.Deduction: ...
    def entries(
        self, user_id: object, after: object, limit: object
    ) -> builtins.list[accounting.values.CreditEntry]: ...
    def history(
        self, user_id: object, page: object, limit: object
    ) -> accounting.values.Page[accounting.values.CreditAllocation]: ...
    def revoke(
        self, allocation_id: object, user_id: object, revoked_by: object
    ) -> accounting.values.CreditAllocation: ...

class Pricing:
    def calculate(self, model_id: object, tokens: object, at: object) -> int: ...
    def get(self, model_id: object, at: object) -> accounting.values.PricingRule: ...
    def list(self, model_id: object) -> builtins.list[accounting.values.PricingRule]: ...
    def set(
        self,
        model_id: object,
        price_per_1k_tokens: object,
        created_by: object,
        effective_from: object,
        effective_to: object,
        input: object,
        output: object,
        cached_input: object,
    ) -> accounting.values.PricingRule: ...

class Sessions:
    def abort(
        self, session_id: object, user_id: object, tokens_generated: object
    ) -> accounting.values.Settlement: ...
    def active(self, user_id: object) -> builtins.list[accounting.values.StreamingSession]: ...
    def all_active(self) -> builtins.list[accounting.values.StreamingSession]: ...
    def expire_stale(self, limit: object) -> builtins.list[accounting.values.Settlement]: ...
    def extend(
        self,
        session_id: object,
        user_id: object,
        additional_tokens: object,
        idempotency_key: object,
    ) -> accounting.values.StreamingSession: ...
    def finalize(
        self, session_id: object, user_id: object, actual_tokens: object, success: object
    ) -> accounting.values.Settlement: ...
    def get(self, session_id: object, user_id: object) -> accounting.values.StreamingSession: ...
    def initialize(
        self, session_id: object, user_id: object, model_id: object, estimated_tokens: object
    ) -> accounting.values.StreamingSession: ...
    def report(
        self, session_id: object, user_id: object, tokens_so_far: object
    ) -> accounting.values.StreamingSession: ...

class Usage:
    def list(
        self, user_id: object, start: object, end: object, after: object, limit: object
    ) -> builtins.list[accounting.values.UsageRecord]: ...
    def record(
        self,
        user_id: object,
        service: object,
        operation: object,
        credits: object,
        metadata: object,
        idempotency_key: object,
    ) -> accounting.values.UsageRecord: ...
    def record_many(self, requests: object) -> int: ...
    def system_stats(self, start: object, end: object) -> accounting.values.SystemStats: ...
    def user_stats(
        self, user_id: object, start: object, end: object
    ) -> accounting.values.UserStats: ...

class Transaction:
    def accounts(self) -> Accounts: ...
    def commit(self) -> None: ...
    def credits(self) -> Credits: ...
    def pricing(self) -> Pricing: ...
    def rollback(self) -> None: ...
    def sessions(self) -> Sessions: ...
    def usage(self) -> Usage: ...

class Books:
    def accounts(self) -> Accounts: ...
    def close(self) -> None: ...
    def credits(self) -> Credits: ...
    def health(self) -> accounting.values.Health: ...
    def migrate(self) -> int: ...
    def pricing(self) -> Pricing: ...
    def schema_version(self) -> int: ...
    def sessions(self) -> Sessions: ...
    def transact(
        self, work: collections.abc.Callable[[Transaction], typing.Any], users: object
    ) -> typing.Any: ...
    def transaction(self, users: object) -> Transaction: ...
    def usage(self) -> Usage: ...
    def verify(self) -> accounting.values.VerifyReport: ...

def open(
    url: object,
    policy: object,
    clock: ManualClock | None,
    pool_size: object,
    migrate: object,
    pool_timeout: object,
    connect_timeout: object,
    statement_timeout: object,
    lock_timeout: object,
    max_attempts: object,
    pipeline: object,
    log: object,
) -> Books: ...
def original_policy() -> dict[str, typing.Any]: ...
def price(value: object, name: str) -> decimal.Decimal:
    """
    A price as the library takes it: from str, Decimal or int, for the argument `name`.
    """

__version__: str = "0.1.0"
