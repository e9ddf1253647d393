"""Accounts: who can hold credits."""

from __future__ import annotations

from accounting import _core
from accounting.values import Page, Role, SyncResult, UserAccount

__all__ = ["Accounts"]


class Accounts:
    """The accounts of the books, mirrored from an authentication service, never invented.

    Thread-safe; keeps the books open. Every call may raise InvalidArgument and StoreError.
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Accounts) -> None:
        """For `books.accounts`; not for callers."""
        self._core = core

    def sync(
        self, user_id: str, email: str, username: str, role: Role | str | None = None
    ) -> SyncResult:
        """Create the account, or bring a known one up to date. Again: changes nothing.

        Args:
            user_id: 1 to 50 bytes of UTF-8 without NUL.
            email: 1 to 255 bytes; need not be unique.
            username: 1 to 100 bytes.
            role: a Role or its word; None: `user` when new, unchanged when known.

        >>> import accounting
        >>> books = accounting.open("sqlite://")
        >>> books.accounts.sync("ada", "ada@example.org", "Ada").created
        True
        """
        return self._core.sync(user_id, email, username, role)

    def get(self, user_id: str) -> UserAccount:
        """The account.

        Raises:
            NotFound: there is none.
        """
        return self._core.get(user_id)

    def list(
        self, role: Role | str | None = None, page: int = 1, limit: int = 20
    ) -> Page[UserAccount]:
        """All accounts, or those of one role, newest first.

        Args:
            role: a Role or its word; None: all.
            page: from 1; a page past the end has no items.
            limit: accounts on a page: 1 to 1,000.
        """
        return self._core.list(role, page, limit)
