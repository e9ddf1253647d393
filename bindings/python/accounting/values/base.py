"""What every value type has, and pages of values."""

from __future__ import annotations

import dataclasses
import enum
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from accounting.frozen import frozen

__all__ = ["Page", "Value", "plain"]

Item = TypeVar("Item")


class Value:
    """The base of the value types: frozen dataclasses that compare, hash, copy and pickle.

    Lists in them are tuples that also equal lists, dicts cannot be changed, all the way down.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        """Freeze what a caller built it from."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, (list, tuple, dict)):
                object.__setattr__(self, field.name, frozen(value))

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, in forms that `json.dumps` takes.

        Instants become ISO 8601 text in UTC, durations seconds, prices and enums text; values
        inside become dicts and lists.
        """
        return {
            field.name: plain(getattr(self, field.name))
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }


def plain(value: Any) -> Any:
    """A value, or what values are made of, in forms that `json.dumps` takes; see `to_dict`."""
    if isinstance(value, Value):
        return value.to_dict()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    return value


@dataclasses.dataclass(frozen=True, slots=True)
class Page(Value, Generic[Item]):
    """One page of a longer list.

    Attributes:
        items: the values on this page; empty past the end.
        total: values on all pages.
        page: this page's number, from 1.
        total_pages: 0 where there are no items at all.
    """

    items: tuple[Item, ...]
    total: int
    page: int
    total_pages: int
