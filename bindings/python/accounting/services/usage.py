"""Usage: what was used, what it cost, and statistics over it."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from datetime import datetime

from accounting import _core
from accounting.frozen import Json
from accounting.values import SystemStats, UsageRecord, UserStats

__all__ = ["Usage"]


class Usage:
    """Usage records and statistics.

    A range is [start, end): aware datetimes of the years 1970 to 9999, exact to the microsecond;
    None: unbounded on that side. Thread-safe; keeps the books open. Every call may raise
    InvalidArgument, NotFound (no such account) and StoreError.

    >>> import accounting
    >>> books = accounting.open("sqlite://")
    >>> _ = books.accounts.sync("ada", "ada@example.org", "Ada")
    >>> books.usage.record("ada", "images", "sketch", 12, metadata={"size": 512}).metadata
    {'size': 512}
    >>> books.usage.user_stats("ada").by_service
    {'images': 12}
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Usage) -> None:
        """For `books.usage`; not for callers."""
        self._core = core

    def record(
        self,
        user_id: str,
        service: str,
        operation: str,
        credits: int,
        metadata: Json = None,
        idempotency_key: str | None = None,
    ) -> UsageRecord:
        """Record a use and take no credits for it; `books.credits.charge` does both.

        Args:
            user_id: who used it.
            service: 1 to 50 bytes.
            operation: 1 to 100 bytes.
            credits: what it cost, 1 to 10^15.
            metadata: any JSON value of at most 64 KiB; None: none.
            idempotency_key: makes the call safe to repeat: 1 to 255 bytes, unique per user.

        Raises:
            Conflict: the key was used for another request.
        """
        return self._core.record(user_id, service, operation, credits, metadata, idempotency_key)

    def record_many(self, requests: Iterable[Mapping[str, object]]) -> int:
        """All of the records or none of them, for imports; answers how many there were.

        Args:
            requests: dicts with the arguments of `record` as members.

        Raises:
            InvalidArgument: its `argument` says which request and which member.
            Conflict: a key was used for another request.
        """
        return self._core.record_many(requests)

    def list(
        self,
        user_id: str,
        start: datetime | None = None,
        end: datetime | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> builtins.list[UsageRecord]:
        """Records of the account within the range, oldest first.

        Args:
            user_id: whose.
            start: not before it.
            end: before it.
            after: records with a larger id only, from 0; the last one's, to go on.
            limit: records at most: 1 to 1,000.
        """
        return self._core.list(user_id, start, end, after, limit)

    def user_stats(
        self, user_id: str, start: datetime | None = None, end: datetime | None = None
    ) -> UserStats:
        """The account's use over the range.

        Raises:
            InvalidArgument: also where start > end.
        """
        return self._core.user_stats(user_id, start, end)

    def system_stats(
        self, start: datetime | None = None, end: datetime | None = None
    ) -> SystemStats:
        """All accounts' use over the range.

        Raises:
            InvalidArgument: also where start > end.
        """
        return self._core.system_stats(start, end)
