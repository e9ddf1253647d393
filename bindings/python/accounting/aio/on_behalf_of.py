"""The services as a principal or an API key may use them, awaited."""

from __future__ import annotations

import accounting
from accounting import on_behalf_of
from accounting.aio.services import Pricing, Service, awaited
from accounting.aio.worker import Worker

__all__ = ["OnBehalfOf"]


class _Accounts(Service):
    """`accounting.Accounts` for a caller, awaited."""

    __slots__ = ()

    sync = awaited(on_behalf_of._Accounts.sync)
    get = awaited(on_behalf_of._Accounts.get)
    list = awaited(on_behalf_of._Accounts.list)


class _Credits(Service):
    """`accounting.Credits` for a caller, awaited."""

    __slots__ = ()

    allocate = awaited(on_behalf_of._Credits.allocate)
    allocate_many = awaited(on_behalf_of._Credits.allocate_many)
    balance = awaited(on_behalf_of._Credits.balance)
    check = awaited(on_behalf_of._Credits.check)
    deduct = awaited(on_behalf_of._Credits.deduct)
    charge = awaited(on_behalf_of._Credits.charge)
    charge_many = awaited(on_behalf_of._Credits.charge_many)
    history = awaited(on_behalf_of._Credits.history)
    entries = awaited(on_behalf_of._Credits.entries)
    revoke = awaited(on_behalf_of._Credits.revoke)


class _Sessions(Service):
    """`accounting.Sessions` for a caller, awaited."""

    __slots__ = ()

    initialize = awaited(on_behalf_of._Sessions.initialize)
    get = awaited(on_behalf_of._Sessions.get)
    report = awaited(on_behalf_of._Sessions.report)
    extend = awaited(on_behalf_of._Sessions.extend)
    finalize = awaited(on_behalf_of._Sessions.finalize)
    abort = awaited(on_behalf_of._Sessions.abort)
    active = awaited(on_behalf_of._Sessions.active)
    all_active = awaited(on_behalf_of._Sessions.all_active)
    expire_stale = awaited(on_behalf_of._Sessions.expire_stale)


class _Usage(Service):
    """`accounting.Usage` for a caller, awaited."""

    __slots__ = ()

    record = awaited(on_behalf_of._Usage.record)
    record_many = awaited(on_behalf_of._Usage.record_many)
    list = awaited(on_behalf_of._Usage.list)
    user_stats = awaited(on_behalf_of._Usage.user_stats)
    system_stats = awaited(on_behalf_of._Usage.system_stats)


class _ApiKeys(Service):
    """`accounting.ApiKeys` for a caller, awaited."""

    __slots__ = ()

    create = awaited(on_behalf_of._ApiKeys.create)
    list = awaited(on_behalf_of._ApiKeys.list)
    update = awaited(on_behalf_of._ApiKeys.update)
    revoke = awaited(on_behalf_of._ApiKeys.revoke)
    rotate = awaited(on_behalf_of._ApiKeys.rotate)
    delete = awaited(on_behalf_of._ApiKeys.delete)
    validate = awaited(on_behalf_of._ApiKeys.validate)


class OnBehalfOf:
    """`accounting.OnBehalfOf`, awaited: each call checked against the table of docs/permissions.md.

    From `books.on_behalf_of`. The calls run on the books' threads and end with the books.

    Attributes:
        accounts: as of the books; likewise the other services.
        credits: see `accounting.Credits`.
        sessions: see `accounting.Sessions`.
        usage: see `accounting.Usage`.
        pricing: see `accounting.Pricing`.
        api_keys: see `accounting.ApiKeys`.

    >>> import asyncio
    >>> import accounting.aio
    >>> async def main():
    ...     async with accounting.aio.open("sqlite://") as books:
    ...         await books.accounts.sync("ada", "ada@example.org", "Ada")
    ...         ada = books.on_behalf_of(accounting.Principal("ada"))
    ...         return (await ada.credits.balance()).total_credits
    >>> asyncio.run(main())
    0
    """

    __slots__ = ("accounts", "api_keys", "credits", "pricing", "sessions", "usage")

    def __init__(self, allowed: accounting.OnBehalfOf, worker: Worker) -> None:
        """For `books.on_behalf_of`; not for callers."""
        self.accounts = _Accounts(allowed.accounts, worker)
        self.credits = _Credits(allowed.credits, worker)
        self.sessions = _Sessions(allowed.sessions, worker)
        self.usage = _Usage(allowed.usage, worker)
        self.pricing = Pricing(allowed.pricing, worker)
        self.api_keys = _ApiKeys(allowed.api_keys, worker)
