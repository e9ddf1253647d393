"""The books for asyncio: the same services and calls, awaited.

>>> import asyncio
>>> import accounting.aio
>>> async def main():
...     async with accounting.aio.open("sqlite://") as books:
...         await books.accounts.sync("ada", "ada@example.org", "Ada")
...         await books.credits.allocate("ada", 1_000, allocated_by="admin")
...         await books.credits.charge("ada", "chat", "some-model", 40)
...         balance = await books.credits.balance("ada")
...         return balance.total_credits
>>> asyncio.run(main())
960

Names, arguments, answers and errors are those of `accounting`. Every call runs on one of a bounded
number of threads that belong to these books, so the event loop never waits for a database. What is
asked for while all threads are at work waits its turn; many waiting writes share one commit.

Cancelling an awaited call (also by `asyncio.timeout`) ends the wait at once and never leaves half a
command: one that still waits for a thread never starts, one that has started runs to its end on its
thread, and its answer is dropped. A caller that must know which of the two it was repeats the call:
with an idempotency key, or on a session call that replays, it takes effect once.

Open the books after a fork, not before it, and use them from the event loop that opened them.
"""

from accounting.aio.books import Accounting, Transaction, open
from accounting.aio.on_behalf_of import OnBehalfOf
from accounting.aio.services import Accounts, ApiKeys, Audit, Credits, Pricing, Sessions, Usage

__all__ = [
    "Accounting",
    "Accounts",
    "ApiKeys",
    "Audit",
    "Credits",
    "OnBehalfOf",
    "Pricing",
    "Sessions",
    "Transaction",
    "Usage",
    "open",
]
