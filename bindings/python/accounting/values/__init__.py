"""The value types: what the services answer. Immutable; they compare, hash, copy and pickle."""

from accounting.values.base import Page, Value
from accounting.values.books import (
    CheckpointReport,
    Health,
    PoolStatus,
    Problem,
    VerifyReport,
)
from accounting.values.credits import (
    Balance,
    Charge,
    CreditAllocation,
    CreditEntry,
    Deduction,
    Slice,
    SyncResult,
    UserAccount,
)
from accounting.values.enums import EntryKind, OveragePolicy, RefundPolicy, Role, SessionStatus
from accounting.values.identity import (
    ApiKey,
    AuditEntry,
    IssuedApiKey,
    KeyIdentity,
    Principal,
    TokenInspection,
)
from accounting.values.sessions import Settlement, StreamingSession, TokenCounts
from accounting.values.usage import PricingRule, SystemStats, UsageRecord, UserStats

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Balance",
    "Charge",
    "CheckpointReport",
    "CreditAllocation",
    "CreditEntry",
    "Deduction",
    "EntryKind",
    "Health",
    "IssuedApiKey",
    "KeyIdentity",
    "OveragePolicy",
    "Page",
    "PoolStatus",
    "PricingRule",
    "Principal",
    "Problem",
    "RefundPolicy",
    "Role",
    "SessionStatus",
    "Settlement",
    "Slice",
    "StreamingSession",
    "SyncResult",
    "SystemStats",
    "TokenCounts",
    "TokenInspection",
    "UsageRecord",
    "UserAccount",
    "UserStats",
    "Value",
    "VerifyReport",
]
