"""What the databases hold before anything is measured."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cases import ALLOCATIONS, RECORDS, Case, allocations_user, records_user
from subjects import Bench, PgbenchFloor
from world import ACCOUNTS, World

HERE = Path(__file__).resolve().parent

FLOOR = """
CREATE TABLE floor_accounts (
  id INTEGER PRIMARY KEY, credits BIGINT NOT NULL CHECK (credits >= 0)
) WITH (fillfactor = 70);
CREATE TABLE floor_uses (
  account INTEGER NOT NULL, credits BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL
);
INSERT INTO floor_accounts SELECT id, 1000000000000000 FROM generate_series(1, :accounts) AS id;
"""


def prepare(world: World, cases: Sequence[Case]) -> None:
    """Makes whatever the cases work on; what none of them does is left out."""
    subjects = [subject for case in cases for subject in (case.subject, *case.floors)]
    databases = {getattr(subject, "database", "") for subject in subjects}
    users = {subject.user for subject in subjects if isinstance(subject, Bench)}
    if databases & {"tcp", "unix", "proxy"}:
        _prepare_postgresql(world, users)
    if any(isinstance(each, PgbenchFloor) and each.script.startswith("rows") for each in subjects):
        world.psql("tcp", (HERE / "rows_alone.sql").read_text())
    if "statistics" in databases:
        _prepare_statistics(world, [count for count in RECORDS if records_user(count) in users])
    for file in sorted(databases & {"file", "rows_file"}):
        world.bench("prepare", "--database", world.url(file), "--accounts", ACCOUNTS)
    if databases & {"tcp", "unix", "proxy", "statistics"}:
        # What was written until now is not to be written out while something is measured.
        world.psql("tcp", "VACUUM (ANALYZE); CHECKPOINT;")


def _prepare_postgresql(world: World, users: set[str]) -> None:
    world.psql("tcp", FLOOR, accounts=ACCOUNTS)
    world.bench("prepare", "--database", world.url("tcp"), "--accounts", ACCOUNTS)
    for count in ALLOCATIONS:
        if allocations_user(count) in users:
            world.bench(
                "prepare",
                *("--database", world.url("tcp"), "--user", allocations_user(count)),
                *("--allocations", count),
            )


def forget_rows_alone(world: World) -> None:
    """So that nobody tidies those tables up while something else is measured."""
    world.psql("tcp", "DROP SCHEMA IF EXISTS rows_alone CASCADE;")


def _prepare_statistics(world: World, counts: Sequence[int]) -> None:
    world.psql("tcp", "CREATE DATABASE statistics;")
    for count in counts:
        world.bench("prepare", "--database", world.url("statistics"), "--user", records_user(count))
    # The indexes are built once all is there: that takes a third of the time.
    script = (HERE / "usage_records.sql").read_text()
    before, each, after = script.split("-- ----\n")
    world.psql("statistics", before)
    for count in counts:
        world.psql("statistics", each, user_id=records_user(count), records=count)
    world.psql("statistics", after)


def durable(world: World, database: str) -> tuple[bool, dict[str, str]]:
    """Whether commits are on disk when they are answered, and what the database said of it."""
    if database == "memory":
        return False, {"database": "in memory"}
    told = world.bench("durability", "--database", world.url(database))
    said: dict[str, str] = told["said"]
    said["file_system"] = world.run(["stat", "-f", "-c", "%T", world.directory]).strip()
    # Such a file system keeps files in memory, whatever it is asked for.
    return told["durable"] and said["file_system"] not in ("tmpfs", "ramfs"), said


def problems(world: World, databases: Iterable[str]) -> Iterator[str]:
    """What is wrong with the books after all those calls; says how much was looked at."""
    for database in databases:
        begin = time.monotonic()
        told = world.bench("verify", "--database", world.url(database))
        print(
            f"verified ({database}): {told['accounts']:,} accounts, {told['usage_records']:,} "
            f"usage records, {told['entries']:,} entries, {time.monotonic() - begin:.0f} s",
            flush=True,
        )
        for problem in told["problems"][:10]:
            yield f"the books do not balance ({database}): {problem}"
