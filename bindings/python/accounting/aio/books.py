"""The books, awaited: opening them, transactions, upkeep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable
from datetime import timedelta
from types import TracebackType
from typing import TypeVar

import accounting
from accounting.aio.on_behalf_of import OnBehalfOf
from accounting.aio.services import Accounts, ApiKeys, Audit, Credits, Pricing, Sessions, Usage
from accounting.aio.transaction import OpenTransaction, Transaction, refuse_within
from accounting.aio.worker import Worker
from accounting.books import refuse_unless_plain
from accounting.clock import ManualClock
from accounting.errors import InvalidArgument
from accounting.identity import JwtVerifier
from accounting.policy import Policy
from accounting.values import CheckpointReport, Health, KeyIdentity, Principal, VerifyReport

__all__ = ["Accounting", "Transaction", "open"]

Answer = TypeVar("Answer")


class Accounting:
    """The books: one database, opened by `accounting.aio.open`.

    An asynchronous context manager, which closes them at its end. For the event loop that opened
    them; any number of its tasks may call at once.

    Attributes:
        accounts: who can hold credits.
        credits: what they hold, and what is taken from it.
        sessions: credits held while an answer streams.
        usage: records and statistics.
        pricing: what a model costs.
        api_keys: what programs present in place of a person.
        audit: who changed accounts, prices and keys.
    """

    __slots__ = (
        "__weakref__", "_books", "_transactions", "_worker",
        "accounts", "api_keys", "audit", "credits", "pricing", "sessions", "usage",
    )  # fmt: skip

    def __init__(self, books: accounting.Accounting, threads: int) -> None:
        """For `accounting.aio.open`; not for callers."""
        self._books = books
        # Each transaction has a thread of its own: as many again, and no more.
        self._transactions = asyncio.Semaphore(threads)
        self._worker = worker = Worker(threads, before=lambda: refuse_within(books))
        self.accounts = Accounts(books.accounts, worker)
        self.credits = Credits(books.credits, worker)
        self.sessions = Sessions(books.sessions, worker)
        self.usage = Usage(books.usage, worker)
        self.pricing = Pricing(books.pricing, worker)
        self.api_keys = ApiKeys(books.api_keys, worker)
        self.audit = Audit(books.audit, worker)

    async def authenticate(self, token: str, verifier: JwtVerifier) -> Principal:
        """Whom a token proves to call; see `accounting.Accounting.authenticate`.

        Raises:
            Unauthenticated: the token is refused; nothing was changed.
        """
        return await self._worker.run(lambda: self._books.authenticate(token, verifier))

    def on_behalf_of(self, principal: Principal | KeyIdentity) -> OnBehalfOf:
        """The services as a principal may use them, or the bearer of an API key.

        Not awaited itself, since it asks nobody; see `accounting.Accounting.on_behalf_of`.

        Args:
            principal: from `authenticate`, or a KeyIdentity from `api_keys.validate`.
        """
        return OnBehalfOf(self._books.on_behalf_of(principal), self._worker)

    async def transact(
        self, fn: Callable[[accounting.Transaction], Answer], users: Iterable[str] = ()
    ) -> Answer:
        """Run a plain function in a transaction and commit it; answer what it answers.

        `fn` runs on one worker thread and calls the services of its transaction without await. What
        it raises rolls everything back and is raised again. Where the database asks for another
        try, `fn` is run again from the start, so it must have no effect elsewhere. Cancelled, the
        transaction happens as a whole or never starts.

        Args:
            fn: takes an `accounting.Transaction`; not a coroutine function.
            users: accounts that will be written to, where there are several: they are locked up
                front, in order.

        Raises:
            NotFound: one of `users` is no account.
            InvalidArgument: `fn` is a coroutine function or cannot be called.
        """
        refuse_unless_plain(fn)
        return await self._worker.run(lambda: self._books.transact(fn, users))

    def transaction(self, users: Iterable[str] = ()) -> OpenTransaction:
        """A transaction for an `async with` statement, never re-run.

        Committed at the end of the block; rolled back where the block raises or is cancelled. At
        most as many at once as the books have threads; further ones wait.

        Args:
            users: as of `transact`.
        """
        return OpenTransaction(self._books, self._transactions, users)

    async def migrate(self) -> int:
        """Bring the schema up to this version; see `accounting.Accounting.migrate`."""
        return await self._worker.run(self._books.migrate)

    async def schema_version(self) -> int:
        """The version of the schema; 0 where the database is empty."""
        return await self._worker.run(self._books.schema_version)

    async def verify(self) -> VerifyReport:
        """Prove that the books balance: invariants I1 to I6 and the hash chain of the journal.

        Over all rows, in one snapshot.
        """
        return await self._worker.run(self._books.verify)

    async def checkpoint(self, private_key: bytes | str) -> str:
        """What the journals are now, signed; see `accounting.Accounting.checkpoint`."""
        return await self._worker.run(lambda: self._books.checkpoint(private_key))

    async def verify_checkpoint(self, checkpoint: str, public_key: str) -> CheckpointReport:
        """Whether these books hold every journal entry that a checkpoint covers, unchanged."""
        return await self._worker.run(lambda: self._books.verify_checkpoint(checkpoint, public_key))

    async def health(self) -> Health:
        """Whether the books can be worked with. Raises nothing for a database out of reach."""
        return await self._worker.run(self._books.health)

    async def close(self) -> None:
        """Wait until the calls that were made have ended, then close every connection.

        Calls after it raise Conflict. A cancellation waits for it. Harmless when repeated.
        """
        await self._worker.close(self._books.close)

    async def __aenter__(self) -> Accounting:
        """The books themselves."""
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close them."""
        await self.close()


class _Opening:
    """What `open` answers: for `async with`, or to be awaited."""

    __slots__ = ("_books", "_open", "_threads")

    def __init__(self, open: Callable[[], accounting.Accounting], threads: int) -> None:
        self._open = open
        self._threads = threads
        self._books: Accounting | None = None

    async def _opened(self) -> Accounting:
        worker = Worker(1)
        opened: list[accounting.Accounting] = []
        try:
            await worker.finish(lambda: opened.append(self._open()))
        except BaseException:
            # Cancelled once it had begun: nobody will get these books.
            for books in opened:
                await worker.finish(books.close)
            raise
        finally:
            await worker.close()
        return Accounting(opened[0], self._threads)

    def __await__(self) -> Generator[object, None, Accounting]:
        """The books."""
        return self._opened().__await__()

    async def __aenter__(self) -> Accounting:
        """The books."""
        self._books = await self._opened()
        return self._books

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close them."""
        if self._books is not None:
            await self._books.close()


def open(
    url: str | None = None,
    policy: Policy = Policy(),
    clock: ManualClock | None = None,
    pool_size: int = 4,
    migrate: bool | None = None,
    *,
    call_timeout: timedelta = timedelta(seconds=30),
    pool_timeout: timedelta = timedelta(seconds=10),
    connect_timeout: timedelta = timedelta(seconds=5),
    statement_timeout: timedelta = timedelta(seconds=15),
    lock_timeout: timedelta = timedelta(seconds=10),
    tcp_user_timeout: timedelta = timedelta(seconds=10),
    max_attempts: int = 8,
    pipeline: bool = True,
    share_statements: bool = True,
    api_key_prefix: str = "acct",
    api_key_pepper: bytes | str | None = None,
    log: Callable[[str, str], object] | None = None,
    threads: int = 16,
) -> _Opening:
    """Open the books of a database, in an `async with` statement or awaited.

    Args:
        url: as of `accounting.open`, like everything that is not named here.
        policy: the billing rules.
        clock: None: the machine's.
        pool_size: connections at most.
        migrate: whether to bring the schema up to date.
        call_timeout: how long a call may take in all.
        pool_timeout: how long a call waits for a free connection.
        connect_timeout: how long a connection waits for the server.
        statement_timeout: how long one statement may run.
        lock_timeout: how long it may wait for a lock.
        tcp_user_timeout: how long PostgreSQL's host may leave what was sent unconfirmed.
        max_attempts: how often a transaction is tried.
        pipeline: PostgreSQL: send the statements of a trip together.
        share_statements: PostgreSQL: let calls of many users share statements.
        api_key_prefix: what API keys begin with.
        api_key_pepper: a secret of the host, under which their hashes are made.
        log: called from the thread that is at work, until the books are closed.
        threads: calls at work at once, 1 to 1,000. May well be more than `pool_size`: writes that
            wait for each other's commit share one.

    Raises:
        InvalidArgument: an option.
        ConnectionLost: the server is out of reach.
        MigrationError: the schema is newer than the library, or was changed behind its back.

    A cancellation waits until they are open, and closes them.
    """
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1_000:
        raise InvalidArgument("threads", "a number from 1 to 1000")
    return _Opening(
        lambda: accounting.open(
            url, policy, clock, pool_size, migrate,
            call_timeout=call_timeout, pool_timeout=pool_timeout,
            connect_timeout=connect_timeout, statement_timeout=statement_timeout,
            lock_timeout=lock_timeout, tcp_user_timeout=tcp_user_timeout,
            max_attempts=max_attempts, pipeline=pipeline, share_statements=share_statements,
            api_key_prefix=api_key_prefix, api_key_pepper=api_key_pepper, log=log,
        ),
        threads,
    )  # fmt: skip
