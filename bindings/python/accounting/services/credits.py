"""Credits: allocations that expire, what is taken from them, and the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from accounting import _core
from accounting.errors import AccountingError
from accounting.frozen import Json
from accounting.values import Balance, Charge, CreditAllocation, CreditEntry, Deduction, Page

__all__ = ["Credits"]


class Credits:
    """Credits of accounts: whole numbers, 1 to 10^15 wherever an argument is named `credits`.

    Aware datetimes lie in the years 1970 to 9999. Thread-safe; keeps the books open. Every call
    may raise InvalidArgument, NotFound (no such account) and StoreError. An `idempotency_key` of 1
    to 255 bytes, unique per user over allocate, deduct, charge, record and extend, makes a call
    safe to repeat: the same key with the same arguments answers what the first call did, with
    others raises Conflict.

    >>> import accounting
    >>> books = accounting.open("sqlite://")
    >>> _ = books.accounts.sync("ada", "ada@example.org", "Ada")
    >>> _ = books.credits.allocate("ada", 1_000, allocated_by="admin", expiry_days=30)
    >>> books.credits.charge("ada", "chat", "some-model", 40).deduction
    Deduction(credits=40, slices=[Slice(allocation_id=1, credits=40)])
    >>> books.credits.balance("ada").total_credits
    960
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Credits) -> None:
        """For `books.credits`; not for callers."""
        self._core = core

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
    ) -> CreditAllocation:
        """Give credits to an account.

        Name at most one of `expiry_days`, `expires_at` and `never_expires`; with none of them
        the policy's days are taken.

        Args:
            user_id: who gets them.
            credits: how many, 1 to 10^15.
            allocated_by: who gives them: 1 to 50 bytes; need not be an account.
            expiry_days: days of 24 hours from now, also with a later `effective_at`.
            expires_at: an aware datetime after now and after `effective_at`.
            never_expires: True for credits without an end.
            effective_at: an aware datetime from when on they count; None: now.
            notes: at most 10,000 bytes.
            idempotency_key: see the class.

        Raises:
            Conflict: the key was used for another request.
        """
        return self._core.allocate(
            user_id,
            credits,
            allocated_by,
            expiry_days,
            expires_at,
            never_expires,
            effective_at,
            notes,
            idempotency_key,
        )

    def allocate_many(self, requests: Iterable[Mapping[str, object]]) -> list[CreditAllocation]:
        """All of the allocations or none of them; answers in the order of the requests.

        Args:
            requests: dicts with the arguments of `allocate` as members.

        Raises:
            InvalidArgument: its `argument` says which request and which member.
            Conflict: a key was used for another request.
        """
        return self._core.allocate_many(requests)

    def balance(self, user_id: str) -> Balance:
        """What the account can spend now, and from where."""
        return self._core.balance(user_id)

    def check(self, user_id: str, credits: int) -> bool:
        """Whether the account could spend `credits` (0 to 10^15) now.

        Another caller may spend them first: to spend, call `deduct` or `charge` and handle
        InsufficientCredits.
        """
        return self._core.check(user_id, credits)

    def deduct(self, user_id: str, credits: int, idempotency_key: str | None = None) -> Deduction:
        """Take credits in burn order, all or nothing.

        Raises:
            InsufficientCredits: nothing was taken.
            Conflict: the key was used for another request.
        """
        return self._core.deduct(user_id, credits, idempotency_key)

    def charge(
        self,
        user_id: str,
        service: str,
        operation: str,
        credits: int,
        metadata: Json = None,
        idempotency_key: str | None = None,
    ) -> Charge:
        """Take credits and record the use in one step, for what is not streamed.

        Args:
            user_id: who used it.
            service: 1 to 50 bytes, for example "chat".
            operation: 1 to 100 bytes; the model id for chat.
            credits: what it cost, 1 to 10^15.
            metadata: any JSON value of at most 64 KiB; None: none.
            idempotency_key: see the class.

        Raises:
            InsufficientCredits: nothing was taken and nothing recorded.
            Conflict: the key was used for another request.
        """
        return self._core.charge(user_id, service, operation, credits, metadata, idempotency_key)

    def charge_many(
        self, requests: Iterable[Mapping[str, object]]
    ) -> list[Charge | AccountingError]:
        """Charges, each by itself; answers in the order of the requests.

        Args:
            requests: dicts with the arguments of `charge` as members.

        Returns:
            For each its Charge, or the exception that `charge` would have raised, not raised; an
            InvalidArgument names the argument alone, as in "credits", since its place is known.
        """
        return self._core.charge_many(requests)

    def history(self, user_id: str, page: int = 1, limit: int = 20) -> Page[CreditAllocation]:
        """All allocations of the account in any state, newest first.

        Args:
            user_id: whose.
            page: from 1; a page past the end has no items.
            limit: allocations on a page: 1 to 1,000.
        """
        return self._core.history(user_id, page, limit)

    def entries(self, user_id: str, after: int = 0, limit: int = 100) -> list[CreditEntry]:
        """The journal of the account, oldest first.

        Args:
            user_id: whose.
            after: entries with a larger sequence only, from 0; the last one's, to go on.
            limit: entries at most: 1 to 1,000.
        """
        return self._core.entries(user_id, after, limit)

    def revoke(self, allocation_id: int, user_id: str, revoked_by: str) -> CreditAllocation:
        """Take what remains of an allocation out of the balance for good.

        What sessions hold of it stays held, and what comes back of that is revoked too. Again:
        the same answer.

        Args:
            allocation_id: which, from 1.
            user_id: whose it is.
            revoked_by: who does it: 1 to 50 bytes; need not be an account.

        Raises:
            NotFound: the account has no such allocation.
        """
        return self._core.revoke(allocation_id, user_id, revoked_by)
