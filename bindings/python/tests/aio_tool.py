"""The awaited books as a test runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import accounting.aio


def run(
    url: str, body: Callable[[accounting.aio.Accounting], Awaitable[Any]], **options: Any
) -> Any:
    """The answer of `body`, on books with `ada`, who has 1,000 credits."""

    async def main() -> Any:
        async with accounting.aio.open(url, migrate=True, **options) as books:
            await books.accounts.sync("ada", "ada@example.org", "Ada")
            await books.credits.allocate("ada", 1_000, allocated_by="admin")
            return await body(books)

    return asyncio.run(asyncio.wait_for(main(), 60))
