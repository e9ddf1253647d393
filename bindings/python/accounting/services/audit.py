"""The audit trail: who changed accounts, prices and API keys."""

from __future__ import annotations

from accounting import _core
from accounting.values import AuditEntry, Page

__all__ = ["Audit"]


class Audit:
    """The audit trail of accounts, prices and keys. Credits have theirs in `credits.entries`.

    Thread-safe; keeps the books open.

    >>> import accounting
    >>> books = accounting.open("sqlite://")
    >>> _ = books.accounts.sync("ada", "ada@example.org", "Ada")
    >>> [(entry.actor, entry.operation) for entry in books.audit.list().items]
    [('host', 'accounts.sync')]
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Audit) -> None:
        """For `books.audit`; not for callers."""
        self._core = core

    def list(
        self,
        user_id: str | None = None,
        actor: str | None = None,
        page: int = 1,
        limit: int = 100,
    ) -> Page[AuditEntry]:
        """The entries, newest first.

        Args:
            user_id: whose account and keys; empty: prices; None: everything.
            actor: "host", "principal:<user_id>" or "key:<key_id>:<user_id>", 1 to 74 bytes; None:
                everybody.
            page: from 1; a page past the end has no items.
            limit: entries on a page: 1 to 1,000.

        Raises:
            InvalidArgument: an argument is out of range.
        """
        return self._core.list(user_id, actor, page, limit)
