"""Costs: what an operation leaves behind on PostgreSQL's disk, and how it changed rows there."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from subjects import Bench, PgbenchFloor, Subject
from table import aligned
from world import Failed, Window, World

# Rows that each operation inserts one of.
ONE_ROW_EACH = {
    "charge": "usage_records",
    "charge_many": "usage_records",
    "session": "streaming_sessions",
    "write": "floor_uses",
}
SNAPSHOT = """
SELECT (SELECT count(*) FROM {table}), pg_current_wal_insert_lsn() - '0/0',
       sum(pg_total_relation_size(relid))::bigint, sum(n_tup_upd)::bigint,
       sum(n_tup_hot_upd)::bigint
FROM pg_stat_user_tables;
"""
CLIENTS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
  AND pid <> pg_backend_pid();
"""


@dataclass(frozen=True)
class Snapshot:
    """The database's own counters at one moment."""

    operations: int
    wal: int  # bytes
    size: int  # bytes, of tables with their indexes
    updates: int
    hot_updates: int


@dataclass(frozen=True)
class Cost:
    """Of one operation, on average."""

    case: str
    operations: int  # that were counted
    wal: float  # bytes, whole pages after a checkpoint included
    size: float  # bytes that tables and indexes have grown by
    updates: float  # rows
    hot: float | None  # the part of them that left every index alone; none: no row was updated

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def cost(case: str, before: Snapshot, after: Snapshot) -> Cost:
    operations = after.operations - before.operations
    if operations <= 0:
        raise Failed(f"{case}: no operation was counted")
    updates = after.updates - before.updates
    return Cost(
        case,
        operations,
        wal=(after.wal - before.wal) / operations,
        size=(after.size - before.size) / operations,
        updates=updates / operations,
        hot=(after.hot_updates - before.hot_updates) / updates if updates else None,
    )


def measure_cost(world: World, case: str, subject: Subject, window: Window) -> Cost:
    """Lets `subject`, one of those that write to PostgreSQL, run once more by itself."""
    assert isinstance(subject, Bench | PgbenchFloor)
    command = subject.command if isinstance(subject, Bench) else subject.script
    before = _snapshot(world, ONE_ROW_EACH[command])
    figures = subject.measure(world, window)
    if figures.failures:  # they leave something behind as well
        raise Failed(f"{case}: {figures.failures} calls failed: {figures.failure}")
    return cost(case, before, _snapshot(world, ONE_ROW_EACH[command]))


def cost_table(costs: Iterable[Cost]) -> str:
    header = ("an operation of", "WAL", "on disk", "rows updated", "of these HOT")
    return aligned([header, *(_line(each) for each in costs)])


def _snapshot(world: World, table: str) -> Snapshot:
    # Connections say what they have done when they end, which their clients do not wait for.
    end = time.monotonic() + 10
    while world.psql("tcp", CLIENTS) != "0":
        if time.monotonic() >= end:
            raise Failed("a client has stayed connected, whose counters are not told yet")
        time.sleep(0.05)
    told = world.psql("tcp", SNAPSHOT.format(table=table))
    return Snapshot(*(int(number) for number in told.split("|")))


def _line(each: Cost) -> tuple[str, ...]:
    return (
        each.case,
        f"{each.wal:,.0f} B",
        f"{each.size:,.0f} B",
        f"{each.updates:.2f}",
        "-" if each.hot is None else f"{each.hot:.1%}",
    )
