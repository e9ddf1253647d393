"""Python goes on while a call waits for the database, and callbacks take the lock back."""

from __future__ import annotations

import functools
import gc
import inspect
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, get_type_hints

import pytest

import accounting
from accounting import (
    Accounting,
    Conflict,
    Health,
    InvalidApiKey,
    InvalidArgument,
    JwtVerifier,
    ManualClock,
    NotFound,
    OnBehalfOf,
    Policy,
    Principal,
    StoreError,
    Transaction,
)
from databases import END_CONNECTIONS, psql
from identity_tools import PRIVATE_KEY, PUBLIC_KEY, SECRET, token
from key_timing import RANDOM, with_checksum

CLOCK = ManualClock(datetime(2026, 1, 1, tzinfo=timezone.utc))
VERIFIER = JwtVerifier(SECRET, clock=CLOCK)
ONE = {"user_id": "ada", "service": "s", "operation": "o", "credits": 1}

CALLS: dict[str, Callable[[Accounting], object]] = {
    "accounts.sync": lambda b: b.accounts.sync("eve", "eve@example.org", "Eve"),
    "accounts.get": lambda b: b.accounts.get("ada"),
    "accounts.list": lambda b: b.accounts.list(),
    "credits.allocate": lambda b: b.credits.allocate("ada", 1, "admin"),
    "credits.allocate_many": lambda b: b.credits.allocate_many(
        [{"user_id": "ada", "credits": 1, "allocated_by": "x"}]
    ),
    "credits.balance": lambda b: b.credits.balance("ada"),
    "credits.check": lambda b: b.credits.check("ada", 1),
    "credits.deduct": lambda b: b.credits.deduct("ada", 1),
    "credits.charge": lambda b: b.credits.charge("ada", "s", "o", 1),
    "credits.charge_many": lambda b: b.credits.charge_many([ONE]),
    "credits.history": lambda b: b.credits.history("ada"),
    "credits.entries": lambda b: b.credits.entries("ada"),
    "credits.revoke": lambda b: b.credits.revoke(1, "ada", "admin"),
    "pricing.set": lambda b: b.pricing.set("m", 1, "admin"),
    "pricing.get": lambda b: b.pricing.get("m"),
    "pricing.list": lambda b: b.pricing.list(),
    "pricing.calculate": lambda b: b.pricing.calculate("m", 1),
    "sessions.initialize": lambda b: b.sessions.initialize("t", "ada", "m", 1),
    "sessions.get": lambda b: b.sessions.get("s", "ada"),
    "sessions.report": lambda b: b.sessions.report("s", "ada", 1),
    "sessions.extend": lambda b: b.sessions.extend("s", "ada", 1),
    "sessions.finalize": lambda b: b.sessions.finalize("s", "ada", 1),
    "sessions.abort": lambda b: b.sessions.abort("s", "ada"),
    "sessions.active": lambda b: b.sessions.active("ada"),
    "sessions.all_active": lambda b: b.sessions.all_active(),
    "sessions.expire_stale": lambda b: b.sessions.expire_stale(),
    "usage.record": lambda b: b.usage.record("ada", "s", "o", 1),
    "usage.record_many": lambda b: b.usage.record_many([ONE]),
    "usage.list": lambda b: b.usage.list("ada"),
    "usage.user_stats": lambda b: b.usage.user_stats("ada"),
    "usage.system_stats": lambda b: b.usage.system_stats(),
    "api_keys.create": lambda b: b.api_keys.create("ada", "other", ["usage:read"]),
    "api_keys.list": lambda b: b.api_keys.list("ada"),
    "api_keys.update": lambda b: b.api_keys.update(1, "ada", name="new"),
    "api_keys.revoke": lambda b: b.api_keys.revoke(1, "ada"),
    "api_keys.rotate": lambda b: b.api_keys.rotate(1, "ada"),
    "api_keys.delete": lambda b: b.api_keys.delete(1, "ada"),
    "api_keys.validate": lambda b: validate_unknown_key(b),
    "audit.list": lambda b: b.audit.list(),
    "authenticate": lambda b: b.authenticate(token(CLOCK), VERIFIER),
    "transact": lambda b: b.transact(lambda tx: tx.credits.check("ada", 1)),
    "transaction": lambda b: b.transaction().rollback(),
    "migrate": lambda b: b.migrate(),
    "schema_version": lambda b: b.schema_version(),
    "verify": lambda b: b.verify(),
    "checkpoint": lambda b: b.checkpoint(PRIVATE_KEY),
    "verify_checkpoint": lambda b: b.verify_checkpoint(checkpoint_of_nothing(), PUBLIC_KEY),
    # Answers, where other calls raise, that it waited for the connection in vain.
    "health": lambda b: refuse_unless_ok(b.health()),
}
# on_behalf_of asks nothing of the database; close and destruction are in test_gil_processes.py.
OTHERS = {"on_behalf_of", "close"}
TURNS = 5


def validate_unknown_key(books: Accounting) -> None:
    # With the checksum of a real one, or it would be refused without a look into the database.
    with pytest.raises(InvalidApiKey):
        books.api_keys.validate(with_checksum("acct_" + "0" * RANDOM))


@functools.cache
def checkpoint_of_nothing() -> str:
    with accounting.open("sqlite://") as empty:
        return empty.checkpoint(PRIVATE_KEY)


def refuse_unless_ok(health: Health) -> None:
    assert health.ok, health.problem


def calls_of(kind: type) -> set[str]:
    return {name for name, value in inspect.getmembers(kind, callable) if name[0] != "_"}


def test_every_call_is_among_those_that_wait(
    memory: Accounting, say: Callable[[str], None]
) -> None:
    services = get_type_hints(Accounting)
    there_are = calls_of(Accounting) | {
        f"{service}.{name}" for service, kind in services.items() for name in calls_of(kind)
    }
    assert set(CALLS) | OTHERS == there_are
    # The same services again, with other things in front of them.
    guarded = memory.on_behalf_of(Principal("ada"))
    for service in OnBehalfOf.__slots__:
        assert calls_of(type(getattr(guarded, service))) <= calls_of(services[service])
    for service, kind in get_type_hints(Transaction).items():
        assert kind is services[service]
    say(f"{len(CALLS)} calls are listed as waiting, and {len(OTHERS)} as not")


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_waits_lets_other_threads_go_on(name: str) -> None:
    # A database in memory has one connection. Whoever waits for it with the interpreter's lock
    # in hand keeps the thread that has the connection from ever giving it back.
    checkpoint_of_nothing()
    with accounting.open(
        "sqlite://", policy=Policy(fallback_price=1), pool_timeout=timedelta(seconds=5)
    ) as books:
        books.accounts.sync("ada", "ada@example.org", "Ada")
        books.credits.allocate("ada", 100, "admin")
        books.sessions.initialize("s", "ada", "m", 1)
        books.pricing.set("m", 1, "admin")
        books.api_keys.create("ada", "key", ["usage:read"])
        waiting = threading.Event()

        def wait_and_call() -> object:
            waiting.set()
            return CALLS[name](books)

        with ThreadPoolExecutor(1) as pool:
            with books.transaction() as tx:
                future = pool.submit(wait_and_call)
                waiting.wait()
                for _ in range(TURNS):  # each lets the other thread run for a while
                    assert tx.credits.check("ada", 1)
                    threading.Event().wait(0.002)
                assert not future.done(), "it waits for nothing, so nothing is shown"
            future.result(timeout=5)


def test_a_call_that_waits_too_long_says_so() -> None:
    short = timedelta(milliseconds=20)
    with accounting.open("sqlite://", pool_timeout=short) as books, ThreadPoolExecutor(1) as pool:
        with books.transaction(), pytest.raises(StoreError) as caught:
            pool.submit(books.accounts.list).result()
        assert caught.value.retryable
        assert books.accounts.list().items == []


# --- callbacks -----------------------------------------------------------------------------------


def test_the_log_is_called_from_whatever_thread_is_at_work() -> None:
    heard: list[tuple[str, str]] = []
    books = accounting.open("sqlite://", log=lambda level, text: heard.append((level, text)))
    assert heard
    assert {level for level, _ in heard} <= {"debug", "info", "warning", "error"}
    heard.clear()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: books.migrate(), range(20)))
    assert len(heard) >= 20


def test_the_log_may_call_the_books() -> None:
    answers: list[Any] = []
    books: Accounting | None = None

    def log(level: str, text: str) -> None:
        if books is not None:
            answers.append(books.health().ok)

    books = accounting.open("sqlite://", log=log)
    books.migrate()
    assert answers == [True]


def test_what_the_log_raises_disturbs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda hook: unraisable.append(hook.exc_value))

    def log(level: str, text: str) -> None:
        raise RuntimeError("no paper")

    with accounting.open("sqlite://", log=log) as books:
        assert books.health().ok
    assert [str(error) for error in unraisable] == ["no paper"]


def test_the_log_goes_with_the_books() -> None:
    class Log:
        def __call__(self, level: str, text: str) -> None:
            pass

    log = Log()
    gone = weakref.ref(log)
    books = accounting.open("sqlite://", log=log)
    service = books.credits
    del log, books
    gc.collect()
    assert gone() is not None
    del service
    gc.collect()
    assert gone() is None


def test_a_log_that_leads_back_to_the_books_goes_when_they_are_closed() -> None:
    class Owner:
        def __init__(self) -> None:
            self.heard: list[str] = []
            self.books = accounting.open("sqlite://", log=self.log)

        def log(self, level: str, text: str) -> None:
            self.heard.append(text)

    owner = Owner()
    gone = weakref.ref(owner)
    heard = len(owner.heard)
    owner.books.migrate()
    assert len(owner.heard) > heard > 0
    owner.books.close()
    del owner
    gc.collect()
    assert gone() is None


# --- transactions --------------------------------------------------------------------------------


def test_transact_commits_and_answers(books: Accounting) -> None:
    answer = books.transact(lambda tx: tx.credits.allocate("ada", 5, "admin"), users=["ada"])
    assert books.credits.balance("ada").active_allocations == [answer]


def test_what_fn_raises_rolls_back_and_comes_out_unchanged(books: Accounting) -> None:
    class Stop(Exception):
        pass

    stop = Stop("here")
    caught: pytest.ExceptionInfo[BaseException]

    def work(tx: Transaction) -> None:
        tx.credits.allocate("ada", 5, "admin")
        raise stop

    with pytest.raises(Stop) as caught:
        books.transact(work)
    assert caught.value is stop
    for error in (stop, KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught, books.transaction() as tx:
            tx.credits.allocate("ada", 5, "admin")
            raise error
        assert caught.value is error
    assert books.credits.history("ada").items == []


def test_a_refused_call_in_a_transaction_leaves_the_rest(books: Accounting) -> None:
    def work(tx: Transaction) -> str:
        tx.credits.allocate("ada", 5, "admin")
        with pytest.raises(NotFound):
            tx.accounts.get("nobody")
        tx.credits.allocate("ada", 6, "admin")
        return "done"

    assert books.transact(work) == "done"
    assert books.credits.balance("ada").total_credits == 11


def test_a_transaction_ends_once(books: Accounting) -> None:
    kept: list[Transaction] = []
    books.transact(kept.append)
    with books.transaction() as tx:
        tx.credits.allocate("ada", 5, "admin")
        tx.commit()
        tx.rollback()
        kept.append(tx)
    with books.transaction() as tx:
        tx.credits.allocate("ada", 5, "admin")
        tx.rollback()
        kept.append(tx)
    kept.append(books.transaction())
    kept[-1].rollback()
    assert books.credits.balance("ada").total_credits == 5
    for ended in kept:
        for call in (ended.accounts.list, ended.commit):
            with pytest.raises(Conflict, match="ended"):
                call()


@pytest.mark.filterwarnings("error")  # such as "never awaited"
def test_transact_refuses_what_would_have_to_be_awaited(books: Accounting) -> None:
    async def give(tx: Transaction) -> None:
        tx.credits.allocate("ada", 5, "admin")

    def give_and_answer(tx: Transaction) -> object:
        tx.credits.allocate("ada", 5, "admin")
        return give(tx)

    for fn in (give, give_and_answer, lambda tx: give(tx)):
        with pytest.raises(InvalidArgument, match="not async def") as caught:
            books.transact(fn)
        assert caught.value.argument == "fn"
    assert books.credits.history("ada").items == []
    # Like every argument, looked at before any account.
    with pytest.raises(InvalidArgument):
        books.transact(give, users=["nobody"])


def test_a_commit_that_failed_is_not_tried_again_at_the_end(server_url: str) -> None:
    with accounting.open(server_url, migrate=True) as books:
        with books.transaction() as tx:
            tx.accounts.sync("ada", "ada@example.org", "Ada")
            psql(server_url, END_CONNECTIONS)
            with pytest.raises(StoreError):
                tx.commit()
        assert books.accounts.list().items == []


def test_a_transaction_that_is_dropped_is_rolled_back(books: Accounting) -> None:
    tx = books.transaction()
    tx.credits.allocate("ada", 5, "admin")
    del tx
    gc.collect()
    assert books.credits.history("ada").items == []


def test_the_books_refuse_direct_calls_inside_a_transaction(books: Accounting) -> None:
    with books.transaction() as tx:
        with pytest.raises(Conflict, match="transaction"):
            books.credits.balance("ada")
        with pytest.raises(Conflict, match="transaction"):
            books.transact(lambda inner: None)
        assert tx.credits.balance("ada").total_credits == 0
    assert books.credits.balance("ada").total_credits == 0


def test_a_transaction_belongs_to_one_thread(books: Accounting) -> None:
    with books.transaction() as tx, ThreadPoolExecutor(1) as pool:
        tx.credits.allocate("ada", 5, "admin")
        for call in (lambda: tx.credits.balance("ada"), tx.commit, tx.rollback):
            with pytest.raises(Conflict, match="another thread"):
                pool.submit(call).result()
    assert books.credits.balance("ada").total_credits == 5


def test_fn_runs_again_where_the_database_asks_for_another_try(server_url: str) -> None:
    # SQLite has one writer, so its transactions do not deadlock.
    with accounting.open(server_url, migrate=True) as books:
        for user_id in ("ada", "bob"):
            books.accounts.sync(user_id, "m", user_id)
            books.credits.allocate(user_id, 100, "admin")
        both_have_one = threading.Barrier(2, timeout=5)
        runs: list[str] = []

        def work(first: str, second: str) -> Callable[[Transaction], None]:
            def in_a_circle(tx: Transaction) -> None:
                runs.append(first)
                tx.credits.deduct(first, 1)
                if runs.count(first) == 1:
                    both_have_one.wait()
                tx.credits.deduct(second, 1)

            return in_a_circle

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(books.transact, [work("ada", "bob"), work("bob", "ada")]))
        assert len(runs) > 2
        assert [books.credits.balance(one).total_credits for one in ("ada", "bob")] == [98, 98]
        assert books.verify().ok
