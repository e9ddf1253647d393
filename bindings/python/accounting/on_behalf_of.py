"""The services as a principal or an API key may use them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar, cast

from accounting import _core, services

__all__ = ["OnBehalfOf"]

Answer = TypeVar("Answer")


class _Guarded:
    """A service that asks for permission, and whose own account its calls are about."""

    __slots__ = ("_service", "_user_id")

    def __init__(self, service: object, user_id: str) -> None:
        """For `OnBehalfOf`; not for callers."""
        self._service = service
        self._user_id = user_id


class _Call(Generic[Answer]):
    """How type checkers see a call: any arguments, since `user_id` may be among them or not."""

    def __get__(self, service: object, owner: type) -> Callable[..., Answer]:
        """For type checkers; a function takes its place."""
        raise NotImplementedError


def _own(method: Callable[..., Answer]) -> _Call[Answer]:
    """The service's call; where `user_id` is left out or None, it is the caller's own."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def call(self: _Guarded, *args: object, **kwargs: object) -> Answer:
        bound = signature.bind_partial(self._service, *args, **kwargs)
        if bound.arguments.get("user_id") is None:
            bound.arguments["user_id"] = self._user_id
        return method(*bound.args, **bound.kwargs)

    return cast("_Call[Answer]", call)


def _own_many(method: Callable[..., Answer]) -> _Call[Answer]:
    """The same for a call whose requests each have a `user_id`."""

    @functools.wraps(method)
    def call(self: _Guarded, requests: Iterable[object]) -> Answer:
        return method(self._service, [_filled(request, self._user_id) for request in requests])

    return cast("_Call[Answer]", call)


def _filled(request: object, user_id: str) -> object:
    if isinstance(request, Mapping) and request.get("user_id") is None:
        return {**request, "user_id": user_id}
    return request


def _plain(method: Callable[..., Answer]) -> _Call[Answer]:
    """A call that is about no account."""

    @functools.wraps(method)
    def call(self: _Guarded, *args: object, **kwargs: object) -> Answer:
        return method(self._service, *args, **kwargs)

    return cast("_Call[Answer]", call)


class _Accounts(_Guarded):
    """`accounting.Accounts` for a caller."""

    __slots__ = ()

    sync = _own(services.Accounts.sync)
    get = _own(services.Accounts.get)
    list = _plain(services.Accounts.list)


class _Credits(_Guarded):
    """`accounting.Credits` for a caller."""

    __slots__ = ()

    allocate = _own(services.Credits.allocate)
    allocate_many = _own_many(services.Credits.allocate_many)
    balance = _own(services.Credits.balance)
    check = _own(services.Credits.check)
    deduct = _own(services.Credits.deduct)
    charge = _own(services.Credits.charge)
    charge_many = _own_many(services.Credits.charge_many)
    history = _own(services.Credits.history)
    entries = _own(services.Credits.entries)
    revoke = _own(services.Credits.revoke)


class _Sessions(_Guarded):
    """`accounting.Sessions` for a caller."""

    __slots__ = ()

    initialize = _own(services.Sessions.initialize)
    get = _own(services.Sessions.get)
    report = _own(services.Sessions.report)
    extend = _own(services.Sessions.extend)
    finalize = _own(services.Sessions.finalize)
    abort = _own(services.Sessions.abort)
    active = _own(services.Sessions.active)
    all_active = _plain(services.Sessions.all_active)
    expire_stale = _plain(services.Sessions.expire_stale)


class _Usage(_Guarded):
    """`accounting.Usage` for a caller."""

    __slots__ = ()

    record = _own(services.Usage.record)
    record_many = _own_many(services.Usage.record_many)
    list = _own(services.Usage.list)
    user_stats = _own(services.Usage.user_stats)
    system_stats = _plain(services.Usage.system_stats)


class _ApiKeys(_Guarded):
    """`accounting.ApiKeys` for a caller."""

    __slots__ = ()

    create = _own(services.ApiKeys.create)
    list = _own(services.ApiKeys.list)
    update = _own(services.ApiKeys.update)
    revoke = _own(services.ApiKeys.revoke)
    rotate = _own(services.ApiKeys.rotate)
    delete = _own(services.ApiKeys.delete)
    validate = _plain(services.ApiKeys.validate)


class OnBehalfOf:
    """The same services, each call checked against the table of docs/permissions.md.

    From `books.on_behalf_of`. A call that the caller may not make raises Forbidden, which says what
    is needed, and touches nothing. `user_id` may be left out for the caller's own account; the
    arguments that follow it are then given by name. What is done stands in the journal and the
    audit trail under the caller's name. Thread-safe; keeps the books open.

    Attributes:
        accounts: as of the books; likewise the other services.
        credits: see `Credits`.
        sessions: see `Sessions`.
        usage: see `Usage`.
        pricing: see `Pricing`.
        api_keys: see `ApiKeys`.

    >>> import accounting
    >>> books = accounting.open("sqlite://")
    >>> _ = books.accounts.sync("ada", "ada@example.org", "Ada")
    >>> ada = books.on_behalf_of(accounting.Principal("ada"))
    >>> ada.credits.balance().total_credits
    0
    >>> ada.credits.allocate(credits=1_000, allocated_by="ada")
    Traceback (most recent call last):
    accounting.errors.Forbidden: credits.allocate here needs the role admin
    """

    __slots__ = ("accounts", "api_keys", "credits", "pricing", "sessions", "usage")

    def __init__(self, core: _core.OnBehalfOf, user_id: str) -> None:
        """For `books.on_behalf_of`; not for callers."""
        self.accounts = _Accounts(services.Accounts(core.accounts()), user_id)
        self.credits = _Credits(services.Credits(core.credits()), user_id)
        self.sessions = _Sessions(services.Sessions(core.sessions()), user_id)
        self.usage = _Usage(services.Usage(core.usage()), user_id)
        self.pricing = services.Pricing(core.pricing())
        self.api_keys = _ApiKeys(services.ApiKeys(core.api_keys()), user_id)
