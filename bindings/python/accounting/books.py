"""The books: opening them, transactions, upkeep."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from datetime import timedelta
from types import TracebackType
from typing import TypeVar

from accounting import _core
from accounting.clock import ManualClock
from accounting.errors import Conflict, InvalidArgument
from accounting.identity import JwtVerifier
from accounting.on_behalf_of import OnBehalfOf
from accounting.policy import Policy
from accounting.services import Accounts, ApiKeys, Audit, Credits, Pricing, Sessions, Usage
from accounting.values import CheckpointReport, Health, KeyIdentity, Principal, VerifyReport

__all__ = ["Accounting", "Transaction", "open"]

Answer = TypeVar("Answer")

_PLAIN = "a plain function that takes a Transaction, not async def"


def refuse_unless_plain(fn: object) -> None:
    """Refuse what `transact` cannot run.

    Raises:
        InvalidArgument: it cannot be called, or answers a coroutine, which nobody would await.
    """
    if not callable(fn):
        raise InvalidArgument("fn", f"a callable that takes a Transaction, not {fn!r}")
    if inspect.iscoroutinefunction(fn):
        raise InvalidArgument("fn", _PLAIN)


class _Log:
    """A caller's log as the library holds it, out of sight of Python's garbage collector.

    Closing the books lets go of the caller's callable: where that is a method of what owns the
    books, nothing else would ever break the circle.
    """

    __slots__ = ("target",)

    def __init__(self, target: Callable[[str, str], object]) -> None:
        self.target: Callable[[str, str], object] | None = target

    def __call__(self, level: str, message: str) -> None:
        """Pass it on, until the books are closed."""
        target = self.target
        if target is not None:
            target(level, message)


class Transaction:
    """The services inside one database transaction: all that is done happens, or none of it.

    From `books.transaction` and `books.transact`. Belongs to the thread that began it: calls from
    another raise Conflict, and so do calls after its end. While it is open, that thread's direct
    calls on the books raise Conflict too: they would wait for the transaction itself.

    Attributes:
        accounts: as of the books; likewise the other services.
        credits: see `Credits`.
        sessions: see `Sessions`.
        usage: see `Usage`.
        pricing: see `Pricing`.
        api_keys: see `ApiKeys`.
    """

    __slots__ = (
        "_core", "_ended", "accounts", "api_keys", "credits", "pricing", "sessions", "usage",
    )  # fmt: skip

    accounts: Accounts
    credits: Credits
    sessions: Sessions
    usage: Usage
    pricing: Pricing
    api_keys: ApiKeys

    def __init__(self, core: _core.Transaction) -> None:
        """For the books; not for callers."""
        self._core = core
        self._ended = False
        self.accounts = Accounts(core.accounts())
        self.credits = Credits(core.credits())
        self.sessions = Sessions(core.sessions())
        self.usage = Usage(core.usage())
        self.pricing = Pricing(core.pricing())
        self.api_keys = ApiKeys(core.api_keys())

    def commit(self) -> None:
        """Make everything take effect now rather than at the end.

        Raises:
            OutcomeUnknown: the database did not confirm the commit.
            Conflict: it has ended already.
        """
        self._end(self._core.commit)

    def rollback(self) -> None:
        """Undo everything. Harmless after commit."""
        self._end(self._core.rollback)

    def _end(self, call: Callable[[], None]) -> None:
        ended = True
        try:
            call()
        except Conflict:
            # From another thread, say: the transaction goes on in its own.
            ended = self._ended
            raise
        finally:
            # Also where it failed: leaving the block must not commit a second time.
            self._ended = ended

    def __enter__(self) -> Transaction:
        """The transaction itself."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Commit it, or roll it back where the block raised."""
        try:
            if error_type is None and not self._ended:
                self.commit()
        finally:
            self.rollback()


class Accounting:
    """The books: one database, opened by `accounting.open`.

    Thread-safe. A context manager, which closes them at its end. Services taken from the books
    keep them open.

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
        "__weakref__", "_core", "_log", "accounts", "api_keys", "audit", "credits", "pricing",
        "sessions", "usage",
    )  # fmt: skip

    accounts: Accounts
    credits: Credits
    sessions: Sessions
    usage: Usage
    pricing: Pricing
    api_keys: ApiKeys
    audit: Audit

    def __init__(self, core: _core.Books, log: _Log | None = None) -> None:
        """For `accounting.open`; not for callers."""
        self._core = core
        self._log = log
        self.accounts = Accounts(core.accounts())
        self.credits = Credits(core.credits())
        self.sessions = Sessions(core.sessions())
        self.usage = Usage(core.usage())
        self.pricing = Pricing(core.pricing())
        self.api_keys = ApiKeys(core.api_keys())
        self.audit = Audit(core.audit())

    def authenticate(self, token: str, verifier: JwtVerifier) -> Principal:
        """Whom a token proves to call.

        The account is there afterwards: created on first sight, brought up to date where a claim
        differs.

        Args:
            token: as the caller sent it, without "Bearer".
            verifier: which tokens are accepted.

        Raises:
            Unauthenticated: the token is refused; nothing was changed.
        """
        if not isinstance(verifier, JwtVerifier):
            raise InvalidArgument("verifier", f"a JwtVerifier, not a {type(verifier).__name__}")
        return self._core.authenticate(token, verifier._core)

    def on_behalf_of(self, principal: Principal | KeyIdentity) -> OnBehalfOf:
        """The services as a principal may use them, or the bearer of an API key.

        A principal may do what the role in its token allows; a key what both its permissions and
        its owner's present role do. Validate a key for each request of its bearer: the identity
        does not know when the key is revoked.

        Args:
            principal: from `authenticate`, or a KeyIdentity from `api_keys.validate`.
        """
        if isinstance(principal, KeyIdentity):
            return OnBehalfOf(self._core.on_behalf_of_key(principal), principal.user_id)
        if not isinstance(principal, Principal):
            raise InvalidArgument(
                "principal", f"a Principal or a KeyIdentity, not a {type(principal).__name__}"
            )
        return OnBehalfOf(self._core.on_behalf_of_principal(principal), principal.user_id)

    def transact(self, fn: Callable[[Transaction], Answer], users: Iterable[str] = ()) -> Answer:
        """Run `fn` in a transaction and commit it; answer what it answers.

        What `fn` raises rolls everything back and is raised again, unchanged. Where the database
        asks for another try, `fn` is run again from the start, so it must have no effect elsewhere.
        All its runs share one `call_timeout`; what `fn` does between its calls does not count.

        Args:
            fn: takes a Transaction; not a coroutine function.
            users: accounts that will be written to, where there are several: they are locked up
                front, in order, so that transactions do not wait for each other in a circle.

        Raises:
            NotFound: one of `users` is no account.
            InvalidArgument: `fn` cannot be called, or is `async def`; nothing was done.

        >>> import accounting
        >>> books = accounting.open("sqlite://")
        >>> _ = books.accounts.sync("ada", "ada@example.org", "Ada")
        >>> def give(tx):
        ...     return [tx.credits.allocate("ada", n, "admin").id for n in (10, 20)]
        >>> books.transact(give)
        [1, 2]
        """
        refuse_unless_plain(fn)

        def work(core: _core.Transaction) -> Answer:
            answer = fn(Transaction(core))
            if inspect.iscoroutine(answer):
                # Raised before the commit, which would keep nothing of what it was to do.
                answer.close()
                raise InvalidArgument("fn", _PLAIN)
            return answer

        answer: Answer = self._core.transact(work, users)
        return answer

    def transaction(self, users: Iterable[str] = ()) -> Transaction:
        """Begin a transaction for a `with` statement, never re-run.

        Committed at the end of the block, rolled back where the block raises.

        Args:
            users: accounts that will be written to, where there are several; see `transact`.

        Raises:
            NotFound: one of `users` is no account.

        >>> import accounting
        >>> books = accounting.open("sqlite://")
        >>> with books.transaction() as tx:
        ...     _ = tx.accounts.sync("ada", "ada@example.org", "Ada")
        ...     _ = tx.credits.allocate("ada", 10, "admin")
        >>> books.credits.balance("ada").total_credits
        10
        """
        return Transaction(self._core.transaction(users))

    def migrate(self) -> int:
        """Bring the schema up to this version; safe when several processes do it at once.

        Returns:
            The schema's version.

        Raises:
            MigrationError: it is newer than the library, or was changed behind its back.
        """
        return self._core.migrate()

    def schema_version(self) -> int:
        """The version of the schema; 0 where the database is empty."""
        return self._core.schema_version()

    def verify(self) -> VerifyReport:
        """Prove that the books balance: invariants I1 to I6 and the hash chain of the journal.

        Over all rows, in one snapshot.
        """
        return self._core.verify()

    def checkpoint(self, private_key: bytes | str) -> str:
        """What the journals are now, signed.

        Keep it where nobody who can write the database can write.

        Args:
            private_key: an Ed25519 key as PEM (`openssl genpkey -algorithm ed25519`), without a
                password; not kept.

        Raises:
            InvalidArgument: private_key.
        """
        return self._core.checkpoint(private_key)

    def verify_checkpoint(self, checkpoint: str, public_key: str) -> CheckpointReport:
        """Whether these books hold every journal entry that a checkpoint covers, unchanged.

        Say, of a restored backup; later entries do not matter. Reads the whole journal, and proves
        nothing of the other tables: `verify` does.

        Args:
            checkpoint: what `checkpoint` answered.
            public_key: the public half of its key, as PEM (`openssl pkey -pubout`).

        Raises:
            InvalidArgument: the checkpoint was changed, or signed with another key; public_key.
        """
        return self._core.verify_checkpoint(checkpoint, public_key)

    def health(self) -> Health:
        """Whether the books can be worked with. Raises nothing for a database out of reach."""
        return self._core.health()

    def close(self) -> None:
        """Close every idle connection now, and the others as their calls end.

        Calls after it raise Conflict, and the log is let go of. Harmless when repeated.
        """
        self._core.close()
        if self._log is not None:
            self._log.target = None

    def __enter__(self) -> Accounting:
        """The books themselves."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close them."""
        self.close()


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
) -> Accounting:
    """Open the books of a database.

    Args:
        url: `sqlite://` (in memory), `sqlite:///relative.db`, `sqlite:////absolute.db` or
            `postgresql://user:password@host:port/name`. None: the environment's
            ACCOUNTING_DATABASE_URL, else DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD.
        policy: the billing rules.
        clock: None: the machine's, which must stand in the years 1970 to 9999.
        pool_size: connections at most, 1 to 1,000. A database in memory always has one.
        migrate: True: bring the schema up to date. False: never. None: set up an empty SQLite
            database, leave any other as it is.
        call_timeout: how long a call may take in all, with everything below and all its tries: 2
            seconds to a day. It is answered at most a second later; one of many requests has it
            for each thousand of them, and so has each call of a `transaction`, while those of a
            `transact` share it. Without limit are `migrate`, `verify`, and what is done between two
            calls of a transaction.
        pool_timeout: how long a call waits for a free connection: 1 ms to a day, like the next
            four, rounded up to milliseconds.
        connect_timeout: how long a connection waits for the server. Several hosts of one URL share
            what is left of the call.
        statement_timeout: how long one statement may run.
        lock_timeout: how long it may wait for a lock; on SQLite for another writer, in whole
            seconds, rounded up.
        tcp_user_timeout: how long PostgreSQL's host may leave what was sent to it unconfirmed.
        max_attempts: how often a transaction is tried when the database asks for another try: 1 to
            100.
        pipeline: PostgreSQL: send the statements of a trip together.
        share_statements: PostgreSQL: let calls of many users that share a transaction share its
            statements. False: each lock and each write is a statement about one user, as databases
            that are sharded by user want it.
        api_key_prefix: what API keys begin with: 1 to 16 letters and digits.
        api_key_pepper: a secret of the host, at least 32 bytes, under which the hashes of API keys
            are made; a str counts as its UTF-8. Keys issued under another one are unknown. None:
            none.
        log: called with a level ("debug", "info", "warning", "error") and a message, from the
            thread that is at work, never with a secret, until the books are closed. Where it leads
            back to the books, say as a method of the object that keeps them, they must be closed:
            no garbage collector sees that circle. None: silent.

    Raises:
        InvalidArgument: the URL, or an option.
        ConnectionLost: the server is out of reach.
        MigrationError: the schema is newer than the library, or was changed behind its back.

    A database whose schema is missing or older opens too, for `books.migrate()`; until then every
    other call raises MigrationError.
    """
    if not isinstance(policy, Policy):
        raise InvalidArgument("policy", f"a Policy, not a {type(policy).__name__}")
    if clock is not None and not isinstance(clock, ManualClock):
        raise InvalidArgument("clock", f"a ManualClock or None, not a {type(clock).__name__}")
    # What cannot be called goes on as it is, for the library to refuse.
    relay = _Log(log) if callable(log) else None
    return Accounting(
        _core.open(
            url,
            policy,
            None if clock is None else clock._core,
            pool_size,
            migrate,
            call_timeout,
            pool_timeout,
            connect_timeout,
            statement_timeout,
            lock_timeout,
            tcp_user_timeout,
            max_attempts,
            pipeline,
            share_statements,
            api_key_prefix,
            api_key_pepper,
            log if relay is None else relay,
        ),
        relay,
    )
