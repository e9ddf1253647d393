"""Threads for calls that wait for a database."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from accounting.errors import Conflict

__all__ = ["Worker"]

Answer = TypeVar("Answer")


class Worker:
    """A bounded number of threads. A call runs on one of them, whole, or not at all.

    `before` is called in the caller's own task each time, and may raise.
    """

    __slots__ = ("_before", "_closing", "_executor")

    def __init__(self, threads: int, before: Callable[[], None] | None = None) -> None:
        """Start no thread yet; each starts when it is needed."""
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="accounting.aio")
        self._before = before
        self._closing: asyncio.Future[None] | None = None

    def begin(self, call: Callable[[], Answer]) -> asyncio.Future[Answer]:
        """Hand the call to a thread; the caller's context variables go with it.

        Raises:
            Conflict: it is closed.
        """
        if self._before is not None:
            self._before()
        if self._closing is not None:
            raise Conflict("the books or the transaction are closed")
        context = contextvars.copy_context()
        return asyncio.get_running_loop().run_in_executor(
            self._executor, lambda: context.run(_awaitable, call)
        )

    async def run(self, call: Callable[[], Answer]) -> Answer:
        """The answer of the call.

        Cancelled while it waits for a thread, it never starts. Cancelled later, it runs to its end
        on its thread and the answer is dropped.
        """
        return await self.begin(call)

    async def finish(self, call: Callable[[], Answer]) -> Answer:
        """The answer of a call that must happen: a cancellation waits until it has."""
        return await _whole(self.begin(call))

    async def close(self, last: Callable[[], None] | None = None) -> None:
        """Let the calls that were made end, then do the last thing. Harmless when repeated."""

        def shut() -> None:
            self._executor.shutdown(wait=True)
            if last is not None:
                last()

        if self._closing is None:
            # Its own threads cannot wait for themselves.
            self._closing = asyncio.get_running_loop().run_in_executor(None, shut)
        await _whole(self._closing)


def _awaitable(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except StopIteration as error:
        # asyncio cannot put it into a future, so whoever awaits that would wait for ever.
        raise RuntimeError("the call raised StopIteration") from error


async def _whole(future: asyncio.Future[Answer]) -> Answer:
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        # Fetched, so that asyncio does not report an error that nobody asked for.
        _ = future.exception()
        raise cancelled
    return future.result()
