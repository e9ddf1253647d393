"""Who may do what: every cell of the table in docs/permissions.md, asked through Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import accounting
from accounting import (
    Accounting,
    Forbidden,
    InvalidArgument,
    KeyIdentity,
    ManualClock,
    OnBehalfOf,
    Policy,
    Principal,
    Role,
)

ROOT = Path(__file__).resolve().parents[3]
ROLES = list(Role)

Call = Callable[[OnBehalfOf, dict[str, str]], object]
USE = {"service": "s", "operation": "o", "credits": 1}


def many(method: str, **request: object) -> Call:
    """A `_many` call with one request, whose answer is raised where it is an error."""
    service, name = method.split(".")

    def call(on: OnBehalfOf, whose: dict[str, str]) -> object:
        answer = getattr(getattr(on, service), name)([{**request, **whose}])
        if isinstance(answer, list) and isinstance(answer[0], Exception):
            raise answer[0]
        return answer

    return call


def of_account(method: str, *before: object, **arguments: object) -> Call:
    """A call that names an account, or leaves it out."""
    service, name = method.split(".")
    return lambda on, whose: getattr(getattr(on, service), name)(*before, **whose, **arguments)


def of_none(method: str, *arguments: object, **named: object) -> Call:
    """A call that is about no account."""
    service, name = method.split(".")
    return lambda on, _: getattr(getattr(on, service), name)(*arguments, **named)


CALLS: dict[str, list[Call]] = {
    "accounts.get": [of_account("accounts.get")],
    "accounts.list": [of_none("accounts.list")],
    "accounts.sync": [of_account("accounts.sync", email="new@example.org", username="New")],
    "credits.balance": [of_account("credits.balance")],
    "credits.check": [of_account("credits.check", credits=1)],
    "credits.history": [of_account("credits.history")],
    "credits.entries": [of_account("credits.entries")],
    "credits.allocate": [
        of_account("credits.allocate", credits=5, allocated_by="somebody"),
        many("credits.allocate_many", credits=5, allocated_by="somebody"),
    ],
    "credits.deduct": [of_account("credits.deduct", credits=1)],
    "credits.charge": [
        of_account("credits.charge", **USE),
        many("credits.charge_many", **USE),
    ],
    "credits.revoke": [of_account("credits.revoke", 1, revoked_by="somebody")],
    "sessions.initialize": [
        of_account("sessions.initialize", "new", model_id="m", estimated_tokens=10)
    ],
    "sessions.get": [of_account("sessions.get", "s")],
    "sessions.report": [of_account("sessions.report", "s", tokens_so_far=1)],
    "sessions.extend": [of_account("sessions.extend", "s", additional_tokens=1)],
    "sessions.finalize": [of_account("sessions.finalize", "s", actual_tokens=1)],
    "sessions.abort": [of_account("sessions.abort", "s")],
    "sessions.active": [of_account("sessions.active")],
    "sessions.all_active": [of_none("sessions.all_active")],
    "sessions.expire_stale": [of_none("sessions.expire_stale")],
    "usage.record": [of_account("usage.record", **USE), many("usage.record_many", **USE)],
    "usage.list": [of_account("usage.list")],
    "usage.user_stats": [of_account("usage.user_stats")],
    "usage.system_stats": [of_none("usage.system_stats")],
    "pricing.get": [of_none("pricing.get", "m")],
    "pricing.list": [of_none("pricing.list")],
    "pricing.calculate": [of_none("pricing.calculate", "m", 1)],
    "pricing.set": [of_none("pricing.set", "n", 1, "somebody")],
    "api_keys.create": [of_account("api_keys.create", name="key")],
    "api_keys.list": [of_account("api_keys.list")],
    "api_keys.update": [of_account("api_keys.update", 1, name="renamed")],
    "api_keys.revoke": [of_account("api_keys.revoke", 1)],
    "api_keys.rotate": [of_account("api_keys.rotate", 1)],
    "api_keys.delete": [of_account("api_keys.delete", 1)],
    "api_keys.validate": [of_none("api_keys.validate", "key")],
}

PERMISSIONS = [
    "credits:read", "usage:write", "usage:read", "keys:write", "credits:write", "admin",
]  # fmt: skip


class Cell(NamedTuple):
    """What the table says of an operation on an account: the least role, and the permission."""

    role: Role | None
    permission: str | None


def table() -> dict[str, tuple[Cell, Cell]]:
    """The table's lines: what is said of one's own account and of another's."""
    text = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")

    def cell(words: str) -> Cell:
        if words == "the host alone":
            return Cell(None, None)
        role, _, permission = words.partition(", ")
        return Cell(Role(role), permission.strip("`") or None)

    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    return {name: (cell(own), cell(other)) for name, own, other in rows}


TABLE = table()


@pytest.fixture
def opened() -> Iterator[Callable[[], Accounting]]:
    """Makes fresh books with ada and bob, each with credits, a session and a key."""
    made: list[Accounting] = []

    def fresh() -> Accounting:
        clock = ManualClock(datetime(2026, 1, 1, tzinfo=timezone.utc))
        books = accounting.open("sqlite://", policy=Policy(fallback_price=1), clock=clock)
        made.append(books)
        books.pricing.set("m", 1, "host")
        for user_id in ("ada", "bob"):
            books.accounts.sync(user_id, f"{user_id}@example.org", user_id)
            books.credits.allocate(user_id, 1_000, "host")
            books.sessions.initialize("s", user_id, "m", 100)
            books.api_keys.create(user_id, "first")
        return books

    yield fresh
    for books in made:
        books.close()


def state(books: Accounting) -> list[object]:
    """All that a refused call must leave as it is."""
    return [
        [
            (books.accounts.get(user), books.credits.balance(user), books.credits.entries(user),
             books.usage.list(user), books.api_keys.list(user), books.sessions.get("s", user))
            for user in ("ada", "bob")
        ],
        books.pricing.list(),
        books.audit.list().total,
    ]  # fmt: skip


def check(books: Accounting, on: OnBehalfOf, call: Call, whose: dict[str, str], may: bool) -> None:
    before = state(books)
    if may:
        call(on, whose)
        return
    with pytest.raises(Forbidden):
        call(on, whose)
    assert state(books) == before


def test_the_table_is_whole() -> None:
    assert set(TABLE) == set(CALLS) | {"audit.list"}


@pytest.mark.parametrize("name", CALLS)
def test_a_principal_may_what_its_cell_says(opened: Callable[[], Accounting], name: str) -> None:
    for call in CALLS[name]:
        for role in ROLES:
            for whose in ({}, {"user_id": "ada"}, {"user_id": "bob"}):
                cell = TABLE[name][whose.get("user_id") == "bob"]
                may = cell.role is not None and ROLES.index(role) >= ROLES.index(cell.role)
                books = opened()
                check(books, books.on_behalf_of(Principal("ada", role=role)), call, whose, may)


@pytest.mark.parametrize("name", CALLS)
def test_a_key_may_what_its_cell_and_its_owners_role_say(
    opened: Callable[[], Accounting], name: str
) -> None:
    for call in CALLS[name]:
        for role in ROLES:
            for user_id in ("ada", "bob"):
                cell = TABLE[name][user_id == "bob"]
                only = [cell.permission] if cell.permission else []
                for carried in (only, [p for p in PERMISSIONS if p != cell.permission]):
                    may = (
                        cell.role is not None
                        and ROLES.index(role) >= ROLES.index(cell.role)
                        and (cell.permission is None or cell.permission in carried)
                    )
                    books = opened()
                    books.accounts.sync("ada", "ada@example.org", "ada", role)
                    on = books.on_behalf_of(KeyIdentity("ada", tuple(carried), 1))
                    check(books, on, call, {"user_id": user_id}, may)


def test_a_key_loses_what_its_owners_role_no_longer_allows(books: Accounting) -> None:
    books.accounts.sync("bob", "bob@example.org", "Bob")
    books.accounts.sync("ada", "ada@example.org", "Ada", Role.ADMIN)
    issued = books.api_keys.create("ada", "key", ["admin"])
    on = books.on_behalf_of(books.api_keys.validate(issued.key))
    assert on.accounts.get("bob").user_id == "bob"
    books.accounts.sync("ada", "ada@example.org", "Ada", Role.USER)
    with pytest.raises(Forbidden, match="needs the role admin"):
        on.accounts.get("bob")


def test_who_acts_stands_in_the_journal_and_the_audit_trail(books: Accounting) -> None:
    books.accounts.sync("eve", "eve@example.org", "Eve", Role.SUPERVISOR)
    eve = books.on_behalf_of(Principal("eve", role=Role.SUPERVISOR))
    eve.credits.allocate("ada", 5, "eve")
    eve.api_keys.create(name="key")
    assert books.credits.entries("ada")[-1].actor == "principal:eve"
    assert books.audit.list(actor="principal:eve").items[0].operation == "api_keys.create"


@pytest.mark.parametrize("wrong", ["ada", None, ("ada", "user")])
def test_a_caller_is_a_principal_or_a_key(memory: Accounting, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^principal: "):
        memory.on_behalf_of(wrong)


def test_the_calls_take_their_arguments_in_place_too(memory: Accounting) -> None:
    ada = memory.on_behalf_of(Principal("ada"))
    assert ada.credits.deduct("ada", 5).credits == 5
    assert ada.credits.deduct(credits=5).credits == 5
    assert ada.credits.deduct(None, 5).credits == 5
    with pytest.raises(TypeError):
        ada.credits.deduct(credit=5)
    with suppress(Forbidden):
        ada.credits.deduct("bob", 5)
    assert memory.credits.balance("ada").total_credits == 985
