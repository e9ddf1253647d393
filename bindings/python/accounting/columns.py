"""Usage and journal as columns, for pandas, polars and Arrow.

>>> import accounting
>>> from accounting import columns
>>> books = accounting.open("sqlite://")
>>> _ = books.accounts.sync("ada", "ada@example.org", "Ada")
>>> _ = books.usage.record("ada", "images", "sketch", 12)
>>> usage = columns.usage_columns(books, "ada")
>>> usage["operation"], usage["credits"]
(['sketch'], [12])

A dict of lists is what `pandas.DataFrame` takes as it is, and `polars.DataFrame` too unless
metadata comes in several shapes (numbers here, objects there): then give polars the Arrow table.
pandas makes a column of whole numbers with None among them, such as `usage_id`, one of floats.

With pyarrow installed, `usage_table` and its siblings give a `pyarrow.Table`, whose
`__arrow_c_stream__` every library that speaks Arrow reads: int64 credits, instants in UTC to the
microsecond, metadata as JSON text, nothing rounded.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from accounting.books import Accounting, Transaction
from accounting.frozen import thawed
from accounting.paging import numbered, onward
from accounting.values import CreditAllocation, CreditEntry, UsageRecord

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "allocation_columns",
    "allocation_table",
    "entry_columns",
    "entry_table",
    "to_columns",
    "to_table",
    "usage_columns",
    "usage_table",
]

Row = TypeVar("Row", UsageRecord, CreditEntry, CreditAllocation)

# Columns that are neither text nor int64.
_INSTANTS = frozenset(
    {"timestamp", "created_at", "allocated_at", "effective_at", "expires_at", "revoked_at"}
)
_NUMBERS = frozenset(
    {
        "id", "sequence", "allocation_id", "usage_id", "credits", "collected_credits",
        "total_credits", "remaining_credits", "held_credits", "consumed_credits",
        "revoked_credits", "moved_credits",
    }
)  # fmt: skip


def to_columns(rows: Iterable[Row], kind: type[Row] | None = None) -> dict[str, list[Any]]:
    """The rows as one list for each field, in the order of the fields and of the rows.

    Instants stay aware datetimes, enums become their words, metadata plain dicts and lists.

    Args:
        rows: UsageRecords, CreditEntries or CreditAllocations, all of one kind.
        kind: their class; needed only where there may be no rows, which then give empty columns.

    Raises:
        TypeError: the rows are of several kinds, or of another kind.
        ValueError: there are no rows, and no kind is named.

    >>> to_columns([], kind=CreditEntry)["credits"]
    []
    """
    rows = list(rows)
    if kind is None:
        if not rows:
            raise ValueError("no rows: name their kind, for example to_columns([], UsageRecord)")
        kind = type(rows[0])
    if kind not in (UsageRecord, CreditEntry, CreditAllocation):
        raise TypeError(
            f"columns are made of UsageRecord, CreditEntry or CreditAllocation, not {kind!r}"
        )
    for row in rows:
        if type(row) is not kind:
            raise TypeError(f"a {type(row).__name__} among rows of {kind.__name__}")
    names = [field.name for field in dataclasses.fields(kind)]
    return {name: [_cell(getattr(row, name)) for row in rows] for name in names}


def to_table(rows: Iterable[Row], kind: type[Row] | None = None) -> pyarrow.Table:
    """The rows as a `pyarrow.Table`, for everything that reads the Arrow C stream protocol.

    Credits and ids are int64, instants timestamps in UTC with microseconds, metadata JSON text.

    Args:
        rows: as of `to_columns`.
        kind: as of `to_columns`.

    Raises:
        ModuleNotFoundError: pyarrow is not installed.
        TypeError: as of `to_columns`.
        ValueError: as of `to_columns`.
    """
    return _table(to_columns(rows, kind))


def usage_columns(
    books: Accounting | Transaction,
    user_id: str,
    start: datetime | None = None,
    end: datetime | None = None,
) -> dict[str, list[Any]]:
    """All usage records of an account within [start, end), oldest first, as columns.

    Args:
        books: the books, or a transaction on them for one consistent snapshot.
        user_id: whose.
        start: an aware datetime of the years 1970 to 9999, not before it; None: from the first.
        end: likewise, before it; None: to the last.

    Raises:
        NotFound: no such account.
        InvalidArgument: start > end.
    """
    fetch = functools.partial(books.usage.list, user_id, start, end)
    rows = onward(fetch, lambda row: row.id)
    return to_columns(rows, UsageRecord)


def usage_table(
    books: Accounting | Transaction,
    user_id: str,
    start: datetime | None = None,
    end: datetime | None = None,
) -> pyarrow.Table:
    """`usage_columns` as a `pyarrow.Table`; ModuleNotFoundError without pyarrow."""
    return _table(usage_columns(books, user_id, start, end))


def entry_columns(
    books: Accounting | Transaction, user_id: str, after: int = 0
) -> dict[str, list[Any]]:
    """The journal of an account, oldest first, as columns.

    Args:
        books: the books, or a transaction on them.
        user_id: whose.
        after: entries with a larger sequence only; the last one known, to go on.

    Raises:
        NotFound: no such account.
    """
    fetch = functools.partial(books.credits.entries, user_id)
    rows = onward(fetch, lambda row: row.sequence, after)
    return to_columns(rows, CreditEntry)


def entry_table(books: Accounting | Transaction, user_id: str, after: int = 0) -> pyarrow.Table:
    """`entry_columns` as a `pyarrow.Table`; ModuleNotFoundError without pyarrow."""
    return _table(entry_columns(books, user_id, after))


def allocation_columns(books: Accounting | Transaction, user_id: str) -> dict[str, list[Any]]:
    """All allocations of an account, in any state, newest first, as columns.

    Args:
        books: the books, or a transaction on them. Without one, allocations that are made
            meanwhile may be missed.
        user_id: whose.

    Raises:
        NotFound: no such account.
    """
    rows = numbered(functools.partial(books.credits.history, user_id), lambda row: row.id)
    return to_columns(rows, CreditAllocation)


def allocation_table(books: Accounting | Transaction, user_id: str) -> pyarrow.Table:
    """`allocation_columns` as a `pyarrow.Table`; ModuleNotFoundError without pyarrow."""
    return _table(allocation_columns(books, user_id))


def _cell(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else thawed(value)


def _table(columns: dict[str, list[Any]]) -> pyarrow.Table:
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "Arrow tables need pyarrow: pip install pyarrow. Without it, the functions that end in"
            " _columns give dicts of lists.",
            name="pyarrow",
        ) from None
    arrays = {}
    for name, values in columns.items():
        if name in _INSTANTS:
            arrays[name] = pyarrow.array(values, pyarrow.timestamp("us", tz="UTC"))
        elif name in _NUMBERS:
            arrays[name] = pyarrow.array(values, pyarrow.int64())
        elif name == "metadata":
            texts = [None if one is None else json.dumps(one, sort_keys=True) for one in values]
            arrays[name] = pyarrow.array(texts, pyarrow.string())
        else:
            arrays[name] = pyarrow.array(values, pyarrow.string())
    return pyarrow.table(arrays)
