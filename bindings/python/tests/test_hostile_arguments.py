"""Arguments with a will of their own: they change, raise or lie while they are read."""

from __future__ import annotations

import enum
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from accounting import Accounting, InvalidArgument

UTC = timezone.utc


@pytest.fixture
def hasty_switches() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_a_key_that_empties_its_dict_when_it_is_shown(memory: Accounting) -> None:
    class Key(str):
        def __repr__(self) -> str:
            metadata.clear()
            others.append([["other"] * 3 for _ in range(2_000)])
            return "key"

    others: list[Any] = []
    metadata = {Key("key"): ["mine"] * 3}
    assert memory.usage.record("ada", "s", "o", 1, metadata).metadata == {"key": ["mine"] * 3}


def test_a_key_that_cannot_be_shown_can_be_kept(memory: Accounting) -> None:
    class Key(str):
        def __repr__(self) -> str:
            raise ValueError

    assert memory.usage.record("ada", "s", "o", 1, {Key("key"): 1}).metadata == {"key": 1}
    with pytest.raises(InvalidArgument, match=r"NaN .* \(at metadata\[\?\]\)"):
        memory.usage.record("ada", "s", "o", 1, {Key("key"): float("nan")})


@pytest.mark.usefixtures("hasty_switches")
def test_metadata_that_another_thread_changes(memory: Accounting) -> None:
    class Field(str, enum.Enum):
        MODEL = "model"
        PLACE = "place"

    metadata: dict[str, Any] = {}
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            metadata.clear()
            for field in Field:
                metadata[field] = [field.value, {"n": 1}]

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(5_000):
            kept = memory.usage.record("ada", "s", "o", 1, metadata).metadata
            assert all(kept[name] == [name, {"n": 1}] for name in kept)
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("answer", [5, "later", ValueError("never")])
def test_an_offset_that_is_none(memory: Accounting, answer: object) -> None:
    class Lying(datetime):
        def utcoffset(self) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    ends = Lying(2030, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    with pytest.raises(InvalidArgument, match=r"^expires_at: .* that can tell its offset"):
        memory.credits.allocate("ada", 1, "admin", expires_at=ends)


def test_a_decimal_is_its_number_whatever_it_says(memory: Accounting) -> None:
    class Boasting(Decimal):
        def __format__(self, *_: object) -> str:
            return "7"

        def is_finite(self) -> bool:
            return True

    assert memory.pricing.set("m", Boasting(3), "admin").price_per_1k_tokens == 3
    with pytest.raises(InvalidArgument, match="finite"):
        memory.pricing.set("n", Boasting("NaN"), "admin")


def test_a_float_of_another_class_is_told_its_number(memory: Accounting) -> None:
    class Float(float):
        def __repr__(self) -> str:
            return "Float(1.5)"

    with pytest.raises(InvalidArgument, match=r'write "1.5" or Decimal\("1.5"\)'):
        memory.pricing.set("m", Float(1.5), "admin")  # type: ignore[arg-type]


def test_a_member_that_utf8_cannot_encode_fails_its_request_alone(memory: Accounting) -> None:
    good = {"user_id": "ada", "service": "s", "operation": "o", "credits": 1}
    first, second = memory.credits.charge_many([good, {**good, "\ud800": 1}])
    assert not isinstance(first, Exception)
    assert isinstance(second, InvalidArgument)
    assert second.argument == "\\ud800"
