"""Instants, prices and metadata: exact both ways, and refused where they would not be."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import accounting
from accounting import Accounting, InvalidArgument, ManualClock, Policy, UsageRecord

UTC = timezone.utc
NOW = datetime(2026, 1, 1, tzinfo=UTC)

# --- instants ------------------------------------------------------------------------------------


class Odd(tzinfo):
    """Offsets may have microseconds."""

    def utcoffset(self, _: datetime | None) -> timedelta:
        return timedelta(hours=-3, microseconds=7)

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> str:
        return "odd"


INSTANTS = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2000, 2, 29, 12, 0, 0, 1, tzinfo=UTC),
    datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
    datetime(2026, 6, 1, 8, 30, 0, 123_456, tzinfo=ZoneInfo("America/New_York")),
    datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=14))),
    datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=Odd()),
]


@pytest.mark.parametrize("instant", INSTANTS, ids=str)
def test_instants_are_exact_both_ways(instant: datetime) -> None:
    answer = ManualClock(instant).now()
    assert answer == instant.astimezone(UTC)
    assert answer.tzinfo is UTC


def test_instants_are_exact_through_a_database(books: Accounting) -> None:
    at = datetime(2026, 6, 1, 8, 30, 0, 123_457, tzinfo=ZoneInfo("America/New_York"))
    stored = books.credits.allocate("ada", 5, "admin", expires_at=at)
    [listed] = books.credits.history("ada").items
    assert listed.expires_at == stored.expires_at == at


def test_the_hosts_time_zone_does_not_matter() -> None:
    program = (
        "import accounting, datetime as d; "
        "c = accounting.ManualClock(d.datetime(2026, 1, 1, tzinfo=d.timezone.utc)); "
        "b = accounting.open('sqlite://', clock=c); b.accounts.sync('a', 'a', 'a'); "
        "print(b.credits.allocate('a', 1, 'x').expires_at.isoformat(), c.now().isoformat())"
    )
    for zone in ("UTC", "America/New_York", "Asia/Kathmandu"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout == "2026-01-31T00:00:00+00:00 2026-01-01T00:00:00+00:00\n"


def test_naive_datetimes_are_refused(memory: Accounting) -> None:
    for refused in (datetime(2026, 1, 1), "2026-01-01", 0, NOW.date()):
        with pytest.raises(InvalidArgument, match="aware datetime"):
            memory.pricing.get("m", at=refused)  # type: ignore[arg-type]


def test_a_manual_clock_moves() -> None:
    clock = ManualClock(NOW)
    clock.advance(days=0.5, seconds=0.000_001)
    assert clock.now() == NOW + timedelta(hours=12, microseconds=1)
    clock.advance(seconds=-1)
    assert clock.now() == NOW + timedelta(hours=11, minutes=59, seconds=59, microseconds=1)
    clock.set(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
    assert clock.now() == NOW
    assert repr(clock) == f"ManualClock({NOW!r})"


@pytest.mark.parametrize("name", ["days", "seconds"])
@pytest.mark.parametrize(
    "amount", [1e13, -3e9, 10**30, float("nan"), float("inf"), True, "1", None], ids=repr
)
def test_a_manual_clock_names_what_moves_it_too_far(name: str, amount: Any) -> None:
    clock = ManualClock(NOW)
    with pytest.raises(InvalidArgument) as caught:
        clock.advance(**{name: amount})
    assert caught.value.argument == name
    assert clock.now() == NOW


@pytest.mark.parametrize(
    ("days", "seconds", "named"), [(999_999_999, 8e13, "days"), (9e8, 8.6e13, "seconds")]
)
def test_a_manual_clock_names_what_goes_farther(days: float, seconds: float, named: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        ManualClock(NOW).advance(days=days, seconds=seconds)
    assert caught.value.argument == named


BEYOND = [
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))),
    datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2))),
]


@pytest.mark.parametrize("instant", BEYOND, ids=str)
def test_a_clock_shows_what_the_books_can_keep(instant: datetime) -> None:
    clock = ManualClock(NOW)
    for call in (ManualClock, clock.set):
        with pytest.raises(InvalidArgument, match="1970 to 9999"):
            call(instant)
    assert clock.now() == NOW


def test_a_clock_moves_to_the_ends_of_time_and_no_farther() -> None:
    clock = ManualClock(datetime(1970, 1, 1, tzinfo=UTC))
    last = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    for step in (-0.000_001, (last - clock.now()).total_seconds() + 1):
        with pytest.raises(InvalidArgument, match="1970 to 9999"):
            clock.advance(seconds=step)
    clock.set(last)
    with pytest.raises(InvalidArgument, match="1970 to 9999"):
        clock.advance(seconds=0.000_001)
    assert clock.now() == last


@pytest.mark.parametrize(
    "option",
    [
        "call_timeout",
        "pool_timeout",
        "connect_timeout",
        "statement_timeout",
        "lock_timeout",
        "tcp_user_timeout",
    ],
)
@pytest.mark.parametrize(
    "wrong", [timedelta(0), -timedelta.resolution, timedelta(days=1, milliseconds=1)], ids=str
)
def test_time_outs_are_a_millisecond_to_a_day(option: str, wrong: timedelta) -> None:
    with pytest.raises(
        InvalidArgument, match=f"{option}: expected a timedelta from (1 ms|2 seconds) to"
    ):
        accounting.open("sqlite://", **{option: wrong})  # type: ignore[arg-type]
    accounting.open("sqlite://", **{option: timedelta(days=1)}).close()  # type: ignore[arg-type]


# --- prices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0.0000000001", "0.0000000001"),
        ("1000000000000000", "1000000000000000"),
        (3, "3"),
        (0, "0"),
        (Decimal("3.10"), "3.1"),
        (Decimal("1E+3"), "1000"),
        (Decimal("25E-2"), "0.25"),
        (Decimal("0E-30"), "0"),
    ],
)
def test_prices_are_exact(given: str | Decimal | int, kept: str) -> None:
    price = Policy(fallback_price=given).fallback_price
    assert isinstance(price, Decimal)
    assert price == Decimal(kept)


@pytest.mark.parametrize(
    "refused",
    [
        *(0.1, 1.0, float("nan"), True, b"1", ...),
        *("", "-1", "1e3", " 1", "0.00000000001", "1000000000000001", "\ud800", "ten"),
        *(-1, 10**15 + 1, 2**70),
        *(Decimal("NaN"), Decimal("Infinity"), Decimal("-1"), Decimal("1E-11")),
        *(Decimal("1E+999999"), Decimal("1E-999999")),
    ],
    ids=repr,
)
def test_what_is_no_price_is_refused(refused: Any, memory: Accounting) -> None:
    with pytest.raises(InvalidArgument) as caught:
        memory.pricing.set("m", 1, "admin", cached_input=refused)
    assert caught.value.argument == "cached_input"


def test_a_float_price_is_told_what_to_write_instead(memory: Accounting) -> None:
    with pytest.raises(InvalidArgument, match=r'write "0\.1" or Decimal\("0\.1"\)'):
        memory.pricing.set("m", 0.1, "admin")  # type: ignore[arg-type]


# --- metadata ------------------------------------------------------------------------------------

JSON = [
    "text",
    "",
    0,
    -(2**63),
    2**63 - 1,
    1.5,
    -1e-300,
    1e23,
    5e-324,
    1.7976931348623157e308,
    True,
    False,
    [],
    {},
    [None, [[]], {"a": {"b": [1, 2.5, 'é😀\u2028"\\\n\x01']}}],
    {"": "empty key", "ü": 1},
]


@pytest.mark.parametrize("value", JSON, ids=repr)
def test_metadata_is_any_json_value(books: Accounting, value: Any) -> None:
    record = books.usage.record("ada", "s", "o", 1, metadata=value)
    [listed] = books.usage.list("ada")
    assert listed.metadata == record.metadata == value
    assert listed == record
    assert hash(listed) == hash(record)


def test_no_metadata_is_none(books: Accounting) -> None:
    assert books.usage.record("ada", "s", "o", 1).metadata is None
    assert books.usage.list("ada")[0].metadata is None


def test_tuples_and_what_was_read_can_be_written(memory: Accounting) -> None:
    first = memory.usage.record("ada", "s", "o", 1, metadata={"tuple": (1, 2)})
    assert first.metadata == {"tuple": [1, 2]}
    again = memory.usage.record("ada", "s", "o", 1, metadata=first.metadata)
    assert again.metadata == first.metadata


def endless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("refused", "text"),
    [
        ({1, 2}, "not a set"),
        ({"a": [0, object()]}, r"at metadata\['a'\]\[1\]"),
        ({1: "a"}, "str keys"),
        (float("nan"), "NaN"),
        ([float("inf")], "NaN"),
        (2**63, "64 bits"),
        (Decimal(1), "not a Decimal"),
        (NOW, "not a datetime"),
        (b"bytes", "not a bytes"),
        ("\ud800", "surrogates"),
        ({"\udfff": 1}, "surrogates"),
        (endless(), "64 levels"),
        ("\0", "NUL"),
        ("x" * 70_000, "65536"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_not_json_is_refused(memory: Accounting, refused: Any, text: str) -> None:
    with pytest.raises(InvalidArgument, match=text) as caught:
        memory.usage.record("ada", "s", "o", 1, metadata=refused)
    assert caught.value.argument == "metadata"


def test_metadata_in_a_value_does_not_change(memory: Accounting) -> None:
    record: UsageRecord = memory.usage.record("ada", "s", "o", 1, metadata={"a": [{"b": 1}]})
    with pytest.raises(TypeError):
        record.metadata["a"][0]["b"] = 2
    with pytest.raises((TypeError, AttributeError)):
        record.metadata["a"].append(1)
