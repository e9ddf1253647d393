"""Value types: immutable, comparable, hashable, copied, pickled; instants, prices and metadata."""

from __future__ import annotations

import copy
import dataclasses
import enum
import json
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

import accounting
from accounting import (
    Accounting,
    EntryKind,
    InvalidArgument,
    OveragePolicy,
    Page,
    Policy,
    RefundPolicy,
    Role,
    SessionStatus,
    TokenCounts,
    UsageRecord,
)
from accounting.frozen import FrozenDict, FrozenList

UTC = timezone.utc
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def values(books: Accounting) -> list[Any]:
    """One of every type that the services answer."""
    charge = books.credits.charge("ada", "chat", "m", 1, {"list": [1, {"deep": "é"}], "n": None})
    books.pricing.set("m", "0.25", "admin", input="1")
    session = books.sessions.initialize("s", "ada", "m", TokenCounts(input=10))
    return [
        books.accounts.sync("ada", "ada@example.org", "Ada"),
        books.accounts.list(),
        charge,
        books.credits.balance("ada"),
        books.credits.history("ada"),
        books.credits.entries("ada")[0],
        books.pricing.get("m"),
        session,
        books.sessions.finalize("s", "ada", TokenCounts(input=5)),
        books.usage.user_stats("ada"),
        books.usage.system_stats(),
        books.verify(),
        books.health(),
        TokenCounts(1, 2, 3),
        Policy.original(),
        accounting.Problem("I1", "ada", "detail"),
    ]


def test_values_compare_hash_copy_and_pickle(memory: Accounting) -> None:
    for value in values(memory):
        for again in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
            assert again == value
            assert hash(again) == hash(value)
            assert repr(again) == repr(value)
            assert type(again) is type(value)
        assert value != object()
        assert len({value, copy.deepcopy(value)}) == 1


def test_values_do_not_change(memory: Accounting) -> None:
    for value in values(memory):
        for field in dataclasses.fields(value):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(value, field.name, None)
            inside = getattr(value, field.name)
            assert not isinstance(inside, list)
            if isinstance(inside, dict):
                with pytest.raises(TypeError, match="does not change"):
                    inside["new"] = 1
        with pytest.raises((AttributeError, TypeError)):
            value.unheard_of = 1


def test_values_become_json(memory: Accounting) -> None:
    for value in values(memory):
        plain = value.to_dict()
        assert json.loads(json.dumps(plain)) == plain
        assert list(plain) == [field.name for field in dataclasses.fields(value)]


def test_to_dict_is_for_people_and_programs(memory: Accounting) -> None:
    charge = memory.credits.charge("ada", "chat", "m", 1, {"tags": ["a"]})
    assert charge.to_dict() == {
        "usage_record": {
            "id": 1,
            "user_id": "ada",
            "timestamp": "2026-01-01T00:00:00+00:00",
            "service": "chat",
            "operation": "m",
            "credits": 1,
            "collected_credits": 1,
            "metadata": {"tags": ["a"]},
        },
        "deduction": {"credits": 1, "slices": [{"allocation_id": 1, "credits": 1}]},
    }
    assert Policy(fallback_price="0.5").to_dict()["session_ttl"] == 3600.0
    assert Policy(fallback_price="0.5").to_dict()["fallback_price"] == "0.5"
    changed = charge.usage_record.to_dict()["metadata"]
    changed["tags"].append("b")
    assert charge.usage_record.metadata == {"tags": ["a"]}


def test_values_can_be_made_for_a_test() -> None:
    page = Page(items=[1, 2], total=2, page=1, total_pages=1)  # type: ignore[arg-type]
    assert page.items == (1, 2)
    assert page.items == [1, 2]
    assert hash(page) == hash(Page((1, 2), 2, 1, 1))


def test_values_made_for_a_test_are_frozen_all_the_way_down(memory: Accounting) -> None:
    metadata = {"tags": ["a", {"deep": [1, (2, 3)]}]}
    stored = memory.usage.record("ada", "s", "o", 5, metadata=metadata)
    made = UsageRecord(1, "ada", stored.timestamp, "s", "o", 5, 0, metadata)
    assert made == stored
    assert hash(made) == hash(stored)
    metadata["tags"].append("b")
    assert made.metadata == {"tags": ["a", {"deep": [1, [2, 3]]}]}


def test_a_frozen_dict_is_made_once() -> None:
    for members in ({}, {"a": 1}):
        mapping = FrozenDict(members)
        mapping.__init__({"evil": 1})  # type: ignore[misc]
        mapping.__init__(evil=1)  # type: ignore[misc]
        assert mapping == members
    assert FrozenDict([("a", 1)], b=2) == {"a": 1, "b": 2}


def test_frozen_lists_and_dicts_are_like_plain_ones() -> None:
    frozen = FrozenList([1, 2])
    for same in ([1, 2], (1, 2), FrozenList([1, 2])):
        assert frozen == same
        assert same == frozen
    for other in ([2, 1], (2, 1), "12", None):
        assert frozen != other
        assert other != frozen
    assert repr(frozen) == json.dumps(frozen) == "[1, 2]"
    assert hash(frozen) == hash((1, 2))
    assert frozen[1] == 2
    assert frozen[:1] == frozen[-2:1] == [1]
    mapping = FrozenDict({"b": 1, "a": FrozenList([2])})
    assert mapping == {"a": [2], "b": 1}
    assert hash(mapping) == hash(FrozenDict({"a": FrozenList([2]), "b": 1}))
    changes: list[Callable[[], object]] = [
        lambda: mapping.pop("a"),
        lambda: mapping.update(a=1),
        lambda: mapping.clear(),
        lambda: mapping.setdefault("c", 1),
        lambda: mapping.popitem(),
        lambda: mapping.__delitem__("a"),
        lambda: mapping.__ior__({"a": 1}),
    ]
    for change in changes:
        with pytest.raises(TypeError, match="does not change"):
            change()
    assert mapping | {"c": 3} == {"a": [2], "b": 1, "c": 3}


@pytest.mark.parametrize("words", [Role, SessionStatus, EntryKind, RefundPolicy, OveragePolicy])
def test_enums_are_their_words(words: type[enum.Enum]) -> None:
    for member in words:
        assert isinstance(member, str)
        assert member == member.value == str(member) == f"{member}" == member.name.lower()
        assert words(member.value) is member is getattr(words, member.value)
        assert pickle.loads(pickle.dumps(member)) is member
        assert json.dumps(member) == f'"{member.value}"'


def test_the_words_are_those_of_the_library(memory: Accounting) -> None:
    assert [member.value for member in Role] == ["user", "supervisor", "admin"]
    for role in Role:
        assert memory.accounts.sync("ada", "a@b", "Ada", role).account.role is role
        assert memory.accounts.sync("ada", "a@b", "Ada", role.value).account.role is role


def test_policy_takes_words_and_is_a_plain_value() -> None:
    policy = Policy(refund="new_allocation", default_prices={"m": "1.50"})  # type: ignore[arg-type]
    assert policy.refund is RefundPolicy.NEW_ALLOCATION
    assert policy.default_prices == {"m": Decimal("1.5")}
    assert policy == Policy(refund=RefundPolicy.NEW_ALLOCATION, default_prices={"m": "1.5"})
    original = Policy.original()
    assert original.refund is RefundPolicy.NEW_ALLOCATION
    assert original.overage is OveragePolicy.ABSORB
    assert original.fallback_price == 1
    assert original.default_prices["anthropic.claude-3-haiku-20240307-v1:0"] == Decimal("0.25")
    refusals: list[dict[str, Any]] = [
        {"refund": "elsewhere"},
        {"overage": None},
        {"default_prices": 3},
        {"default_prices": {"m": 0.5}},
        {"fallback_price": 0.5},
    ]
    for wrong in refusals:
        with pytest.raises(InvalidArgument) as caught:
            Policy(**wrong)
        assert caught.value.argument.startswith(next(iter(wrong)))
    wrong_at_open: list[dict[str, Any]] = [
        {"buffer": True},
        {"buffer": -1},
        {"buffer": 0.2},
        {"allocation_expiry_days": 0},
        {"session_ttl": 3600},
        {"session_ttl": timedelta(0)},
        {"default_prices": {1: "1"}},
    ]
    for days in (1_000_001, 106_000_001, 213_503_983, -213_503_983):
        wrong_at_open.append({"session_ttl": timedelta(days=days)})
    for wrong in wrong_at_open:
        with pytest.raises(InvalidArgument, match=f"policy.{next(iter(wrong))}"):
            accounting.open("sqlite://", policy=Policy(**wrong))
