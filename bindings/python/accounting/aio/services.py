"""The services, awaited: each call is the one of the same name, run on a worker thread."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from accounting import services
from accounting.aio.worker import Worker

__all__ = ["Accounts", "Credits", "Pricing", "Sessions", "Usage"]

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class _Awaited(Generic[Arguments, Answer]):
    """How type checkers see a call: the arguments of the original, and its answer to be awaited."""

    @overload
    def __get__(self, service: None, owner: type) -> _Awaited[Arguments, Answer]: ...
    @overload
    def __get__(
        self, service: object, owner: type
    ) -> Callable[Arguments, Coroutine[Any, Any, Answer]]: ...
    def __get__(self, service: object, owner: type) -> object:
        """For type checkers; a function takes its place."""
        raise NotImplementedError


def _awaited(
    method: Callable[Concatenate[Any, Arguments], Answer],
) -> _Awaited[Arguments, Answer]:
    @functools.wraps(method)
    async def call(self: _Service, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        return await self._worker.run(lambda: method(self._service, *args, **kwargs))

    return cast("_Awaited[Arguments, Answer]", call)


class _Service:
    """A service of the books and the threads that its calls run on."""

    __slots__ = ("_service", "_worker")

    def __init__(self, service: object, worker: Worker) -> None:
        """For the books; not for callers."""
        self._service = service
        self._worker = worker


class Accounts(_Service):
    """`accounting.Accounts`, awaited."""

    __slots__ = ()

    sync = _awaited(services.Accounts.sync)
    get = _awaited(services.Accounts.get)
    list = _awaited(services.Accounts.list)


class Credits(_Service):
    """`accounting.Credits`, awaited."""

    __slots__ = ()

    allocate = _awaited(services.Credits.allocate)
    allocate_many = _awaited(services.Credits.allocate_many)
    balance = _awaited(services.Credits.balance)
    check = _awaited(services.Credits.check)
    deduct = _awaited(services.Credits.deduct)
    charge = _awaited(services.Credits.charge)
    charge_many = _awaited(services.Credits.charge_many)
    history = _awaited(services.Credits.history)
    entries = _awaited(services.Credits.entries)
    revoke = _awaited(services.Credits.revoke)


class Pricing(_Service):
    """`accounting.Pricing`, awaited."""

    __slots__ = ()

    set = _awaited(services.Pricing.set)
    get = _awaited(services.Pricing.get)
    list = _awaited(services.Pricing.list)
    calculate = _awaited(services.Pricing.calculate)


class Sessions(_Service):
    """`accounting.Sessions`, awaited."""

    __slots__ = ()

    initialize = _awaited(services.Sessions.initialize)
    get = _awaited(services.Sessions.get)
    report = _awaited(services.Sessions.report)
    extend = _awaited(services.Sessions.extend)
    finalize = _awaited(services.Sessions.finalize)
    abort = _awaited(services.Sessions.abort)
    active = _awaited(services.Sessions.active)
    all_active = _awaited(services.Sessions.all_active)
    expire_stale = _awaited(services.Sessions.expire_stale)


class Usage(_Service):
    """`accounting.Usage`, awaited."""

    __slots__ = ()

    record = _awaited(services.Usage.record)
    record_many = _awaited(services.Usage.record_many)
    list = _awaited(services.Usage.list)
    user_stats = _awaited(services.Usage.user_stats)
    system_stats = _awaited(services.Usage.system_stats)
