"""The names, arguments and defaults that the design fixes."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import accounting
from accounting import services
from accounting.values import Value

SIGNATURES = {
    "accounts.sync": "(user_id, email, username, role=None)",
    "accounts.get": "(user_id)",
    "accounts.list": "(role=None, page=1, limit=20)",
    "credits.allocate": "(user_id, credits, allocated_by, expiry_days=None, expires_at=None, "
    "never_expires=False, effective_at=None, notes='', idempotency_key=None)",
    "credits.allocate_many": "(requests)",
    "credits.balance": "(user_id)",
    "credits.check": "(user_id, credits)",
    "credits.deduct": "(user_id, credits, idempotency_key=None)",
    "credits.charge": "(user_id, service, operation, credits, metadata=None, idempotency_key=None)",
    "credits.charge_many": "(requests)",
    "credits.history": "(user_id, page=1, limit=20)",
    "credits.entries": "(user_id, after=0, limit=100)",
    "credits.revoke": "(allocation_id, user_id, revoked_by)",
    "pricing.set": "(model_id, price_per_1k_tokens, created_by, effective_from=None, "
    "effective_to=None, input=None, output=None, cached_input=None)",
    "pricing.get": "(model_id, at=None)",
    "pricing.list": "(model_id=None)",
    "pricing.calculate": "(model_id, tokens, at=None)",
    "sessions.initialize": "(session_id, user_id, model_id, estimated_tokens)",
    "sessions.get": "(session_id, user_id)",
    "sessions.report": "(session_id, user_id, tokens_so_far)",
    "sessions.extend": "(session_id, user_id, additional_tokens, idempotency_key=None)",
    "sessions.finalize": "(session_id, user_id, actual_tokens, success=True)",
    "sessions.abort": "(session_id, user_id, tokens_generated=0)",
    "sessions.active": "(user_id)",
    "sessions.all_active": "()",
    "sessions.expire_stale": "(limit=1000)",
    "usage.record": "(user_id, service, operation, credits, metadata=None, idempotency_key=None)",
    "usage.record_many": "(requests)",
    "usage.list": "(user_id, start=None, end=None, after=0, limit=100)",
    "usage.user_stats": "(user_id, start=None, end=None)",
    "usage.system_stats": "(start=None, end=None)",
    "transact": "(fn, users=())",
    "transaction": "(users=())",
    "migrate": "()",
    "schema_version": "()",
    "verify": "()",
    "health": "()",
    "close": "()",
}


def plain_signature(function: Any) -> str:
    """Names and defaults only."""
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
    ]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


@pytest.mark.parametrize("name", SIGNATURES)
def test_names_and_defaults_are_those_of_the_design(
    memory: accounting.Accounting, name: str
) -> None:
    function: Any = memory
    for part in name.split("."):
        function = getattr(function, part)
    assert plain_signature(function) == SIGNATURES[name]


def test_a_transaction_has_the_same_services(memory: accounting.Accounting) -> None:
    with memory.transaction() as tx:
        for name in ("accounts", "credits", "sessions", "usage", "pricing"):
            assert type(getattr(tx, name)) is type(getattr(memory, name))


def test_open_has_the_arguments_of_the_design() -> None:
    parameters = inspect.signature(accounting.open).parameters
    plain = [name for name, one in parameters.items() if one.kind is not one.KEYWORD_ONLY]
    assert plain == ["url", "policy", "clock", "pool_size", "migrate"]
    defaults = [parameters[name].default for name in plain]
    assert defaults == [None, accounting.Policy(), None, 4, None]


def generated(kind: type) -> str | None:
    """What @dataclass writes where a class has no documentation of its own."""
    if not dataclasses.is_dataclass(kind):
        return None
    signature = inspect.signature(kind).replace(return_annotation=inspect.Signature.empty)
    return f"{kind.__name__}{signature}"


def undocumented(module: ModuleType) -> Iterator[str]:
    for name in module.__all__:
        public = getattr(module, name)
        if isinstance(public, (str, int)) or not callable(public):
            continue
        own = public.__doc__
        if not own or (inspect.isclass(public) and own == generated(public)):
            yield f"{module.__name__}.{name}"
        for member, value in vars(public).items() if inspect.isclass(public) else ():
            if inspect.isfunction(value) and not member.startswith("_") and not value.__doc__:
                yield f"{module.__name__}.{name}.{member}"


PUBLIC = ["accounting", "accounting.aio", "accounting.columns", "accounting.pytest_plugin"]


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_is_documented(name: str) -> None:
    assert list(undocumented(importlib.import_module(name))) == []


def test_what_dataclass_writes_is_no_documentation() -> None:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Silent(Value):
        number: int
        text: str | None

    module = ModuleType("silent")
    module.__dict__.update(Silent=Silent, __all__=["Silent"])
    assert list(undocumented(module)) == ["silent.Silent"]


def test_every_service_is_exported() -> None:
    assert set(services.__all__) <= set(accounting.__all__)


def modules() -> list[str]:
    found = pkgutil.walk_packages(accounting.__path__, "accounting.")
    own = [module.name for module in found if not module.name.endswith("__main__")]
    return ["accounting", *(name for name in own if name != "accounting._core")]


@pytest.mark.parametrize("name", modules())
def test_the_examples_in_the_documentation_are_right(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0
