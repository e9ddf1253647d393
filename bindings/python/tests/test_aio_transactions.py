"""Transactions, awaited: one thread each, whole or not at all."""

from __future__ import annotations

import asyncio
import threading

import pytest

import accounting
import accounting.aio
from accounting import Conflict, InsufficientCredits, InvalidArgument, NotFound, StoreError
from aio_tool import run
from databases import END_CONNECTIONS, psql

Books = accounting.aio.Accounting


async def total(books: Books) -> int:
    return (await books.credits.balance("ada")).total_credits


def test_transact_commits_and_answers(url: str) -> None:
    async def body(books: Books) -> None:
        def give(tx: accounting.Transaction) -> list[int]:
            return [tx.credits.allocate("ada", n, "admin").id for n in (10, 20)]

        assert await books.transact(give, users=["ada"]) == [2, 3]
        assert await total(books) == 1_030

    run(url, body)


def test_transact_rolls_back_what_raises(url: str) -> None:
    async def body(books: Books) -> None:
        def spend(tx: accounting.Transaction) -> None:
            tx.credits.deduct("ada", 10)
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            await books.transact(spend)
        with pytest.raises(NotFound):
            await books.transact(lambda tx: None, users=["nobody"])
        assert await total(books) == 1_000

    run(url, body)


def test_stop_iteration_from_a_call_is_an_error_and_not_a_silence() -> None:
    async def body(books: Books) -> None:
        def stop(tx: accounting.Transaction) -> None:
            tx.credits.deduct("ada", 10)
            next(iter(()))

        with pytest.raises(RuntimeError, match="StopIteration") as caught:
            await asyncio.wait_for(books.transact(stop), 5)
        assert isinstance(caught.value.__cause__, StopIteration)
        assert await total(books) == 1_000

    run("sqlite://", body)


def test_transact_refuses_a_coroutine_function() -> None:
    async def body(books: Books) -> None:
        async def later(tx: accounting.Transaction) -> None:
            tx.credits.deduct("ada", 10)

        for fn in (later, lambda tx: later(tx)):
            with pytest.raises(InvalidArgument, match="async def"):
                _ = await books.transact(fn)
        assert await total(books) == 1_000
        with pytest.raises(InvalidArgument):
            await books.transact(None)  # type: ignore[arg-type]

    run("sqlite://", body)


def test_transaction_commits_at_the_end_of_its_block(url: str) -> None:
    async def body(books: Books) -> None:
        async with books.transaction(["ada"]) as tx:
            await tx.credits.deduct("ada", 10)
            with pytest.raises(InsufficientCredits):
                await tx.credits.deduct("ada", 5_000)
            assert (await tx.credits.balance("ada")).total_credits == 990
        assert await total(books) == 990
        with pytest.raises(Conflict):
            await tx.credits.deduct("ada", 1)

    run(url, body)


def test_transaction_rolls_back_a_block_that_raises(url: str) -> None:
    async def body(books: Books) -> None:
        with pytest.raises(KeyError):
            async with books.transaction() as tx:
                await tx.credits.deduct("ada", 10)
                raise KeyError
        assert await total(books) == 1_000
        async with books.transaction() as tx:
            await tx.credits.deduct("ada", 10)
            await tx.rollback()
        assert await total(books) == 1_000
        async with books.transaction() as tx:
            await tx.credits.deduct("ada", 10)
            await tx.commit()
            assert await total(books) == 990  # ended, so direct calls are welcome again

    run(url, body)


def test_a_commit_that_failed_is_not_tried_again_at_the_end(server_url: str) -> None:
    async def body(books: Books) -> None:
        async with books.transaction() as tx:
            await tx.credits.deduct("ada", 10)
            psql(server_url, END_CONNECTIONS)
            with pytest.raises(StoreError):
                await tx.commit()
            assert await total(books) == 1_000  # ended, so direct calls are welcome again

    run(server_url, body)


def test_a_cancelled_block_rolls_back(url: str) -> None:
    async def body(books: Books) -> None:
        inside = asyncio.Event()

        async def spend() -> None:
            async with books.transaction() as tx:
                await tx.credits.deduct("ada", 10)
                inside.set()
                await asyncio.sleep(60)

        task = asyncio.create_task(spend())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await total(books) == 1_000

    run(url, body, pool_size=1)


def test_cancelled_at_any_moment_a_transaction_is_whole(url: str) -> None:
    async def body(books: Books) -> None:
        async def spend() -> None:
            async with books.transaction() as tx:
                await tx.credits.deduct("ada", 1)
                await tx.credits.deduct("ada", 2)

        for number in range(40):
            task = asyncio.create_task(spend())
            await asyncio.sleep(number * 0.000_1)
            task.cancel()
            await asyncio.wait([task])
            assert (1_000 - await total(books)) % 3 == 0
        assert (await books.verify()).ok

    run(url, body, pool_size=1)


def test_direct_calls_within_a_transaction_are_refused() -> None:
    async def body(books: Books) -> None:
        async def other() -> int:
            return await total(books)

        async with accounting.aio.open("sqlite://") as others:
            async with books.transaction(), others.transaction():
                for call in (books.credits.balance("ada"), other()):
                    with pytest.raises(Conflict, match="in this task"):
                        await call
                with pytest.raises(Conflict, match="in this task"):
                    async with books.transaction():
                        pass
                with pytest.raises(Conflict, match="in this task"):
                    await asyncio.create_task(other())
            assert await total(books) == 1_000
            assert (await others.health()).ok

    run("sqlite://", body)


def test_a_transaction_is_entered_by_one_task_at_a_time(url: str) -> None:
    async def body(books: Books) -> None:
        shared = books.transaction()
        inside, go_on = asyncio.Event(), asyncio.Event()

        async def first() -> None:
            async with shared as tx:
                await tx.credits.deduct("ada", 10)
                inside.set()
                await go_on.wait()

        async def second() -> None:
            async with shared as tx:
                await tx.credits.deduct("ada", 1)

        one = asyncio.create_task(first())
        # Also while the first still waits for its beginning.
        await asyncio.sleep(0)
        with pytest.raises(Conflict, match="is open"):
            await second()
        await inside.wait()
        with pytest.raises(Conflict, match="is open"):
            await second()
        go_on.set()
        await one
        assert await total(books) == 990
        await second()
        assert await total(books) == 989

    run(url, body)


def test_a_transaction_that_did_not_begin_can_be_entered_again() -> None:
    async def body(books: Books) -> None:
        missing = books.transaction(["bob"])
        with pytest.raises(NotFound):
            async with missing:
                pass
        await books.accounts.sync("bob", "bob@example.org", "Bob")
        async with missing as tx:
            await tx.credits.allocate("bob", 5, "admin")
        assert (await books.credits.balance("bob")).total_credits == 5

    run("sqlite://", body)


def test_a_cancelled_wait_for_a_turn_leaves_the_transaction_usable() -> None:
    async def body(books: Books) -> None:
        waiting = books.transaction()

        async def spend() -> None:
            async with waiting as tx:
                await tx.credits.deduct("ada", 1)

        inside, go_on = asyncio.Event(), asyncio.Event()

        async def occupy() -> None:
            async with books.transaction():
                inside.set()
                await go_on.wait()

        occupant = asyncio.create_task(occupy())
        await inside.wait()
        task = asyncio.create_task(spend())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        await occupant
        await spend()
        assert await total(books) == 999

    run("sqlite://", body, threads=1)


def test_transactions_at_once_are_bounded(url: str) -> None:
    most = 0

    async def body(books: Books) -> None:
        async def spend() -> None:
            nonlocal most
            async with books.transaction(["ada"]) as tx:
                ours = [one for one in threading.enumerate() if "accounting.aio" in one.name]
                most = max(most, len(ours))
                await tx.credits.deduct("ada", 1)

        await asyncio.gather(*(spend() for _ in range(30)))
        assert await total(books) == 970

    run(url, body, threads=2)
    assert most <= 4
