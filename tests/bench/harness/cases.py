"""Cases: what is measured, beside which floor, and how good it has to be."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from subjects import Bench, PgbenchFloor, PythonCharge, Subject


class Measure(enum.Enum):
    """What the ratio of a case is."""

    THROUGHPUT = "throughput / floor"  # the best of its floors
    TIME = "p50 / floor"
    PER_SECOND = "throughput alone"


@dataclass(frozen=True)
class Bar:
    """How good a case has to be."""

    limit: float
    at_most: bool = False

    def missed_by(self, ratio: float) -> bool:
        return ratio > self.limit if self.at_most else ratio < self.limit


@dataclass(frozen=True)
class Case:
    """A line of the table."""

    name: str
    subject: Subject
    floors: tuple[Subject, ...] = ()
    measure: Measure = Measure.THROUGHPUT
    bar: Bar | None = None
    quick: bool = False  # in the quick run; its bars count there
    database: str = ""  # whose word it is that commits are durable; empty: nothing is committed
    cost: bool = False  # what it leaves on disk is measured too, and what its last floor does


CALLERS = (1, 8, 64)
# The one whose time the others are compared with comes first.
ALLOCATIONS = (1, 100, 10_000)
RECORDS = (10_000, 100_000, 1_000_000, 10_000_000)


def allocations_user(count: int) -> str:
    return f"allocations-{count}"


def records_user(count: int) -> str:
    return f"records-{count}"


SQLITE_FLOOR = Bench("sqlite_floor", "floor_file", series="SQLite floor, file")


def floor(callers: int, database: str = "tcp", accounts: int = 1_000) -> PgbenchFloor:
    series = {1_000: "floor, spread", 1: "floor, hot"}[accounts] if database == "tcp" else ""
    return PgbenchFloor("write", database, callers, accounts, series)


def best_floor(database: str = "tcp") -> tuple[Subject, ...]:
    """The last is the one whose cost is shown."""
    return tuple(floor(callers, database) for callers in (1, 8, 16, 32, 64))


def _named(count: int) -> str:
    return f"{count} caller" if count == 1 else f"{count} callers"


def _spread(command: str, callers: int, database: str = "tcp") -> Bench:
    series = f"{command}, spread" if database == "tcp" else ""
    return Bench(command, database, callers, series=series)


def _hot(command: str, callers: int) -> Bench:
    return Bench(command, "tcp", callers, accounts=1, series=f"{command}, hot")


def charges() -> list[Case]:
    spread = {1: Bar(0.4), 8: Bar(0.6), 64: Bar(2)}
    cases = [
        Case(
            f"charge, {_named(callers)}" + (", spread" if callers > 1 else ""),
            _spread("charge", callers),
            best_floor() if callers == 64 else (floor(callers),),
            bar=spread[callers],
            quick=True,
            database="tcp",
            cost=callers == 64,
        )
        for callers in CALLERS
    ]
    for callers in CALLERS:
        cases.append(
            Case(
                f"charge, {_named(callers)}, one hot account",
                _hot("charge", callers),
                (floor(min(callers, 8), accounts=1),),
                bar=Bar(15) if callers == 64 else None,
                quick=callers == 64,
                database="tcp",
            )
        )
    return cases


def sessions() -> list[Case]:
    cases = [
        Case(
            f"session (all three calls), {_named(callers)}" + (", spread" if callers > 1 else ""),
            _spread("session", callers),
            best_floor() if callers == 64 else (floor(callers),),
            bar=Bar(0.6) if callers == 64 else None,
            quick=callers == 64,
            database="tcp",
            cost=callers == 64,
        )
        for callers in CALLERS
    ]
    for callers in CALLERS:
        cases.append(
            Case(
                f"session (all three calls), {_named(callers)}, one hot account",
                _hot("session", callers),
                (floor(min(callers, 8), accounts=1),),
                database="tcp",
            )
        )
    return cases


def bulk() -> list[Case]:
    return [
        Case(
            f"charge_many by {batch:,}, one connection",
            Bench("charge_many", "tcp", options=(("batch", batch), ("pool-size", 1))),
            best_floor(),
            bar=Bar(2.5) if batch == 1_000 else None,
            quick=batch == 1_000,
            database="tcp",
            cost=batch == 1_000,
        )
        for batch in (100, 1_000)
    ]


def rows_alone() -> list[Case]:
    """What a charge writes, written without the library: how much of a ratio the rows decide."""

    def together(callers: int, operations: int, accounts: int = 1_000) -> PgbenchFloor:
        return PgbenchFloor("rows_together", "tcp", callers, accounts, operations=operations)

    return [
        _rows("1 client", PgbenchFloor("rows", "tcp", 1), floor(1)),
        _rows("2 clients, 4 together", together(2, 4), floor(8)),
        _rows("2 clients, 32 together", together(2, 32), *best_floor()),
        _rows("1 client, 64 together, hot", together(1, 64, 1), floor(8, accounts=1)),
        _rows("1 client, 1,000 together", together(1, 1_000), *best_floor()),
    ]


def _rows(what: str, rows: PgbenchFloor | Bench, *floors: Subject) -> Case:
    name = f"rows of a charge alone, {what}"
    return Case(name, rows, floors, quick=True, database=rows.database)


def queries() -> list[Case]:
    return [
        Case(
            f"{query}, {_named(callers)}",
            Bench(query, "tcp", callers),
            (PgbenchFloor("read", "tcp", callers),),
        )
        for query in ("balance", "check")
        for callers in CALLERS
    ]


def transports() -> list[Case]:
    over_unix = [
        Case(
            f"charge over a Unix socket, {_named(callers)}",
            _spread("charge", callers, "unix"),
            best_floor("unix") if callers == 64 else (floor(callers, "unix"),),
            database="unix",
        )
        for callers in CALLERS
    ]
    through_proxy = Case(
        "charge through the 0.5 ms proxy, 1 caller",
        Bench("charge", "proxy"),
        (Bench("round_trip", "proxy"),),
        Measure.TIME,
        Bar(2.2, at_most=True),
        quick=True,
        database="tcp",
    )
    return [through_proxy, *over_unix]


def many_allocations() -> list[Case]:
    def charge(count: int) -> Bench:
        return Bench("charge", "tcp", user=allocations_user(count))

    return [
        Case(
            f"charge with {count:,} active allocation{'s' if count > 1 else ''}",
            charge(count),
            (charge(ALLOCATIONS[0]),),
            Measure.TIME,
            Bar(1.2, at_most=True) if count == 10_000 else None,
            quick=count in (1, 10_000),
            database="tcp",
        )
        for count in ALLOCATIONS
    ]


# Hours after the first record's: from noon of the second day to noon of the last but one.
PARTIAL_DAYS = (("from-hours", 36), ("to-hours", 684))


def _short(count: int) -> str:
    return f"{count // 1_000_000}M" if count >= 1_000_000 else f"{count // 1_000}k"


def statistics(quick: bool) -> list[Case]:
    def stats(count: int, options: tuple[tuple[str, int], ...]) -> Bench:
        return Bench("user_stats", "statistics", user=records_user(count), options=options)

    largest = 100_000 if quick else RECORDS[-1]
    of_one = [
        Case(
            f"user_stats at {_short(count)} records{what}",
            stats(count, options),
            (stats(RECORDS[0], options),),
            Measure.TIME,
            Bar(1.3, at_most=True) if count == largest and not options else None,
            quick=count <= 100_000 and not options,
        )
        for options, what in (((), ""), (PARTIAL_DAYS, ", partial days at both ends"))
        for count in RECORDS
    ]
    of_all = Case(
        "system_stats of all these users",
        Bench("system_stats", "statistics"),
        (stats(RECORDS[0], ()),),
        Measure.TIME,
    )
    return [*of_one, of_all]


def sqlite() -> list[Case]:
    bars = {1: Bar(0.5), 64: Bar(5)}
    in_file = [
        Case(
            f"SQLite charge, {_named(callers)}, file",
            Bench("charge", "file", callers, series="SQLite charge, file"),
            (SQLITE_FLOOR,),
            bar=bars.get(callers),
            quick=callers in bars,
            database="file",
        )
        for callers in CALLERS
    ]
    in_memory = Case(
        "SQLite charge, 1 caller, in memory",
        Bench("charge", "memory"),
        (Bench("sqlite_floor", "memory"),),
        Measure.PER_SECOND,
        Bar(30_000),
        quick=True,
        database="memory",
    )
    return [*in_file, in_memory, *_sqlite_rows_alone()]


def _sqlite_rows_alone() -> list[Case]:
    def rows(operations: int) -> Bench:
        return Bench("sqlite_rows", "rows_file", options=(("batch", operations),))

    return [
        _rows("SQLite", rows(1), SQLITE_FLOOR),
        _rows("SQLite, 64 together", rows(64), SQLITE_FLOOR),
    ]


def engine() -> list[Case]:
    alone = Bench("engine")
    return [Case("engine alone", alone, (), Measure.PER_SECOND, Bar(2_000_000), quick=True)]


def hash_chain() -> list[Case]:
    """How much of one core the hashes of all those charges take."""
    return [
        Case(
            "hash chain of a charge, 64 callers, spread",
            _spread("charge", 64),
            (Bench("hash_chain"),),
            bar=Bar(0.05, at_most=True),
            quick=True,
            database="tcp",
        )
    ]


def python() -> list[Case]:
    return [
        Case(
            f"Python charge, {callers} thread{'s' if callers > 1 else ''}",
            PythonCharge("tcp", callers),
            (floor(callers),),
            database="tcp",
        )
        for callers in (1, 16)
    ]


def all_cases(quick: bool) -> list[Case]:
    """In the order of the table, which is the order in which they are measured."""
    cases = [
        *charges(),
        *sessions(),
        *bulk(),
        *rows_alone(),
        *transports(),
        *many_allocations(),
        *queries(),
        *statistics(quick),
        *python(),
        *sqlite(),
        *engine(),
        *hash_chain(),
    ]
    return [case for case in cases if case.quick or not quick]
