"""API keys: secrets that programs present in place of a person."""

from __future__ import annotations

import builtins
from collections.abc import Iterable

from accounting import _core
from accounting.values import ApiKey, IssuedApiKey, KeyIdentity

__all__ = ["ApiKeys"]


class ApiKeys:
    """The API keys of accounts.

    A key is `<prefix>_` and 46 letters and digits, of which the last six are a checksum. Stored
    are its hash, the prefix and the last four characters. Thread-safe; keeps the books open. Every
    call may raise InvalidArgument, NotFound (no such account or key) and StoreError.

    >>> import accounting
    >>> books = accounting.open("sqlite://")
    >>> _ = books.accounts.sync("ada", "ada@example.org", "Ada")
    >>> issued = books.api_keys.create("ada", "build server", ["usage:write"])
    >>> books.api_keys.validate(issued.key)
    KeyIdentity(user_id='ada', permissions=['usage:write'], key_id=1)
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.ApiKeys) -> None:
        """For `books.api_keys`; not for callers."""
        self._core = core

    def create(
        self,
        user_id: str,
        name: str,
        permissions: Iterable[str] = (),
        expiry_days: int | None = None,
    ) -> IssuedApiKey:
        """Issue a key. The answer is the only place that ever holds its secret.

        Args:
            user_id: whose.
            name: 1 to 100 bytes, for people; need not be unique.
            permissions: of "credits:read", "usage:write", "usage:read", "keys:write",
                "credits:write" and "admin".
            expiry_days: days of 24 hours, 1 to 1,000,000; None: never expires.
        """
        return self._core.create(user_id, name, permissions, expiry_days)

    def list(self, user_id: str) -> builtins.list[ApiKey]:
        """All keys of the account but the deleted ones, oldest first, without their secrets."""
        return self._core.list(user_id)

    def update(
        self,
        key_id: int,
        user_id: str,
        name: str | None = None,
        permissions: Iterable[str] | None = None,
        is_active: bool | None = None,
    ) -> ApiKey:
        """Rename a key, change its permissions, suspend or resume it.

        Args:
            key_id: which.
            user_id: whose it is.
            name: 1 to 100 bytes; None: unchanged.
            permissions: as of `create`; None: unchanged.
            is_active: False suspends it, True resumes it; None: unchanged.

        Raises:
            Conflict: it is revoked.
        """
        return self._core.update(key_id, user_id, name, permissions, is_active)

    def revoke(self, key_id: int, user_id: str) -> ApiKey:
        """End a key for good: `validate` accepts it no more once this has returned.

        Again: the same answer.
        """
        return self._core.revoke(key_id, user_id)

    def rotate(self, key_id: int, user_id: str) -> IssuedApiKey:
        """Issue a successor with the same name and permissions, for as long as the old was issued.

        The old key goes on beside it for 24 hours, or less where it would have ended before.

        Raises:
            Conflict: it is revoked, expired or suspended.
        """
        return self._core.rotate(key_id, user_id)

    def delete(self, key_id: int, user_id: str) -> None:
        """Revoke a key and take it out of every list. Its audit stays. Harmless when repeated."""
        self._core.delete(key_id, user_id)

    def validate(self, key: str) -> KeyIdentity:
        """Whose key this is and what it may be used for.

        Notes the use, once a minute and only where that waits for nobody.

        Raises:
            InvalidApiKey: malformed, unknown, suspended, revoked or expired; which is not said.
        """
        return self._core.validate(key)
