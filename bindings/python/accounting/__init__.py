"""Prepaid credits for AI services.

Who has how many credits, until when, what a chat cost, what is held while an answer streams, and
what goes back when it ends. `accounting.open` opens the books; their services do the rest.

>>> import accounting
>>> books = accounting.open("sqlite://", policy=accounting.Policy(fallback_price="10"))
>>> result = books.accounts.sync("ada", "ada@example.org", "Ada")
>>> allocation = books.credits.allocate("ada", 1_000, allocated_by="admin", expiry_days=30)
>>> session = books.sessions.initialize("s-1", "ada", "some-model", estimated_tokens=1_200)
>>> settlement = books.sessions.finalize("s-1", "ada", actual_tokens=870)
>>> settlement.actual_credits, settlement.refund
(9, 6)
>>> books.credits.balance("ada").total_credits
991
>>> books.close()

Credits and tokens are whole numbers, prices exact decimals, instants aware datetimes of the years
1970 to 9999, answered in UTC. Every error derives from `AccountingError` and has a stable `code`,
and `retryable` says whether the same call may be made again.

Beside it:
    accounting.aio: the same calls for asyncio.
    accounting.columns: usage, journal and allocations for pandas, polars and Arrow.
    accounting.pytest_plugin: fixtures for tests of billing rules, at hand in pytest by themselves.
    `accounting`: the command, which administers the books and writes reports.
"""

from accounting._core import __version__
from accounting.books import Accounting, Transaction, open
from accounting.clock import ManualClock
from accounting.errors import (
    AccountingError,
    Conflict,
    ConnectionLost,
    Forbidden,
    InsufficientCredits,
    InvalidApiKey,
    InvalidArgument,
    MigrationError,
    NotFound,
    OutcomeUnknown,
    PriceNotFound,
    SessionClosed,
    StoreError,
    Unauthenticated,
)
from accounting.identity import JwtKey, JwtVerifier
from accounting.on_behalf_of import OnBehalfOf
from accounting.policy import Policy
from accounting.services import Accounts, ApiKeys, Audit, Credits, Pricing, Sessions, Usage
from accounting.values import (
    ApiKey,
    AuditEntry,
    Balance,
    Charge,
    CheckpointReport,
    CreditAllocation,
    CreditEntry,
    Deduction,
    EntryKind,
    Health,
    IssuedApiKey,
    KeyIdentity,
    OveragePolicy,
    Page,
    PoolStatus,
    PricingRule,
    Principal,
    Problem,
    RefundPolicy,
    Role,
    SessionStatus,
    Settlement,
    Slice,
    StreamingSession,
    SyncResult,
    SystemStats,
    TokenCounts,
    TokenInspection,
    UsageRecord,
    UserAccount,
    UserStats,
    VerifyReport,
)

__all__ = [
    "Accounting",
    "AccountingError",
    "Accounts",
    "ApiKey",
    "ApiKeys",
    "Audit",
    "AuditEntry",
    "Balance",
    "Charge",
    "CheckpointReport",
    "Conflict",
    "ConnectionLost",
    "CreditAllocation",
    "CreditEntry",
    "Credits",
    "Deduction",
    "EntryKind",
    "Forbidden",
    "Health",
    "InsufficientCredits",
    "InvalidApiKey",
    "InvalidArgument",
    "IssuedApiKey",
    "JwtKey",
    "JwtVerifier",
    "KeyIdentity",
    "ManualClock",
    "MigrationError",
    "NotFound",
    "OnBehalfOf",
    "OutcomeUnknown",
    "OveragePolicy",
    "Page",
    "Policy",
    "PoolStatus",
    "PriceNotFound",
    "Pricing",
    "PricingRule",
    "Principal",
    "Problem",
    "RefundPolicy",
    "Role",
    "SessionClosed",
    "SessionStatus",
    "Sessions",
    "Settlement",
    "Slice",
    "StoreError",
    "StreamingSession",
    "SyncResult",
    "SystemStats",
    "TokenCounts",
    "TokenInspection",
    "Transaction",
    "Unauthenticated",
    "Usage",
    "UsageRecord",
    "UserAccount",
    "UserStats",
    "VerifyReport",
    "__version__",
    "open",
]
