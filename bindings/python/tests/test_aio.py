"""The awaited services: the same calls, on threads, cancelled safely."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

import accounting
import accounting.aio
from accounting import Conflict, InsufficientCredits, InvalidArgument, ManualClock
from aio_tool import run


def public(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


# --- the same calls -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Accounts", "ApiKeys", "Audit", "Credits", "Pricing", "Sessions", "Usage"]
)
def test_services_have_the_same_calls(name: str) -> None:
    plain, awaited = getattr(accounting, name), getattr(accounting.aio, name)
    assert public(plain) == public(awaited)
    for call in public(plain):
        assert inspect.signature(getattr(plain, call)) == inspect.signature(getattr(awaited, call))
        assert inspect.iscoroutinefunction(getattr(awaited, call))
        assert getattr(awaited, call).__doc__ == getattr(plain, call).__doc__


def test_books_and_transactions_have_the_same_members() -> None:
    missing = public(accounting.Accounting) - public(accounting.aio.Accounting)
    assert not missing, f"accounting.aio.Accounting lacks {missing}"
    assert public(accounting.Transaction) <= public(accounting.aio.Transaction)


def test_open_has_the_same_options() -> None:
    plain = inspect.signature(accounting.open).parameters
    awaited = dict(inspect.signature(accounting.aio.open).parameters)
    assert awaited.pop("threads").default == 16
    assert awaited == dict(plain)


def test_answers_are_those_of_the_books(url: str, clock: ManualClock) -> None:
    async def body(books: accounting.aio.Accounting) -> None:
        await books.pricing.set("m", "10", created_by="admin")
        session = await books.sessions.initialize("s-1", "ada", "m", estimated_tokens=1_200)
        assert session.allocated_credits == 15
        settlement = await books.sessions.finalize("s-1", "ada", actual_tokens=870)
        assert (settlement.actual_credits, settlement.refund) == (9, 6)
        assert (await books.credits.balance("ada")).total_credits == 991
        assert [one.operation for one in await books.usage.list("ada")] == ["m"]
        assert (await books.accounts.list()).total == 1
        with pytest.raises(InsufficientCredits) as caught:
            await books.credits.deduct("ada", 2_000)
        assert (caught.value.required, caught.value.available) == (2_000, 991)
        assert await books.schema_version() == await books.migrate()
        assert (await books.health()).ok
        assert (await books.verify()).ok

    run(url, body, clock=clock)


def test_open_can_be_awaited() -> None:
    async def main() -> None:
        books = await accounting.aio.open("sqlite://")
        async with books as same:
            assert same is books
            assert (await books.health()).ok
        await books.close()
        with pytest.raises(Conflict):
            await books.health()
        async with await accounting.aio.open("sqlite://") as books:
            assert (await books.health()).ok

    asyncio.run(main())


def test_open_refuses_as_the_books_do() -> None:
    async def main() -> None:
        with pytest.raises(InvalidArgument):
            await accounting.aio.open("no-url")
        for threads in (0, 1_001, True, "4"):
            with pytest.raises(InvalidArgument):
                accounting.aio.open("sqlite://", threads=threads)  # type: ignore[arg-type]

    asyncio.run(main())


# --- threads --------------------------------------------------------------------------------------


def test_calls_share_a_bounded_number_of_threads(url: str) -> None:
    async def body(books: accounting.aio.Accounting) -> None:
        charge = books.credits.charge
        await asyncio.gather(*(charge("ada", "chat", "m", 1) for _ in range(200)))
        assert (await books.credits.balance("ada")).total_credits == 800
        ours = [one for one in threading.enumerate() if one.name.startswith("accounting.aio")]
        assert 1 <= len(ours) <= 3

    run(url, body, threads=3)


def test_the_event_loop_goes_on_meanwhile() -> None:
    async def body(books: accounting.aio.Accounting) -> None:
        waiting = asyncio.create_task(books.transact(lambda tx: time.sleep(0.2)))
        turns = 0
        while not waiting.done():
            turns += 1
            await asyncio.sleep(0.005)
        assert turns > 5

    run("sqlite://", body)


# --- cancellation ---------------------------------------------------------------------------------


def test_a_cancelled_call_that_waits_never_starts(url: str) -> None:
    async def body(books: accounting.aio.Accounting) -> None:
        go_on = threading.Event()
        first = asyncio.create_task(books.transact(lambda tx: go_on.wait(10)))
        second = asyncio.create_task(books.credits.deduct("ada", 1))
        await asyncio.sleep(0.05)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        go_on.set()
        assert await first
        assert (await books.credits.balance("ada")).total_credits == 1_000

    run(url, body, threads=1)


def test_a_cancelled_call_that_runs_happens_whole(url: str) -> None:
    async def body(books: accounting.aio.Accounting) -> None:
        started, go_on = threading.Event(), threading.Event()

        def give(tx: accounting.Transaction) -> None:
            tx.credits.deduct("ada", 1)
            started.set()
            go_on.wait(10)
            tx.credits.deduct("ada", 2)

        task = asyncio.create_task(books.transact(give))
        while not started.is_set():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task  # at once, although the thread still waits
        go_on.set()
        balance = await books.credits.balance("ada")  # after it, on the only thread
        assert balance.total_credits == 997

    run(url, body, threads=1)


def test_cancellation_at_any_moment_leaves_no_half_command(url: str) -> None:
    async def body(books: accounting.aio.Accounting) -> None:
        done = 0
        for number in range(60):
            key = f"k-{number}"
            task = asyncio.create_task(
                books.credits.charge("ada", "chat", "m", 1, idempotency_key=key)
            )
            await asyncio.sleep(number * 0.000_05)
            task.cancel()
            await asyncio.wait([task])
            done += not task.cancelled()
        left = (await books.credits.balance("ada")).total_credits
        assert 1_000 - 60 <= left <= 1_000 - done
        # Repeated with its key, each has happened exactly once.
        for number in range(60):
            await books.credits.charge("ada", "chat", "m", 1, idempotency_key=f"k-{number}")
        assert (await books.credits.balance("ada")).total_credits == 940
        assert (await books.usage.user_stats("ada")).total_records == 60
        assert (await books.verify()).ok

    run(url, body, threads=2)


def test_close_waits_for_what_was_asked_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/books.db"

    async def main() -> None:
        books = await accounting.aio.open(url)
        await books.accounts.sync("ada", "a@example.org", "Ada")
        allocate = books.credits.allocate
        asked = [asyncio.create_task(allocate("ada", 1, "admin")) for _ in range(20)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(books.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert all(one.id for one in await asyncio.gather(*asked))
        with pytest.raises(Conflict):
            await books.credits.balance("ada")

    asyncio.run(main())
    with accounting.open(url) as books:
        assert books.credits.balance("ada").total_credits == 20


def test_a_cancelled_open_leaves_no_thread() -> None:
    # A server that takes the connection and never answers keeps `open` at work until its time-out.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"

        async def opened() -> accounting.aio.Accounting:
            return await accounting.aio.open(url, connect_timeout=timedelta(seconds=1))

        async def main() -> None:
            opening = asyncio.create_task(opened())
            connection, _ = await asyncio.to_thread(silent.accept)
            with connection:
                opening.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await opening

        before = threading.active_count()
        asyncio.run(main())
    assert threading.active_count() <= before
