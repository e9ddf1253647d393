"""Usage, journal and allocations as columns and Arrow tables."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone

import pytest

from accounting import Accounting, InvalidArgument, ManualClock, NotFound, UsageRecord, columns
from accounting.columns import to_columns, to_table

NEW_YEAR = datetime(2026, 1, 1, tzinfo=timezone.utc)
LARGEST = 10**15


@pytest.fixture
def used(books: Accounting, clock: ManualClock) -> Accounting:
    """2,345 records, a microsecond apart, and a journal."""
    books.usage.record_many(
        [{"user_id": "ada", "service": "chat", "operation": "m", "credits": LARGEST}]
    )
    for start in range(0, 2_344, 586):
        clock.advance(seconds=0.000_001)
        some = [
            {"user_id": "ada", "service": "s", "operation": "o", "credits": n + 1,
             "metadata": {"n": n, "tags": ["a"]}}
            for n in range(start, start + 586)
        ]  # fmt: skip
        books.usage.record_many(some)
    books.credits.allocate("ada", 100, "admin", never_expires=True)
    books.credits.charge("ada", "chat", "m", 40)
    return books


def test_usage_pages_through_everything(used: Accounting) -> None:
    usage = columns.usage_columns(used, "ada")
    assert list(usage) == [
        "id", "user_id", "timestamp", "service", "operation", "credits", "collected_credits",
        "metadata",
    ]  # fmt: skip
    assert usage["id"] == list(range(1, 2_347))
    assert usage["credits"][0] == LARGEST
    assert usage["metadata"][1] == {"n": 0, "tags": ["a"]}
    assert type(usage["metadata"][1]) is dict
    assert sum(usage["credits"]) == used.usage.user_stats("ada").total_credits


def test_usage_of_a_range_is_exact_to_the_microsecond(used: Accounting) -> None:
    step = timedelta(microseconds=1)
    usage = columns.usage_columns(used, "ada", NEW_YEAR + step, NEW_YEAR + 2 * step)
    assert usage["credits"] == list(range(1, 587))
    assert set(usage["timestamp"]) == {NEW_YEAR + step}
    empty = columns.usage_columns(used, "ada", NEW_YEAR - step, NEW_YEAR)
    assert empty["credits"] == []
    with pytest.raises(InvalidArgument):
        columns.usage_columns(used, "ada", NEW_YEAR + step, NEW_YEAR)
    with pytest.raises(NotFound):
        columns.usage_columns(used, "nobody")


def test_journal_and_allocations(used: Accounting) -> None:
    journal = columns.entry_columns(used, "ada")
    assert journal["sequence"] == [1, 2]
    assert journal["kind"] == ["allocate", "charge"]
    assert [type(kind) for kind in journal["kind"]] == [str, str]
    assert sum(journal["credits"]) == 60
    assert columns.entry_columns(used, "ada", after=1)["credits"] == [-40]
    with used.transaction() as tx:
        allocations = columns.allocation_columns(tx, "ada")
    assert allocations["remaining_credits"] == [60]
    assert allocations["expires_at"] == [None]


def test_allocations_page_through_everything(memory: Accounting) -> None:
    requests = [{"user_id": "ada", "credits": 1, "allocated_by": "x"} for _ in range(1_000)]
    memory.credits.allocate_many(requests)
    assert columns.allocation_columns(memory, "ada")["id"] == list(range(1_001, 0, -1))


def test_rows_of_one_kind_only(memory: Accounting) -> None:
    charge = memory.credits.charge("ada", "chat", "m", 1)
    entries = memory.credits.entries("ada")
    assert to_columns([charge.usage_record])["credits"] == [1]
    assert to_columns([], UsageRecord)["credits"] == []
    with pytest.raises(ValueError, match="no rows"):
        to_columns([])
    with pytest.raises(TypeError, match="CreditEntry among rows of UsageRecord"):
        to_columns([charge.usage_record, *entries])  # type: ignore[type-var]
    with pytest.raises(TypeError, match="not <class 'int'>"):
        to_columns([1])  # type: ignore[type-var]


def test_arrow_tables_lose_nothing(used: Accounting) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="SKIPPED: pyarrow is not installed")
    table = columns.usage_table(used, "ada")
    instant = pyarrow.timestamp("us", tz="UTC")
    assert table.schema.field("timestamp").type == instant
    assert table.schema.field("credits").type == pyarrow.int64()
    plain = columns.usage_columns(used, "ada")
    assert table["credits"].to_pylist() == plain["credits"]
    assert table["timestamp"].to_pylist() == plain["timestamp"]
    assert table["metadata"][1].as_py() == '{"n": 0, "tags": ["a"]}'
    assert table["metadata"][0].as_py() is None
    # Another library takes it through the C stream protocol.
    again = pyarrow.RecordBatchReader.from_stream(table).read_all()
    assert again == table

    journal = columns.entry_table(used, "ada")
    assert journal.schema.field("usage_id").type == pyarrow.int64()
    assert journal["credits"].to_pylist() == [100, -40]
    allocations = columns.allocation_table(used, "ada")
    assert allocations.schema.field("expires_at").type == instant
    # Without rows, the types are there all the same.
    assert to_table([], UsageRecord).schema == table.schema


@pytest.fixture
def shapes(memory: Accounting) -> Accounting:
    """Metadata in several shapes, and a journal with and without a usage_id."""
    for metadata in (None, {"n": 1}, [1, "a"], "text", 7):
        memory.usage.record("ada", "s", "o", LARGEST, metadata=metadata)
    memory.credits.charge("ada", "s", "o", 1)
    return memory


def test_pandas_takes_columns_as_they_are(shapes: Accounting) -> None:
    pandas = pytest.importorskip("pandas", reason="SKIPPED: pandas is not installed")
    usage = pandas.DataFrame(columns.usage_columns(shapes, "ada"))
    assert usage["credits"].tolist() == [LARGEST] * 5 + [1]
    assert usage["credits"].dtype == "int64"
    assert usage["metadata"].tolist()[1:5] == [{"n": 1}, [1, "a"], "text", 7]
    # As the module says: whole numbers with None among them become floats.
    journal = pandas.DataFrame(columns.entry_columns(shapes, "ada"))
    assert journal["usage_id"].dtype == "float64"


def test_polars_takes_columns_and_where_metadata_is_mixed_the_table(shapes: Accounting) -> None:
    polars = pytest.importorskip("polars", reason="SKIPPED: polars is not installed")
    journal = polars.DataFrame(columns.entry_columns(shapes, "ada"))
    assert journal["usage_id"].to_list() == [None, 6]
    with pytest.raises(TypeError):
        polars.DataFrame(columns.usage_columns(shapes, "ada"))
    pytest.importorskip("pyarrow", reason="SKIPPED: pyarrow is not installed")
    usage = polars.from_arrow(columns.usage_table(shapes, "ada"))
    assert usage["credits"].to_list() == [LARGEST] * 5 + [1]
    assert usage["metadata"].to_list()[:3] == [None, '{"n": 1}', '[1, "a"]']


def test_without_pyarrow_the_error_says_what_to_do(
    memory: Accounting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match="pip install pyarrow"):
        columns.usage_table(memory, "ada")
    assert columns.usage_columns(memory, "ada")["id"] == []
