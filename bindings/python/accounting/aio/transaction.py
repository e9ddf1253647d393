"""Transactions, awaited: each on a thread of its own."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterable
from types import TracebackType

import accounting
from accounting.aio.services import Accounts, ApiKeys, Credits, Pricing, Sessions, Usage
from accounting.aio.worker import Worker
from accounting.errors import Conflict

__all__ = ["OpenTransaction", "Transaction", "refuse_within"]

# The innermost transaction that the present task is in, for the refusal of calls around it.
_within: contextvars.ContextVar[Transaction | None] = contextvars.ContextVar(
    "accounting.aio", default=None
)


def refuse_within(books: accounting.Accounting) -> None:
    """Refuse a direct call on books of which the present task has a transaction open.

    Raises:
        Conflict: it has.
    """
    transaction = _within.get()
    while transaction is not None:
        if transaction._open and transaction._books is books:
            raise Conflict("a transaction is open in this task: use its services, not the books'")
        transaction = transaction._outer


class Transaction:
    """The services inside one database transaction, awaited: all of it happens, or none of it.

    From `async with books.transaction()`. It has a thread and a connection of its own until it
    ends. Meanwhile direct calls on the books, from the task that began it and from tasks made
    inside it, raise Conflict: they could wait for the transaction itself.

    Attributes:
        accounts: as of the books; likewise the other services.
        credits: see `accounting.Credits`.
        sessions: see `accounting.Sessions`.
        usage: see `accounting.Usage`.
        pricing: see `accounting.Pricing`.
        api_keys: see `accounting.ApiKeys`.
    """

    __slots__ = (
        "_books", "_open", "_outer", "_transaction", "_worker",
        "accounts", "api_keys", "credits", "pricing", "sessions", "usage",
    )  # fmt: skip

    def __init__(
        self,
        books: accounting.Accounting,
        transaction: accounting.Transaction,
        worker: Worker,
        outer: Transaction | None,
    ) -> None:
        """For the books; not for callers."""
        self._books = books
        self._open = True
        self._outer = outer
        self._transaction = transaction
        self._worker = worker
        self.accounts = Accounts(transaction.accounts, worker)
        self.credits = Credits(transaction.credits, worker)
        self.sessions = Sessions(transaction.sessions, worker)
        self.usage = Usage(transaction.usage, worker)
        self.pricing = Pricing(transaction.pricing, worker)
        self.api_keys = ApiKeys(transaction.api_keys, worker)

    async def commit(self) -> None:
        """Make everything take effect now rather than at the end. A cancellation waits for it.

        Raises:
            OutcomeUnknown: the database did not confirm the commit.
            Conflict: it has ended already.
        """
        await self._end(self._transaction.commit)

    async def rollback(self) -> None:
        """Undo everything. Harmless after commit."""
        await self._end(self._transaction.rollback)

    async def _end(self, call: Callable[[], None]) -> None:
        try:
            await self._worker.finish(call)
        finally:
            # Also where it failed: nothing can be done in it any more.
            self._open = False


class OpenTransaction:
    """What `books.transaction()` answers: begins on entry, ends on exit."""

    __slots__ = ("_books", "_entered", "_slots", "_transaction", "_users", "_worker")

    def __init__(
        self, books: accounting.Accounting, slots: asyncio.Semaphore, users: Iterable[str]
    ) -> None:
        """For the books; not for callers."""
        self._books = books
        self._entered = False
        self._slots = slots
        self._users = users

    async def __aenter__(self) -> Transaction:
        """Begin. A cancellation waits until it has begun, and undoes it.

        Raises:
            Conflict: it is open, in another task; each block needs one of its own.
        """
        refuse_within(self._books)
        if self._entered:
            # Its block's end could not tell which of two to commit.
            raise Conflict("this transaction is open: each block needs a books.transaction() anew")
        self._entered = True
        try:
            await self._slots.acquire()
        except BaseException:
            self._entered = False
            raise
        # A transaction belongs to one thread, so it gets one.
        self._worker = Worker(1)
        begun: list[accounting.Transaction] = []
        try:
            await self._worker.finish(lambda: begun.append(self._books.transaction(self._users)))
        except BaseException:
            await self._undo(begun)
            raise
        self._transaction = Transaction(self._books, begun[0], self._worker, _within.get())
        _within.set(self._transaction)
        return self._transaction

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Commit, or roll back where the block raised. A cancellation waits for it."""
        transaction = self._transaction
        _within.set(transaction._outer)
        try:
            await self._worker.finish(
                lambda: transaction._transaction.__exit__(error_type, error, traceback)
            )
        finally:
            transaction._open = False
            await self._leave()

    async def _undo(self, begun: list[accounting.Transaction]) -> None:
        try:
            for transaction in begun:
                await self._worker.finish(transaction.rollback)
        finally:
            await self._leave()

    async def _leave(self) -> None:
        try:
            await self._worker.close()
        finally:
            self._slots.release()
            self._entered = False
