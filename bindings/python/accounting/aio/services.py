"""The services, awaited: each call is the one of the same name, run on a worker thread."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from accounting import services
from accounting.aio.worker import Worker

__all__ = [
    "Accounts",
    "ApiKeys",
    "Audit",
    "Credits",
    "Pricing",
    "Service",
    "Sessions",
    "Usage",
    "awaited",
]

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


def awaited(
    method: Callable[Concatenate[Any, Arguments], Answer],
) -> _Awaited[Arguments, Answer]:
    """The call of the same name, run on a thread of its service's."""

    @functools.wraps(method)
    async def call(self: Service, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        return await self._worker.run(lambda: method(self._service, *args, **kwargs))

    return cast("_Awaited[Arguments, Answer]", call)


class Service:
    """A service of the books and the threads that its calls run on."""

    __slots__ = ("_service", "_worker")

    def __init__(self, service: object, worker: Worker) -> None:
        """For the books; not for callers."""
        self._service = service
        self._worker = worker


class Accounts(Service):
    """`accounting.Accounts`, awaited."""

    __slots__ = ()

    sync = awaited(services.Accounts.sync)
    get = awaited(services.Accounts.get)
    list = awaited(services.Accounts.list)


class ApiKeys(Service):
    """`accounting.ApiKeys`, awaited."""

    __slots__ = ()

    create = awaited(services.ApiKeys.create)
    list = awaited(services.ApiKeys.list)
    update = awaited(services.ApiKeys.update)
    revoke = awaited(services.ApiKeys.revoke)
    rotate = awaited(services.ApiKeys.rotate)
    delete = awaited(services.ApiKeys.delete)
    validate = awaited(services.ApiKeys.validate)


class Audit(Service):
    """`accounting.Audit`, awaited."""

    __slots__ = ()

    list = awaited(services.Audit.list)


class Credits(Service):
    """`accounting.Credits`, awaited."""

    __slots__ = ()

    allocate = awaited(services.Credits.allocate)
    allocate_many = awaited(services.Credits.allocate_many)
    balance = awaited(services.Credits.balance)
    check = awaited(services.Credits.check)
    deduct = awaited(services.Credits.deduct)
    charge = awaited(services.Credits.charge)
    charge_many = awaited(services.Credits.charge_many)
    history = awaited(services.Credits.history)
    entries = awaited(services.Credits.entries)
    revoke = awaited(services.Credits.revoke)


class Pricing(Service):
    """`accounting.Pricing`, awaited."""

    __slots__ = ()

    set = awaited(services.Pricing.set)
    get = awaited(services.Pricing.get)
    list = awaited(services.Pricing.list)
    calculate = awaited(services.Pricing.calculate)


class Sessions(Service):
    """`accounting.Sessions`, awaited."""

    __slots__ = ()

    initialize = awaited(services.Sessions.initialize)
    get = awaited(services.Sessions.get)
    report = awaited(services.Sessions.report)
    extend = awaited(services.Sessions.extend)
    finalize = awaited(services.Sessions.finalize)
    abort = awaited(services.Sessions.abort)
    active = awaited(services.Sessions.active)
    all_active = awaited(services.Sessions.all_active)
    expire_stale = awaited(services.Sessions.expire_stale)


class Usage(Service):
    """`accounting.Usage`, awaited."""

    __slots__ = ()

    record = awaited(services.Usage.record)
    record_many = awaited(services.Usage.record_many)
    list = awaited(services.Usage.list)
    user_stats = awaited(services.Usage.user_stats)
    system_stats = awaited(services.Usage.system_stats)
