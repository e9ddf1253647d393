"""What the books say about themselves."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from accounting.values.base import Value

__all__ = ["CheckpointReport", "Health", "PoolStatus", "Problem", "VerifyReport"]


@dataclasses.dataclass(frozen=True, slots=True)
class Problem(Value):
    """Something that `verify` found wrong.

    Attributes:
        invariant: "I1" to "I6", or "chain" where the hashes of the journal do not fit.
        user_id: the account concerned.
        detail: what was found, what was expected, in which rows.
    """

    invariant: str
    user_id: str
    detail: str


@dataclasses.dataclass(frozen=True, slots=True)
class VerifyReport(Value):
    """Whether the books balance.

    Attributes:
        ok: no problem was found.
        problems: what was.
        accounts: how many were looked at; likewise the rest.
        allocations: of credits.
        sessions: streaming ones.
        usage_records: of all services.
        entries: of the journal.
    """

    ok: bool
    problems: tuple[Problem, ...]
    accounts: int
    allocations: int
    sessions: int
    usage_records: int
    entries: int


@dataclasses.dataclass(frozen=True, slots=True)
class CheckpointReport(Value):
    """How the books compare with a checkpoint.

    Attributes:
        ok: they hold every journal entry that it covers, unchanged.
        problems: what they lack, account by account.
        created_at: when the checkpoint was made, in UTC.
        accounts: how many it names.
        entries: how many journal entries it covers.
    """

    ok: bool
    problems: tuple[Problem, ...]
    created_at: datetime
    accounts: int
    entries: int


@dataclasses.dataclass(frozen=True, slots=True)
class PoolStatus(Value):
    """The connections to the database.

    Attributes:
        size: at most.
        open: that exist.
        in_use: at work.
    """

    size: int
    open: int
    in_use: int


@dataclasses.dataclass(frozen=True, slots=True)
class Health(Value):
    """Whether the books can be worked with.

    Attributes:
        ok: the database answers and its schema is this version's.
        service: "accounting".
        version: of the library.
        time: of the books' clock, in UTC.
        database: "sqlite" or "postgresql".
        reachable: the database answers.
        schema_version: 0: empty or unreachable.
        pending_migrations: how many `migrate` would carry out.
        pool: the connections.
        clock_skew: the database's clock minus the books'; None: unreachable.
        problem: a sentence, where not ok; else empty.
    """

    ok: bool
    service: str
    version: str
    time: datetime
    database: str
    reachable: bool
    schema_version: int
    pending_migrations: int
    pool: PoolStatus
    clock_skew: timedelta | None
    problem: str
