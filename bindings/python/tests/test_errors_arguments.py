"""Arguments of wrong types: refused with the argument's name, before anything happens."""

from __future__ import annotations

import enum
from collections import UserDict
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest

import accounting
from accounting import Accounting, Conflict, InvalidArgument, TokenCounts

Call = Callable[[Accounting], object]

WRONG: list[tuple[str, str, Callable[[Any], object]]] = [
    ("credits", "an int, not a str", lambda b: b.credits.deduct("ada", "5")),
    ("credits", "an int, not a float", lambda b: b.credits.deduct("ada", 5.0)),
    ("credits", "an int, not a bool", lambda b: b.credits.deduct("ada", True)),
    ("credits", "an int, not None", lambda b: b.credits.check("ada", None)),
    ("credits", "64 bits", lambda b: b.credits.deduct("ada", 2**63)),
    ("credits", "64 bits", lambda b: b.credits.allocate("ada", -(2**200), "admin")),
    ("credits", "1 to 1000000000000000", lambda b: b.credits.deduct("ada", 0)),
    ("user_id", "a str, not None", lambda b: b.credits.balance(None)),
    ("user_id", "a str, not an int", lambda b: b.accounts.get(7)),
    ("user_id", "a str, not a bytes", lambda b: b.accounts.get(b"ada")),
    ("user_id", "surrogates", lambda b: b.accounts.get("\udcff")),
    ("user_id", "50 bytes", lambda b: b.accounts.get("ü" * 26)),
    ("email", "a str", lambda b: b.accounts.sync("ada", None, "Ada")),
    ("role", '"user"', lambda b: b.accounts.sync("ada", "a@b", "Ada", "king")),
    ("role", "a Role", lambda b: b.accounts.sync("ada", "a@b", "Ada", 1)),
    ("role", "surrogates", lambda b: b.accounts.list(role="\udcff")),
    ("page", "an int", lambda b: b.accounts.list(page=1.0)),
    ("limit", "1 to 1000", lambda b: b.accounts.list(limit=1_001)),
    ("expiry_days", "an int", lambda b: b.credits.allocate("ada", 1, "admin", "30")),
    ("never_expires", "True or False", lambda b: b.credits.allocate("ada", 1, "x", None, None, 1)),
    ("notes", "a str, not None", lambda b: b.credits.allocate("ada", 1, "x", notes=None)),
    ("idempotency_key", "a str", lambda b: b.credits.deduct("ada", 1, 7)),
    ("success", "True or False", lambda b: b.sessions.finalize("s", "ada", 1, success=None)),
    ("estimated_tokens", "a TokenCounts", lambda b: b.sessions.initialize("s", "ada", "m", 1.0)),
    ("estimated_tokens", "a TokenCounts", lambda b: b.sessions.initialize("s", "ada", "m", True)),
    ("actual_tokens", "64 bits", lambda b: b.sessions.finalize("s", "ada", 2**64)),
    (
        "tokens.output",
        "an int",
        lambda b: b.pricing.calculate("m", TokenCounts(1, 2.5)),  # type: ignore[arg-type]
    ),
    ("allocation_id", "an int", lambda b: b.credits.revoke("1", "ada", "admin")),
    ("users", "an iterable of str", lambda b: b.transaction(users="ada")),
    ("users[1]", "a str", lambda b: b.transaction(users=["ada", 1])),
    ("users", "an iterable", lambda b: b.transact(lambda tx: None, users=1)),
    ("fn", "a callable", lambda b: b.transact(None)),
]


@pytest.mark.parametrize(("argument", "text", "call"), WRONG)
def test_a_wrong_type_is_refused_by_name(
    memory: Accounting, argument: str, text: str, call: Call
) -> None:
    before = memory.credits.entries("ada")
    with pytest.raises(InvalidArgument) as caught:
        call(memory)
    assert caught.value.argument == argument
    assert text in str(caught.value)
    assert not caught.value.retryable
    assert memory.credits.entries("ada") == before


def test_a_missing_argument_is_pythons_own_error(memory: Accounting) -> None:
    with pytest.raises(TypeError, match="allocated_by"):
        memory.credits.allocate("ada", 1)  # type: ignore[call-arg]


OPTIONS: list[tuple[str, object]] = [
    ("policy", None),
    ("policy", "original"),
    ("clock", 1),
    ("pool_size", "4"),
    ("pool_size", 0),
    ("pool_size", 2**63),
    ("migrate", 1),
    ("pool_timeout", 10),
    ("connect_timeout", None),
    ("max_attempts", 0),
    ("max_attempts", 1.5),
    ("pipeline", None),
    ("share_statements", 1),
    ("log", "print"),
]


@pytest.mark.parametrize(("option", "value"), OPTIONS)
def test_a_wrong_option_is_refused_by_name(option: str, value: object) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(InvalidArgument) as caught:
        accounting.open("sqlite://", **options)
    assert caught.value.argument == option


class Amount(enum.IntEnum):
    SMALL = 5


class Index:
    def __index__(self) -> int:
        return 6


class Name(str):
    pass


def test_what_is_as_good_as_an_int_or_a_str_is_taken(memory: Accounting) -> None:
    assert memory.credits.deduct(Name("ada"), Amount.SMALL).credits == 5
    assert memory.credits.deduct("ada", Index()).credits == 6  # type: ignore[arg-type]


class Broken:
    def __index__(self) -> int:
        raise RuntimeError("no number today")


def test_what_an_argument_itself_raises_is_not_hidden(memory: Accounting) -> None:
    with pytest.raises(RuntimeError, match="no number today"):
        memory.credits.deduct("ada", Broken())  # type: ignore[arg-type]

    def names() -> Iterator[str]:
        yield "ada"
        raise RuntimeError("no more names")

    with pytest.raises(RuntimeError, match="no more names"):
        memory.transaction(users=names())


# --- requests as dicts ---------------------------------------------------------------------------

GOOD = {"user_id": "ada", "credits": 5, "allocated_by": "admin"}
USE = {"user_id": "ada", "service": "chat", "operation": "m", "credits": 5}

BAD_REQUESTS: list[tuple[str, str, object]] = [
    ("requests[1].credits", "it is missing", [GOOD, {"user_id": "ada", "allocated_by": "admin"}]),
    ("requests[0].kredits", "no such member", [{**GOOD, "kredits": 5}]),
    ("requests[0].1", "no such member", [{**GOOD, 1: 5}]),
    ("requests[1].credits", "an int, not a str", [GOOD, {**GOOD, "credits": "5"}]),
    ("requests[0].user_id", "a str, not None", [{**GOOD, "user_id": None}]),
    ("requests[1].credits", "a number from 1", [GOOD, {**GOOD, "credits": 0}]),
    ("requests[0]", "a dict, not a str", ["ada"]),
    ("requests[0]", "a dict, not a list", [[("user_id", "ada")]]),
    ("requests", "a list of dicts, not a dict", GOOD),
    ("requests", "a list of dicts, not a str", "ada"),
    ("requests", "a list of dicts, not None", None),
]


@pytest.mark.parametrize(("argument", "text", "requests"), BAD_REQUESTS)
def test_a_bad_request_among_many_is_named(
    memory: Accounting, argument: str, text: str, requests: Any
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        memory.credits.allocate_many(requests)
    assert caught.value.argument == argument
    assert text in str(caught.value)
    assert memory.credits.balance("ada").total_credits == 1_000


def test_a_bad_record_among_many_is_named(memory: Accounting) -> None:
    with pytest.raises(InvalidArgument) as caught:
        memory.usage.record_many([USE, {**USE, "metadata": {1, 2}}])
    assert caught.value.argument == "requests[1].metadata"
    assert memory.usage.list("ada") == []


def test_bad_charges_among_many_do_not_disturb_the_others(memory: Accounting) -> None:
    bad: list[Any] = [{**USE, "more": 1}, {}, "text", {**USE, "credits": -1}]
    answers = memory.credits.charge_many([USE, *bad, USE])
    names = [answer.argument for answer in answers[1:-1] if isinstance(answer, InvalidArgument)]
    assert names == ["more", "user_id", "request", "credits"]
    assert memory.credits.balance("ada").total_credits == 990
    with pytest.raises(InvalidArgument):
        memory.credits.charge_many(USE)  # type: ignore[arg-type]


def test_an_error_that_was_answered_can_be_raised(memory: Accounting) -> None:
    [error] = memory.credits.charge_many([{}])
    assert isinstance(error, InvalidArgument)
    with pytest.raises(InvalidArgument):
        raise error


def test_requests_may_be_any_mappings_from_any_iterable(memory: Accounting) -> None:
    requests = (kind(GOOD) for kind in (dict, UserDict, MappingProxyType))
    assert [one.total_credits for one in memory.credits.allocate_many(requests)] == [5, 5, 5]
    assert memory.credits.allocate_many([]) == []
    assert memory.credits.charge_many(()) == []
    assert memory.usage.record_many(iter([])) == 0


def test_the_libraries_own_refusals_arrive_whole(memory: Accounting) -> None:
    memory.sessions.initialize("s", "ada", "m", 10)
    with pytest.raises(Conflict, match="s"):
        memory.sessions.initialize("s", "ada", "m", 11)
