"""Accounts, allocations of credits, what was taken from them, and the journal."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from accounting.values.base import Value
from accounting.values.enums import EntryKind, Role
from accounting.values.usage import UsageRecord

__all__ = [
    "Balance",
    "Charge",
    "CreditAllocation",
    "CreditEntry",
    "Deduction",
    "Slice",
    "SyncResult",
    "UserAccount",
]


@dataclasses.dataclass(frozen=True, slots=True)
class UserAccount(Value):
    """An account that can hold credits, mirrored from an authentication service.

    Attributes:
        user_id: 1 to 50 bytes of UTF-8.
        email: need not be unique.
        username: for people.
        role: what its owner may do.
        created_at: when the books first saw it, in UTC.
        updated_at: when email, username or role last changed, in UTC.
    """

    user_id: str
    email: str
    username: str
    role: Role
    created_at: datetime
    updated_at: datetime


@dataclasses.dataclass(frozen=True, slots=True)
class SyncResult(Value):
    """What `accounts.sync` came to.

    Attributes:
        account: as it is now.
        created: False where the account was known.
    """

    account: UserAccount
    created: bool


@dataclasses.dataclass(frozen=True, slots=True)
class CreditAllocation(Value):
    """Credits given to an account for a time.

    At any moment total = remaining + held + consumed + revoked + moved. Active while
    `effective_at` ≤ now < `expires_at`, not revoked and remaining > 0.

    Attributes:
        id: counts from 1 within the account.
        user_id: whose it is.
        total_credits: given at first.
        remaining_credits: what can still be taken; kept also past the expiry.
        held_credits: in active streaming sessions.
        consumed_credits: paid for use.
        revoked_credits: taken out for good.
        moved_credits: refunded into other allocations (`RefundPolicy.NEW_ALLOCATION`).
        allocated_by: who gave them.
        allocated_at: when, in UTC.
        effective_at: from when on they count, in UTC.
        expires_at: until when, in UTC; None: never expires.
        notes: free text.
        revoked_at: None: not revoked.
        revoked_by: None: not revoked.
    """

    id: int
    user_id: str
    total_credits: int
    remaining_credits: int
    held_credits: int
    consumed_credits: int
    revoked_credits: int
    moved_credits: int
    allocated_by: str
    allocated_at: datetime
    effective_at: datetime
    expires_at: datetime | None
    notes: str
    revoked_at: datetime | None
    revoked_by: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Slice(Value):
    """Which allocation gave how much.

    Attributes:
        allocation_id: of the same account.
        credits: taken from it.
    """

    allocation_id: int
    credits: int


@dataclasses.dataclass(frozen=True, slots=True)
class Balance(Value):
    """What an account can spend now.

    Attributes:
        total_credits: the sum over the active allocations.
        held_credits: in active streaming sessions, not part of the total.
        active_allocations: in burn order: earliest expiry first, none last.
    """

    total_credits: int
    held_credits: int
    active_allocations: tuple[CreditAllocation, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Deduction(Value):
    """Credits that were taken.

    Attributes:
        credits: altogether.
        slices: from where, in burn order.
    """

    credits: int
    slices: tuple[Slice, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Charge(Value):
    """A use that was recorded and paid for in one step.

    Attributes:
        usage_record: what was used.
        deduction: what was taken for it.
    """

    usage_record: UsageRecord
    deduction: Deduction


@dataclasses.dataclass(frozen=True, slots=True)
class CreditEntry(Value):
    """One line of an account's journal; never changed once written.

    The sums of `credits` and of `held_credits` over an allocation's entries are its remaining and
    its held credits.

    Attributes:
        sequence: counts from 1 within the account, without gaps.
        user_id: whose journal it is.
        allocation_id: which allocation changed.
        kind: how.
        credits: signed change of the remaining credits.
        held_credits: signed change of the held credits.
        session_id: of the session that caused it, if one did.
        usage_id: of the usage record that came with it, if one did.
        actor: who asked: the host, or a principal.
        created_at: when, in UTC.
        hash: SHA-256 over this entry and the hash of the one before, in 64 hexadecimal digits;
            empty for entries that are older than version 3 of the schema.
    """

    sequence: int
    user_id: str
    allocation_id: int
    kind: EntryKind
    credits: int
    held_credits: int
    session_id: str | None
    usage_id: int | None
    actor: str
    created_at: datetime
    hash: str
