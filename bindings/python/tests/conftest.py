"""Fixtures that the tests share: clocks, and books on every database there is."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

import accounting
from accounting import Accounting, ManualClock, Policy, _core
from databases import WHY_NOT, has_postgresql, postgresql_database

# Where the tests run in the background, Ctrl-C is ignored, and would be by what they start as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A module without a sanitizer would pass for one in which nothing was found.
if os.environ.get("ACCOUNTING_TEST_SANITIZED") == "TRUE":
    assert _core.__file__ is not None
    if b"__asan_init" not in Path(_core.__file__).read_bytes():
        raise pytest.UsageError(f"{_core.__file__} was built without AddressSanitizer")

NEW_YEAR = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Keeps what a test did (threads, forks, interrupts) among the messages of tests/run."""

    def keep(words: str) -> None:
        print(words)
        record_property("did", words)

    return keep


@pytest.fixture
def clock() -> ManualClock:
    """At midnight of 2026-01-01, UTC."""
    return ManualClock(NEW_YEAR)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database: a file of SQLite, and one on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/books.db"
    elif not has_postgresql():
        pytest.skip(WHY_NOT)
    else:
        with postgresql_database() as name:
            yield name


@pytest.fixture
def server_url() -> Iterator[str]:
    """An empty database on PostgreSQL, for what SQLite cannot show."""
    if not has_postgresql():
        pytest.skip(WHY_NOT)
    with postgresql_database() as name:
        yield name


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[Accounting]:
    """Books on every database, with `ada`, who has nothing yet."""
    policy = Policy(fallback_price="10")
    with accounting.open(url, policy=policy, clock=clock, migrate=True) as opened:
        opened.accounts.sync("ada", "ada@example.org", "Ada")
        yield opened


@pytest.fixture
def memory(clock: ManualClock) -> Iterator[Accounting]:
    """Books in memory, with `ada`, who has 1,000 credits: for what no database changes."""
    policy = Policy(fallback_price="10")
    with accounting.open("sqlite://", policy=policy, clock=clock) as opened:
        opened.accounts.sync("ada", "ada@example.org", "Ada")
        opened.credits.allocate("ada", 1_000, "admin")
        yield opened
